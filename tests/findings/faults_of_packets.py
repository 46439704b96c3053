"""Packets that were lost as evidence shows them."""

from __future__ import annotations

from kthw.observed.evidence import Evidence
from tests.findings.changed_nodes import NOT_MASQUERADED, failing, with_trace
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy


def _lost(request: int, reply: int = 0, astray: str = "") -> Evidence:
    pair = ("worker-0", "worker-1")
    return with_trace(failing(OK, pair), *pair, request, reply, astray)


FAULTS: Faults = {
    # Packets that nothing explains, and how far they came.
    "lost on the node they leave": (_lost(2), ("pod-unreachable",) * 2),
    "never left their pod": (_lost(0), ("pod-unreachable",) * 2),
    "lost in the VPC": (_lost(3), ("pod-unreachable",) * 2),
    "lost on the node they come to": (_lost(4), ("pod-unreachable",) * 2),
    "the answer lost on the node it leaves": (_lost(6, 2), ("pod-unreachable",) * 2),
    "no answer at all": (_lost(6, 0), ("pod-unreachable",) * 2),
    "the answer lost in the VPC": (_lost(6, 3), ("pod-unreachable",) * 2),
    "come out at a third node": (_lost(3, astray="eni worker-2"), ("pod-unreachable",) * 2),
    "come and go": (_lost(6, 6), ("pod-unreachable",) * 2),
    # Packets. Nothing explains the first; the next is explained by what is beside it.
    "one pair fails": (failing(OK, ("worker-0", "worker-1")), ("pod-unreachable",) * 2),
    "own node fails": (failing(OK, ("worker-1", "worker-1"), kind="node"), ("pod-unreachable",)),
    "internet fails": (failing(OK, ("worker-1", ""), kind="internet"), ("pod-unreachable",)),
}

HEALTHY: Healthy = {
    "internet by TCP only": failing(OK, ("*", ""), kind="internet", protocols=("icmp",)),
    "no internet without masquerade": failing(NOT_MASQUERADED, ("*", ""), kind="internet"),
}
