"""What was measured, held against what the path predicts. Only probes that were sent are judged.

A missing measurement is no pass: ``unmeasured`` and ``measured`` say what there is nothing to judge of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from kthw.findings.finding import CODES, Finding, once
from kthw.findings.node_firewall import dropped_to_internet
from kthw.findings.path import forwarding, obstacles
from kthw.findings.routes import internet_route
from kthw.network.model import Cluster
from kthw.network.traces import fate, trace_of
from kthw.observed.evidence import Evidence, Probe

PROTOCOLS = ("icmp", "tcp")
_MOST_NAMES = 3
_LOSING = frozenset(CODES[CODES.index("source-dest-check-on") : CODES.index("pod-unreachable")]) - {
    "route-stale",
    "internet-route-missing",
    "internet-route-wrong-target",
    "internet-route-blackhole",
}
"""The codes that say that packets between pods are lost."""
_EVERYWHERE = frozenset(
    {"subnet-not-associated", "local-route-altered", "security-group-blocks", "network-acl-blocks"}
)
"""Those among them that are told of one worker and may concern any pair."""


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


def surprises(evidence: Evidence, told: Iterable[Finding]) -> dict[tuple[str, str], tuple[str, ...]]:
    """By (code, subject) of what was ``told``, the probes that got through although it is in their way.

    Only findings that say that packets are lost: there our idea of this network was wrong, or it changed
    while we looked.
    """
    losing = {(finding.code, finding.subject): finding for finding in told if finding.code in _LOSING}
    everywhere = any(finding.code in _EVERYWHERE for finding in losing.values())
    ends = {finding.worker for finding in losing.values()}
    found: dict[tuple[str, str], list[str]] = {}
    for probe in evidence.probes if losing else ():
        if not everywhere and probe.source not in ends and probe.destination not in ends:
            continue
        if probe.kind != "pod" or not probe.reached or probe.source == probe.destination:
            continue
        met = obstacles(evidence, probe.source, probe.destination)
        if all(obstacle.code in _LOSING for obstacle in met):
            for obstacle in met:
                key = (obstacle.code, obstacle.subject)
                if key in losing and probe.protocol in obstacle.facts.get("protocols", probe.protocol):
                    found.setdefault(key, []).append(str(probe))
    return {key: tuple(probes) for key, probes in found.items()}


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
    firewall = dropped_to_internet(Cluster.of(evidence), probe.source)
    return once(
        [*own, *forwarding(evidence, probe.source), *firewall, *internet_route(evidence, probe.source)]
    )


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
    traced = {} if codes else _traced(cluster, probes)
    kind = probes[0].kind if believed else "unvouched"
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
            "variant": "explained" if codes else kind,
            **traced,
        },
        pairs=tuple(str(probe) for probe in probes),
        explained_by=codes,
    )


def _traced(cluster: Cluster, probes: Sequence[Probe]) -> dict[str, str]:
    """How far the packets came, of the first pair whose packets were watched for."""
    traces = (trace_of(cluster.evidence, p.source, p.destination) for p in probes if p.kind == "pod")
    trace = next((found for found in traces if found), None)
    if trace is None or not trace.request:
        return {}  # that nobody saw them, not even leaving, says something of the watching and not of the way
    came = fate(trace)
    ends = {"source": trace.source, "destination": trace.destination}
    instances = {end: cluster.instance(worker) for end, worker in ends.items()}
    return {
        **ends,
        "destination_address": trace.destination_address,
        "way": came.way,
        "where": came.where,
        "where_login": cluster.login(came.where),
        "astray": ", ".join(came.astray),
        **{f"{end}_instance": found.id if found else "" for end, found in instances.items()},
        "variant": came.situation,
    }


def _names(names: Iterable[str]) -> str:
    each = list(dict.fromkeys(names))
    more = f", … ({len(each)})" if len(each) > _MOST_NAMES else ""
    return ", ".join(each[:_MOST_NAMES]) + more


def _reached(cluster: Cluster, failed: Sequence[Probe]) -> str:
    """A probe like the failed one that did get through."""
    alike = [p for p in cluster.probes_from(failed[0].source) if p.reached]
    same = [p for p in alike if p.destination_address == failed[0].destination_address]
    return next((str(probe) for probe in (*same, *alike)), "")
