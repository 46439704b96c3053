"""Who reached whom: the matrix of pairs of pods, as dots beside the workers or as a heat map of many."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from kthw.network.loss import Count
from kthw.observed.evidence import Evidence
from kthw.verdict.svg import box, described, element, text, titled
from kthw.verdict.templating import escaped
from kthw.words.messages import Catalogue

Outcome = Literal["reached", "partly", "failed", "untried"]

_CELL, _WIDE_CELL, _FEW = 32, 46, 6
_HEAT_SIZE: Final = 720
_LABELLED: Final = 60
_PAIR: Final = operator.attrgetter("source", "destination")
_REACHED: Final = operator.attrgetter("reached")
_LOST: Final = operator.attrgetter("lost")
_OUTCOMES: Final[dict[frozenset[bool], Outcome]] = {
    frozenset([True]): "reached", frozenset([False]): "failed", frozenset([True, False]): "partly",
}  # fmt: skip
_SIGNS: Final[dict[Outcome, str]] = {"reached": "●", "partly": "◐", "failed": "✗", "untried": "·"}
_CLASSES: Final[dict[Outcome, str]] = {
    "reached": "dot", "partly": "half", "failed": "cross", "untried": "faint",
}  # fmt: skip


class Dots(msgspec.Struct, frozen=True, kw_only=True):
    """``markup`` and the width it takes; empty where no packet was sent."""

    markup: str = ""
    width: float = 0


def outcomes(evidence: Evidence) -> dict[tuple[str, str], Outcome]:
    """What came of each pair of workers' pods, all protocols and sizes together.

    A pair nobody tried is absent. One that loses more than a good network does was reached in part.
    """
    seen: dict[tuple[str, str], set[bool]] = {}
    for pair, run in itertools.groupby(evidence.probes, _PAIR):
        source, destination = pair
        if not destination or source == destination:
            continue
        probes = [*run]
        came = set(map(_REACHED, probes))
        for probe in probes if any(map(_LOST, probes)) else ():
            came |= _counted(Count(probe.sent, probe.lost))
        seen.setdefault(pair, set()).update(came)
    return {pair: _OUTCOMES[frozenset(came)] for pair, came in seen.items()}


def _counted(count: Count) -> set[bool]:
    """What came of the packets of a count: of all of it, if nobody need be told of a loss."""
    return {True, False} if count.is_told else {True} if count.in_part else set()


def dots(evidence: Evidence, middles: Sequence[float], x: float, top: float, words: Catalogue) -> Dots:
    """One row per worker, at the heights ``middles``; one column per destination."""
    seen = outcomes(evidence)
    workers = evidence.intended.workers
    if not seen:
        return Dots()
    cell = _WIDE_CELL if len(workers) <= _FEW else _CELL
    parts = [text(x, top - 84, words.say("report-pairs-title"), "label")]
    for column, destination in enumerate(workers):
        at = x + cell / 2 + column * cell
        turned = f"rotate(-40 {at} {top - 12})"
        parts.append(text(at, top - 12, destination, "mono faint", transform=turned))
    online = _online(evidence)
    internet = x + cell * (len(workers) + 0.5) + 14
    if online:
        turned = f"rotate(-40 {internet} {top - 12})"
        parts.append(text(internet, top - 12, words.say("report-internet"), "mono faint", transform=turned))
    shape = element("rect", id="kthw-cell", x=2 - cell / 2, y=-15, width=cell - 4, height=30, rx=5)
    parts.append(element("defs", shape))
    for row, (source, y) in enumerate(zip(workers, middles, strict=True)):
        cells = [box(-cell / 2, -17, cell * len(workers), 34, "row", 6)]
        for column, destination in enumerate(workers):
            if source != destination:
                outcome, at = seen.get((source, destination), "untried"), column * cell
                said = f"{source} → {destination}: {words.say(f'report-pair-{outcome}')}"
                shown = element("use", href="#kthw-cell", x=at) + text(at, 6, _SIGNS[outcome])
                link = {"class_": _CLASSES[outcome], "href": "#kthw-way", "data_pair": f"{row}-{column}"}
                cells.append(element("a", element("title", escaped(said)) + shown, **link))
        outcome = online.get(source, "untried")
        if online:
            said = f"{source} → {words.say('report-internet')}: {words.say(f'report-pair-{outcome}')}"
            sign = text(internet - x - cell / 2, 6, _SIGNS[outcome], f"sign {_CLASSES[outcome]}")
            cells.append(titled(sign, said))
        place = f"translate({x + cell / 2:g} {y:g})"
        parts.append(element("g", "".join(cells), transform=place))
    return Dots(markup="".join(parts), width=max(cell * (len(workers) + 1) + 54.0, 270.0))


def _online(evidence: Evidence) -> dict[str, Outcome]:
    """By worker, what came of what its pod sent to the internet."""
    came: dict[str, set[bool]] = {}
    for probe in evidence.probes:
        if probe.kind == "internet":
            came.setdefault(probe.source, set()).add(probe.reached)
    return {worker: _OUTCOMES[frozenset(each)] for worker, each in came.items()}


def legend(words: Catalogue, x: float, y: float) -> str:
    """What the signs mean."""
    parts = []
    for outcome, sign in _SIGNS.items():
        said = words.say(f"report-pair-{outcome}")
        parts.append(text(x, y, sign, f"sign {_CLASSES[outcome]}"))
        parts.append(text(x + 14, y - 1, said, "faint"))
        x += 40 + 8 * len(said)
    return "".join(parts)


def heat_map(evidence: Evidence, words: Catalogue) -> str:
    """The matrix alone: a row per source, a column per destination, neighbours of one colour merged."""
    seen = outcomes(evidence)
    workers = evidence.intended.workers
    if not seen:
        return ""
    cell = _HEAT_SIZE / len(workers)
    left, top = 120.0, 64.0
    whole: dict[str, Any] = dict.fromkeys(("width", "height"), _HEAT_SIZE)
    whole |= {"class_": "heat reached", "id": "kthw-heat"}
    parts = [
        element("defs", _hatch()),
        text(left, 24, words.say("report-pairs-title"), "label"),
        text(left, 50, workers[0], "mono faint"),
        text(left + _HEAT_SIZE, 50, workers[-1], "mono faint", text_anchor="end"),
        element("rect", x=left, y=top, **whole),
    ]
    runs: dict[str, list[str]] = {}
    for row, source in enumerate(workers):
        if len(workers) <= _LABELLED or row in (0, len(workers) - 1):
            y = top + row * cell + min(cell, 12)
            parts.append(text(left - 8, y, source, "mono faint", text_anchor="end"))
        y, column = top + row * cell, 0
        states = [seen.get((source, d), "untried") if d != source else "self" for d in workers]
        for state, run in itertools.groupby(states):
            length = len(list(run))
            if state != "reached":
                x, wide = left + column * cell, cell * length
                runs.setdefault(state, []).append(f"M{x:.1f} {y:.1f}h{wide:.1f}v{cell:.1f}h-{wide:.1f}z")
            column += length
    parts += [element("path", d="".join(each), class_=f"heat {state}") for state, each in runs.items()]
    around = max(cell, 8.0)
    chosen = element("rect", x=(cell - around) / 2, y=(cell - around) / 2, width=around, height=around)
    parts.append(element("g", chosen, id="kthw-chosen", transform="translate(-99 -99)"))
    parts.append(_heat_legend(words, left, top + _HEAT_SIZE + 30))
    return element(
        "svg",
        described(words.say) + "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        class_="kthw-heat",
        viewBox=f"0 0 {left + _HEAT_SIZE + 40:.0f} {top + _HEAT_SIZE + 60:.0f}",
        role="img",
        aria_labelledby="kthw-drawing-title kthw-drawing-about",
    )


def _hatch() -> str:
    stroke = element("path", d="M0 0L6 6M6 0L0 6", class_="hatch")
    back = element("rect", width=6, height=6, class_="hatch-back")
    return element(
        "pattern", back + stroke, id="kthw-hatch", width=6, height=6, patternUnits="userSpaceOnUse"
    )


def _heat_legend(words: Catalogue, x: float, y: float) -> str:
    parts = []
    for outcome in _SIGNS:
        said = words.say(f"report-pair-{outcome}")
        parts.append(element("rect", x=x, y=y - 12, width=18, height=14, class_=f"heat {outcome}"))
        parts.append(text(x + 26, y, said, "faint"))
        x += 52 + 8 * len(said)
    return "".join(parts)
