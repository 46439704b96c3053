"""The way of each pair of pods, hop by hop, with what was measured on it: data for the page's script.

Written for as many workers as are drawn. Without the script nothing is lost that a person needs: each cause
stands in the page, with its pairs.
"""

from __future__ import annotations

from typing import Any, Final

from kthw.findings.codes import Stage
from kthw.findings.finding import Finding
from kthw.findings.path import obstacles
from kthw.network.loss import Count
from kthw.network.model import Network
from kthw.observed.evidence import Probe
from kthw.verdict.marks import Marks
from kthw.verdict.report import SYMPTOM, Report
from kthw.words.messages import Catalogue

HOPS: Final = ("pod", "node", "eni", "table", "acl", "group", "eni", "node", "pod")
"""From pod to pod; the first three are the source's, the last three the destination's."""
_NEAR: Final = {
    Stage.POD_NETWORK: 0, Stage.FORWARDING: 1, Stage.FIREWALL: 1, Stage.NODE_ROUTE: 1, Stage.INTERFACE: 2,
    Stage.PACKET: 2, Stage.MACHINE: 0, Stage.RANGE: 0,
}  # fmt: skip
_BETWEEN: Final = {Stage.ACL: 4, Stage.GROUP: 5}
_TABLE: Final = 3
_SEEN_AT: Final = {"pod": 0, "bridge": 1, "eni": 2}


def ways(report: Report, marks: Marks, words: Catalogue) -> dict[str, Any] | None:
    """``pairs``: by ``source-destination``, as places in ``workers``: which of ``measured`` was, by hop the
    numbers of the causes in the way, at which hops its packets were seen, and the cause that is it alone.
    """
    network = report.verdict.network
    if network is None or not report.evidence.probes:
        return None
    alone = {
        (pair.source, pair.destination): marks.numbers[root.finding.cause]
        for root in report.roots
        if root.finding.code == SYMPTOM and root.finding.cause in marks.numbers
        for pair in root.pairs
    }
    measured: dict[tuple[tuple[str, ...], ...], int] = {}
    pairs = {}
    for n, source in enumerate(network.workers):
        for m, destination in enumerate(network.workers):
            if source == destination:
                continue
            sent = network.probes.of_pair(source, destination)
            rows = tuple(_row(probe, words) for probe in sent)
            which = measured.setdefault(rows, len(measured))
            failed = not all(probe.reached for probe in sent)
            broken = _broken(network, marks, source, destination) if failed or not sent else {}
            seen = _seen(network, source, destination)
            pairs[f"{n}-{m}"] = [which, broken, seen, alone.get((source, destination), 0)]
    return {
        "workers": network.workers,
        "hops": [words.say(f"report-hop-{hop}", w="{w}") for hop in HOPS],
        "measured": list(measured),
        "pairs": pairs,
        "said": {each: words.say(f"report-way-{each}", a="{a}", b="{b}") for each in _SAID},
    }


_SAID: Final = (
    "title", "protocol", "size", "outcome", "lost", "time", "nothing", "cause", "seen", "never",
    "unexplained", "through",
)  # fmt: skip


def _row(probe: Probe, words: Catalogue) -> tuple[str, ...]:
    size = words.say("report-way-bytes", size=probe.size) if probe.size else words.say("report-way-small")
    lost = str(Count(probe.sent, probe.lost)) if probe.sent else ""
    took = f"{probe.milliseconds:.1f} ms" if probe.milliseconds else ""
    outcome = words.probe(probe).removeprefix(f"{probe.pair} ")
    return ("" if probe.reached else "✗", probe.protocol, size, outcome, lost, took)


def _broken(network: Network, marks: Marks, source: str, destination: str) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for finding in obstacles(network, source, destination):
        number = marks.numbers.get(finding.cause)
        if number is not None:
            found.setdefault(_hop(finding, source), []).append(number)
    return found


def _hop(finding: Finding, source: str) -> int:
    stage = finding.about.stage
    near = _NEAR.get(stage)
    if near is None:
        return _BETWEEN.get(stage, _TABLE)
    return near if finding.worker == source else len(HOPS) - 1 - near


def _seen(network: Network, source: str, destination: str) -> list[int] | None:
    """Of packets that were watched for: where they were seen; ``None`` for a pair that was not."""
    trace = network.probes.trace(source, destination)
    if trace is None:
        return None
    found = []
    for place in trace.request:
        what, _, worker = place.partition(" ")
        if what in _SEEN_AT and worker in (source, destination):
            near = _SEEN_AT[what]
            found.append(near if worker == source else len(HOPS) - 1 - near)
    return found
