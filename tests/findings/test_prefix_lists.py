"""A prefix list that was not read decides nothing: what depends on it could not be looked at, and no more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import judge
from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, PrefixList, Route, SecurityGroup, SecurityRule
from kthw.verdict.routes_drawing import rows_of
from tests.findings.changed_aws import (
    TWO,
    inventory_of,
    with_group,
    with_interface,
    with_inventory,
    with_route,
    with_second_interface,
    with_table,
    without_route,
)
from tests.findings.clusters import ALL_OUT, HALVES, MAIN, OK, ONE, TABLE, TABLE_2, VPC, route
from tests.findings.faults_of_prefix_lists import BY_VPN, LIST, TO_0, TO_1, listing

ALONE = without_route(OK, ONE)
WIDE = with_route(ALONE, route(1, "10.200.0.0/20"))
TO_NAT = Route(destination=LIST, other="nat-0a", foreign=True)
GONE = replace(TO_0, state="blackhole")
BY_LIST = SecurityRule(protocol="-1", prefix_lists=(LIST,))
NODES = SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",))
TCP = SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/16",))
TCP_BY_LIST = replace(TCP, cidrs=(), prefix_lists=(LIST,))
OTHERS = SecurityGroup(
    id="sg-0others",
    vpc=VPC,
    ingress=(SecurityRule(protocol="-1", cidrs=("10.0.1.20/32", "10.0.1.22/32")), BY_LIST),
    egress=(ALL_OUT,),
)
PRIMARY_CHECKS = with_interface(OK, "worker-1", source_dest_check=True)
SECOND = Route(destination=LIST, network_interface="eni-11", foreign=True)

DECIDED = {
    "no route, and a list to the worker": (with_route(ALONE, TO_1), "route-to-worker", "error"),
    "no route, and a list to another worker": (with_route(ALONE, TO_0), "route-to-worker", "failed"),
    "no route, and a list to a NAT gateway": (with_route(ALONE, TO_NAT), "route-to-worker", "failed"),
    "its own route, and a list elsewhere": (with_route(OK, TO_0), "route-to-worker", "passed"),
    "a wider route, and a list elsewhere": (with_route(WIDE, TO_0), "route-to-worker", "error"),
    "a wider route, and a list to the worker": (with_route(WIDE, TO_1), "route-to-worker", "passed"),
    "a propagated route, and a list to the worker": (
        with_route(ALONE, BY_VPN, TO_1),
        "route-to-worker",
        "error",
    ),
    "two halves, and a list elsewhere": (
        with_route(ALONE, *(route(1, half) for half in HALVES), TO_0),
        "route-to-worker",
        "passed",
    ),
    "no route in one table, and a list to the worker in the other": (
        with_route(without_route(without_route(TWO, ONE), ONE, table=TABLE_2), TO_1, table=TABLE_2),
        "route-to-worker",
        "failed",
    ),
    "a list elsewhere may take a part": (with_route(OK, TO_NAT), "route-undiverted", "error"),
    "a list to the worker takes no part": (with_route(OK, TO_1), "route-undiverted", "passed"),
    "a part is taken, whatever the list says": (
        with_route(OK, TO_NAT, route(0, "10.200.1.0/25")),
        "route-undiverted",
        "failed",
    ),
    "a list that is a blackhole, and no route": (with_route(ALONE, GONE), "route-active", "error"),
    "a list that is a blackhole, and its own route": (with_route(OK, GONE), "route-active", "passed"),
    "no route, and a list that is no blackhole": (with_route(ALONE, TO_1), "route-active", "passed"),
    "a propagated route, and a list that is a blackhole": (
        with_route(ALONE, BY_VPN, GONE),
        "route-active",
        "error",
    ),
    "a propagated route that is a blackhole, and a list that is none": (
        with_route(ALONE, replace(BY_VPN, state="blackhole"), TO_1),
        "route-active",
        "error",
    ),
    "a propagated route that is a blackhole, and a list that is one": (
        with_route(ALONE, replace(BY_VPN, state="blackhole"), GONE),
        "route-active",
        "failed",
    ),
    "a list may take nodes out of the local route": (with_route(OK, TO_NAT), "local-routes-intact", "error"),
    "a list may be the default route": (
        with_route(without_route(OK, "0.0.0.0/0"), TO_NAT),
        "internet-route",
        "error",
    ),
    "a propagated default route, and a list": (
        with_route(OK, replace(BY_VPN, destination="0.0.0.0/0"), TO_NAT),
        "internet-route",
        "error",
    ),
    "a wrong default route of its own": (
        with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a"), TO_NAT),
        "internet-route",
        "failed",
    ),
    "a default route of its own": (with_route(OK, TO_NAT), "internet-route", "passed"),
    "a list may lead to another ENI": (
        with_route(with_second_interface(OK, 1, source_dest_check=True), SECOND),
        "source-dest-check-off",
        "error",
    ),
    "the check is on at the primary ENI, whatever the list leads to": (
        with_route(with_second_interface(PRIMARY_CHECKS, 1), SECOND),
        "source-dest-check-off",
        "failed",
    ),
    "a list may lead to an ENI with other groups": (
        with_route(with_second_interface(OK, 1), SECOND),
        "security-groups-allow",
        "error",
    ),
    "only the list may let the nodes in": (
        with_group(OK, ingress=(BY_LIST,)),
        "security-groups-allow",
        "error",
    ),
    "only the list may let pings in": (
        with_group(OK, ingress=(TCP, BY_LIST)),
        "security-groups-allow",
        "error",
    ),
    "only the list may let the worker itself in": (
        with_interface(
            with_inventory(OK, security_groups=(*inventory_of(OK).security_groups, OTHERS)),
            "worker-1",
            security_groups=(OTHERS.id,),
        ),
        "security-groups-allow",
        "passed",
    ),
    "the range is enough": (with_group(OK, ingress=(NODES, BY_LIST)), "security-groups-allow", "passed"),
    "pings are blocked, whatever the list says": (
        with_group(OK, ingress=(TCP_BY_LIST,)),
        "security-groups-allow",
        "failed",
    ),
    "only the list may let pods out": (with_group(OK, egress=(BY_LIST,)), "security-groups-allow", "error"),
}


@pytest.mark.parametrize(("evidence", "check", "status"), DECIDED.values(), ids=DECIDED)
def test_what_only_a_list_can_tell_is_an_error_and_all_else_is_judged(
    evidence: Evidence, check: str, status: str
) -> None:
    """An older recording has no list at all."""
    (outcome,) = (o for o in judge(evidence).outcomes if (o.check, o.subject) == (check, "worker-1"))
    assert outcome.status == status
    assert (outcome.error.subject if outcome.error else LIST) == LIST


def test_why_a_list_was_not_read_is_told() -> None:
    denied = LookError(
        code="access-denied", subject=LIST, facts={"action": "ec2:GetManagedPrefixListEntries"}
    )
    unread = with_inventory(OK, prefix_lists=(PrefixList(id=LIST, unread=denied),))
    assert denied not in judge(unread).errors
    assert denied in judge(with_group(unread, ingress=(BY_LIST,))).errors


def test_pod_routes_of_a_list_that_was_not_read_may_be_in_the_main_table() -> None:
    """Whether the subnet falls back to the wrong table is not known, then."""
    fallen_back = with_table(OK, subnets=())
    assert [f.code for f in judge(fallen_back).findings if f.code.startswith("subnet")]
    verdict = judge(with_route(fallen_back, TO_1, table=MAIN))
    assert not [f.code for f in verdict.findings if f.code.startswith("subnet")]
    assert LIST in {error.subject for error in verdict.errors if error.code == "aws-refused"}


def test_a_list_that_was_not_read_is_no_obstacle() -> None:
    for evidence in (with_route(ALONE, TO_1), with_group(OK, ingress=(BY_LIST,)), with_route(OK, TO_NAT)):
        assert obstacles(Network(evidence), "worker-0", "worker-1") == []
    assert obstacles(Network(with_route(ALONE, TO_0)), "worker-0", "worker-1")


@pytest.mark.parametrize("entries", [(ONE,), ("10.200.1.0/25", "10.200.1.128/25"), None])
def test_a_list_is_drawn_as_what_it_leads_to_and_never_as_missing(entries: tuple[str, ...] | None) -> None:
    evidence = with_route(ALONE, TO_1)
    verdict = judge(listing(evidence, *entries) if entries else evidence)
    assert verdict.network
    (table,) = (t for t in verdict.network.inventory.route_tables if t.id == TABLE)
    rows = rows_of(verdict.network, table, verdict.findings)
    assert all(row.good for row in rows)
    assert {row.destination for row in rows} >= set(entries or (LIST,))
