"""What the commands of fixes leave on a node as it was, and where packets go after them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kthw.findings.fix import Change, fixed
from kthw.findings.node_changes import (
    DropGone,
    ForwardingOn,
    KernelRouteGone,
    KernelRouteMade,
    LooseReversePath,
    PodsMoved,
    PolicyRuleGone,
)
from kthw.observed.evidence import Evidence, KernelRoute, Node, PolicyRule, Way
from tests.findings.changed_nodes import with_forward_chain, with_link, with_node, with_way
from tests.findings.clusters import OK

FORWARD = {"worker": "worker-1", "tool": "iptables", "table": "filter", "chain": "FORWARD"}
DROP_ONE = PolicyRule(priority=100, kind="blackhole", text="from all blackhole")
DROP_OTHER = replace(DROP_ONE, priority=101)
TO_PODS = "10.200.2.0/24 via 10.0.1.20 dev ens5"
ROUTE = KernelRoute(destination="10.200.2.0/24", via="10.0.1.20", device="ens5")
OTHER_ROUTE = KernelRoute(destination="10.200.0.0/24", via="10.0.1.20", device="ens5")
GONE = KernelRouteGone(worker="worker-1", route=TO_PODS)
MADE = KernelRouteMade(worker="worker-1", destination="10.200.2.0/24", device="ens5", via="10.0.1.22")
MADE_ROUTE = KernelRoute(destination="10.200.2.0/24", via="10.0.1.22", device="ens5")
MOVED = PodsMoved(worker="worker-1", file="10-bridge.conf", bridge="cnio0", subnet="10.200.7.0/24")


def changed(evidence: Evidence, *changes: Change) -> Node:
    return fixed(evidence, changes).nodes["worker-1"]


def way_of(node: Node, towards: str = "worker-2") -> Way:
    return next(way for way in node.ways if way.towards == towards)


def test_forwarding_is_switched_on_at_that_interface_alone() -> None:
    off = OK
    for name in ("ens5", "cnio0"):
        off = with_link(off, "worker-1", name, forwarding=False)
    node = changed(off, ForwardingOn(worker="worker-1", interface="ens5"))
    assert {link.name: link.forwarding for link in node.links} == {"ens5": True, "cnio0": False}


def test_the_rules_before_and_after_one_that_goes_stay() -> None:
    chain = with_forward_chain(OK, "worker-1", "-i a", "-i b", "-j DROP", "-i c")
    gone = DropGone(**FORWARD, rule="-A FORWARD -j DROP")
    assert (
        changed(chain, gone) == with_forward_chain(OK, "worker-1", "-i a", "-i b", "-i c").nodes["worker-1"]
    )


@pytest.mark.parametrize(
    ("unread", "change"),
    [
        ({"firewall": None}, DropGone(**FORWARD)),
        ({"rules": None}, PolicyRuleGone(worker="worker-1", priority=100, text="from all blackhole")),
        ({"routes": None}, GONE),
        ({"routes": None}, replace(MADE, destination="10.9.0.0/24")),
        ({"ways": (), "pod": ""}, MOVED),
    ],
    ids=["firewall", "policy rules", "routes", "routes to one", "ways"],
)
def test_what_nobody_looked_at_is_not_known_after_a_change_either(
    unread: dict[str, Any], change: Change
) -> None:
    evidence = with_node(OK, "worker-1", **unread)
    node = changed(evidence, change)
    assert {name: getattr(node, name) for name in unread} == unread


def test_of_the_policy_rules_one_goes() -> None:
    evidence = with_node(OK, "worker-1", rules=(DROP_ONE, DROP_OTHER))
    gone = PolicyRuleGone(worker="worker-1", priority=100, text="from all blackhole")
    assert changed(evidence, gone) == with_node(OK, "worker-1", rules=(DROP_OTHER,)).nodes["worker-1"]


def test_an_entry_that_goes_changes_no_way_but_its_own() -> None:
    evidence = with_way(OK, "worker-1", "worker-2", route=TO_PODS, via="10.0.1.20")
    before, after = evidence.nodes["worker-1"], changed(evidence, GONE)
    assert [way_of(after, each) for each in ("worker-0", "worker-1")] == [
        way_of(before, each) for each in ("worker-0", "worker-1")
    ]
    assert way_of(after) == way_of(OK.nodes["worker-1"])


@pytest.mark.parametrize(
    ("route", "left"), [(TO_PODS, (OTHER_ROUTE,)), (f"{TO_PODS} table 7", (ROUTE, OTHER_ROUTE))]
)
def test_an_entry_of_another_table_that_goes_takes_none_of_the_main_one(
    route: str, left: tuple[KernelRoute, ...]
) -> None:
    evidence = with_node(OK, "worker-1", routes=(ROUTE, OTHER_ROUTE))
    assert changed(evidence, replace(GONE, route=route)).routes == left


def test_of_two_entries_for_the_same_the_first_is_the_next_best() -> None:
    evidence = with_way(OK, "worker-1", "worker-2", route="blackhole 10.200.2.2", kind="blackhole", via="")
    evidence = with_node(evidence, "worker-1", routes=(ROUTE, MADE_ROUTE))
    way = way_of(changed(evidence, replace(GONE, route="blackhole 10.200.2.2")))
    assert (way.via, way.kind, way.route) == ("10.0.1.20", "unicast", TO_PODS)


@pytest.mark.parametrize(
    ("up", "expected"),
    [(True, ("cnio0", "unicast", "10.200.1.0/24 dev cnio0")), (False, ("", "none", ""))],
    ids=["up", "down"],
)
def test_where_nothing_else_leads_only_a_link_that_is_up_takes_it(
    up: bool, expected: tuple[str, str, str]
) -> None:
    entry = "blackhole 10.200.1.0/25"
    evidence = with_link(OK, "worker-1", "cnio0", up=up)
    way = replace(way_of(OK.nodes["worker-1"], "worker-1"), route=entry, kind="blackhole", via="10.0.1.9")
    node = changed(with_node(evidence, "worker-1", ways=(way,)), replace(GONE, route=entry))
    (way,) = node.ways
    assert (way.device, way.kind, way.route) == expected
    assert way.via == ""


def test_a_route_that_is_made_is_there_instead_of_the_one_for_the_same() -> None:
    evidence = with_node(OK, "worker-1", routes=(ROUTE, OTHER_ROUTE))
    after = changed(evidence, MADE)
    assert after.routes == (OTHER_ROUTE, MADE_ROUTE)
    assert way_of(after).route == "10.200.2.0/24 via 10.0.1.22 dev ens5"
    assert way_of(after, "worker-0") == way_of(OK.nodes["worker-1"], "worker-0")


def test_a_route_onto_the_link_is_none_through_a_next_hop() -> None:
    evidence = with_way(OK, "worker-1", "worker-2", kind="blackhole", route="blackhole 10.200.2.0/24")
    evidence = with_node(evidence, "worker-1", routes=(OTHER_ROUTE,))
    after = changed(evidence, KernelRouteMade(worker="worker-1", destination="10.200.2.0/24", device="cnio0"))
    assert after.routes == (OTHER_ROUTE,)
    way = way_of(after)
    assert (way.route, way.via, way.kind) == ("10.200.2.0/24 dev cnio0", "", "unicast")


def test_a_route_to_one_address_does_not_go_before_another_table_s() -> None:
    evidence = with_way(OK, "worker-1", "worker-2", route="10.200.0.0/16 via 10.0.1.20 dev ens5 table 7")
    after = changed(evidence, replace(MADE, destination="10.200.2.2/32"))
    assert way_of(after) == way_of(evidence.nodes["worker-1"])


def test_pods_that_move_leave_the_card_and_the_other_ways_as_they_are() -> None:
    before, after = OK.nodes["worker-1"], changed(OK, MOVED)
    assert after.links[0] == before.links[0]
    assert {way.towards for way in after.ways} == {"worker-0", "worker-1", "worker-2"}
    assert all(way_of(after, peer) == way_of(before, peer) for peer in ("worker-0", "worker-2"))


def test_reverse_path_filtering_is_loose_then_and_not_off() -> None:
    assert changed(with_node(OK, "worker-1", rp_filter=1), LooseReversePath(worker="worker-1")).rp_filter == 2
