"""Kernel routes between the nodes, as arrows beside the workers: those of a lab that is judged by them.

A few workers show every route; of more, where all would be one knot, only what is wrong is an arrow. One that
is missing, or leads elsewhere, is a broken line with a cross and the number of its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kthw.findings.codes import Stage
from kthw.findings.finding import Finding
from kthw.network.model import Network
from kthw.network.node_routes import addresses, by_next_hop, by_node_routes, ways_of
from kthw.verdict.marks import Marks
from kthw.verdict.svg import badges, element, text, titled
from kthw.words.messages import Catalogue

_ALL_DRAWN: Final = 4
_ROOM: Final = 26
"""How far an arrow to the next worker bends; one to a worker further off bends as often."""


def node_routes(
    network: Network,
    findings: Sequence[Finding],
    middle: Callable[[int], float],
    x: float,
    marks: Marks,
    words: Catalogue,
) -> str:
    """Arrows at the left edge ``x`` of the workers, whose middles are at ``middle(n)``; nothing where the lab
    is judged otherwise."""
    if not by_node_routes(network):
        return ""
    workers, peers = network.workers, addresses(network)
    told: dict[str, list[int]] = {}
    for finding in findings:
        if finding.about.stage is Stage.NODE_ROUTE and finding.cause in marks.numbers:
            told.setdefault(finding.worker, []).append(marks.numbers[finding.cause])
    arrows = []
    for n, worker in enumerate(workers):
        if worker not in network.evidence.nodes:
            continue
        ways = ways_of(network, worker)
        for m, other in enumerate(workers):
            if n == m or other not in network.located:
                continue
            way = next(iter(ways.get(other, ())), None)
            leads = way is not None and by_next_hop(way) and peers.get(way.via) == other
            if leads and len(workers) > _ALL_DRAWN:
                continue
            state = words.say("report-kernel-route" if leads else "report-kernel-route-missing")
            said = f"{worker} → {other}: {state} ({way.route if way else '—'})"
            numbers = () if leads else told.get(worker, ())
            arrows.append(_arrow(n, m, middle, x, numbers, leads=leads, said=said))
    return "".join(arrows)


def _arrow(
    n: int,
    m: int,
    middle: Callable[[int], float],
    x: float,
    numbers: Sequence[int],
    *,
    leads: bool,
    said: str,
) -> str:
    """Two of a pair leave and arrive a little apart."""
    start, end = middle(n) + (8 if m > n else -8), middle(m) + (-8 if m > n else 8)
    bend = x - _ROOM * (1 + abs(n - m)) - (0 if m > n else 14)
    path = element("path", d=f"M{x} {start}C{bend} {start} {bend} {end} {x - 6} {end}", class_="line bad")
    if leads:
        tip = f"M{x - 10} {end - 5}L{x} {end}L{x - 10} {end + 5}Z"
        path = path.replace("line bad", "line good") + element("path", d=tip, class_="tip")
        return titled(path, said)
    cross = text(x - 14, end + 5, "✗", "cross", text_anchor="middle")
    return titled(path + cross, said) + badges(numbers, (x + 3 * bend) / 4, (start + end) / 2)
