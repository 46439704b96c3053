"""Policy rules of a node's kernel that drop packets before a routing table is asked."""

from __future__ import annotations

from typing import Literal

from kthw.observed.evidence import PolicyRule
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy


def _rule(kind: Literal["blackhole", "unreachable", "prohibit"] = "blackhole", **ranges: str) -> PolicyRule:
    return PolicyRule(priority=100, kind=kind, text=f"from all {kind}", **ranges)


FAULTS: Faults = {
    "a policy rule drops what is for a peer": (
        with_node(OK, "worker-1", rules=(_rule(destination="10.200.0.0/24"),)),
        ("node-route-conflict",),
    ),
    "a policy rule drops all that comes in from pods": (
        with_node(OK, "worker-1", rules=(_rule("prohibit", entering="cnio0"),)),
        ("node-route-conflict",),
    ),
    "a policy rule drops what is for its own pods": (
        with_node(
            OK, "worker-1", rules=(_rule("unreachable", destination="10.200.1.128/25", entering="ens5"),)
        ),
        ("node-route-conflict",),
    ),
    "a policy rule drops what its pods send": (
        with_node(OK, "worker-1", rules=(_rule(source="10.200.1.0/24"),)),
        ("node-route-conflict",),
    ),
}

HEALTHY: Healthy = {
    "a policy rule drops what is for others": with_node(
        OK,
        "worker-1",
        rules=(_rule(destination="172.16.0.0/12"), _rule(entering="wlan0"), _rule(source="10.9.0.0/16")),
    ),
}
