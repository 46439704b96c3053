"""What the nodes' kernels say of the ways to pods, each question by itself."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.network.model import Network
from kthw.network.node_routes import (
    addresses,
    by_next_hop,
    handed_to,
    is_default,
    network_model,
    on_link,
    through_peers,
    ways_of,
)
from kthw.observed.evidence import Evidence, KernelRoute, NetworkInterface, Way
from tests.findings.changed_aws import (
    with_instance,
    with_interface,
    with_second_interface,
    without_instance,
)
from tests.findings.changed_nodes import with_node, with_way
from tests.findings.clusters import OK, ONE, SUBNET, SUBNET_2, VPC, healthy
from tests.findings.faults_of_node_routes import NODES, bare, handing, without_vpc_routes

PEER = Way(
    towards="worker-1", address="10.200.1.2", device="ens5", via="10.0.1.21", route=f"{ONE} via 10.0.1.21"
)
DEFAULT = "default via 10.0.1.21 dev ens5"


@pytest.mark.parametrize(
    ("way", "default", "hop"),
    [
        (PEER, False, True),
        (replace(PEER, route=""), False, True),
        (replace(PEER, route=DEFAULT), True, False),
        (replace(PEER, via=""), False, False),
        (replace(PEER, kind="blackhole"), False, False),
        (replace(PEER, kind="none", route=""), True, False),
    ],
    ids=["peer", "by a rule", "default", "on link", "dropped", "nowhere"],
)
def test_a_way_by_a_next_hop_is_by_an_entry_of_its_own(way: Way, *, default: bool, hop: bool) -> None:
    assert (is_default(way), by_next_hop(way)) == (default, hop)


HALF = bare(NODES, ("worker-0", "worker-1"), ("worker-1", "worker-2"), ("worker-2", "worker-0"))
"""Three of six."""


@pytest.mark.parametrize(
    ("evidence", "name", "why", "counts"),
    [
        (NODES, "node-routes", "nodes", (0, 6, 6)),
        (HALF, "node-routes", "nodes", (0, 3, 6)),
        (replace(HALF, inventory=OK.inventory), "vpc-routes", "both", (3, 3, 6)),
        (bare(HALF, ("worker-0", "worker-2")), "vpc-routes", "few", (0, 2, 6)),
        (without_vpc_routes(healthy(1)), "vpc-routes", "unseen", (0, 0, 0)),
        # What a default route takes is handed to nobody, and what a node sends to itself is no way of peers.
        (with_way(NODES, "worker-0", "worker-1", route=DEFAULT), "node-routes", "nodes", (0, 5, 6)),
        (
            with_way(
                NODES, "worker-1", "worker-1", device="ens5", via="10.0.1.20", route=f"{ONE} via 10.0.1.20"
            ),
            "node-routes",
            "nodes",
            (0, 6, 6),
        ),
    ],
    ids=["all", "half", "half, and the VPC's", "fewer", "a lone worker", "by default", "to itself"],
)
def test_the_model_is_what_most_packets_take(
    evidence: Evidence, name: str, why: str, counts: tuple[int, int, int]
) -> None:
    found = network_model(Network(evidence))
    assert (found.name, found.why, (found.vpc, found.nodes, found.ways)) == (name, why, counts)


def test_a_node_that_was_not_seen_has_no_ways_and_no_routes() -> None:
    network = Network(replace(NODES, nodes={"worker-1": replace(NODES.nodes["worker-1"], routes=None)}))
    assert ways_of(network, "worker-0") == {}
    for worker in ("worker-0", "worker-1"):
        assert list(through_peers(network, worker)) == []


def test_a_route_through_a_peer_is_one_of_another_workers_address() -> None:
    others = tuple(
        KernelRoute(destination="10.9.0.0/24", via=f"10.0.1.{n}", device="ens5") for n in (20, 21, 99)
    )
    found = through_peers(Network(with_node(NODES, "worker-0", routes=others)), "worker-0")
    assert [each.via for each in found] == ["10.0.1.21"]


def test_a_worker_has_its_own_address_and_those_of_its_interfaces() -> None:
    evidence = with_interface(with_second_interface(OK, 1), "worker-1", addresses=("10.0.1.31", "10.0.1.32"))
    evidence = with_instance(evidence, "worker-2", address="", network_interfaces=())
    assert addresses(Network(evidence)) == {
        "10.0.1.20": "worker-0",
        **dict.fromkeys(("10.0.1.21", "10.0.1.31", "10.0.1.32", "10.0.1.121"), "worker-1"),
    }


def _card(n: int, *held: str, subnet: str = SUBNET) -> NetworkInterface:
    return NetworkInterface(id=f"eni-2{n}", subnet=subnet, vpc=VPC, addresses=held, device_index=n)


@pytest.mark.parametrize(
    ("evidence", "near"),
    [
        (OK, "10.0.1.21"),
        (with_instance(OK, "worker-1", network_interfaces=()), "10.0.1.21"),
        (
            with_instance(
                OK, "worker-1", network_interfaces=(_card(2, "10.0.1.42"), _card(1, "10.0.1.41"), _card(0))
            ),
            "10.0.1.41",
        ),
        (
            with_instance(
                OK,
                "worker-1",
                subnet=SUBNET_2,
                network_interfaces=(_card(0, "10.0.2.21", subnet=SUBNET_2), _card(1, "10.0.1.41")),
            ),
            "10.0.1.41",
        ),
        (with_instance(OK, "worker-1", subnet=SUBNET_2, network_interfaces=()), ""),
        (without_instance(OK, "worker-0"), ""),
        (without_instance(OK, "worker-1"), ""),
    ],
    ids=[
        "usual",
        "no interfaces",
        "the first with one",
        "another subnet",
        "apart",
        "no sender",
        "no receiver",
    ],
)
def test_an_address_on_the_link_is_one_in_the_senders_subnet(evidence: Evidence, near: str) -> None:
    assert on_link(Network(evidence), "worker-0", "worker-1") == near


SECOND = with_second_interface(OK, 1)


@pytest.mark.parametrize(
    ("evidence", "cards"),
    [
        (OK, []),
        (handing(SECOND, "worker-0", "worker-1"), ["eni-01"]),
        (handing(SECOND, "worker-0", "worker-1", via="10.0.1.121"), ["eni-11"]),
        (
            handing(handing(SECOND, "worker-0", "worker-1", via="10.0.1.121"), "worker-2", "worker-1"),
            ["eni-01", "eni-11"],
        ),
        (with_way(SECOND, "worker-0", "worker-1", route="default via 10.0.1.121", via="10.0.1.121"), []),
        (with_way(SECOND, "worker-1", "worker-1", route=f"{ONE} via 10.0.1.121", via="10.0.1.121"), []),
        (without_instance(NODES, "worker-1"), []),
    ],
    ids=["none", "first", "second", "both", "by default", "by itself", "missing"],
)
def test_packets_are_handed_to_the_interfaces_with_the_next_hops(
    evidence: Evidence, cards: list[str]
) -> None:
    assert [eni.id for eni in handed_to(Network(evidence), "worker-1")] == cards
