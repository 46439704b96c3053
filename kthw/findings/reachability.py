"""What was measured, held against what the path predicts. Only probes that were sent are judged.

A missing measurement is no pass: ``unmeasured`` and ``measured`` say what there is nothing to judge of.
Full-size packets and shares that are lost have judgements of their own: here a pair is reached or not, and
one of which something came back is not unreachable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kthw.findings.ends import forwarding
from kthw.findings.finding import Cause, Finding, Lost, once
from kthw.findings.node_firewall import dropped_to_internet, dropped_to_node
from kthw.findings.node_routes import beyond
from kthw.findings.path import obstacles
from kthw.findings.routes import internet_route
from kthw.findings.witnesses import witnesses
from kthw.network.model import Network
from kthw.network.traces import fate
from kthw.observed.evidence import Probe

PROTOCOLS: Final = ("icmp", "tcp")
UDP: Final = ("udp",)
_MOST_NAMES = 3


def reaches_others(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches every other worker's, by ICMP and by TCP."""
    return network.remember(("reaches", worker), lambda: _reaches(network, worker, PROTOCOLS))


def reaches_others_by_udp(network: Network, worker: str) -> list[Finding]:
    """The same by UDP."""
    return network.remember(("reaches by UDP", worker), lambda: _reaches(network, worker, UDP))


def is_reached_by_others(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod is reached by every other worker's, by ICMP and by TCP."""
    return network.remember(("is reached", worker), lambda: _is_reached(network, worker))


def reaches_own_node(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches the node it runs on."""
    failed = [p for p in network.probes.sent_by(worker) if p.kind == "node" and not p.reached]
    return _unreachable(
        network, worker, failed, lambda p: f"{worker} → {p.destination_address}", leaving=True
    )


def reaches_internet(network: Network, worker: str) -> list[Finding]:
    """The worker's probe pod reaches a host on the internet, by ICMP or by TCP: either is proof.

    Nothing is judged where ``expects_internet`` says no.
    """
    probes = [p for p in network.probes.sent_by(worker) if p.kind == "internet"]
    if any(probe.reached for probe in probes) or not expects_internet(network, worker):
        return []
    return _unreachable(
        network, worker, probes, lambda p: f"{worker} → {p.destination_address}", leaving=True
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
    return _lacking(network, worker, _sent_to(network, worker), PROTOCOLS)


def unmeasured_by_udp(network: Network, worker: str) -> list[str]:
    """The same by UDP."""
    return _lacking(network, worker, _sent_to(network, worker), UDP)


def _sent_to(network: Network, worker: str) -> set[tuple[str, str]]:
    return {(p.destination, p.protocol) for p in network.probes.sent_by(worker) if not p.size}


def unmeasured_towards(network: Network, worker: str) -> list[str]:
    """The other workers that sent no probe of each protocol to this one, in order."""
    sent = {(p.source, p.protocol) for p in network.probes.sent_to(worker) if not p.size}
    return _lacking(network, worker, sent, PROTOCOLS)


def measured(network: Network, worker: str, kind: str) -> bool:
    """Whether any probe of ``kind`` (``pod``, ``node``, ``internet``) was sent from the worker's pod."""
    return any(probe.kind == kind for probe in network.probes.sent_by(worker))


def between(network: Network, probe: Probe) -> bool:
    """Whether it was sent to another worker's pod: the others go to the pod's own node, or to no worker."""
    return probe.source != probe.destination and probe.destination in network.position


def _reaches(network: Network, worker: str, protocols: Sequence[str]) -> list[Finding]:
    sent = network.probes.sent_by(worker)
    failed = [p for p in sent if p.protocol in protocols and _is_unreachable(network, p)]
    return _unreachable(network, worker, failed, lambda p: f"{worker} → {p.destination}", leaving=True)


def _is_reached(network: Network, worker: str) -> list[Finding]:
    sent = network.probes.sent_to(worker)
    failed = [p for p in sent if p.protocol in PROTOCOLS and _is_unreachable(network, p)]
    return _unreachable(network, worker, failed, lambda p: f"{p.source} → {worker}", leaving=False)


def _is_unreachable(network: Network, probe: Probe) -> bool:
    """Whether nothing came back of all that was sent to another's pod, and that is not for a share lost."""
    return _failed(network, probe) and not lost_by_chance(network, probe)


def lost_by_chance(network: Network, probe: Probe) -> bool:
    """Whether it did not arrive, nothing that was seen stops it, and much may be lost on the pair's way."""
    doubted = (probe.source, probe.destination) in network.probes.doubted
    return doubted and _failed(network, probe) and not _causes(network, probe)


def _failed(network: Network, probe: Probe) -> bool:
    return not (probe.size or probe.reached or probe.sent > probe.lost) and between(network, probe)


def _lacking(
    network: Network, worker: str, sent: set[tuple[str, str]], protocols: Sequence[str]
) -> list[str]:
    others = (other for other in network.workers if other != worker)
    return [other for other in others if any((other, protocol) not in sent for protocol in protocols)]


def _unreachable(
    network: Network,
    worker: str,
    failed: Sequence[Probe],
    pair: Callable[[Probe], str],
    *,
    leaving: bool,
) -> list[Finding]:
    """At most two findings: the pairs that something observed explains, and those that nothing does."""
    explained: dict[bool, list[Lost]] = {True: [], False: []}
    for probe in failed:
        lost = Lost(probe=probe, causes=_causes(network, probe))
        explained[bool(lost.causes)].append(lost)
    return [_finding(network, worker, told, pair, leaving) for told in explained.values() if told]


def _causes(network: Network, probe: Probe) -> tuple[Cause, ...]:
    """What stops the probe; of pairs that meet the same, the same."""
    met = _in_the_way(network, probe)
    # Kept with what it is about, whose identity is never another's then.
    _, causes = network.remember((id(met), probe.protocol), lambda: (met, _stopping(met, probe.protocol)))
    return causes


def _stopping(met: Iterable[Finding], protocol: str) -> tuple[Cause, ...]:
    return tuple(finding.cause for finding in met if finding.stops(protocol))


def _in_the_way(network: Network, probe: Probe) -> list[Finding]:
    if probe.kind == "pod":
        return obstacles(network, probe.source, probe.destination)
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
    codes = [code for lost in told for code, _ in lost.causes]
    believed = all((probe.source, probe.protocol) in network.probes.vouched for probe in probes)
    others = [p.destination or p.destination_address if leaving else p.source for p in probes]
    ends = names(others)
    situation, traced = ("", {}) if codes else _traced(network, probes)
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
        variant="explained" if codes else situation or kind,
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(probes[0].source),
            "source": probes[0].source,
            "destination": others[0] if leaving else worker,
            "destination_address": probes[0].destination_address,
            "first_code": next(iter(codes), ""),
            "explained_by": ", ".join(dict.fromkeys(codes)),
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
    alike = [p for p in network.probes.sent_by(failed[0].source) if p.reached]
    same = [p for p in alike if p.destination_address == failed[0].destination_address]
    return next(iter((*same, *alike)), "")
