"""What was measured, held against what the path predicts. Only probes that were sent are judged.

A missing measurement is no pass: ``unmeasured`` and ``measured`` say what there is nothing to judge of.
Full-size packets and shares that are lost have judgements of their own: here a pair is reached or not, and
one of which something came back is not unreachable.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kthw.findings.ends import forwarding
from kthw.findings.finding import Cause, Finding, Lost, explaining, once
from kthw.findings.node_firewall import dropped_to_internet, dropped_to_node
from kthw.findings.node_routes import beyond
from kthw.findings.path import obstacles
from kthw.findings.routes import internet_route
from kthw.findings.witnesses import witnesses
from kthw.network.model import Network
from kthw.network.traces import fate
from kthw.observed.evidence import Probe

_PING_AND_TCP: Final = ("icmp", "tcp")
_UDP: Final = ("udp",)
_MOST_NAMES = 3
_SENDER: Final = operator.attrgetter("source", "protocol")
_FROM: Final = operator.attrgetter("source")
_TO: Final = operator.attrgetter("destination")


def reaches_others(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches every other worker's, by ICMP and by TCP."""
    return network.remember(("reaches", worker), lambda: _reaches(network, worker, _PING_AND_TCP))


def reaches_others_by_udp(network: Network, worker: str) -> list[Finding]:
    """The same by UDP."""
    return network.remember(("reaches by UDP", worker), lambda: _reaches(network, worker, _UDP))


