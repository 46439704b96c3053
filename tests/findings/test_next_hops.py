"""Kernel routes through a third node, and what is judged of them where part of it was not seen."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.aws_changes import RouteMade
from kthw.findings.next_hops import lead_to_peers, misled
from kthw.findings.other_machines import lead_to_pods
from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import (
    with_instance,
    with_interface,
    with_inventory,
    with_second_interface,
    without_route,
)
from tests.findings.changed_nodes import with_node, with_way
from tests.findings.clusters import OK, ONE
from tests.findings.faults_of_next_hops import FORGOTTEN
from tests.findings.faults_of_node_routes import (
    APART,
    CARRIED,
    FIRST,
    NODES,
    UNLINKED,
    bare,
    half,
    handing,
    meaning,
)
from tests.findings.faults_of_other_machines import NAME, beside
from tests.findings.judged import codes

DETOUR = handing(NODES, *FIRST, via="10.0.1.22")
"""What worker-0 sends to worker-1's pods goes through worker-2."""
BY_SECOND = handing(with_second_interface(NODES, 2, source_dest_check=True), *FIRST, via="10.0.1.122")
UNSEEN = {worker: node for worker, node in DETOUR.nodes.items() if worker != "worker-2"}


def met(evidence: Evidence) -> list[str]:
    return codes(obstacles(Network(evidence), *FIRST))


def test_a_third_node_that_hands_packets_on_is_no_obstacle() -> None:
    assert codes(lead_to_peers(Network(DETOUR), "worker-0")) == ["node-route-wrong-next-hop"]
    assert met(DETOUR) == []


@pytest.mark.parametrize(
    "evidence",
    [
        with_node(DETOUR, "worker-2", ip_forward=False),
        with_node(DETOUR, "worker-2", ip_forward=None),
        replace(DETOUR, nodes=UNSEEN),
        with_node(DETOUR, "worker-2", ways=()),
        bare(DETOUR, ("worker-2", "worker-1")),
        handing(DETOUR, "worker-2", "worker-1", via="10.0.1.20"),
        with_interface(DETOUR, "worker-2", source_dest_check=True),
        with_interface(DETOUR, "worker-2", security_groups=()),
        with_instance(DETOUR, "worker-2", network_interfaces=()),
        BY_SECOND,
        handing(CARRIED, *FIRST, via="10.0.2.22"),
        handing(NODES, *FIRST, via="10.0.1.20"),
        handing(NODES, *FIRST, via="10.0.1.99"),
    ],
    ids=[
        "it does not forward",
        "nobody read whether it does",
        "nobody looked at it",
        "nobody saw where it sends them",
        "it has no route",
        "it sends them back",
        "its check is on",
        "in other groups",
        "its ENIs were not seen",
        "its check is on at that ENI",
        "in another subnet",
        "the node itself",
        "nobody",
    ],
)
def test_one_that_does_not_hand_them_on_is(evidence: Evidence) -> None:
    assert met(evidence) == ["node-route-wrong-next-hop"]


def test_groups_that_were_not_seen_are_not_the_same() -> None:
    evidence = with_instance(DETOUR, "worker-1", network_interfaces=())
    assert "node-route-wrong-next-hop" in met(evidence)


def test_only_the_way_to_the_probe_pod_is_a_pairs_obstacle() -> None:
    assert met(half("worker-0", "10.0.1.1", FORGOTTEN)) == ["node-route-missing"]
    assert met(half("worker-0", "10.0.1.99")) == []


def test_a_way_that_another_bridge_takes_is_no_wrong_next_hop_as_well() -> None:
    taken = with_way(NODES, *FIRST, device="docker0", via="", route=f"{ONE} dev docker0")
    assert met(taken) == ["node-route-conflict"]


@pytest.mark.parametrize(
    "evidence",
    [
        with_instance(DETOUR, "worker-0", subnet=""),
        with_instance(DETOUR, "worker-1", subnet=""),
        with_instance(DETOUR, "worker-1", user_data=None),
        replace(DETOUR, nodes={}),
    ],
    ids=["no subnet here", "no subnet there", "no pod CIDR was read", "nobody looked at the node"],
)
def test_a_way_to_or_from_what_was_not_seen_is_not_judged(evidence: Evidence) -> None:
    assert lead_to_peers(Network(meaning(evidence)), "worker-0") == []


def test_a_kernel_route_off_the_link_is_told_without_the_table_that_was_not_seen() -> None:
    found = lead_to_peers(Network(with_inventory(APART, route_tables=())), "worker-0")
    assert codes(found) == ["node-route-off-link"]
    assert (found[0].facts["route_table"], found[0].facts["verb"]) == ("", "create")
    assert not [change for change in found[0].changes if isinstance(change, RouteMade)]


def test_where_vpc_routes_are_meant_no_kernel_route_is_missing_beside_them() -> None:
    network = Network(without_route(OK, "10.200.2.0/24"))
    way = network.probes.way("worker-1", "worker-2")
    assert way is not None
    assert misled(network, "worker-1", "worker-2", way) == []


def test_an_end_off_the_link_is_told_without_the_enis_that_were_not_seen() -> None:
    evidence = with_instance(UNLINKED, "worker-2", network_interfaces=())
    (found,) = lead_to_peers(Network(evidence), "worker-0")
    assert (found.code, found.facts["interface"]) == ("node-route-off-link", "")


def test_of_a_machine_whose_table_was_not_seen_nothing_is_said_to_be_missing() -> None:
    evidence = with_inventory(beside(NODES), route_tables=())
    with pytest.raises(CouldNotLook) as raised:
        lead_to_pods(Network(evidence), NAME)
    assert raised.value.error.detail == "DescribeRouteTables"


def test_kernel_routes_are_judged_from_their_chapter_on() -> None:
    early = replace(FORGOTTEN, intended=replace(FORGOTTEN.intended, after="workers"))
    assert lead_to_peers(Network(early), "worker-0") == []
    assert codes(lead_to_peers(Network(FORGOTTEN), "worker-0")) == ["node-route-missing"]
