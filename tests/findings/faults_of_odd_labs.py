"""Labs that are unlike the chapter's in ways that what is judged of them has to see through."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import CniConfig, Evidence, Route, Subnet
from tests.findings.changed_aws import (
    TWO,
    by_eni,
    with_instance,
    with_inventory,
    with_more_instances,
    with_route,
    with_second_interface,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import HALVES, OK, ONE, SUBNET, TABLE_2, VPC, healthy, instance, route
from tests.findings.faults_of_node_routes import NODES, handing
from tests.findings.judged import Faults, Healthy

NAT = Route(destination="0.0.0.0/0", other="nat-0a")
BY_OPTION = replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": ONE}))
SILENT = with_cni(with_user_data(OK, "worker-1"), "worker-1", subnet="")
"""Only the VPC's route says worker-1's pod CIDR."""
SECOND = with_second_interface(OK, 1, source_dest_check=True)
"""The check is on at worker-1's second ENI."""


def _with_files(*files: CniConfig) -> Evidence:
    """Before the chapter's files in worker-1's folder."""
    return with_node(OK, "worker-1", cni=(*files, *OK.nodes["worker-1"].cni))


FAULTS: Faults = {
    # Who is who.
    "named otherwise, and terminated": (
        without_route(with_instance(OK, "worker-1", name="Worker_1", state="terminated"), ONE),
        ("worker-missing",),
    ),
    "a leftover to one that is named much like a worker that is there": (
        with_route(with_more_instances(OK, instance(9, "Worker_1")), route(9, "10.200.9.0/24")),
        ("route-stale",),
    ),
    "missing, with a pod CIDR by the option": (
        without_route(without_instance(BY_OPTION, "worker-1"), ONE),
        ("worker-missing",),
    ),
    # What its pod CIDR is.
    "only a route says it, beside a default route and one of IPv6": (
        with_route(SILENT, route(1, "fd00:1::/64")),
        ("cni-subnet-mismatch",),
    ),
    "no network, and a tag": (
        with_instance(
            with_user_data(OK, "worker-1", pod_cidr="hello"), "worker-1", pod_cidr_tags={"PodCidr": ONE}
        ),
        ("pod-cidr-invalid",),
    ),
    "a pod CIDR around an earlier worker's": (
        with_cni(
            with_user_data(OK, "worker-1", name="worker-1", pod_cidr="10.200.0.0/23"),
            "worker-1",
            subnet="10.200.0.0/23",
        ),
        ("pod-cidr-overlap",),
    ),
    # Where routes lead.
    "a lone worker's table without its route": (
        without_route(healthy(1), "10.200.0.0/24"),
        ("route-missing",),
    ),
    "a route to something of a new kind": (with_route(OK, Route(destination=ONE)), ("route-wrong-target",)),
    "one worker of three without a public address, and a NAT gateway": (
        with_route(with_instance(OK, "worker-1", public_address=""), NAT),
        ("internet-route-wrong-target",),
    ),
    # Where packets arrive.
    "source/dest check on at the ENI for the whole, whose half goes to the first": (
        with_route(SECOND, *by_eni(ONE), route(1, HALVES[0])),
        ("source-dest-check-on",),
    ),
    "kernel routes to the first ENI, and the VPC's to one whose check is on": (
        with_route(with_second_interface(NODES, 1, source_dest_check=True), *by_eni(ONE)),
        ("source-dest-check-on",),
    ),
    "one kernel route to an ENI whose check is on, among the VPC's": (
        handing(SECOND, "worker-0", "worker-1", via="10.0.1.121"),
        ("node-route-conflict",),
    ),
}

HEALTHY: Healthy = {
    "a subnet whose range was not told": with_inventory(OK, subnets=(Subnet(id=SUBNET, vpc=VPC, cidr=""),)),
    "routes by the id of the instance alone": with_route(
        OK, *(Route(destination=f"10.200.{n}.0/24", instance=f"i-0{n}") for n in range(3))
    ),
    "a private worker behind a NAT gateway, in a subnet of its own": with_route(
        with_instance(TWO, "worker-2", public_address=""), NAT, table=TABLE_2
    ),
    "a CNI file that cannot be read before the chapter's": _with_files(
        CniConfig(file="00-broken.conf", problem="Expecting value: line 1 column 1 (char 0)")
    ),
}
