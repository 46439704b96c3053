"""Evidence of what is seen after the last chapter."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed.evidence import Evidence, Inventory, Leftover, LeftoverKind
from tests.findings.clusters import OK

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/net/kubernetes/50dc6c495c0c9188"
LEFT: dict[LeftoverKind, Leftover] = {
    "instance": Leftover(kind="instance", id="i-01", name="worker-0", state="stopped", vpc="vpc-1"),
    "load-balancer": Leftover(kind="load-balancer", id=ARN, name="kubernetes", state="active"),
    "target-group": Leftover(kind="target-group", id=ARN, name="kubernetes"),
    "nat-gateway": Leftover(kind="nat-gateway", id="nat-01", state="available", vpc="vpc-1"),
    "elastic-ip": Leftover(kind="elastic-ip", id="eipalloc-01", address="203.0.113.7"),
    "volume": Leftover(kind="volume", id="vol-01", name="worker-0", state="available"),
    "network-interface": Leftover(kind="network-interface", id="eni-01", state="available"),
    "internet-gateway": Leftover(kind="internet-gateway", id="igw-01", name="kubernetes", vpc="vpc-1"),
    "security-group": Leftover(kind="security-group", id="sg-01", name="kubernetes", vpc="vpc-1"),
    "subnet": Leftover(kind="subnet", id="subnet-01", name="kubernetes", vpc="vpc-1"),
    "route-table": Leftover(kind="route-table", id="rtb-01", name="kubernetes", vpc="vpc-1"),
    "vpc": Leftover(kind="vpc", id="vpc-1", name="kubernetes-the-hard-way", vpc="vpc-1"),
    "key-pair": Leftover(kind="key-pair", id="kubernetes", name="kubernetes"),
}
SITUATIONS = (
    *LEFT.values(),
    replace(LEFT["instance"], state="shutting-down"),
    replace(LEFT["nat-gateway"], state="deleting"),
    replace(LEFT["volume"], state="deleting"),
    replace(LEFT["internet-gateway"], vpc=""),
    replace(LEFT["security-group"], ingress=("sg-02:sgr-1",)),
    replace(LEFT["security-group"], egress=("sg-02:sgr-1",)),
    replace(LEFT["security-group"], ingress=("sg-02:sgr-1",), egress=("sg-02:sgr-2",)),
)
"""Each kind, and each situation that has words of its own."""


def cleaned(*left: Leftover, errors: tuple[LookError, ...] = ()) -> Evidence:
    """What is seen after the last chapter."""
    return Evidence(
        gathered_at=OK.gathered_at,
        target=OK.target,
        intended=replace(OK.intended, after="cleanup"),
        inventory=Inventory(account="123456789012", region="us-east-1"),
        leftovers=left,
        errors=errors,
    )
