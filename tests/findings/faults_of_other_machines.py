"""Machines that are no workers and must reach pods as well (``--also``), as evidence shows them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.intended.cluster import VPC_ROUTES
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_more_instances, with_route
from tests.findings.clusters import OK, ONE, TABLE_2, by_default, instance, route
from tests.findings.faults_of_node_routes import (
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


def led(evidence: Evidence) -> Evidence:
    for other in peers(evidence):
        evidence = handing(evidence, NAME, other)
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
    "no such machine": (asking(NODES), GONE),
    "no machine of that id": (asking(NODES, known="i-0abc"), GONE),
    "a machine that is stopped": (beside(NODES, state="stopped"), GONE),
    "two of one name": (with_more_instances(beside(NODES), instance(8, NAME)), GONE),
    "a machine of another VPC": (beside(NODES, vpc="vpc-09"), GONE),
}

HEALTHY: Healthy = {
    "a controller with kernel routes": CONTROLLED,
    "a controller without, and the VPC carries it": beside(replace(NODES, inventory=OK.inventory)),
    "a controller in a VPC that routes": beside(OK),
    "a controller, VPC routes meant": beside(meaning(OK, VPC_ROUTES)),
    "a machine by its id": replace(CONTROLLED, intended=asking(NODES, known="i-07").intended),
}
