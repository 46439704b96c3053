"""Machines that are no workers and must reach pods as well (``--also``), as evidence shows them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.intended.cluster import VPC_ROUTES
from kthw.observed.evidence import Evidence, Link
from tests.findings.changed_aws import with_more_instances, with_route
from tests.findings.changed_nodes import with_node, with_way
from tests.findings.clusters import OK, ONE, TABLE_2, by_default, instance, route
from tests.findings.faults_of_node_routes import (
    CARRIED,
    MISSING,
    NODES,
    OFF,
    UNLINKED,
    WRONG,
    bare,
    handing,
    meaning,
    peers,
)
from tests.findings.judged import Faults, Healthy

NAME = "controller-0"
GONE = ("machine-missing",)
CONFLICT = ("node-route-conflict",)
DOCKER = Link(name="docker0", kind="bridge", up=True, mtu=1500, addresses=("10.200.0.1/16",))


def asking(evidence: Evidence, name: str = NAME, known: str = "") -> Evidence:
    """``--also``."""
    return replace(evidence, intended=replace(evidence.intended, also={name: known}))


def beside(evidence: Evidence, **changes: Any) -> Evidence:
    """With a controller in the first subnet that was looked at, and has no kernel routes."""
    evidence = with_more_instances(asking(evidence), instance(7, NAME, **changes))
    ways = tuple(by_default(other, evidence.nodes[other].pod) for other in peers(evidence))
    node = replace(evidence.nodes["worker-0"], worker=NAME, pod="", cni=(), ways=ways, routes=(), login="")
    links = tuple(replace(link, addresses=("10.0.1.27/24",)) for link in node.links if link.kind != "bridge")
    return replace(evidence, nodes={**evidence.nodes, NAME: replace(node, links=links)})


def with_nobody(evidence: Evidence, name: str) -> Evidence:
    """Nobody could log in to it."""
    return replace(evidence, nodes={each: node for each, node in evidence.nodes.items() if each != name})


def led(evidence: Evidence) -> Evidence:
    for other in peers(evidence):
        evidence = handing(evidence, NAME, other)
    return evidence


def bridged(evidence: Evidence, cidr: str, *taken: str) -> Evidence:
    """A bridge of Docker's there has that range, which takes these workers' pods, or all's."""
    for worker in taken or peers(evidence):
        entry = f"{cidr} dev docker0 proto kernel scope link src 10.200.0.1"
        evidence = with_way(evidence, NAME, worker, device="docker0", via="", route=entry)
    return evidence


def dropping(evidence: Evidence, cidr: str) -> Evidence:
    """A blackhole of that range there takes all workers' pods."""
    for worker in peers(evidence):
        evidence = with_way(
            evidence, NAME, worker, device="", via="", kind="blackhole", route=f"blackhole {cidr}"
        )
    return evidence


CONTROLLED = led(beside(NODES))

FAULTS: Faults = {
    "a controller without kernel routes": (beside(NODES), MISSING),
    "a controller that forgot one": (bare(CONTROLLED, (NAME, "worker-1")), MISSING),
    "a controller that hands pods to the wrong worker": (
        handing(CONTROLLED, NAME, "worker-1", via="10.0.1.22"),
        WRONG,
    ),
    "a controller that hands pods to nobody": (handing(CONTROLLED, NAME, "worker-1", via="10.0.1.99"), WRONG),
    "a controller in one subnet, a worker in another": (
        with_route(
            with_route(
                handing(handing(beside(UNLINKED), NAME, "worker-0"), NAME, "worker-1"),
                route(0, "10.200.0.0/24"),
                route(1, ONE),
                table=TABLE_2,
            )
        ),
        OFF,
    ),
    "a controller whose Docker has all pods' range": (bridged(beside(NODES), "10.200.0.0/16"), CONFLICT),
    "a controller whose Docker has a part of one worker's": (
        bridged(CONTROLLED, "10.200.1.0/25", "worker-1"),
        CONFLICT,
    ),
    "a controller that drops what is for a worker's pods": (
        with_way(CONTROLLED, NAME, "worker-1", device="", via="", kind="blackhole", route=f"blackhole {ONE}"),
        CONFLICT,
    ),
    "a controller that drops what is for all pods": (dropping(beside(NODES), "10.200.0.0/16"), CONFLICT),
    "a controller that hands pods over by another card": (
        with_way(CONTROLLED, NAME, "worker-1", device="wg0", via="", route=f"{ONE} dev wg0 scope link"),
        CONFLICT,
    ),
    "a controller in one subnet, whose Docker has the pods of a worker in another": (
        bridged(with_route(beside(CARRIED), route(1, ONE)), "10.200.2.0/24", "worker-2"),
        (*MISSING, *CONFLICT),
    ),
    "a controller in one subnet, whose Docker has all pods' range": (
        bridged(beside(CARRIED), "10.200.0.0/16"),
        CONFLICT,
    ),
    "no such machine": (asking(NODES), GONE),
    "no machine of that id": (asking(NODES, known="i-0abc"), GONE),
    "a machine that is stopped, and nobody could log in to it": (
        with_nobody(beside(NODES, state="stopped"), NAME),
        GONE,
    ),
    "a machine that is stopped": (beside(NODES, state="stopped"), GONE),
    "two of one name": (with_more_instances(beside(NODES), instance(8, NAME)), GONE),
    "a machine of another VPC": (beside(NODES, vpc="vpc-09"), GONE),
}

HEALTHY: Healthy = {
    "a controller whose kernel routes are not kept": with_node(
        CONTROLLED,
        NAME,
        routes=tuple(replace(each, kept=()) for each in CONTROLLED.nodes[NAME].routes or ()),
    ),
    "a controller that nobody could log in to": with_nobody(beside(NODES), NAME),
    "a controller none of whose links has its address": with_node(CONTROLLED, NAME, links=()),
    "a controller with kernel routes": CONTROLLED,
    "a controller without, and the VPC carries it": beside(replace(NODES, inventory=OK.inventory)),
    "a controller in a VPC that routes": beside(OK),
    "a controller, VPC routes meant": beside(meaning(OK, VPC_ROUTES)),
    "a controller whose Docker has all pods' range, and kernel routes": with_node(
        CONTROLLED, NAME, links=(*CONTROLLED.nodes[NAME].links, DOCKER)
    ),
    "a machine by its id": replace(CONTROLLED, intended=asking(NODES, known="i-07").intended),
}
