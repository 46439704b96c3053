"""Text that is not ours, made fit to be shown: on one line, printable, and with its cut said.

Names, tags, comments, error texts and file names come from workers, endpoints, files and neighbours. Before
they reach a terminal, a page, a report or a log they pass here, once.
"""

from __future__ import annotations

from typing import Final

MOST: Final = 300
"""Characters of foreign text that are shown where nobody says otherwise."""
CUT: Final = "…"
"""What a cut text ends with, followed by how many characters are missing: ``… (+1234)``."""
_JOINERS: Final = "\u200c\u200d"
"""Zero-width (non-)joiners: invisible, harmless, and part of how emoji and several scripts are written."""
_NO_BREAK: Final = "\u00a0\u202f"
"""Spaces that some languages' punctuation needs."""


def printable(text: str, most: int = MOST, *, lines: bool = False) -> str:
    """``text`` with nothing in it that steers a terminal or turns the direction of what follows.

    Control characters, escapes, marks of direction, lone surrogates and unassigned characters are shown as
    codes (``\\x1b``, ``\\u202e``). With ``lines``, line ends and tabs stay. At most ``most`` characters of
    ``text`` are kept; what was cut is counted at the end.
    """
    shown = text[:most]
    if not shown.isprintable():
        shown = "".join(_shown(c, lines=lines) for c in shown)
    return shown if len(text) <= most else f"{shown}{CUT} (+{len(text) - most})"


def _shown(character: str, *, lines: bool) -> str:
    if character.isprintable() or character in _JOINERS or (lines and character in "\n\t"):
        return character
    if character in _NO_BREAK:
        return " "
    return character.encode("unicode_escape").decode("ascii")


def writable(text: str) -> str:
    """``text`` with what UTF-8 has no bytes for, a lone surrogate, as its code: ``\\ud800``."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
