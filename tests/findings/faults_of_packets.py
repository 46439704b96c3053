"""Packets that were lost as evidence shows them."""

from __future__ import annotations

from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_instance, with_interface, without_instance, without_route
from tests.findings.changed_nodes import NOT_MASQUERADED, failing, with_trace, with_way
from tests.findings.clusters import OK, ONE, healthy
from tests.findings.judged import Faults, Healthy


def _lost(request: int, reply: int = 0, astray: tuple[str, ...] = ()) -> Evidence:
    pair = ("worker-0", "worker-1")
    return with_trace(failing(OK, pair), *pair, request, reply, astray)


FROM_0 = failing(OK, ("worker-0", "worker-1"), ("worker-0", "worker-2"))
NO_TCP = failing(
    failing(failing(FROM_0, ("*", "*"), protocols=("tcp",)), ("*", "*"), kind="node", protocols=("tcp",)),
    ("*", ""),
    kind="internet",
    protocols=("tcp",),
)
NODE_LOST = failing(OK, ("worker-1", "worker-1"), kind="node")


def _silent(evidence: Evidence, worker: str) -> Evidence:
    """Nothing that its pod sends is answered."""
    for kind, to in (("pod", "*"), ("node", "*"), ("internet", "")):
        evidence = failing(evidence, (worker, to), kind=kind)
    return evidence


FAULTS: Faults = {
    # Packets that nothing explains, and how far they came.
    "lost on the node they leave": (_lost(2), ("pod-unreachable",) * 2),
    "never left their pod": (_lost(0), ("pod-unreachable",) * 2),
    "lost in the VPC": (_lost(3), ("pod-unreachable",) * 2),
    "lost on the node they come to": (_lost(4), ("pod-unreachable",) * 2),
    "the answer lost on the node it leaves": (_lost(6, 2), ("pod-unreachable",) * 2),
    "no answer at all": (_lost(6, 0), ("pod-unreachable",) * 2),
    "the answer lost in the VPC": (_lost(6, 3), ("pod-unreachable",) * 2),
    "come out at a third node": (_lost(3, astray=("eni worker-2",)), ("pod-unreachable",) * 2),
    "come and go": (_lost(6, 6), ("pod-unreachable",) * 2),
    # Packets. Nothing explains the first; the next is explained by what is beside it.
    "one pair fails": (failing(OK, ("worker-0", "worker-1")), ("pod-unreachable",) * 2),
    "one worker reaches none of three others": (
        failing(healthy(4), ("worker-0", "*")),
        ("pod-unreachable",) * 4,
    ),
    "one worker reaches none of four others": (
        failing(healthy(5), ("worker-0", "*")),
        ("pod-unreachable",) * 5,
    ),
    "TCP alone fails, to the last worker": (
        failing(OK, ("worker-0", "worker-2"), protocols=("tcp",)),
        ("pod-unreachable",) * 2,
    ),
    "TCP never worked, and ICMP fails from one worker": (NO_TCP, ("pod-unreachable",) * 9),
    "nothing that a pod sends is answered": (_silent(OK, "worker-0"), ("pod-unreachable",) * 5),
    "two pairs fail, and the second was watched": (
        with_trace(FROM_0, "worker-0", "worker-2", 3),
        ("pod-unreachable",) * 3,
    ),
    "come out at two other nodes": (
        with_trace(
            failing(healthy(4), ("worker-0", "worker-1")),
            *("worker-0", "worker-1"),
            3,
            astray=("eni worker-2", "eni worker-3"),
        ),
        ("pod-unreachable",) * 2,
    ),
    "a route is missing, the check is on, and packets are lost": (
        failing(
            with_interface(without_route(OK, ONE), "worker-1", source_dest_check=True),
            ("worker-0", "worker-1"),
        ),
        ("route-missing", "source-dest-check-on", *("pod-unreachable",) * 2),
    ),
    "a worker is stopped, and packets to it are lost": (
        failing(with_instance(OK, "worker-1", state="stopped"), ("*", "worker-1")),
        ("worker-not-running", *("pod-unreachable",) * 3),
    ),
    "a worker is gone, and its pod did not reach its node before": (
        without_instance(NODE_LOST, "worker-1"),
        ("route-stale", "worker-missing", "pod-unreachable"),
    ),
    # What keeps pods from the internet does not keep them from their node; what loses their own way does.
    "own node fails, and there is no way to the internet": (
        without_route(NODE_LOST, "0.0.0.0/0"),
        ("internet-route-missing", "pod-unreachable"),
    ),
    "own node fails, and its kernel loses the pods": (
        with_way(
            NODE_LOST, "worker-1", "worker-1", device="ens5", route="10.200.1.0/24 via 10.0.1.1 dev ens5"
        ),
        ("node-route-conflict", "pod-unreachable"),
    ),
    "own node fails": (failing(OK, ("worker-1", "worker-1"), kind="node"), ("pod-unreachable",)),
    "internet fails": (failing(OK, ("worker-1", ""), kind="internet"), ("pod-unreachable",)),
}

HEALTHY: Healthy = {
    "internet by TCP only": failing(OK, ("*", ""), kind="internet", protocols=("icmp",)),
    "no internet without masquerade": failing(NOT_MASQUERADED, ("*", ""), kind="internet"),
}
