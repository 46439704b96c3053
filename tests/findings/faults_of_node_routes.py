"""Clusters whose nodes hand packets to each other by kernel routes, as evidence shows them."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from kthw.intended.cluster import NODE_ROUTES
from kthw.observed.evidence import Evidence, KernelRoute, Neighbour, SecurityRule, Way
from tests.findings.changed_aws import (
    TWO,
    inventory_of,
    with_group,
    with_interface,
    with_route,
    with_second_interface,
    with_table,
)
from tests.findings.changed_nodes import failing, masquerade_off, with_cni, with_node, with_way
from tests.findings.clusters import OK, ONE, TABLE_2, by_default, healthy, route
from tests.findings.judged import Faults, Healthy

MISSING, WRONG, OFF = ("node-route-missing",), ("node-route-wrong-next-hop",), ("node-route-off-link",)
KEPT = ("/etc/netplan/60-pod-routes.yaml",)


@dataclass(frozen=True)
class Peer:
    address: str
    cidr: str


def peers(evidence: Evidence) -> dict[str, Peer]:
    """By worker, its node's address and its pods' range."""
    found = {}
    for instance in inventory_of(evidence).instances:
        if instance.user_data and instance.name in evidence.intended.workers:
            found[instance.name] = Peer(instance.address, instance.user_data.pairs["pod-cidr"])
    return found


def without_vpc_routes(evidence: Evidence) -> Evidence:
    """No table has a route to an instance."""
    for table in inventory_of(evidence).route_tables:
        kept = tuple(each for each in table.routes if not each.instance)
        evidence = with_table(evidence, table.id, routes=kept)
    return evidence


def handing(evidence: Evidence, worker: str, towards: str, via: str = "", cidr: str = "") -> Evidence:
    """``ip route add CIDR via VIA`` on the worker: by default the peer's own, kept over a restart."""
    peer = peers(evidence)[towards]
    via, cidr = via or peer.address, cidr or peer.cidr
    evidence = with_way(
        evidence, worker, towards, kind="unicast", device="ens5", via=via, route=f"{cidr} via {via} dev ens5"
    )
    routes = evidence.nodes[worker].routes or ()
    kernel = KernelRoute(destination=cidr, via=via, device="ens5", kept=KEPT)
    return with_node(
        evidence, worker, routes=(*(each for each in routes if each.destination != cidr), kernel)
    )


def by_nodes(evidence: Evidence) -> Evidence:
    """Every node hands packets to every other; no table knows a pod CIDR."""
    evidence = without_vpc_routes(evidence)
    for worker in evidence.nodes:
        for other in peers(evidence):
            if other != worker:
                evidence = handing(evidence, worker, other)
    return evidence


def bare(evidence: Evidence, *pairs: tuple[str, str], gateway: str = "10.0.1.1") -> Evidence:
    """No kernel route of the first to the pods of the second."""
    for worker, towards in pairs:
        address = evidence.nodes[towards].pod
        usual = by_default(towards, address, gateway)
        evidence = with_way(evidence, worker, towards, via=usual.via, route=usual.route)
        cidr = peers(evidence)[towards].cidr
        left = tuple(each for each in evidence.nodes[worker].routes or () if each.destination != cidr)
        evidence = with_node(evidence, worker, routes=left)
    return evidence


def meaning(evidence: Evidence, network: str = NODE_ROUTES) -> Evidence:
    """``--network``."""
    return replace(evidence, intended=replace(evidence.intended, network=network))


NODES = by_nodes(OK)
APART = by_nodes(TWO)
"""worker-2 is in another subnet, and the kernel routes to it and from it lead through addresses there."""
ACROSS = [("worker-0", "worker-2"), ("worker-1", "worker-2")]
BACK = [("worker-2", "worker-0"), ("worker-2", "worker-1")]
UNLINKED = bare(bare(APART, *ACROSS), *BACK, gateway="10.0.2.1")
CARRIED = with_route(
    with_route(UNLINKED, route(2, "10.200.2.0/24")), route(0, "10.200.0.0/24"), route(1, ONE), table=TABLE_2
)
FIRST = ("worker-0", "worker-1")


