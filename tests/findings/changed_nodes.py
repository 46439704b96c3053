"""Ways to change one thing in what the workers answer, and in how their packets fared."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import Chain, Evidence, Probe, Trace
from tests.findings.clusters import OK


def with_node(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    return replace(evidence, nodes={**evidence.nodes, worker: replace(evidence.nodes[worker], **changes)})


def with_cni(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    """Change the worker's bridge configuration."""
    bridge, *others = evidence.nodes[worker].cni
    return with_node(evidence, worker, cni=(replace(bridge, **changes), *others))


def with_link(evidence: Evidence, worker: str, name: str, **changes: Any) -> Evidence:
    """Change one of the worker's interfaces."""
    links = evidence.nodes[worker].links
    return with_node(
        evidence,
        worker,
        links=tuple(replace(each, **changes) if each.name == name else each for each in links),
    )


def with_way(evidence: Evidence, worker: str, towards: str, **changes: Any) -> Evidence:
    """Change where the worker's kernel sends packets for the pods of ``towards``."""
    ways = evidence.nodes[worker].ways
    changed = tuple(replace(way, **changes) if way.towards == towards else way for way in ways)
    return with_node(evidence, worker, ways=changed)


def with_forward_chain(evidence: Evidence, worker: str, *rules: str, policy: str = "ACCEPT") -> Evidence:
    """``iptables -P FORWARD policy``, and rules of it without the ``-A FORWARD`` before them."""
    chain = Chain(
        tool="iptables",
        table="filter",
        name="FORWARD",
        policy=policy,
        rules=tuple(f"-A FORWARD {rule}" for rule in rules),
    )
    return with_node(evidence, worker, firewall=(chain,))


def with_nft(evidence: Evidence, worker: str, *rules: str, policy: str = "ACCEPT") -> Evidence:
    """A chain ``forward`` of the table ``inet filter``, its rules as nft lists them."""
    listed = tuple(f"{rule} # handle {n}" for n, rule in enumerate(rules, 4))
    chain = Chain(tool="nft", table="inet filter", name="forward", policy=policy, rules=listed)
    return with_node(evidence, worker, firewall=(chain,))


WAY = ("pod {0}", "bridge {0}", "eni {0}", "eni {1}", "bridge {1}", "pod {1}")


def with_trace(
    evidence: Evidence,
    source: str,
    destination: str,
    request: int,
    reply: int = 0,
    astray: tuple[str, ...] = (),
) -> Evidence:
    """The pair's packets were seen at so many places of their way, and of the answers' way back."""
    there = tuple(place.format(source, destination) for place in WAY)[:request]
    back = tuple(place.format(destination, source) for place in WAY)[:reply]
    addresses = {worker: node.pod for worker, node in evidence.nodes.items()}
    trace = Trace(
        source=source,
        destination=destination,
        source_address=addresses[source],
        destination_address=addresses[destination],
        protocol="icmp",
        request=(*there, *astray),
        reply=back,
    )
    return replace(evidence, traces=(*evidence.traces, trace))


def masquerade_off(evidence: Evidence) -> Evidence:
    for worker in evidence.nodes:
        evidence = with_cni(evidence, worker, ip_masq=False)
    return evidence


def failing(
    evidence: Evidence,
    *pairs: tuple[str, str],
    kind: str = "pod",
    protocols: tuple[str, ...] = ("icmp", "tcp", "udp"),
    detail: str = "no answer in 3.0 s",
) -> Evidence:
    """The probes between ``pairs`` failed; ``*`` is every worker."""

    def fails(probe: Probe) -> bool:
        ends = any(s in (probe.source, "*") and d in (probe.destination, "*") for s, d in pairs)
        return ends and probe.kind == kind and probe.protocol in protocols

    probes = tuple(replace(p, reached=False, detail=detail) if fails(p) else p for p in evidence.probes)
    return replace(evidence, probes=probes)


def failing_at(
    evidence: Evidence,
    limit: int,
    *pairs: tuple[str, str],
    protocols: tuple[str, ...] = ("icmp", "tcp", "udp"),
    detail: str = "no answer in 3.0 s",
) -> Evidence:
    """Their full-size packets did not get through, nor any that were larger than ``limit`` bytes."""

    def come(probe: Probe) -> Probe:
        fails = probe.size and probe.protocol in protocols and (probe.source, probe.destination) in pairs
        return replace(probe, reached=False, detail=detail, limit=limit) if fails else probe

    return replace(evidence, probes=tuple(map(come, evidence.probes)))


def losing(
    evidence: Evidence, lost: int, *pairs: tuple[str, str], sent: int = 200, reached: bool = True
) -> Evidence:
    """So many of their packets, or of the answers, were lost when they were counted; ``*`` is any worker."""

    def come(probe: Probe) -> Probe:
        ends = any(s in (probe.source, "*") and d in (probe.destination, "*") for s, d in pairs)
        counted = ends and probe.kind == "pod" and probe.protocol == "icmp" and not probe.size
        detail = "" if reached else "no answer in 3.0 s"
        return replace(probe, sent=sent, lost=lost, reached=reached, detail=detail) if counted else probe

    return replace(evidence, probes=tuple(map(come, evidence.probes)))


def with_mtu(evidence: Evidence, worker: str, interface: str, mtu: int) -> Evidence:
    """Another MTU of one of the worker's interfaces."""
    links = evidence.nodes[worker].links
    changed = tuple(replace(link, mtu=mtu) if link.name == interface else link for link in links)
    return with_node(evidence, worker, links=changed)


NOT_MASQUERADED = masquerade_off(OK)


def not_probed(evidence: Evidence, source: str, destination: str, kind: str = "pod") -> Evidence:
    """Nobody tried that probe."""

    def left(probe: Probe) -> bool:
        return (probe.source, probe.destination, probe.kind) != (source, destination, kind)

    return replace(evidence, probes=tuple(filter(left, evidence.probes)))
