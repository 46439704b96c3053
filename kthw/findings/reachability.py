"""What was measured, held against what the path predicts. Only probes that were sent are judged.

A missing measurement is no pass: ``unmeasured`` and ``measured`` say what there is nothing to judge of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kthw.findings.cluster import Cluster
from kthw.findings.finding import Finding, once
from kthw.findings.path import forwarding, obstacles
from kthw.findings.routes import internet_route
from kthw.observed.evidence import Evidence, Probe

PROTOCOLS = ("icmp", "tcp")
_MOST_NAMES = 3


def reaches_others(evidence: Evidence, worker: str) -> list[Finding]:
    """The worker's probe pod reaches every other worker's, by ICMP and by TCP."""
    cluster = Cluster.of(evidence)
    failed = [p for p in cluster.probes_from(worker) if _between(cluster, p) and not p.reached]
    return _unreachable(evidence, worker, failed, lambda p: f"{worker} → {p.destination}", leaving=True)


def is_reached_by_others(evidence: Evidence, worker: str) -> list[Finding]:
    """The worker's probe pod is reached by every other worker's, by ICMP and by TCP."""
    cluster = Cluster.of(evidence)
    failed = [p for p in cluster.probes_to(worker) if _between(cluster, p) and not p.reached]
    return _unreachable(evidence, worker, failed, lambda p: f"{p.source} → {worker}", leaving=False)


def reaches_own_node(evidence: Evidence, worker: str) -> list[Finding]:
    """The worker's probe pod reaches the node it runs on."""
    failed = [p for p in Cluster.of(evidence).probes_from(worker) if p.kind == "node" and not p.reached]
    return _unreachable(
        evidence, worker, failed, lambda p: f"{worker} → {p.destination_address}", leaving=True
    )


def reaches_internet(evidence: Evidence, worker: str) -> list[Finding]:
    """The worker's probe pod reaches a host on the internet, by ICMP or by TCP: either is proof.

    Nothing is judged where ``expects_internet`` says no.
    """
    probes = [p for p in Cluster.of(evidence).probes_from(worker) if p.kind == "internet"]
    if any(probe.reached for probe in probes) or not expects_internet(evidence, worker):
        return []
    return _unreachable(
        evidence, worker, probes, lambda p: f"{worker} → {p.destination_address}", leaving=True
    )


def expects_internet(evidence: Evidence, worker: str) -> bool:
    """Whether pods should reach the internet at all.

    Without masquerade they cannot: an internet gateway translates the node's own address only.
    """
    return Cluster.of(evidence).masquerades(worker)


def unmeasured(evidence: Evidence, worker: str) -> list[str]:
    """The other workers that no probe of each protocol was sent to from this one, in order."""
    cluster = Cluster.of(evidence)
    sent = {(p.destination, p.protocol) for p in cluster.probes_from(worker) if p.kind == "pod"}
    return _lacking(cluster, worker, sent)


def unmeasured_towards(evidence: Evidence, worker: str) -> list[str]:
    """The other workers that sent no probe of each protocol to this one, in order."""
    cluster = Cluster.of(evidence)
    sent = {(p.source, p.protocol) for p in cluster.probes_to(worker) if p.kind == "pod"}
    return _lacking(cluster, worker, sent)


def measured(evidence: Evidence, worker: str, kind: str) -> bool:
    """Whether any probe of ``kind`` (``pod``, ``node``, ``internet``) was sent from the worker's pod."""
    return any(probe.kind == kind for probe in Cluster.of(evidence).probes_from(worker))


def vouched(evidence: Evidence, worker: str, protocol: str) -> bool:
    """Whether the worker's probe of that protocol succeeded on anything at all.

    Where it did not, its failing says as much about the probe as about the network.
    """
    return any(p.reached and p.protocol == protocol for p in Cluster.of(evidence).probes_from(worker))


def _between(cluster: Cluster, probe: Probe) -> bool:
    return probe.kind == "pod" and probe.source != probe.destination and probe.destination in cluster.workers


def _lacking(cluster: Cluster, worker: str, sent: set[tuple[str, str]]) -> list[str]:
    others = (other for other in cluster.workers if other != worker)
    return [other for other in others if any((other, protocol) not in sent for protocol in PROTOCOLS)]


def _unreachable(
    evidence: Evidence,
    worker: str,
    failed: Sequence[Probe],
    pair: Callable[[Probe], str],
    *,
    leaving: bool,
) -> list[Finding]:
    """At most two findings: the pairs that something observed explains, and those that nothing does."""
    explained: dict[bool, list[tuple[Probe, list[str]]]] = {True: [], False: []}
    for probe in failed:
        codes = _explaining(evidence, probe)
        explained[bool(codes)].append((probe, codes))
    return [_finding(evidence, worker, told, pair, leaving) for told in explained.values() if told]


def _explaining(evidence: Evidence, probe: Probe) -> list[str]:
    """The codes of the obstacles in the way of this probe, in order of the path."""
    found = [
        f for f in _in_the_way(evidence, probe) if probe.protocol in f.facts.get("protocols", probe.protocol)
    ]
    return list(dict.fromkeys(finding.code for finding in found))


def _in_the_way(evidence: Evidence, probe: Probe) -> list[Finding]:
    if probe.kind == "pod":
        return obstacles(evidence, probe.source, probe.destination)
    own = obstacles(evidence, probe.source, probe.source)
    if probe.kind == "node":
        return own
    return once([*own, *forwarding(evidence, probe.source), *internet_route(evidence, probe.source)])


def _finding(
    evidence: Evidence,
    worker: str,
    told: Sequence[tuple[Probe, list[str]]],
    pair: Callable[[Probe], str],
    leaving: bool,
) -> Finding:
    cluster = Cluster.of(evidence)
    probes = [probe for probe, _ in told]
    codes = tuple(dict.fromkeys(code for _, found in told for code in found))
    believed = all(vouched(evidence, probe.source, probe.protocol) for probe in probes)
    others = [p.destination or p.destination_address if leaving else p.source for p in probes]
    ends = _names(others)
    return Finding(
        code="pod-unreachable",
        subject=f"{cluster.noun(worker)} → {ends}" if leaving else f"{ends} → {cluster.noun(worker)}",
        worker=worker,
        expected=", ".join(
            dict.fromkeys(f"{pair(probe)} {probe.protocol}" for probe in probes[:_MOST_NAMES])
        ),
        observed=str(probes[0]),
        near_miss=_reached(cluster, probes),
        facts={
            "worker_noun": cluster.noun(worker),
            "login": cluster.login(probes[0].source),
            "source": probes[0].source,
            "destination": probes[0].destination or probes[0].destination_address,
            "destination_address": probes[0].destination_address,
            "first_code": next(iter(codes), ""),
            "variant": "explained" if codes else probes[0].kind if believed else "unvouched",
        },
        pairs=tuple(str(probe) for probe in probes),
        explained_by=codes,
    )


def _names(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    more = f", … ({len(each)})" if len(each) > _MOST_NAMES else ""
    return ", ".join(each[:_MOST_NAMES]) + more


def _reached(cluster: Cluster, failed: Sequence[Probe]) -> str:
    """A probe like the failed one that did get through."""
    alike = [p for p in cluster.probes_from(failed[0].source) if p.reached]
    same = [p for p in alike if p.destination_address == failed[0].destination_address]
    return next((str(probe) for probe in (*same, *alike)), "")