def _untold() -> Evidence:
    """A recording of an older version: no node said which routes it has, beside the way to each pod."""
    evidence = NODES
    for worker in evidence.nodes:
        evidence = with_node(evidence, worker, routes=None)
    return evidence


def unkept(evidence: Evidence, worker: str) -> Evidence:
    """Its kernel routes are gone when it restarts."""
    routes = evidence.nodes[worker].routes or ()
    return with_node(evidence, worker, routes=tuple(replace(each, kept=()) for each in routes))


def half(worker: str, via: str, evidence: Evidence = NODES) -> Evidence:
    """A narrower entry on worker-0 takes the upper half of worker-1's pod CIDR."""
    half = Way(
        towards="worker-1",
        address="10.200.1.129",
        device="ens5",
        via=via,
        route=f"10.200.1.128/25 via {via} dev ens5",
    )
    return with_node(evidence, worker, ways=(*evidence.nodes[worker].ways, half))


FAULTS: Faults = {
    "a neighbour entry for the pod's address is another's": (
        failing(
            with_node(
                OK,
                "worker-1",
                neighbours=(Neighbour(address="10.200.1.2", device="cnio0", hardware="02:00:00:00:00:99"),),
            ),
            ("*", "worker-1"),
        ),
        ("node-route-conflict", *("pod-unreachable",) * 3),
    ),
    # No kernel route.
    "one kernel route missing": (bare(NODES, FIRST), MISSING),
    "a kernel route missing on the way back, not masqueraded": (
        failing(bare(masquerade_off(NODES), ("worker-1", "worker-0")), FIRST),
        (*MISSING, "pod-unreachable", "pod-unreachable"),
    ),
    "one node has no kernel routes": (bare(NODES, FIRST, ("worker-0", "worker-2")), MISSING),
    "no node has any, and they are meant": (meaning(without_vpc_routes(OK)), MISSING * 3),
    "a kernel route for a mistyped range": (
        handing(bare(NODES, FIRST), "worker-0", "worker-2", cidr="10.20.1.0/24", via="10.0.1.21"),
        (*WRONG, *MISSING),
    ),
    "a kernel route to the VPC's router, which knows no way": (
        handing(NODES, *FIRST, via="10.0.1.1"),
        MISSING,
    ),
    "one kernel route missing, and packets are lost": (
        failing(bare(NODES, FIRST), FIRST),
        (*MISSING, "pod-unreachable", "pod-unreachable"),
    ),
    "a kernel route missing, and the VPC's route is a blackhole": (
        with_route(bare(NODES, FIRST), route(1, ONE, state="blackhole")),
        MISSING,
    ),
    "a kernel route missing, and the VPC's route leads to another worker": (
        with_route(bare(NODES, FIRST), route(2, ONE)),
        MISSING,
    ),
    "a VPN takes the default route of a node without kernel routes": (
        with_way(NODES, *FIRST, device="wg0", via="", route="default dev wg0 scope link"),
        MISSING,
    ),
    # Through the wrong machine.
    "a kernel route through the wrong worker": (handing(NODES, *FIRST, via="10.0.1.22"), WRONG),
    "two kernel routes swapped": (
        handing(handing(NODES, *FIRST, via="10.0.1.22"), "worker-0", "worker-2", via="10.0.1.21"),
        WRONG * 2,
    ),
    "a kernel route through an address of nobody's": (handing(NODES, *FIRST, via="10.0.1.99"), WRONG),
    "a kernel route through the node itself": (handing(NODES, *FIRST, via="10.0.1.20"), WRONG),
    "a rule asks another table, which leads through the wrong worker": (
        with_way(NODES, *FIRST, via="10.0.1.22", route=""),
        WRONG,
    ),
    "a kernel route for all pods through one worker": (
        handing(NODES, *FIRST, via="10.0.1.22", cidr="10.200.0.0/16"),
        WRONG,
    ),
    "a kernel route for one half to the VPC's router": (half("worker-0", "10.0.1.1"), MISSING),
    "a kernel route for one half through the wrong worker": (half("worker-0", "10.0.1.22"), WRONG),
    "through the wrong worker, and packets are lost": (
        failing(handing(NODES, *FIRST, via="10.0.1.22"), FIRST),
        (*WRONG, "pod-unreachable", "pod-unreachable"),
    ),
    # Not on the link.
    "kernel routes through addresses of another subnet": (APART, OFF * 4),
    "no kernel route between two subnets": (UNLINKED, OFF * 3),
    "a kernel route on the only node of its subnet, through an address of nobody's": (
        handing(APART, "worker-2", "worker-0", via="10.0.2.99"),
        (*WRONG, *OFF * 3),
    ),
    "through another subnet, and packets are lost": (
        failing(APART, ("worker-0", "worker-2")),
        (*OFF * 4, "pod-unreachable", "pod-unreachable"),
    ),
    # Elsewhere on the node.
    "a node drops what its kernel route was for": (
        with_way(NODES, *FIRST, device="", via="", kind="blackhole", route="blackhole 10.200.1.0/24"),
        ("node-route-conflict",),
    ),
    "another bridge has a peer's range": (
        with_way(NODES, *FIRST, device="docker0", via="", route="10.200.0.0/16 dev docker0 scope link"),
        ("node-route-conflict",),
    ),
    "another bridge has the range of a peer in another subnet": (
        with_way(
            CARRIED, "worker-0", "worker-2", device="docker0", via="", route="10.200.2.0/24 dev docker0"
        ),
        ("node-route-conflict",),
    ),
    "a node's own pod CIDR routed to a peer": (
        with_way(
            NODES,
            "worker-1",
            "worker-1",
            device="ens5",
            via="10.0.1.20",
            route="10.200.1.0/24 via 10.0.1.20 dev ens5",
        ),
        ("node-route-conflict",),
    ),
    "a node's own pod CIDR routed to a peer until it restarts": (
        unkept(handing(NODES, "worker-1", "worker-1", via="10.0.1.20"), "worker-1"),
        ("node-route-conflict",),
    ),
    # What else the packets meet.
    "kernel routes, and the receiver's check is on": (
        failing(with_interface(NODES, "worker-1", source_dest_check=True), FIRST),
        ("source-dest-check-on", "pod-unreachable", "pod-unreachable"),
    ),
    "kernel routes, and all checks on": (
        with_interface(
            with_interface(
                with_interface(NODES, "worker-0", source_dest_check=True), "worker-1", source_dest_check=True
            ),
            "worker-2",
            source_dest_check=True,
        ),
        ("source-dest-check-on",) * 3,
    ),
    "kernel routes to a second ENI whose check is on": (
        handing(
            handing(
                with_second_interface(NODES, 1, source_dest_check=True),
                *FIRST,
                via="10.0.1.121",
            ),
            "worker-2",
            "worker-1",
            via="10.0.1.121",
        ),
        ("source-dest-check-on",),
    ),
    "kernel routes, and no rule for pods that are not masqueraded": (
        with_group(masquerade_off(NODES), ingress=(SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",)),)),
        ("security-group-blocks",),
    ),
    "kernel routes, and a pod network of nobody's": (
        with_cni(NODES, "worker-1", subnet="10.201.1.0/24"),
        ("cni-subnet-mismatch",),
    ),
}

HEALTHY: Healthy = {
    "kernel routes": NODES,
    "kernel routes, and routes of the VPC as well": replace(NODES, inventory=OK.inventory),
    "kernel routes that are meant": meaning(NODES),
    "kernel routes, not masqueraded": masquerade_off(NODES),
    "kernel routes of an older recording": _untold(),
    "kernel routes that are not kept": unkept(NODES, "worker-0"),
    "a kernel route for all pods that is not kept, and the VPC's takes one of them elsewhere": unkept(
        handing(CARRIED, "worker-0", "worker-1", cidr="10.200.0.0/16"), "worker-0"
    ),
    "a kernel route missing, and the VPC carries it": with_route(bare(NODES, FIRST), route(1, ONE)),
    "kernel routes within a subnet, the VPC's between two": CARRIED,
    "a kernel route for two peers' half each": half("worker-0", "10.0.1.21"),
    "five workers": by_nodes(healthy(5)),
}
