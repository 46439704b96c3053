"""Text as HTML and SVG, by Jinja2's templates in ``templates/``.

Everything that was observed is made printable and escaped here, and only here: whatever a template prints
that is no markup already.
"""

from __future__ import annotations

import functools
import re
from importlib import resources
from typing import Final

import jinja2
from markupsafe import Markup

from kthw.foreign import printable
from kthw.words.pasting import one_line

_MOST: Final = 200_000
_BREAKABLE: Final = re.compile(r"(?<!\S)[^\s/-]*[/-]\S*")
_LONGEST_WHOLE: Final = 60
_REMARKS: Final = re.compile(r"^\s*//.*\n|/\*(?s:.)*?\*/\s*|^\s+", re.MULTILINE)
"""Of a style sheet or a script: remarks that stand alone on their line, and what lines begin with."""
_AROUND: Final = re.compile(r"\s*([{};,])\s*|(?<=:)\s+")
"""Blanks that mean nothing in a style sheet: no selector of ours has one after a colon."""


def escaped(said: object) -> Markup:
    """``said`` for an element or for an attribute's value in quotes; line ends stay."""
    return Markup.escape(_printable(said))


def markup(written: str) -> Markup:
    """``written``, which is markup already: every text of others in it was escaped when it was put there."""
    return Markup(written)  # noqa: S704


@functools.cache
def template(name: str) -> jinja2.Template:
    """One of ``templates/``: everything it prints is escaped, line ends stay."""
    return _ENVIRONMENT.get_template(name)


@functools.cache
def style(name: str) -> Markup:
    """One of the style sheets and scripts in ``templates/``, without what only its writers read."""
    text = resources.files("kthw.verdict").joinpath("templates", name).read_text(encoding="utf-8")
    text = _REMARKS.sub("", text)
    if name.endswith(".css"):
        text = _AROUND.sub(lambda found: found[1] or "", text)
    return markup(text)


def _printable(said: object) -> object:
    return said if isinstance(said, Markup) else printable(str(said), _MOST, lines=True)


def _whole(text: str) -> Markup:
    """Escaped, and with no line broken inside an id, an option or a CIDR: hundreds, so by a short name."""
    return markup(_BREAKABLE.sub(_kept_whole, escaped(text)))


def _kept_whole(word: re.Match[str]) -> str:
    return f"<k-w>{word[0]}</k-w>" if len(word[0]) <= _LONGEST_WHOLE else word[0]


_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("kthw.verdict"),
    autoescape=True,
    finalize=_printable,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters.update({"whole": _whole, "one_line": one_line})
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
