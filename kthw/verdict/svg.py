"""Writing SVG: elements as text, with everything that was observed escaped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kthw.verdict.templating import escaped

_MOST_BADGES: Final = 4


def element(tag: str, content: str = "", **attributes: object) -> str:
    """One element. ``content`` is markup already; attributes are written ``stroke_width``, ``class_``."""
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(_number(value))}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{said}>{content}</{tag}>" if content else f"<{tag}{said}/>"


def text(x: float, y: float, said: str, class_: str = "", **attributes: object) -> str:
    """A line of text whose baseline starts at ``x``, ``y``."""
    named = {"class_": class_, **attributes} if class_ else attributes
    return element("text", escaped(said), x=x, y=y, **named)


def box(x: float, y: float, width: float, height: float, class_: str, radius: float = 8) -> str:
    """A rounded rectangle."""
    return element("rect", x=x, y=y, width=width, height=height, rx=radius, class_=class_)


def titled(markup: str, said: str) -> str:
    """``markup`` as a group with a tooltip, which a screen reader says too."""
    return element("g", element("title", escaped(said)) + markup)


def badges(numbers: Sequence[int], right: float, y: float) -> str:
    """The numbers of causes, each linked to where it is told, from right to left."""
    found = []
    for place, number in enumerate(reversed(numbers[:_MOST_BADGES])):
        x = right - 22 * place
        mark = element("circle", cx=x, cy=y, r=9.5, class_="badge")
        mark += text(x, y + 4.5, str(number), "badge", text_anchor="middle")
        found.append(element("a", mark, href=f"#cause-{number}"))
    return "".join(found)


def described(say: Callable[..., str]) -> str:
    """The title and the description of the drawing of the network, for who does not see it."""
    return element("title", escaped(say("report-drawing")), id="kthw-drawing-title") + element(
        "desc", escaped(say("report-drawing-about")), id="kthw-drawing-about"
    )


def _number(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
