"""What takes pods' packets elsewhere on a node, and what only looks so: entries, rules, neighbours."""

from __future__ import annotations

import shlex
from typing import Literal

import pytest
from msgspec.structs import replace

from kthw.findings.finding import Finding
from kthw.findings.node_routes import astray, beyond, conflicts, conflicts_elsewhere, misled
from kthw.findings.path import obstacles
from kthw.findings.policy_rules import all_ruled_out, leading, ruled_out
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Neighbour, PolicyRule, Way
from tests.findings.changed_aws import with_instance, with_user_data, without_route
from tests.findings.changed_nodes import masquerade_off, with_node, with_way
from tests.findings.clusters import OK, ONE
from tests.findings.faults_of_node_routes import NODES
from tests.findings.faults_of_other_machines import NAME, beside, bridged

BARE = masquerade_off(OK)
GROUNDLESS = with_user_data(OK, "worker-2", pod_cidr="10.0.1.0/24")
"""worker-2 is given its own subnet for its pods."""
PODLESS = with_node(with_user_data(without_route(OK, ONE), "worker-1"), "worker-1", pod="", cni=())
"""Nobody knows where worker-1's pods are."""
NEIGHBOUR = Neighbour(address="10.200.1.2", device="cnio0", hardware="02:00:00:00:00:01")
ENTRY = "10.200.0.0/16 dev docker0 proto kernel scope link"


def dropping(
    evidence: Evidence, source: str = "", destination: str = "", entering: str = "", worker: str = "worker-1"
) -> Network:
    rule = PolicyRule(
        priority=100,
        kind="blackhole",
        text="from all blackhole",
        source=source,
        destination=destination,
        entering=entering,
    )
    return Network(with_node(evidence, worker, rules=(rule,)))


def asking_another(evidence: Evidence) -> Evidence:
    """A rule has table 100 asked for what the pods send."""
    rule = PolicyRule(priority=100, kind="lookup", text="from 10.200.0.0/16 lookup 100", table="100")
    return with_node(evidence, "worker-1", lookups=(replace(rule, source="10.200.0.0/16"),))


def answers(route: str = "default via 10.0.1.1 dev vpn0 table 100", **changes: str) -> Way:
    way = Way(towards="worker-0", address="10.0.1.20", device="vpn0", via="10.0.1.1", route=route)
    return replace(way, **changes)


def variants(found: list[Finding]) -> list[str]:
    return [each.variant for each in found]


def commands(found: list[Finding]) -> list[str]:
    return [shlex.split(each.facts["command"])[0] for each in found]


# What sends packets elsewhere.


def test_a_wrong_neighbour_is_in_the_way_of_its_node_s_own_pods() -> None:
    network = Network(with_node(OK, "worker-1", neighbours=(NEIGHBOUR,)))
    (found,) = astray(network, "worker-1", "worker-1")
    assert found.variant == "neighbour"
    assert found.facts["hardware"] == "02:00:00:00:00:01"
    assert (found.facts["address"], found.facts["device"]) == ("10.200.1.2", "cnio0")
    assert found.facts["worker_noun"] == network.noun("worker-1")
    assert found.facts["login"] == network.login("worker-1")
    assert commands([found]) == ["sudo ip neigh flush dev cnio0 nud permanent"]
    assert astray(network, "worker-1", "worker-0") == []


def test_what_all_else_takes_is_right_for_pods_whatever_gateway_it_has() -> None:
    way = Way(
        towards="worker-0",
        address="10.200.0.2",
        device="ens5",
        via="10.0.1.99",
        route="default via 10.0.1.99 dev ens5",
    )
    assert misled(Network(OK), "worker-1", way) == []
    assert variants(misled(Network(OK), "worker-1", replace(way, route="10.200.0.0/24 via 10.0.1.99"))) == [
        ""
    ]


