"""A remark: worth a word, and nothing wrong. Its words live in the message catalogues."""

from __future__ import annotations

import msgspec


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` and the fact ``variant`` choose its words, as a finding's do; ``subject`` prints itself."""

    code: str
    subject: str
    worker: str
    facts: dict[str, str] = {}
