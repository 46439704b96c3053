"""What the fix of each finding would do, tried before it is printed: which pairs it mends, and which not.

The evidence with the fix applied is a network again, and the way of a pair is asked of it as of any other.
What was measured is not: it still says what came of the packets before.

Only pairs are promised anything whose packets were sent and lost, for what was seen, between nodes that were
seen. What stands behind that and was not seen, no model knows; nor what is lost by chance.

Of few workers each fix is tried alone, on all pairs. Of many, all fixes of one kind are tried at once, on one
pair of each kind. Where those come out as is to be expected (what was mended is gone, and nothing new stands
in the way), the same is said of the others; else nothing is. So trials are as many as kinds, not as workers.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kthw.findings.crossing import zone_of
from kthw.findings.finding import Cause, Finding
from kthw.findings.fix import Change, fixed
from kthw.findings.node_firewall import drops_by_lot
from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin, network_model

Pair = tuple[str, str]
"""From whose pods, and to whose."""
_FEW: Final = 12
"""Workers of which each fix is tried alone."""
_FEW_ALIKE: Final = 4
"""Of many workers, findings of one kind that are tried one by one nevertheless."""
_MOST_SORTS: Final = 12
"""Of many workers, of so many sorts of what else is in the way is said which they are."""
_MOST_TOLD: Final = 3
"""At a finding itself, of what its fix lacks, and of what it cuts off."""
_MOST_SAMPLED: Final = 8
"""Of many, so many of each sort are looked at for pairs that would be cut off."""


class Stays(Struct, frozen=True, kw_only=True):
    """Pairs that stay broken, and what by, the first obstacle first; empty of many sorts, each its own."""

    by: tuple[Cause, ...]
    pairs: tuple[Pair, ...]


class Promise(Struct, frozen=True, kw_only=True):
    """What a fix does alone: to the pairs that it is for, and to those it ``cuts``, that get through now."""

    mends: tuple[Pair, ...] = ()
    stays: tuple[Stays, ...] = ()
    cuts: tuple[Pair, ...] = ()

    @property
    def lacks(self) -> tuple[Cause, ...]:
        """Where it mends no pair: what else is in the way, of each pair what comes first."""
        first = (stays.by[0] for stays in self.stays if stays.by)
        return () if self.mends else tuple(dict.fromkeys(first))

    def at(self, finding: Finding) -> Finding:
        """The finding that it is of, with what keeps its fix from being done alone."""
        cut = tuple(told(pair) for pair in self.cuts[:_MOST_TOLD])
        return replace(finding, lacks=self.lacks[:_MOST_TOLD], cuts=cut)


def told(pair: Pair) -> str:
    """``worker-0 → worker-1``."""
    return " → ".join(pair)


def promises(network: Network, findings: Iterable[Finding]) -> dict[Cause, Promise]:
    """By cause, of those whose fix can be tried and does anything to any pair."""
    found = list(findings)
    tried = [finding for finding in found if finding.changes]
    if not tried or by_plugin(network):
        return {}
    seen = _Seen(network, found)
    if len(network.workers) <= _FEW:
        made = {finding.cause: _alone(seen, finding) for finding in tried}
    else:
        made = _by_kind(seen, tried)
    return {cause: promise for cause, promise in made.items() if promise != Promise()}


class _Seen:
    """The pairs that may be promised anything.

    ``broken``: by what is in their way (the same list for all that meet the same), those of which packets
    were lost, and none for no reason seen.
    """

    def __init__(self, network: Network, findings: Iterable[Finding]) -> None:
        self.network = network
        nodes = network.evidence.nodes
        self.known = {w for w in network.workers if w in nodes and nodes[w].pod and w in network.located}
        failed: dict[Pair, bool] = {}
        for finding in findings:
            for each in finding.lost:
                if each.probe.kind == "pod":
                    pair = each.probe.source, each.probe.destination
                    failed[pair] = bool(each.causes) and failed.get(pair, True)
        by_lot = {worker for worker in self.known if drops_by_lot(network, worker)}
        self.broken: dict[int, tuple[list[Finding], list[Pair]]] = {}
        for pair, explained in failed.items():
            if not explained or not self.known.issuperset(pair) or not by_lot.isdisjoint(pair):
                continue
            if not network.probes.lossy(*pair):
                met = obstacles(network, *pair)
                self.broken.setdefault(id(met), (met, []))[1].append(pair)

    def is_whole(self, pair: Pair) -> bool:
        """Whether nothing is in its way, and something got through."""
        return pair in self._reached and not obstacles(self.network, *pair)

    @functools.cached_property
    def _reached(self) -> set[Pair]:
        return {(probe.source, probe.destination) for probe in self.network.evidence.probes if probe.reached}

    @functools.cached_property
    def by_zone(self) -> list[str]:
        """Of the workers that the VPC treats alike, the first."""
        first: dict[object, str] = {}
        for worker in self.network.workers:
            if worker in self.known:
                first.setdefault(zone_of(self.network, worker), worker)
        return list(first.values())


def _causes(met: Iterable[Finding]) -> tuple[Cause, ...]:
    return tuple(finding.cause for finding in met)


class _Trial:
    """The network as it would be after some fixes."""

    def __init__(self, network: Network, changes: Iterable[Change]) -> None:
        before = network.evidence
        # What was concluded of the lab as a whole is not concluded anew from what one fix changes.
        assumed = {
            worker: str(cidr)
            for worker, cidr in network.pod_cidrs.items()
            if (said := network.said(worker)) and said.is_assumed
        }
        intended = replace(
            before.intended,
            network=network_model(network).name,
            pod_cidrs={**assumed, **before.intended.pod_cidrs},
        )
        self._network = Network(replace(fixed(before, changes), intended=intended))

    def left(self, pair: Pair) -> tuple[Cause, ...]:
        """What is in the way of the pair then."""
        return _causes(obstacles(self._network, *pair))

    def led_otherwise(self, seen: _Seen) -> list[str]:
        """The workers whose pods any of the tables leads elsewhere then."""
        tables = [ruling.effective.id for ruling in seen.network.rulings]
        before, after = ([each.lookup(table) for table in tables] for each in (seen.network, self._network))
        pods = {worker: cidr.network_address for worker, cidr in seen.network.pod_cidrs.items()}
        return [
            worker
            for worker, pod in pods.items()
            if [each.taking(pod) for each in before] != [each.taking(pod) for each in after]
        ]

    def cuts(self, seen: _Seen, workers: Collection[str]) -> tuple[Pair, ...]:
        """The pairs of these workers that nothing is in the way of now."""
        whole = filter(seen.is_whole, itertools.permutations(workers, 2))
        return tuple(pair for pair in whole if self.left(pair))


def _alone(seen: _Seen, finding: Finding) -> Promise:
    trial = _Trial(seen.network, finding.changes)
    mends: list[Pair] = []
    stays: dict[tuple[Cause, ...], list[Pair]] = {}
    for met, pairs in seen.broken.values():
        before = _causes(met)
        for pair in pairs:
            left = trial.left(pair)
            if not left:
                mends.append(pair)
            elif finding.cause in before or left != before:
                stays.setdefault(left, []).append(pair)
    return _promise(mends, stays, trial.cuts(seen, seen.network.workers))


def _promise(
    mends: Sequence[Pair], stays: dict[tuple[Cause, ...], list[Pair]], cuts: tuple[Pair, ...]
) -> Promise:
    told = tuple(Stays(by=by, pairs=tuple(pairs)) for by, pairs in stays.items())
    return Promise(mends=tuple(mends), stays=told, cuts=cuts)


_Kind = tuple[str, str]
"""Of findings: their code and their variant."""


def _by_kind(seen: _Seen, tried: Iterable[Finding]) -> dict[Cause, Promise]:
    kinds: dict[_Kind, list[Finding]] = {}
    for finding in tried:
        kinds.setdefault(_kind(finding), []).append(finding)
    samples: dict[tuple[_Kind, ...], tuple[list[Finding], Pair]] = {}
    for met, pairs in seen.broken.values():
        samples.setdefault(tuple(map(_kind, met)), (met, pairs[0]))
    cuts: dict[Cause, tuple[Pair, ...]] = {}
    for kind, alike in kinds.items():
        each = [sample for met, sample in samples.items() if kind in met]
        # What a part of the VPC's is about concerns pairs of all workers, and there are not many.
        apart = alike[0].about.scope == "network" and len(alike) <= _FEW_ALIKE
        for group in [[one] for one in alike] if apart else [alike]:
            cut = _tried_at_once(seen, group, each)
            if cut is not None:
                cuts.update(dict.fromkeys((finding.cause for finding in group), cut))
    return _as_expected(seen, cuts)


def _kind(finding: Finding) -> _Kind:
    return finding.code, finding.variant


def _tried_at_once(
    seen: _Seen, alike: Sequence[Finding], samples: Iterable[tuple[list[Finding], Pair]]
) -> tuple[Pair, ...] | None:
    """The pairs they cut off; ``None`` where one of the samples comes out otherwise than is expected."""
    gone = {finding.cause for finding in alike}
    trial = _Trial(seen.network, [change for finding in alike for change in finding.changes])
    for met, pair in samples:
        if {*trial.left(pair)} != {*_causes(met)} - gone:
            return None
    sorts = [finding.worker for finding in alike], seen.by_zone, trial.led_otherwise(seen)
    return trial.cuts(seen, dict.fromkeys(w for sort in sorts for w in _some(sort)))


def _some(workers: Sequence[str]) -> Sequence[str]:
    return workers[:: max(1, len(workers) // _MOST_SAMPLED)][:_MOST_SAMPLED]


def _as_expected(seen: _Seen, cuts: dict[Cause, tuple[Pair, ...]]) -> dict[Cause, Promise]:
    """By each of these causes: it is gone, and what else is in the way stays there."""
    mends: dict[Cause, list[Pair]] = {}
    stays: dict[Cause, dict[tuple[Cause, ...], list[Pair]]] = {}
    for met, pairs in seen.broken.values():
        causes = _causes(met)
        for n, cause in enumerate(causes):
            if cause not in cuts:
                continue
            if len(causes) == 1:
                mends.setdefault(cause, []).extend(pairs)
                continue
            told = stays.setdefault(cause, {})
            # There may be as many sorts as pairs.
            others = causes[:n] + causes[n + 1 :] if len(told) < _MOST_SORTS else ()
            told.setdefault(others, []).extend(pairs)
    return {cause: _promise(mends.get(cause, ()), stays.get(cause, {}), cut) for cause, cut in cuts.items()}
