"""Where something is sent to: https, or this machine. It may be a secret, and is shown by its host only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from kthw.foreign import printable
from kthw.intended.cluster import BadNames
from kthw.target import is_local

VARIABLE: Final = "KTHW_NOTIFY"
"""Where an address that is a secret may stand, and not in a list of processes."""
_UNFIT: Final = re.compile(r"[^\x21-\x7e]")


def address(option: str, typed: str) -> str:
    """``typed``, which must be where something can be sent to. Raises ``BadNames``.

    ``https``; and ``http`` to this machine only, where nobody listens in.
    """
    try:
        parts = urlsplit(typed)
        name = parts.hostname or ""
        name.encode("idna")  # an empty part, or one of more than 63 characters
        fits = bool(name) and parts.port != 0
    except ValueError:
        raise BadNames("night-bad-address", option=option) from None
    if not fits or _UNFIT.search(typed) or "@" in parts.netloc or parts.scheme not in ("http", "https"):
        raise BadNames("night-bad-address", option=option)
    if parts.scheme == "http" and not is_local(typed):
        raise BadNames("night-not-https", option=option, host=host(typed))
    return typed


def asked_address(typed: str | None, environment: Mapping[str, str]) -> str:
    """The address that was typed, else that of the environment, or empty. Raises ``BadNames``."""
    if typed is not None:
        return address("--notify", typed)
    said = environment.get(VARIABLE, "")
    return address(VARIABLE, said) if said else ""


def host(url: str) -> str:
    """Whose address it is, fit to be shown."""
    return printable(urlsplit(url).hostname or "?", 200)
