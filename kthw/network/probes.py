"""What was measured between the pods, and where each node's kernel sends their packets: to look up."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from kthw.network.loss import Count
from kthw.observed.evidence import Evidence, Probe, Trace, Way

_PAIR: Final = operator.attrgetter("source", "destination")
_REACHED: Final = operator.attrgetter("reached")


class _Index(NamedTuple):
    by_pair: dict[tuple[str, str], list[Probe]]
    by_source: dict[str, list[Probe]]
    by_destination: dict[str, list[Probe]]
    missed_by: dict[str, dict[str, None]]
    missed_at: dict[str, dict[str, None]]


class Probes:
    """The probes, traces and ways of one evidence, indexed."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    @functools.cached_property
    def _indexed(self) -> _Index:
        """Probes of one pair stand together in what an agent tells: each such run is looked at once."""
        index = _Index({}, {}, {}, {}, {})
        for pair, run in itertools.groupby(self._evidence.probes, _PAIR):
            probes = list(run)
            source, destination = pair
            index.by_pair.setdefault(pair, []).extend(probes)
            index.by_source.setdefault(source, []).extend(probes)
            index.by_destination.setdefault(destination, []).extend(probes)
            if source != destination and not all(map(_REACHED, probes)):
                index.missed_by.setdefault(source, {})[destination] = None
                index.missed_at.setdefault(destination, {})[source] = None
        return index

    def sent_by(self, worker: str) -> Sequence[Probe]:
        """Those from the worker's probe pod, of every kind."""
        return self._indexed.by_source.get(worker, ())

    def sent_to(self, worker: str) -> Sequence[Probe]:
        """Those to the worker: its probe pod, or its node."""
        return self._indexed.by_destination.get(worker, ())

    def of_pair(self, source: str, destination: str) -> Sequence[Probe]:
        """Those from the one worker's probe pod to the other worker."""
        return self._indexed.by_pair.get((source, destination), ())

    def missed_by(self, worker: str) -> Iterable[str]:
        """Those that something from the worker's probe pod did not reach, whatever it was, in order."""
        return self._indexed.missed_by.get(worker, ())

    def missed_at(self, worker: str) -> Iterable[str]:
        """Those from whose probe pods something did not reach the worker."""
        return self._indexed.missed_at.get(worker, ())

    def between(self, source: str, destination: str, protocol: str) -> Probe | None:
        """That between two workers' probe pods, by that protocol and of no size."""
        each = self.of_pair(source, destination)
        return next((p for p in each if p.kind == "pod" and not p.size and p.protocol == protocol), None)

    @functools.cached_property
    def doubted(self) -> dict[tuple[str, str], Probe]:
        """By pair of workers, the count of what is lost between their probe pods: where that may be so large
        that others, of which nothing came, are lost with it. One worth telling by itself goes before.
        """
        found: dict[tuple[str, str], Probe] = {}
        for probe in self._evidence.probes:
            if probe.lost and probe.kind == "pod" and Count(probe.sent, probe.lost).may_be_large:
                pair = (probe.source, probe.destination)
                if pair not in found or not _is_told(found[pair]):
                    found[pair] = probe if _is_told(probe) else found.get(pair, probe)
        return found

    def lossy(self, source: str, destination: str) -> Probe | None:
        """The first that counted a loss worth telling on the way between two workers' probe pods."""
        found = self.doubted.get((source, destination))
        return found if found and _is_told(found) else None

    @functools.cached_property
    def of_earlier_version(self) -> bool:
        """Whether small ICMP and TCP are all that was sent between pods.

        Where nothing at all was sent, that has a reason of its own.
        """
        between_pods = [probe for probe in self._evidence.probes if probe.kind == "pod"]
        return bool(between_pods) and not any(p.size or p.protocol == "udp" for p in between_pods)

    @functools.cached_property
    def vouched(self) -> set[tuple[str, str]]:
        """The (worker, protocol) whose probes succeeded on anything at all.

        Where none did, its failing says as much about the probe as about the network.
        """
        return {(probe.source, probe.protocol) for probe in self._evidence.probes if probe.reached}

    @functools.cached_property
    def _traces(self) -> dict[tuple[str, str], Trace]:
        return {(trace.source, trace.destination): trace for trace in self._evidence.traces}

    def trace(self, source: str, destination: str) -> Trace | None:
        """Who saw the packets of a pair, where they were watched for."""
        return self._traces.get((source, destination))

    @functools.cached_property
    def _ways(self) -> dict[tuple[str, str], Way]:
        nodes = self._evidence.nodes.items()
        return {(worker, way.towards): way for worker, node in nodes for way in reversed(node.ways)}

    def way(self, worker: str, towards: str) -> Way | None:
        """Where the worker's kernel sends packets for the probe pod of ``towards``, where that was asked."""
        return self._ways.get((worker, towards))


def _is_told(probe: Probe) -> bool:
    return Count(probe.sent, probe.lost).is_told