@pytest.mark.parametrize(
    ("way", "found"),
    [
        (answers(), ["by-rule"]),
        (answers(device="ens5"), []),
        (answers(device="ens5", via="10.0.1.99"), ["by-rule"]),
        (answers(device="ens5", via=""), []),
        (answers("blackhole default table 100", device="", via="", kind="blackhole"), ["by-rule"]),
        (answers("default via 10.0.1.1 dev vpn0"), []),
    ],
    ids=["another device", "as all else", "another gateway", "on the link", "nowhere", "by no rule"],
)
def test_what_a_rule_has_another_table_asked_for_is_right_by_the_card(way: Way, found: list[str]) -> None:
    evidence = with_node(asking_another(OK), "worker-1", beyond=(way,))
    assert variants(beyond(Network(evidence), "worker-1", "worker-0")) == found
    assert beyond(Network(evidence), "worker-1", "worker-2") == []


@pytest.mark.parametrize(
    "evidence",
    [
        with_node(OK, "worker-1", links=()),
        with_instance(OK, "worker-1", subnet=""),
    ],
    ids=["card", "subnet"],
)
def test_where_answers_should_leave_is_not_guessed(evidence: Evidence) -> None:
    node = with_node(asking_another(evidence), "worker-1", beyond=(answers(),))
    assert beyond(Network(node), "worker-1", "worker-0") == []


def test_of_a_node_that_nobody_saw_no_way_is_wrong() -> None:
    assert beyond(Network(replace(OK, nodes={})), "worker-1", "worker-0") == []


@pytest.mark.parametrize(
    ("route", "variant", "command"),
    [
        (
            "10.200.0.0/25 via 10.8.0.1 dev vpn0 table 100",
            "",
            "sudo ip route del 10.200.0.0/25 via 10.8.0.1 dev vpn0 table 100",
        ),
        (
            "10.200.0.0/16 via 10.8.0.1 dev vpn0 table 100",
            "by-rule",
            "sudo ip rule del pref 100 from 10.200.0.0/16 lookup 100",
        ),
        (
            "10.200.0.0/24 via 10.8.0.1 dev vpn0 table 100",
            "",
            "sudo ip route del 10.200.0.0/24 via 10.8.0.1 dev vpn0 table 100",
        ),
    ],
    ids=["for a part", "for more", "for all of them"],
)
def test_an_entry_of_another_table_goes_unless_it_is_for_more_than_the_pods(
    route: str, variant: str, command: str
) -> None:
    evidence = with_way(
        asking_another(OK), "worker-1", "worker-0", device="vpn0", via="10.8.0.1", route=route
    )
    (found,) = conflicts(Network(evidence), "worker-1")
    assert (found.variant, commands([found])) == (variant, [command])


def test_a_blackhole_without_a_word_of_what_for_is_no_rule_s_doing() -> None:
    evidence = with_way(
        asking_another(OK), "worker-1", "worker-0", kind="blackhole", route="blackhole table 100"
    )
    assert variants(conflicts(Network(evidence), "worker-1")) == ["refused"]


# In a lab judged by kernel routes.


def taken(evidence: Evidence, *towards: str, route: str = ENTRY) -> Evidence:
    for other in towards:
        evidence = with_way(evidence, "worker-1", other, device="docker0", via="", route=route)
    return evidence


def test_an_entry_for_more_stays_and_each_other_worker_s_pods_go_before_it() -> None:
    evidence = taken(NODES, "worker-0", "worker-1", "worker-2")
    found = [each for each in conflicts(Network(evidence), "worker-1") if each.variant == "by-nodes"]
    assert set(commands(found)) == {
        "sudo ip route replace 10.200.0.0/24 via 10.0.1.20 && "
        "sudo ip route replace 10.200.2.0/24 via 10.0.1.22"
    }


def test_whose_pods_cannot_have_their_range_gets_no_route_before_it() -> None:
    evidence = with_user_data(taken(NODES, "worker-0", "worker-2"), "worker-2", pod_cidr="10.0.1.0/24")
    found = conflicts(Network(evidence), "worker-1")
    assert commands(found) == ["sudo ip route replace 10.200.0.0/24 via 10.0.1.20"]


def test_an_entry_of_another_table_is_taken_away_however_wide() -> None:
    evidence = taken(NODES, "worker-0", route="10.200.0.0/16 dev docker0 table 7")
    (command,) = commands(conflicts(Network(evidence), "worker-1"))
    assert command.startswith("sudo ip route del 10.200.0.0/16 dev docker0 table 7; ")


