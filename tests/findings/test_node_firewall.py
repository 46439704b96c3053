"""Which packets a node's firewall is asked about: of whose pods, in which order, and how they look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.node_firewall import (
    at_random,
    dropped,
    dropped_arriving,
    dropped_to_node,
    drops_by_lot,
    firewall_of,
    pod_of,
    swallowing,
)
from kthw.network.model import Network
from kthw.observed.evidence import Chain, Evidence
from tests.findings.changed_aws import with_instance, with_user_data, without_route
from tests.findings.changed_nodes import masquerade_off, with_forward_chain, with_node
from tests.findings.clusters import OK, ONE, healthy

INPUT = Chain(
    tool="iptables",
    table="filter",
    name="INPUT",
    policy="ACCEPT",
    hook="input",
    rules=("-A INPUT -j DROP",),
)
BY_LOT = "-m statistic --mode random --probability 0.2 -j DROP"
ADDRESSLESS = with_instance(OK, "worker-1", address="")
RANGELESS = with_node(with_user_data(without_route(OK, ONE), "worker-1"), "worker-1", cni=())
"""Nobody knows the range of its pods."""
PODLESS = with_node(RANGELESS, "worker-1", pod="")


def told(evidence: Evidence, worker: str = "worker-1") -> list[str]:
    return [found.expected for found in dropped(Network(evidence), worker)]


def dropping(evidence: Evidence, *rules: str, worker: str = "worker-1") -> Evidence:
    return with_forward_chain(evidence, worker, *rules)


def test_a_pod_whose_range_nobody_knows_is_asked_about_by_its_own_address() -> None:
    assert told(dropping(RANGELESS, "-j DROP")) == ["10.200.1.2 → 10.200.0.2 icmp, tcp, udp: ACCEPT"]


def test_a_part_of_the_others_pods_is_asked_about_where_it_is_seen_as_such() -> None:
    """Masqueraded, they all look like their node."""
    rule = "-i ens5 -s 10.200.2.64/26 -m conntrack --ctstate NEW -j DROP"
    assert told(dropping(masquerade_off(OK), rule)) == ["10.200.2.64 → 10.200.1.2 icmp, tcp, udp: ACCEPT"]
    assert told(dropping(OK, rule)) == []


def test_of_what_comes_in_the_request_is_told_and_not_the_answer() -> None:
    network = Network(dropping(OK, "-j DROP"))
    firewall = firewall_of(network, "worker-1")
    assert firewall is not None
    (found,) = dropped_arriving(network, "worker-1", firewall, "worker-0")
    assert found.expected == "10.0.1.20 → 10.200.1.2 icmp, tcp, udp: ACCEPT"


@pytest.mark.parametrize("evidence", [ADDRESSLESS, PODLESS], ids=["of the node", "of the pod"])
def test_a_ping_to_the_node_is_none_without_an_address(evidence: Evidence) -> None:
    assert dropped_to_node(Network(with_node(OK, "worker-1", firewall=(INPUT,))), "worker-1")
    assert dropped_to_node(Network(with_node(evidence, "worker-1", firewall=(INPUT,))), "worker-1") == []


def test_what_drops_by_lot_where_pods_come_in_is_about_what_they_look_like() -> None:
    by_node = Network(dropping(OK, f"-s 10.0.1.20/32 {BY_LOT}"))
    by_pod = Network(dropping(OK, f"-s 10.200.0.2/32 {BY_LOT}"))
    assert [worker for worker, _ in at_random(by_node, "worker-0", "worker-1")] == ["worker-1"]
    assert at_random(by_pod, "worker-0", "worker-1") == []
    assert at_random(by_node, "worker-2", "worker-1") == []


def test_what_drops_by_lot_is_not_said_of_who_looks_like_nobody_known() -> None:
    nameless = Network(dropping(with_instance(OK, "worker-0", address=""), BY_LOT))
    assert at_random(nameless, "worker-0", "worker-1") == []
    assert at_random(nameless, "worker-2", "worker-1") != []


def test_a_firewall_that_drops_all_that_is_alike_does_not_do_so_by_lot() -> None:
    rules = ((), ("-i cnio0 -j DROP",), (BY_LOT,))
    assert [drops_by_lot(Network(dropping(OK, *each)), "worker-1") for each in rules] == [False, False, True]


@pytest.mark.parametrize(
    ("evidence", "teller", "swallowed"),
    [(OK, "worker-0", True), (PODLESS, "worker-0", False), (ADDRESSLESS, "worker-1", False)],
    ids=["all known", "no pod", "no node"],
)
def test_a_word_that_packets_are_too_big_goes_from_a_node_to_a_pod(
    evidence: Evidence, teller: str, swallowed: bool
) -> None:
    listener = "worker-1" if teller == "worker-0" else "worker-0"
    rule = "-p icmp -m icmp --icmp-type 3/4 -j DROP"
    network = Network(dropping(evidence, rule, worker=listener))
    assert bool(swallowing(network, listener, teller)) is swallowed


@pytest.mark.parametrize(
    ("evidence", "pod"),
    [
        (with_node(OK, "worker-1", pod="10.200.1.9"), "10.200.1.9"),
        (with_node(OK, "worker-1", pod=""), "10.200.1.2"),
        (with_node(healthy(pods="10.200.{}.0/30"), "worker-1", pod=""), "10.200.1.2"),
        (with_user_data(PODLESS, "worker-1", pod_cidr="10.200.1.0/31"), "None"),
    ],
    ids=["one was made", "none was", "in the smallest range", "in a smaller one"],
)
def test_a_pod_is_where_one_was_or_would_be_made(evidence: Evidence, pod: str) -> None:
    assert str(pod_of(Network(evidence), "worker-1")) == pod


def test_pods_that_are_not_masqueraded_leave_as_themselves() -> None:
    leaving = replace(
        INPUT,
        tool="nft",
        table="netdev out",
        name="out",
        hook="egress",
        devices=("ens5",),
        rules=("ip saddr 10.0.1.21 drop # handle 4",),
    )
    evidence = with_node(OK, "worker-1", firewall=(leaving,))
    assert told(evidence) != []
    assert told(masquerade_off(evidence)) == []
