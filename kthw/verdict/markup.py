"""Text as HTML and SVG: everything that was observed is made printable and escaped here, and only here."""

from __future__ import annotations

import html
from typing import Final

from kthw.foreign import printable

_MOST: Final = 200_000


def escaped(said: str) -> str:
    """``said`` for an element or for an attribute's value in quotes; line ends stay."""
    return html.escape(printable(said, _MOST, lines=True), quote=True)