def test_of_another_machine_nothing_is_said_without_its_subnet_or_the_pods() -> None:
    evidence = bridged(beside(NODES), "10.200.0.0/24", "worker-0")
    assert len(conflicts_elsewhere(Network(evidence), NAME)) == 1
    groundless = with_user_data(evidence, "worker-0", pod_cidr="10.0.1.0/24")
    assert conflicts_elsewhere(Network(groundless), NAME) == []
    nowhere = bridged(beside(NODES, subnet=""), "10.200.0.0/16")
    assert conflicts_elsewhere(Network(nowhere), NAME) == []


# By policy rules that drop.


def test_a_rule_is_in_the_way_of_the_pairs_that_it_drops_and_of_no_others() -> None:
    network = dropping(OK, destination="10.200.0.0/24")
    assert variants(obstacles(network, "worker-1", "worker-0")) == ["rule"]
    assert obstacles(network, "worker-1", "worker-2") == []


@pytest.mark.parametrize(
    ("evidence", "source", "met"),
    [
        (OK, "10.0.1.20/32", True),
        (OK, "10.200.0.2/32", False),
        (BARE, "10.200.0.2/32", True),
        (BARE, "10.0.1.20/32", False),
        (OK, "10.0.1.21/32", False),
    ],
    ids=["node", "pod behind its node", "pod", "node of bare pods", "itself"],
)
def test_what_comes_in_looks_like_its_node_where_that_masquerades(
    evidence: Evidence, source: str, met: bool
) -> None:
    network = dropping(evidence, source=source, entering="ens5")
    assert bool(ruled_out(network, "worker-1", "worker-1")) is met
    assert bool(all_ruled_out(network, "worker-1")) is met


def test_a_rule_for_a_part_of_the_others_pods_drops_what_comes_in_from_there() -> None:
    network = dropping(BARE, source="10.200.0.128/25", entering="ens5")
    assert variants(all_ruled_out(network, "worker-1")) == ["rule"]
    assert ruled_out(network, "worker-1", "worker-1") == []
    assert all_ruled_out(dropping(OK, source="10.200.0.128/25", entering="ens5"), "worker-1") == []


def test_what_pods_of_one_node_would_send_each_other_is_no_pair_s() -> None:
    assert all_ruled_out(dropping(OK, source=ONE, destination=ONE), "worker-1") == []


def test_a_rule_drops_nothing_of_a_range_that_pods_cannot_have() -> None:
    there = dropping(GROUNDLESS, source="10.0.1.0/24", worker="worker-2")
    assert all_ruled_out(there, "worker-2") == []
    at_another = dropping(GROUNDLESS, destination="10.0.1.0/24", worker="worker-0")
    assert all_ruled_out(at_another, "worker-0") == []


@pytest.mark.parametrize(("here", "there"), [("worker-1", "worker-0"), ("worker-0", "worker-1")])
def test_a_rule_that_drops_all_drops_nothing_of_pods_that_are_nowhere(here: str, there: str) -> None:
    assert ruled_out(dropping(OK, worker=here), here, there) != []
    assert ruled_out(dropping(PODLESS, worker=here), here, there) == []


def test_the_main_table_is_no_rule_s() -> None:
    lookup: Literal["lookup"] = "lookup"
    rule = PolicyRule(priority=100, kind=lookup, text="from all lookup x", table="x")
    network = Network(with_node(OK, "worker-1", lookups=(rule,)))
    ways = [answers("default via 10.0.1.1 dev ens5"), answers("default via 10.0.1.1 dev ens5 table x")]
    assert [leading(network, "worker-1", way) for way in ways] == [None, rule]


# There and back.


def test_answers_to_bare_pods_go_to_them_and_not_to_their_node() -> None:
    evidences = (asking_another(with_node(each, "worker-1", beyond=(answers(),))) for each in (OK, BARE))
    assert [variants(obstacles(Network(each), "worker-0", "worker-1")) for each in evidences] == [
        ["by-rule"],
        [],
    ]
