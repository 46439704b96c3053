"""What a fix changes of the evidence is what its finding is about: judged again, it is not found any more."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings.aws_changes import Authorized, CheckOff, PropagationOff, RouteGone, RouteMade
from kthw.findings.finding import Finding
from kthw.findings.fix import Change, fixed
from kthw.findings.judging import judge
from kthw.findings.node_changes import DropGone, ForwardingOn, KernelRouteGone, KernelRouteMade, PodsMoved
from kthw.observed.evidence import Evidence, KernelRoute, Route, SecurityRule
from tests.findings.changed_aws import (
    inventory_of,
    table_of,
    with_instance,
    with_route,
    with_second_interface,
    without_route,
)
from tests.findings.changed_nodes import with_forward_chain, with_link, with_node, with_way
from tests.findings.clusters import GROUP, INTERNET, LOCAL, MAIN, OK, ONE, TABLE, route
from tests.findings.faults import FAULTS
from tests.findings.golden import CASES

BY_A_RULE: Final = (
    "a node's own pods are sent to the VPC by a rule",
    "a rule asks another table, which leads to the VPC's router",
    "a rule asks another table, which leads through another subnet",
    "a rule asks another table, which leads through the wrong worker",
)
"""Where the printed command cannot reach: a policy rule asks another table than it changes."""


def changed(evidence: Evidence, *changes: Change) -> Evidence:
    return fixed(evidence, changes)


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in BY_A_RULE])
def test_after_its_changes_a_finding_is_found_no_more(name: str) -> None:
    evidence, _ = FAULTS[name]
    for finding in judge(evidence).findings:
        if finding.changes:
            again = judge(fixed(evidence, finding.changes))
            # A route that is dead may be one to a worker that is to be started, then.
            left = [(each.cause, each.variant) for each in again.findings]
            assert (finding.cause, finding.variant) not in left


def test_where_a_rule_asks_another_table_the_change_alone_is_not_enough() -> None:
    found: list[Finding] = []
    for name in BY_A_RULE:
        evidence, _ = FAULTS[name]
        for finding in judge(evidence).findings:
            again = judge(fixed(evidence, finding.changes)) if finding.changes else None
            found += [each for each in again.findings if each.cause == finding.cause] if again else []
    assert len(found) >= len(BY_A_RULE)


def test_nothing_is_changed_where_all_is_well() -> None:
    healthy = {name: each for cases in CASES.values() for name, each in cases.items() if name not in FAULTS}
    told = [f for each in healthy.values() for f in judge(each).findings if f.changes]
    assert told == []


def test_a_route_that_is_made_takes_the_place_of_the_tables_own_and_of_no_other() -> None:
    propagated = Route(destination=ONE, gateway="vgw-0a", origin="EnableVgwRoutePropagation")
    table = replace(table_of(OK), routes=(propagated, route(0, ONE), LOCAL))
    seen = OK.inventory
    assert seen is not None
    evidence = replace(OK, inventory=replace(seen, route_tables=(table,)))
    made = changed(evidence, RouteMade(table=TABLE, destination=ONE, instance="i-01"))
    assert table_of(made).routes == (propagated, LOCAL, route(1, ONE))
    gone = changed(evidence, RouteGone(table=TABLE, destination=ONE))
    assert table_of(gone).routes == (propagated, LOCAL)
    off = changed(evidence, PropagationOff(table=TABLE, gateway="vgw-0a"))
    assert table_of(off).routes == (route(0, ONE), LOCAL)
    assert table_of(changed(evidence, PropagationOff(table=TABLE, gateway="vgw-0b"))) == table


def test_a_route_leads_to_an_instance_that_runs_or_into_nothing() -> None:
    made = RouteMade(table=TABLE, destination=ONE, instance="i-01")
    stopped = with_instance(OK, "worker-1", state="stopped")
    states = [table_of(changed(each, made)).routes[-1].state for each in (OK, stopped)]
    assert states == ["active", "blackhole"]
    by_interface = RouteMade(table=TABLE, destination=ONE, interface="eni-01")
    assert table_of(changed(OK, by_interface)).routes[-1] == route(1, ONE)
    nowhere = RouteMade(table=TABLE, destination=ONE, interface="eni-0gone")
    assert table_of(changed(OK, nowhere)).routes[-1].state == "blackhole"


def test_a_route_by_an_interface_is_by_that_one_and_one_to_nobody_by_none() -> None:
    made = RouteMade(table=TABLE, destination=ONE, interface="eni-11")
    second = Route(destination=ONE, instance="i-01", network_interface="eni-11")
    assert table_of(changed(with_second_interface(OK, 1), made)).routes[-1] == second
    nobody = RouteMade(table=TABLE, destination=ONE, instance="i-0gone")
    lost = Route(destination=ONE, instance="i-0gone", state="blackhole")
    assert table_of(changed(OK, nobody)).routes[-1] == lost


def test_a_route_to_neither_is_the_vpcs_own_and_is_made_in_that_table_alone() -> None:
    vpc = LOCAL.destination
    made = changed(without_route(OK, vpc), RouteMade(table=TABLE, destination=vpc))
    assert table_of(made) == table_of(OK)
    alone = changed(OK, RouteGone(table=TABLE, destination=vpc))
    assert table_of(alone, MAIN) == table_of(OK, MAIN)


def test_what_somebody_made_through_a_gateway_stays_when_it_propagates_no_more() -> None:
    static = Route(destination="10.8.0.0/16", gateway="vgw-0a")
    evidence = with_route(OK, static, replace(static, destination=ONE, origin="EnableVgwRoutePropagation"))
    off = changed(evidence, PropagationOff(table=TABLE, gateway="vgw-0a"))
    assert table_of(off) == table_of(with_route(without_route(OK, ONE), static))


def test_the_check_is_switched_off_of_one_interface_alone() -> None:
    on = with_second_interface(OK, 1)
    worker = inventory_of(on).instances[1]
    checked = tuple(replace(eni, source_dest_check=True) for eni in worker.network_interfaces)
    on = with_instance(on, "worker-1", network_interfaces=checked)
    off = inventory_of(changed(on, CheckOff(interface="eni-11"))).instances[1]
    assert [eni.source_dest_check for eni in off.network_interfaces] == [True, False]


def test_a_rule_that_is_added_takes_no_others_place() -> None:
    rule = SecurityRule(protocol="-1", cidrs=(ONE,))
    (group,) = inventory_of(OK).security_groups
    for direction in ("ingress", "egress"):
        added = changed(OK, Authorized(group=GROUP, direction=direction, cidr=ONE))
        expected = {direction: (*getattr(group, direction), rule)}
        assert inventory_of(added).security_groups == (replace(group, **expected),)


def test_a_route_by_a_list_goes_with_all_that_is_in_it() -> None:
    evidence = with_route(OK, route(1, "pl-0a"))
    assert table_of(changed(evidence, RouteGone(table=TABLE, destination="pl-0a"))) == table_of(OK)
    assert INTERNET in table_of(OK).routes


def test_forwarding_is_switched_on_everywhere_or_there() -> None:
    off = with_link(with_node(OK, "worker-1", ip_forward=False), "worker-1", "ens5", forwarding=False)
    everywhere = changed(off, ForwardingOn(worker="worker-1"))
    assert everywhere == OK
    there = changed(off, ForwardingOn(worker="worker-1", interface="ens5"))
    assert there == with_node(OK, "worker-1", ip_forward=False)
    unread = with_link(OK, "worker-1", "ens5", forwarding=None)
    assert changed(unread, ForwardingOn(worker="worker-1")) == unread


def test_of_two_rules_alike_one_goes() -> None:
    rule = "-A FORWARD -j DROP"
    twice = with_forward_chain(OK, "worker-1", "-j DROP", "-j DROP", policy="DROP")
    gone = DropGone(worker="worker-1", tool="iptables", table="filter", chain="FORWARD", rule=rule)
    assert changed(twice, gone) == with_forward_chain(OK, "worker-1", "-j DROP", policy="DROP")
    assert changed(twice, gone, gone, gone) == with_forward_chain(OK, "worker-1", policy="DROP")
    policy = DropGone(worker="worker-1", tool="iptables", table="filter", chain="FORWARD")
    assert changed(twice, gone, gone, policy) == with_forward_chain(OK, "worker-1")
    elsewhere = DropGone(worker="worker-1", tool="iptables", table="mangle", chain="FORWARD", rule=rule)
    assert changed(twice, elsewhere) == twice


@pytest.mark.parametrize(
    ("routes", "address", "expected"),
    [
        ((), "10.200.2.2", ("default via 10.0.1.1 dev ens5", "10.0.1.1", "ens5")),
        (("10.200.0.0/16",), "10.200.2.2", ("10.200.0.0/16 via 10.0.1.22 dev ens5", "10.0.1.22", "ens5")),
        (("10.201.0.0/16",), "10.200.2.2", ("default via 10.0.1.1 dev ens5", "10.0.1.1", "ens5")),
        (("10.200.0.0/16",), "10.200.1.2", ("10.200.1.0/24 dev cnio0", "", "cnio0")),
    ],
)
def test_what_an_entry_took_goes_the_next_best_way(
    routes: tuple[str, ...], address: str, expected: tuple[str, str, str]
) -> None:
    """Of entries through a next hop, of links, and of where all else goes: that for the least."""
    typed = "10.200.2.0/25 via 10.0.1.20 dev ens5"
    evidence = with_way(OK, "worker-1", "worker-2", route=typed, via="10.0.1.20", address=address)
    known = tuple(KernelRoute(destination=each, via="10.0.1.22", device="ens5") for each in routes)
    there = KernelRoute(destination="10.200.2.0/25", via="10.0.1.20", device="ens5")
    evidence = with_node(evidence, "worker-1", routes=(there, *known))
    node = changed(evidence, KernelRouteGone(worker="worker-1", route=typed)).nodes["worker-1"]
    way = next(way for way in node.ways if way.towards == "worker-2")
    assert (way.route, way.via, way.device) == expected
    assert node.routes == known


@pytest.mark.parametrize(
    ("now", "taken"),
    [
        ("default via 10.0.1.1 dev ens5", True),
        ("10.200.0.0/16 via 10.0.1.20 dev ens5", True),
        ("10.200.2.0/24 via 10.0.1.20 dev ens5", True),
        ("blackhole 10.200.2.0/24", True),
        ("10.200.2.0/25 via 10.0.1.20 dev ens5", False),
        ("10.200.0.0/16 via 10.0.1.20 dev ens5 table 7", False),
        ("", False),
    ],
)
def test_a_kernel_route_takes_what_no_other_is_nearer_to(now: str, taken: bool) -> None:
    evidence = with_way(OK, "worker-1", "worker-2", route=now)
    made = KernelRouteMade(worker="worker-1", destination="10.200.2.0/24", device="ens5", via="10.0.1.22")
    ways = changed(evidence, made).nodes["worker-1"].ways
    way = next(way for way in ways if way.towards == "worker-2")
    assert (way.via == "10.0.1.22") is taken


def test_pods_that_move_have_their_bridge_and_their_way_with_them() -> None:
    moved = PodsMoved(worker="worker-1", file="10-bridge.conf", bridge="cnio0", subnet="10.200.7.0/24")
    node = changed(OK, moved).nodes["worker-1"]
    assert (node.pod, node.cni[0].subnet) == ("10.200.7.2", "10.200.7.0/24")
    assert [link.addresses for link in node.links if link.name == "cnio0"] == [("10.200.7.1/24",)]
    (way,) = (way for way in node.ways if way.towards == "worker-1")
    assert (way.address, way.device) == ("10.200.7.2", "cnio0")
    assert node.cni[1:] == OK.nodes["worker-1"].cni[1:]
    podless = with_node(OK, "worker-1", pod="")
    assert changed(podless, moved).nodes["worker-1"].pod == ""


def test_of_a_node_that_nobody_saw_nothing_changes() -> None:
    unseen = replace(OK, nodes={})
    assert changed(unseen, ForwardingOn(worker="worker-1")) == unseen


def test_of_an_account_that_nobody_saw_nothing_changes() -> None:
    unseen = replace(OK, inventory=None)
    assert changed(unseen, RouteMade(table=TABLE, destination=ONE, instance="i-01")) == unseen