def is_reached_by_others(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod is reached by every other worker's, by ICMP and by TCP."""
    return network.remember(("is reached", worker), lambda: _is_reached(network, worker))


def reaches_own_node(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches the node it runs on."""
    failed = (p for p in network.probes.sent_by(worker) if p.kind == "node" and not p.reached)
    return _unreachable(
        network,
        worker,
        _stopped(network, failed),
        lambda p: f"{worker} → {p.destination_address}",
        leaving=True,
    )


def reaches_internet(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches a host on the internet, by ICMP or by TCP: either is proof.

    Nothing is judged where ``expects_internet`` says no.
    """
    probes = [p for p in network.probes.sent_by(worker) if p.kind == "internet"]
    if any(probe.reached for probe in probes) or not expects_internet(network, worker):
        return []
    return _unreachable(
        network,
        worker,
        _stopped(network, probes),
        lambda p: f"{worker} → {p.destination_address}",
        leaving=True,
    )


def expects_internet(network: Network, worker: str) -> bool:
    """Whether pods should reach the internet at all.

    Without masquerade they cannot: an internet gateway translates the node's own address only.
    """
    return network.masquerades(worker)


def surprises(network: Network, told: Iterable[Finding]) -> dict[Cause, tuple[Probe, ...]]:
    """By what was ``told``, the probes that got through although it is in their way.

    Only findings that say that pods' packets are lost: there our idea of this network was wrong, or it
    changed while we looked.
    """
    losing = {finding.cause for finding in told if finding.about.stops == "pods"}
    found: dict[Cause, list[Probe]] = {}
    for probe in network.evidence.probes if losing else ():
        if probe.size or not probe.reached or not between(network, probe):
            continue
        met = obstacles(network, probe.source, probe.destination)
        if all(obstacle.about.stops == "pods" for obstacle in met):
            for obstacle in met:
                if obstacle.cause in losing and obstacle.stops(probe.protocol):
                    found.setdefault(obstacle.cause, []).append(probe)
    return {cause: tuple(probes) for cause, probes in found.items()}


def unmeasured(network: Network, worker: str) -> list[str]:
    """The other workers that no probe of each protocol was sent to from this one, in order."""
    return _lacking(network, worker, network.probes.sent_by(worker), _TO, _PING_AND_TCP)


def unmeasured_by_udp(network: Network, worker: str) -> list[str]:
    """The same by UDP."""
    return _lacking(network, worker, network.probes.sent_by(worker), _TO, _UDP)


def unmeasured_towards(network: Network, worker: str) -> list[str]:
    """The other workers that sent no probe of each protocol to this one, in order."""
    return _lacking(network, worker, network.probes.sent_to(worker), _FROM, _PING_AND_TCP)


def measured(network: Network, worker: str, kind: str) -> bool:
    """Whether any probe of ``kind`` (``pod``, ``node``, ``internet``) was sent from the worker's pod."""
    return any(probe.kind == kind for probe in network.probes.sent_by(worker))


def between(network: Network, probe: Probe) -> bool:
    """Whether it was sent to another worker's pod: the others go to the pod's own node, or to no worker."""
    return probe.source != probe.destination and probe.destination in network.position


def _reaches(network: Network, worker: str, protocols: Sequence[str]) -> list[Finding]:
    missed = _missed(network)
    failed = [
        lost
        for other in network.probes.missed_by(worker)
        for lost in missed.between(worker, other)
        if lost.probe.protocol in protocols
    ]
    return _unreachable(network, worker, failed, lambda p: f"{worker} → {p.destination}", leaving=True)


def _is_reached(network: Network, worker: str) -> list[Finding]:
    missed = _missed(network)
    failed = [
        lost
        for other in network.probes.missed_at(worker)
        for lost in missed.between(other, worker)
        if lost.probe.protocol in _PING_AND_TCP
    ]
    return _unreachable(network, worker, failed, lambda p: f"{p.source} → {worker}", leaving=False)


def lost_by_chance(network: Network, source: str, destination: str) -> bool:
    """Whether a small probe of a doubted pair's did not arrive, and nothing that was seen stops it."""
    return any(not lost.causes for lost in _missed(network).all_between(source, destination))


def _missed(network: Network) -> _Missed:
    return network.remember(("missed",), lambda: _Missed(network))


class _Missed:
    """The small probes between workers that nothing came back of, each with what stops it.

    There are as many pairs as workers times workers, and each is told from both its ends: it is judged once.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lost: dict[tuple[str, str], Sequence[Lost]] = {}
        self._stopping: dict[int, _Stopping] = {}

    def between(self, source: str, destination: str) -> Sequence[Lost]:
        """Those of a pair; but for what may be lost with a share of all that is sent."""
        pair = (source, destination)
        found = self._lost.get(pair)
        if found is None:
            found = self.all_between(source, destination)
            if pair in self._network.probes.doubted:
                found = tuple(lost for lost in found if lost.causes)
            self._lost[pair] = found
        return found

    def all_between(self, source: str, destination: str) -> Sequence[Lost]:
        """The same, for whatever reason; not what nothing came of but when it was counted."""
        probes = self._network.probes.of_pair(source, destination)
        failed = [p for p in probes if not (p.reached or p.size or p.sent > p.lost)]
        if not failed or not between(self._network, failed[0]):
            return ()
        stopping = self.stopping(obstacles(self._network, source, destination))
        return tuple([Lost(probe=probe, causes=stopping[probe.protocol]) for probe in failed])

    def stopping(self, met: list[Finding]) -> _Stopping:
        """Of pairs that meet the same, the same."""
        found = self._stopping.get(id(met))
        if found is None:
            found = self._stopping[id(met)] = _Stopping(met)
        return found


class _Stopping(dict[str, tuple[Cause, ...]]):
    """By protocol, what of all that is met stops its packets; that is kept, and so its identity."""

    def __init__(self, met: list[Finding]) -> None:
        self._met = met

    def __missing__(self, protocol: str) -> tuple[Cause, ...]:
        found = self[protocol] = tuple(each.cause for each in self._met if each.stops(protocol))
        return found


def _lacking(
    network: Network,
    worker: str,
    sent: Sequence[Probe],
    end: Callable[[Probe], str],
    protocols: Sequence[str],
) -> list[str]:
    """The others that are the ``end`` of none that was ``sent`` by one of the protocols."""
    small = [probe for probe in sent if not probe.size]
    by_each = ({end(probe) for probe in small if probe.protocol == protocol} for protocol in protocols)
    by_all = set.intersection(*by_each)
    return [other for other in network.workers if other not in by_all and other != worker]


def _unreachable(
    network: Network,
    worker: str,
    failed: Iterable[Lost],
    pair: Callable[[Probe], str],
    *,
    leaving: bool,
) -> list[Finding]:
    """At most two findings: the pairs that something observed explains, and those that nothing does."""
    explained: dict[bool, list[Lost]] = {True: [], False: []}
    for lost in failed:
        explained[bool(lost.causes)].append(lost)
    return [_finding(network, worker, told, pair, leaving) for told in explained.values() if told]


def _stopped(network: Network, probes: Iterable[Probe]) -> list[Lost]:
    """Each with what stops it, on its way to its own node or to the internet."""
    stopping = _missed(network).stopping
    return [Lost(probe=p, causes=stopping(_in_the_way(network, p))[p.protocol]) for p in probes]


def _in_the_way(network: Network, probe: Probe) -> list[Finding]:
    own = obstacles(network, probe.source, probe.source)
    if probe.kind == "node":
        return once([*own, *dropped_to_node(network, probe.source)])
    firewall = dropped_to_internet(network, probe.source)
    # A table that was not seen is no obstacle.
    route = internet_route(network, probe.source) if network.ruling_seen(probe.source) else []
    ruled = beyond(network, probe.source, "")
    return once([*own, *forwarding(network, probe.source), *firewall, *ruled, *route])


def _finding(
    network: Network,
    worker: str,
    told: Sequence[Lost],
    pair: Callable[[Probe], str],
    leaving: bool,
) -> Finding:
    probes = [lost.probe for lost in told]
    codes = explaining(told)
    believed = network.probes.vouched.issuperset(map(_SENDER, probes))
    others = [p.destination or p.destination_address if leaving else p.source for p in probes]
    ends = names(others)
    situation, traced = ("explained", {}) if codes else _traced(network, probes)
    kind = probes[0].kind if believed else "unvouched"
    return Finding(
        code="pod-unreachable",
        subject=f"{network.noun(worker)} → {ends}" if leaving else f"{ends} → {network.noun(worker)}",
        worker=worker,
        expected=", ".join(
            dict.fromkeys(f"{pair(probe)} {probe.protocol}" for probe in probes[:_MOST_NAMES])
        ),
        observed=probes[0],
        near_miss=_reached(network, probes),
        variant=situation or kind,
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(probes[0].source),
            "source": probes[0].source,
            "destination": others[0] if leaving else worker,
            "destination_address": probes[0].destination_address,
            "first_code": codes[0] if codes else "",
            "explained_by": ", ".join(codes),
            **traced,
        },
        lost=tuple(told),
    )


def _traced(network: Network, probes: Sequence[Probe]) -> tuple[str, dict[str, str]]:
    """How far the packets came, of the first pair that was watched: the situation, the facts."""
    traces = (network.probes.trace(p.source, p.destination) for p in probes)
    trace = next((found for found in traces if found), None)
    # That nobody saw them, not even leaving, says something of the watching and not of the way.
    if trace is None or not trace.request:
        return "", {}
    came = fate(trace)
    ends = {"source": trace.source, "destination": trace.destination}
    instances = {end: network.instance(worker) for end, worker in ends.items()}
    facts = {
        **ends,
        "destination_address": trace.destination_address,
        "way": came.way,
        "where": came.where,
        "where_login": network.login(came.where),
        "astray": ", ".join(came.astray),
        **{f"{end}_instance": found.id if found else "" for end, found in instances.items()},
    }
    situation, more = witnesses(network, trace, came)
    return situation or came.situation, {**facts, **more}


def pairs(probes: Iterable[Probe]) -> str:
    """``worker-0 → worker-1, worker-1 → worker-0``; of many the first, and how many there are."""
    return names(f"{probe.source} → {probe.destination}" for probe in probes)


def names(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    more = f", … ({len(each)})" if len(each) > _MOST_NAMES else ""
    return ", ".join(each[:_MOST_NAMES]) + more


def _reached(network: Network, failed: Sequence[Probe]) -> Probe | str:
    """A probe like the failed one that did get through."""
    source, address = failed[0].source, failed[0].destination_address
    alike = network.remember(
        ("reached from", source), lambda: [p for p in network.probes.sent_by(source) if p.reached]
    )
    same = (p for p in alike if p.destination_address == address)
    return next(itertools.chain(same, alike), "")
