"""Prefix lists in routes and in security groups as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, PrefixList, Route, SecurityRule, Vpc
from tests.findings.changed_aws import (
    with_group,
    with_inventory,
    with_route,
    with_second_interface,
    without_route,
)
from tests.findings.clusters import ALL_OUT, HALVES, INTERNET, OK, ONE, VPC, route
from tests.findings.judged import Faults, Healthy

LIST = "pl-0a"
BY_VPN = Route(destination=ONE, gateway="vgw-0a", origin="EnableVgwRoutePropagation")
TO_1 = route(1, LIST)
TO_0 = route(0, LIST)
ALONE = without_route(OK, ONE)
PODS = tuple(f"10.200.{n}.0/24" for n in range(3))


def listing(evidence: Evidence, *entries: str, named: str = LIST) -> Evidence:
    """With a prefix list that was read."""
    seen = evidence.inventory.prefix_lists if evidence.inventory else ()
    return with_inventory(evidence, prefix_lists=(*seen, PrefixList(id=named, entries=entries)))


def open_to(evidence: Evidence, *entries: str) -> Evidence:
    """Its group lets in what is in a list, and out what is in it."""
    rule = SecurityRule(protocol="-1", prefix_lists=(LIST,))
    return listing(with_group(evidence, ingress=(rule,), egress=(ALL_OUT,)), *entries)


def _a_list_each() -> Evidence:
    evidence = without_route(OK, *PODS)
    for n, cidr in enumerate(PODS):
        evidence = listing(with_route(evidence, route(n, f"pl-0{n}")), cidr, named=f"pl-0{n}")
    return evidence


FAULTS: Faults = {
    "a list that has another range": (listing(with_route(ALONE, TO_1), "10.201.1.0/24"), ("route-missing",)),
    "an empty list": (listing(with_route(ALONE, TO_1)), ("route-missing",)),
    "half of the pods in a list": (listing(with_route(ALONE, TO_1), HALVES[0]), ("route-missing",)),
    "a list to another worker": (listing(with_route(ALONE, TO_0), ONE), ("route-wrong-target",)),
    "a list to another worker, before a propagated route": (
        listing(with_route(ALONE, BY_VPN, TO_0), ONE),
        ("route-wrong-target",),
    ),
    "a list whose target is gone": (
        listing(with_route(ALONE, replace(TO_0, instance="i-0old", state="blackhole")), ONE),
        ("route-blackhole",),
    ),
    "half diverted by a list": (listing(with_route(OK, TO_0), HALVES[1]), ("route-shadowed",)),
    "half diverted by a list, and no route for the whole": (
        listing(with_route(ALONE, TO_0), HALVES[1]),
        ("route-missing", "route-shadowed"),
    ),
    "source/dest check on at the ENI a list leads to": (
        listing(
            with_route(
                with_second_interface(OK, 1, source_dest_check=True),
                Route(destination=LIST, network_interface="eni-11", foreign=True),
            ),
            HALVES[0],
        ),
        ("source-dest-check-on",),
    ),
    "a list takes a subnet out of the local route": (
        listing(
            with_route(OK, Route(destination=LIST, network_interface="eni-0fw", foreign=True)), "10.0.1.0/24"
        ),
        ("local-route-altered",),
    ),
    "a list has the route that the VPC's second block lacks": (
        listing(
            with_route(
                with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),)),
                Route(destination=LIST, network_interface="eni-0fw", foreign=True),
            ),
            "10.9.0.0/16",
        ),
        ("local-route-altered",),
    ),
    "the default route by a list, to a NAT gateway": (
        listing(
            with_route(without_route(OK, "0.0.0.0/0"), Route(destination=LIST, other="nat-0a", foreign=True)),
            "0.0.0.0/0",
        ),
        ("internet-route-wrong-target",),
    ),
    "a group open to a list without the nodes": (open_to(OK, "10.200.0.0/16"), ("security-group-blocks",)),
    "a group open to a list without one node": (
        open_to(OK, "10.0.1.20/32", "10.0.1.21/32"),
        ("security-group-blocks",),
    ),
    "a group open to an empty list": (open_to(OK), ("security-group-blocks",)),
}

HEALTHY: Healthy = {
    "a list for each worker": _a_list_each(),
    "a list of two halves": listing(with_route(ALONE, TO_1), *HALVES),
    "a list of a wider range": listing(with_route(ALONE, TO_1), "10.200.0.0/20"),
    "a list before a propagated route": listing(with_route(ALONE, BY_VPN, TO_1), ONE),
    "a list for what has a route of its own": listing(with_route(OK, TO_0), ONE),
    "a list's half with a route of its own beside": listing(
        with_route(OK, TO_0, route(1, HALVES[1])), HALVES[1]
    ),
    "a list with ranges of pods that are nobody's": listing(
        with_route(OK, Route(destination=LIST, network_interface="eni-0fw", foreign=True)), "10.200.77.0/24"
    ),
    "an endpoint's list that was not read": with_route(
        OK, Route(destination="pl-0s3", gateway="vpce-0a", foreign=True)
    ),
    "the default route by a list": listing(
        with_route(without_route(OK, "0.0.0.0/0"), replace(INTERNET, destination=LIST, foreign=True)),
        "0.0.0.0/0",
    ),
    "a group open to a list of the nodes": open_to(OK, "10.0.1.20/32", "10.0.1.21/32", "10.0.1.22/32"),
    "a group open to a list of the VPC": open_to(OK, "10.0.0.0/16", "192.0.2.0/24"),
}
