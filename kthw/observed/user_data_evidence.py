"""What a worker's user data says: the part of the evidence that a person wrote at the launch.

Get these nouns from ``kthw.observed.evidence``, whose document they are part of.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from msgspec import Struct

from kthw.observed.values import Name, Text
from kthw.secrets import MASK

MOST_VALUE: Final = 200
"""A value in user data that is as long as this, or longer, is cut in older recordings."""
_SCRIPT: Final = re.compile(
    r"(?:gzip: )?\s*(?:#!|#cloud-|#include|#part-handler|## template:|content-type:|mime-version:)",
    re.IGNORECASE,
)
"""How what cloud-init runs begins."""
_JOINERS: Final = "\u200c\u200d\ufe0f"
"""Invisible parts of emoji and of several scripts."""


class Statement(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cidr``, as written, is said to be a pod CIDR: ``assigned`` to ``key``, ``written`` into the file
    ``key``, or ``alone``, the only range there is.
    """

    cidr: Name
    form: Name
    key: Name = ""


class UserData(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A worker's user data: the ``key=value`` pairs, and the decoded text when they say no pod CIDR.

    ``statements``: what else than the chapter's own pair says a pod CIDR, where that pair is not there.

    ``text`` is kept only when no pair is, or resembles, the pod CIDR's, or when it is a script's. Of both
    only what a finding needs or what is harmless is there: a value that may be a secret is ``***``, words
    that may be one are ``…``, and lines that are left out are counted at the end (``… (+12 ⏎)``).
    """

    pairs: dict[Name, Name] = {}
    text: Text = ""
    statements: tuple[Statement, ...] = ()

    @property
    def is_script(self) -> bool:
        """Whether cloud-init would run it, so that pairs in it are variables and no user data."""
        return bool(_SCRIPT.match(self.text))

    @property
    def encoded_text(self) -> str:
        """What ``text`` says if it is base64 itself; empty if it is not."""
        try:
            inner = base64.b64decode("".join(self.text.split()), validate=True).decode("utf-8")
        except ValueError:  # no base64, no ASCII even, no UTF-8 in it
            return ""
        readable = all(c.isprintable() or c in _JOINERS or c in "\r\n\t" for c in inner)
        return inner if readable and ("=" in inner or "#" in inner) else ""

    @property
    def whole(self) -> dict[str, str]:
        """The pairs that are here as they were written: neither masked nor cut."""
        return {k: v for k, v in self.pairs.items() if MASK not in v and len(v) < MOST_VALUE}
