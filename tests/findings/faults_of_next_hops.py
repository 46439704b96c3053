"""What is near to a node's kernel routes: entries beside them, a link that was not seen, addresses twice."""

from __future__ import annotations

from kthw.observed.evidence import Evidence, Route
from tests.findings.changed_aws import with_more_instances, with_route, with_user_data
from tests.findings.changed_nodes import with_cni, with_node, with_way
from tests.findings.clusters import ONE, healthy, instance, route
from tests.findings.faults_of_node_routes import (
    APART,
    FIRST,
    MISSING,
    NODES,
    OFF,
    UNLINKED,
    WRONG,
    bare,
    by_nodes,
    half,
    handing,
    peers,
)
from tests.findings.judged import Faults, Healthy

TWO = "10.200.2.0/24"
ROUTER = "default via 10.0.1.1 dev ens5"
FORGOTTEN = bare(NODES, FIRST)
"""worker-0 has no kernel route to worker-1's pods."""


def _pod_of_nobodys() -> Evidence:
    """worker-1 gave its probe pod an address that no kernel route is for."""
    evidence = with_cni(NODES, "worker-1", subnet="10.201.1.0/24")
    for worker in ("worker-0", "worker-2"):
        evidence = with_way(evidence, worker, "worker-1", address="10.201.1.2", via="10.0.1.1", route=ROUTER)
    return evidence


def _twins() -> Evidence:
    """worker-1 was made with worker-0's user data: worker-2 hands what is for its pods to worker-0."""
    shared = peers(NODES)["worker-0"].cidr
    evidence = with_cni(with_user_data(NODES, "worker-1", pod_cidr=shared), "worker-1", subnet=shared)
    own = f"{shared} dev cnio0"
    for worker in ("worker-0", "worker-1"):
        evidence = with_way(
            evidence, worker, "worker-1", address="10.200.0.3", device="cnio0", via="", route=own
        )
    there = f"{shared} via 10.0.1.20 dev ens5"
    return with_way(evidence, "worker-2", "worker-1", address="10.200.0.3", via="10.0.1.20", route=there)


FAULTS: Faults = {
    # No kernel route.
    "one node has none, and the VPC carries one of two": (
        with_route(bare(FORGOTTEN, ("worker-0", "worker-2")), route(1, ONE)),
        MISSING,
    ),
    "one node of six has no kernel routes": (
        bare(by_nodes(healthy(6)), *(("worker-0", f"worker-{n}") for n in range(1, 6))),
        MISSING,
    ),
    "one kernel route missing, and one half to the VPC's router": (
        half("worker-0", "10.0.1.1", FORGOTTEN),
        MISSING,
    ),
    "no kernel route, and no default route either": (
        with_way(FORGOTTEN, *FIRST, kind="none", device="", via="", route=""),
        MISSING,
    ),
    "one kernel route missing, and the card's name is not known": (
        with_node(FORGOTTEN, "worker-0", links=NODES.nodes["worker-0"].links[1:]),
        MISSING,
    ),
    "one kernel route missing, and the node's bridge is gone": (
        with_way(FORGOTTEN, "worker-0", "worker-0", device="ens5", via="10.0.1.1", route=ROUTER),
        (*MISSING, "node-route-conflict"),
    ),
    "a kernel route for all pods to the VPC's router": (
        handing(NODES, *FIRST, via="10.0.1.1", cidr="10.200.0.0/16"),
        MISSING,
    ),
    "a rule asks another table, which leads to the VPC's router": (
        with_way(NODES, *FIRST, via="10.0.1.1", route=""),
        MISSING,
    ),
    # Through the wrong machine.
    "a kernel route through an address that a machine of another VPC has": (
        with_more_instances(
            handing(NODES, *FIRST, via="10.0.1.29"), instance(9, "database", vpc="vpc-09", subnet="subnet-09")
        ),
        WRONG,
    ),
    # Not on the link.
    "kernel routes missing within a subnet and between two": (bare(UNLINKED, FIRST), (*MISSING, *OFF * 3)),
    "no kernel route between two subnets, and the VPC's is a blackhole": (
        with_route(UNLINKED, route(2, TWO, state="blackhole")),
        OFF * 3,
    ),
    "no kernel route between two subnets, and the VPC's is a VPN's": (
        with_route(UNLINKED, Route(destination=TWO, gateway="vgw-0a", origin="EnableVgwRoutePropagation")),
        OFF * 3,
    ),
    "a rule asks another table, which leads through another subnet": (
        with_way(APART, "worker-0", "worker-2", route=""),
        OFF * 4,
    ),
    # Elsewhere on the node.
    "a node takes a peer's pods for its neighbours": (
        with_way(NODES, *FIRST, device="ens5", via="", route=f"{ONE} dev ens5 scope link"),
        ("node-route-conflict",),
    ),
    "the tunnel of another network takes a peer's range": (
        with_way(NODES, *FIRST, device="tun0", via="10.8.0.1", route=f"{ONE} via 10.8.0.1 dev tun0"),
        ("node-route-conflict",),
    ),
    # Whose pods they are.
    "kernel routes, and a pod of a network of nobody's": (_pod_of_nobodys(), ("cni-subnet-mismatch",)),
    "kernel routes, and two workers of one pod CIDR": (_twins(), ("pod-cidr-overlap",)),
}

HEALTHY: Healthy = {}
