"""Runs to look at: what the terminal and the page are shown with, from nothing wrong to all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from benchmarks import wide
from kthw.errors import LookError
from kthw.observed.evidence import Evidence, Probe, Route, SecurityRule
from tests.findings.changed_aws import (
    inventory_of,
    with_group,
    with_instance,
    with_interface,
    with_route,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import failing, with_cni, with_forward_chain, with_node, with_trace
from tests.findings.cleaned import LEFT, cleaned
from tests.findings.clusters import OK, healthy
from tests.findings.faults_of_node_routes import NODES, bare
from tests.words.golden_texts import UNREACHABLE


def unreachable(evidence: Evidence, *workers: str) -> Evidence:
    """Nobody got into these workers."""
    seen = inventory_of(evidence).instances
    errors = []
    for worker in workers:
        found = next(each for each in seen if each.name == worker)
        facts = UNREACHABLE.facts | {
            "worker": worker, "address": found.public_address, "host": found.public_address,
            "login": f"ssh -i kubernetes.id_rsa ubuntu@{found.public_address}",
        }  # fmt: skip
        subject = f"{worker} ({found.id}, {found.address})"
        errors.append(replace(UNREACHABLE, subject=subject, worker=worker, facts=facts))
    gone = frozenset(workers)
    return replace(
        evidence,
        nodes={worker: node for worker, node in evidence.nodes.items() if worker not in gone},
        probes=tuple(p for p in evidence.probes if not gone & {p.source, p.destination}),
        errors=(*evidence.errors, *errors),
    )


def two_faults() -> Evidence:
    """A route was forgotten, and a firewall drops what a node should forward."""
    evidence = without_route(OK, "10.200.1.0/24")
    evidence = with_forward_chain(evidence, "worker-2", policy="DROP")
    return failing(evidence, ("*", "worker-1"), ("*", "worker-2"), ("worker-2", "*"))


def worst() -> Evidence:
    """Twelve workers with everything wrong that can be wrong at once, and two nobody gets into."""
    evidence = healthy(12)
    evidence = without_route(evidence, "10.200.1.0/24", "10.200.2.0/24", "10.200.7.0/24")
    evidence = with_route(
        evidence,
        Route(destination="10.200.3.0/24", instance="i-04", network_interface="eni-04"),
        Route(destination="10.200.6.0/24", network_interface="eni-0gone", state="blackhole"),
    )
    evidence = with_interface(evidence, "worker-4", source_dest_check=True)
    evidence = with_interface(evidence, "worker-8", source_dest_check=True)
    evidence = with_group(evidence, ingress=(SecurityRule(protocol="icmp", cidrs=("0.0.0.0/0",)),))
    evidence = with_node(evidence, "worker-0", ip_forward=False)
    evidence = with_forward_chain(evidence, "worker-2", policy="DROP")
    evidence = with_cni(evidence, "worker-3", subnet="10.200.9.0/24")
    evidence = with_user_data(evidence, "worker-9", name="worker-9", pod_cider="10.200.9.0/24")
    evidence = with_instance(evidence, "worker-10", state="stopped")
    evidence = without_instance(
        unreachable(evidence, "worker-8", "worker-7", "worker-10", "worker-11"), "worker-11"
    )
    evidence = replace(evidence, errors=evidence.errors[:2])
    evidence = failing(evidence, ("*", "*"), protocols=("tcp", "udp"))
    evidence = failing(evidence, *(("*", f"worker-{n}") for n in (1, 2, 3, 4, 6)), ("worker-0", "*"))
    evidence = failing(evidence, ("worker-2", "*"), ("worker-1", "worker-5"))
    return with_trace(evidence, "worker-1", "worker-5", 3)


def nobody() -> Evidence:
    """AWS was seen, and every login was refused."""
    evidence = unreachable(OK, *OK.intended.workers)
    errors = [
        LookError(
            code="ssh-auth-failed", subject=each.subject, worker=each.worker,
            detail="Permission denied (publickey).", facts=each.facts,
        )
        for each in evidence.errors
    ]  # fmt: skip
    return replace(evidence, errors=tuple(errors))


def fifty() -> Evidence:
    """Fifty workers, and nobody turned the source/dest check off."""
    evidence = healthy(50)
    for worker in evidence.intended.workers:
        evidence = with_interface(evidence, worker, source_dest_check=True)
    return failing(evidence, ("*", "*"))


def by_kernel() -> Evidence:
    """The nodes hand packets to each other, and worker-0 has forgotten worker-1."""
    evidence = bare(NODES, ("worker-0", "worker-1"))
    return failing(evidence, ("worker-0", "worker-1"))


def many(workers: int) -> Evidence:
    """Every fifth route was forgotten, and one worker does not forward."""
    forgotten = range(3, workers, 5)
    evidence = wide.cluster(workers, packets=True)
    evidence = without_route(evidence, *(f"10.200.{n}.0/24" for n in forgotten))
    evidence = with_node(evidence, "worker-1", ip_forward=False)
    cut = {f"worker-{n}" for n in forgotten}

    def came(n: int, probe: Probe) -> Probe:
        if probe.kind != "pod":
            return probe
        ends = {probe.source, probe.destination}
        if len(ends) == 2 and (probe.destination in cut or "worker-1" in ends):
            return replace(probe, reached=False, detail="no answer in 3.0 s")
        return replace(probe, milliseconds=0.3 + n % 17 / 10)

    return replace(evidence, probes=tuple(came(n, probe) for n, probe in enumerate(evidence.probes)))


def left() -> Evidence:
    """After the last chapter, when it was done by halves."""
    return cleaned(
        LEFT["instance"], LEFT["load-balancer"], LEFT["volume"], LEFT["security-group"], LEFT["vpc"]
    )


RUNS: Final[dict[str, tuple[Callable[[], Evidence], str]]] = {
    "healthy": (lambda: OK, "routes"),
    "two-faults": (two_faults, "routes"),
    "worst": (worst, "routes"),
    "nobody": (nobody, "routes"),
    "fifty": (fifty, "routes"),
    "cleanup": (left, "cleanup"),
}
"""By name: what was seen, and the suite that judges it."""
PAGES: Final[dict[str, tuple[Callable[[], Evidence], str]]] = {
    **RUNS,
    "by-nodes": (by_kernel, "routes"),
    "fifty-in-part": (lambda: many(50), "routes"),
    "two-hundred": (lambda: many(200), "routes"),
    "thousand": (lambda: wide.cluster(1000, packets=False), "routes"),
    "thousand-without-routes": (lambda: wide.without_routes(wide.cluster(1000, packets=False)), "routes"),
}
"""The same, and what only the page has a form of its own for."""
