"""A remark: worth a word, and nothing wrong. Its words live in the message catalogues."""

from __future__ import annotations

import msgspec


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """A code and its subject, a noun that prints itself.

    ``variant``: the situation within the code, that chooses its words. ``facts`` only fills their
    placeholders; nothing is decided by them.
    """

    code: str
    subject: str
    worker: str
    variant: str = ""
    facts: dict[str, str] = {}
