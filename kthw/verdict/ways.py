"""The way of each pair of pods, hop by hop and back, with what was measured on it: data for a script.

There are as many pairs as workers times workers, so nothing is written twice: what all failing pairs of a
source or of a destination have in their way stands once, what was measured alike stands once, and a row of
the matrix is runs of the same. Without the script nothing is lost that a person needs: each cause stands in
the page, with its pairs.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kthw.findings.codes import Stage
from kthw.findings.finding import Finding
from kthw.findings.path import obstacles
from kthw.network.loss import Count
from kthw.network.model import Network
from kthw.observed.evidence import Probe
from kthw.verdict.marks import Marks
from kthw.verdict.report import SYMPTOM, Report
from kthw.verdict.traces import traced
from kthw.words.messages import Catalogue

HOPS: Final = ("pod", "node", "eni", "table", "acl", "group", "eni", "node", "pod")
"""From pod to pod; the first three are the source's, the last three the destination's."""
MOST_SHOWN: Final = 400
"""Workers of which a pair can be chosen; of more, the data alone would be a page."""
_CAME: Final = operator.attrgetter("protocol", "size", "reached", "detail", "sent", "lost")
"""What is told of a probe; without a call for each, for there are many."""
_MOST_TIMED: Final = 50
"""Workers up to which each round trip is written; of more, one of each pair."""
_MOST_UNSENT: Final = 12
"""Workers up to which it is told what stands in the way where nothing was sent."""
_NEAR: Final = {
    Stage.POD_NETWORK: 0, Stage.FORWARDING: 1, Stage.FIREWALL: 1, Stage.NODE_ROUTE: 1, Stage.INTERFACE: 2,
    Stage.PACKET: 2, Stage.MACHINE: 0, Stage.RANGE: 0,
}  # fmt: skip
_BETWEEN: Final = {Stage.ACL: 4, Stage.GROUP: 5}
_TABLE: Final = 3
_SEEN_AT: Final = {"pod": 0, "bridge": 1, "eni": 2}
_SAID: Final = (
    "title", "protocol", "size", "outcome", "lost", "time", "nothing", "cause", "seen", "never",
    "unexplained", "through", "back", "from", "to",
)  # fmt: skip


def ways(report: Report, marks: Marks, words: Catalogue) -> dict[str, Any] | None:
    """``None`` where no packet was sent, or between too many.

    ``causes``: by number, at which hop it is if it is about the source, at which otherwise, and the place
    of its worker in ``workers``. ``from`` and ``to``: by worker, the causes in the way of all that fails
    from it, or to it; ``sets``: those of a pair besides. ``broken``: a row for each source, of runs
    (which of ``sets``, how many destinations), -1 where nothing is in the way. ``measured``: what came of
    a pair's probes; ``came``: rows as ``broken``, -1 where nothing was sent. ``times``: by pair,
    milliseconds, in the order of its probes. ``traced``: by pair, at which hops its packets were seen, at
    which the answers were, and a sentence. ``alone``: by pair, the cause that is it alone.
    """
    network = report.verdict.network
    if network is None or not report.evidence.probes or len(network.workers) > MOST_SHOWN:
        return None
    return _Ways(report, network, marks, words).written()


class _Ways:
    def __init__(self, report: Report, network: Network, marks: Marks, words: Catalogue) -> None:
        self._report = report
        self._network = network
        self._marks = marks
        self._words = words
        self._workers = network.workers
        self._place = {worker: n for n, worker in enumerate(self._workers)}
        # By the identity of what is in the way, which is kept: pairs that meet the same have the same.
        self._known: dict[int, tuple[list[Finding], frozenset[int]]] = {}
        self._rows: dict[object, tuple[str, ...]] = {}
        self._rows_of_pairs: dict[object, tuple[tuple[str, ...], ...]] = {}

    def written(self) -> dict[str, Any]:
        say = self._words.say
        measured: dict[tuple[tuple[str, ...], ...], int] = {}
        came, times = [], {}
        for n, source in enumerate(self._workers):
            row = []
            for m, destination in enumerate(self._workers):
                sent = self._network.probes.of_pair(source, destination) if n != m else ()
                rows = self._rows_of(sent)
                row.append(measured.setdefault(rows, len(measured)) if rows else -1)
                took = self._times(sent)
                if any(took):
                    times[f"{n}-{m}"] = took
            came.append(_runs(row))
        return {
            "workers": self._workers,
            "hops": [say(f"report-hop-{hop}", w="{w}") for hop in HOPS],
            "causes": self._causes(),
            **self._broken(),
            "measured": list(measured),
            "came": came,
            "times": times,
            "traced": self._traced(),
            "alone": self._alone(),
            "said": {each: say(f"report-way-{each}", a="{a}", b="{b}") for each in _SAID},
        }

    def _rows_of(self, sent: Sequence[Probe]) -> tuple[tuple[str, ...], ...]:
        """Few things come of many probes, and of many pairs: each is put into words once."""
        came = tuple(map(_CAME, sent))
        rows = self._rows_of_pairs.get(came)
        if rows is None:
            rows = self._rows_of_pairs[came] = tuple(map(self._row, came, sent))
        return rows

    def _row(self, came: object, probe: Probe) -> tuple[str, ...]:
        row = self._rows.get(came)
        if row is None:
            row = self._rows[came] = _row(probe, self._words)
        return row

    def _times(self, sent: Sequence[Probe]) -> list[float]:
        most = len(sent) if len(self._workers) <= _MOST_TIMED else 1
        return [round(probe.milliseconds or 0, 1) for probe in sent[:most]]

    def _causes(self) -> dict[int, tuple[int, int, int]]:
        found = {}
        for finding in self._report.findings:
            number = self._marks.numbers.get(finding.cause)
            if number is not None:
                found[number] = (*_hops(finding), self._place.get(finding.worker, -1))
        return found

    def _broken(self) -> dict[str, Any]:
        """``from``, ``to``, ``sets`` and ``broken``."""
        met = {}
        for n, source in enumerate(self._workers):
            for m, destination in enumerate(self._workers):
                if n != m and self._is_asked(source, destination):
                    met[n, m] = self._numbers(source, destination)
        ends = range(len(self._workers))
        by_source: dict[int, list[frozenset[int]]] = {n: [] for n in ends}
        by_destination: dict[int, list[frozenset[int]]] = {n: [] for n in ends}
        for (n, m), numbers in met.items():
            by_source[n].append(numbers)
            by_destination[m].append(numbers)
        out, into = ([_shared(each[n]) for n in ends] for each in (by_source, by_destination))
        sets: dict[frozenset[int], int] = {}
        rows = []
        for n in ends:
            row = []
            for m in ends:
                besides = met[n, m] - out[n] - into[m] if (n, m) in met else None
                row.append(-1 if besides is None else sets.setdefault(besides, len(sets)))
            rows.append(_runs(row))
        told = {"from": out, "to": into, "sets": sets}
        return {**{key: [sorted(each) for each in found] for key, found in told.items()}, "broken": rows}

    def _is_asked(self, source: str, destination: str) -> bool:
        sent = self._network.probes.of_pair(source, destination)
        return not all(probe.reached for probe in sent) if sent else len(self._workers) <= _MOST_UNSENT

    def _numbers(self, source: str, destination: str) -> frozenset[int]:
        met = obstacles(self._network, source, destination)
        if id(met) not in self._known:
            known = self._marks.numbers
            numbers = frozenset(known[each.cause] for each in met if each.cause in known)
            self._known[id(met)] = met, numbers
        return self._known[id(met)][1]

    def _traced(self) -> dict[str, tuple[list[int], list[int], str]]:
        found = {}
        for trace in self._report.evidence.traces:
            if trace.source in self._place and trace.destination in self._place:
                there = _seen(trace.request, trace.source, trace.destination)
                back = _seen(trace.reply, trace.destination, trace.source)
                pair = f"{self._place[trace.source]}-{self._place[trace.destination]}"
                found[pair] = there, back, traced(trace, self._words)
        return found

    def _alone(self) -> dict[str, int]:
        known, place = self._marks.numbers, self._place
        return {
            f"{place[pair.source]}-{place[pair.destination]}": known[root.finding.cause]
            for root in self._report.roots
            if root.finding.code == SYMPTOM and root.finding.cause in known
            for pair in root.pairs
            if pair.destination in place
        }


def _shared(each: Sequence[frozenset[int]]) -> frozenset[int]:
    return frozenset.intersection(*each) if each else frozenset()


def _runs(row: Iterable[int]) -> list[int]:
    """What is there, how often in a row, what comes then, how often …"""
    return [number for value, run in itertools.groupby(row) for number in (value, len(list(run)))]


def _row(probe: Probe, words: Catalogue) -> tuple[str, ...]:
    size = words.say("report-way-bytes", size=probe.size) if probe.size else words.say("report-way-small")
    lost = str(Count(probe.sent, probe.lost)) if probe.sent else ""
    outcome = words.probe(probe).removeprefix(f"{probe.pair} ")
    return ("" if probe.reached else "✗", probe.protocol, size, outcome, lost)


def _hops(finding: Finding) -> tuple[int, int]:
    """Where it is if it is about the source, and where otherwise."""
    stage = finding.about.stage
    near = _NEAR.get(stage)
    if near is None:
        between = _BETWEEN.get(stage, _TABLE)
        return between, between
    return near, len(HOPS) - 1 - near


def _seen(places: Iterable[str], source: str, destination: str) -> list[int]:
    """At which hops packets were seen that were watched for."""
    found = []
    for place in places:
        what, _, worker = place.partition(" ")
        if what in _SEEN_AT and worker in (source, destination):
            near = _SEEN_AT[what]
            found.append(near if worker == source else len(HOPS) - 1 - near)
    return found
