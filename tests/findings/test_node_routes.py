"""By which network model a lab is judged, what is asked of it then, and what keeps its kernel routes."""

from __future__ import annotations

import shlex

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.findings.keep_files import UNIT, keep_file
from kthw.findings.kept_routes import not_kept
from kthw.findings.nodes import no_route_conflict
from kthw.findings.path import obstacles
from kthw.intended.cluster import AUTO, NODE_ROUTES, VPC_ROUTES
from kthw.network.model import Network
from kthw.network.node_routes import carried, is_near, network_model, senders
from kthw.observed.evidence import Evidence, Keeper
from tests.findings.changed_aws import TWO, with_instance, with_interface, with_route, without_route
from tests.findings.changed_nodes import masquerade_off, with_node, with_way
from tests.findings.clusters import OK, ONE, TABLE_2, healthy, route
from tests.findings.faults_of_node_routes import (
    APART,
    FAULTS,
    FIRST,
    NODES,
    UNLINKED,
    bare,
    by_nodes,
    half,
    handing,
    meaning,
    without_vpc_routes,
)
from tests.findings.faults_of_other_machines import NAME, beside
from tests.findings.faults_of_reverse_path import by_second
from tests.findings.judged import codes, everything

BOTH = replace(NODES, inventory=OK.inventory)
MODELS: dict[str, tuple[Evidence, str, str]] = {
    "the chapter's": (OK, VPC_ROUTES, "vpc"),
    "nothing begun": (without_vpc_routes(OK), VPC_ROUTES, "neither"),
    "nothing begun, no node seen": (
        replace(without_vpc_routes(OK), nodes={}, probes=()),
        VPC_ROUTES,
        "unseen",
    ),
    "kernel routes": (NODES, NODE_ROUTES, "nodes"),
    "one kernel route": (handing(without_vpc_routes(OK), *FIRST), VPC_ROUTES, "few"),
    "of two nodes, one has forgotten": (bare(by_nodes(healthy(2)), FIRST), NODE_ROUTES, "nodes"),
    "of two nodes, one has forgotten, beside the VPC's": (
        with_route(bare(by_nodes(healthy(2)), FIRST), route(1, ONE)),
        VPC_ROUTES,
        "both",
    ),
    "both": (BOTH, NODE_ROUTES, "both"),
    "one kernel route beside the VPC's": (handing(OK, *FIRST), VPC_ROUTES, "both"),
    "kernel routes within a subnet, the VPC's beyond": (
        with_route(with_route(UNLINKED, route(2, "10.200.2.0/24")), route(0, "10.200.0.0/24"), table=TABLE_2),
        NODE_ROUTES,
        "both",
    ),
    "one kernel route through no worker": (handing(OK, *FIRST, via="10.0.1.10"), VPC_ROUTES, "vpc"),
    "only the default route for all": (with_route(without_vpc_routes(OK)), VPC_ROUTES, "neither"),
    "kernel routes, the others meant": (meaning(NODES, VPC_ROUTES), VPC_ROUTES, "asked"),
    "VPC routes, the others meant": (meaning(OK, NODE_ROUTES), NODE_ROUTES, "asked"),
}


@pytest.mark.parametrize(("evidence", "model", "why"), MODELS.values(), ids=MODELS)
def test_the_model_is_what_is_meant_or_else_what_is_there(evidence: Evidence, model: str, why: str) -> None:
    found = network_model(Network(evidence))
    assert (found.name, found.why) == (model, why)


def test_what_is_there_is_counted() -> None:
    found = network_model(Network(with_route(bare(NODES, FIRST), route(1, ONE))))
    assert (found.vpc, found.nodes, found.ways) == (1, 5, 6)


def test_a_recording_of_an_older_version_meant_no_model() -> None:
    assert OK.intended.network == AUTO


def test_by_kernel_routes_no_vpc_route_is_asked_for() -> None:
    outcomes = {(o.check, o.subject): o for o in judge(NODES).outcomes}
    for check in ("route-to-worker", "route-active", "route-undiverted"):
        outcome = outcomes[check, "worker-1"]
        assert outcome.status == "skipped"
        assert outcome.skip
        assert outcome.skip.reason == "run-skip-node-routes"
    assert outcomes["kernel-routes-right", "worker-1"].status == "passed"
    assert {o.status for o in judge(OK).outcomes} == {"passed"}


def test_kernel_routes_are_asked_for_when_their_chapter_is_done() -> None:
    evidence = meaning(without_vpc_routes(OK))
    early = replace(evidence, intended=replace(evidence.intended, after="workers"))
    assert everything(early) == []
    assert set(codes(everything(evidence))) == {"node-route-missing"}


def test_the_lines_that_mend_what_is_missing_are_those_a_person_types() -> None:
    (found,) = everything(bare(NODES, FIRST, ("worker-0", "worker-2")))
    (command,) = shlex.split(found.facts["command"])
    assert command.split(" && ") == [
        "sudo ip route add 10.200.1.0/24 via 10.0.1.21",
        "sudo ip route add 10.200.2.0/24 via 10.0.1.22",
    ]


def test_a_route_to_the_router_is_replaced_and_not_added_again() -> None:
    (found,) = everything(handing(NODES, *FIRST, via="10.0.1.1"))
    assert shlex.split(found.facts["command"]) == ["sudo ip route replace 10.200.1.0/24 via 10.0.1.21"]


def test_a_narrower_route_through_the_wrong_worker_goes_before_the_right_one_comes() -> None:
    (found,) = everything(handing(NODES, *FIRST, via="10.0.1.22", cidr="10.200.1.0/25"))
    assert shlex.split(found.facts["command"]) == [
        "sudo ip route del 10.200.1.0/25 via 10.0.1.22 dev ens5 && "
        "sudo ip route replace 10.200.1.0/24 via 10.0.1.21"
    ]
    assert found.near_miss == "worker-2 (i-02, 10.0.1.22)"


def test_what_could_not_be_read_of_the_tables_is_no_missing_route() -> None:
    unread = route(1, "pl-0a", instance="", network_interface="eni-01")
    evidence = with_route(bare(NODES, FIRST), unread)
    outcome = next(
        o for o in judge(evidence).outcomes if (o.check, o.subject) == ("kernel-routes-right", "worker-0")
    )
    assert outcome.status == "error"
    assert outcome.error
    assert outcome.error.subject == "pl-0a"


def test_what_could_not_be_read_hides_no_conflict_that_was_seen() -> None:
    unread = route(1, "pl-0a", instance="", network_interface="eni-01")
    docker = with_way(
        with_route(bare(NODES, FIRST), unread),
        "worker-0",
        "worker-2",
        device="docker0",
        via="",
        route="10.200.2.0/24 dev docker0",
    )
    assert codes(no_route_conflict(Network(docker), "worker-0")) == ["node-route-conflict"]


def met(evidence: Evidence, source: str, destination: str) -> list[str]:
    return codes(obstacles(Network(evidence), source, destination))


def test_a_pair_meets_what_its_own_nodes_lack() -> None:
    evidence = bare(NODES, FIRST)
    assert met(evidence, "worker-0", "worker-1") == ["node-route-missing"]
    assert met(evidence, "worker-0", "worker-2") == []
    assert met(evidence, "worker-2", "worker-1") == []


def test_a_kernel_route_for_a_part_is_in_the_way_of_none_but_its_pods() -> None:
    """The packets of a pair go to one pod; what takes others' elsewhere is told, and no loss of theirs."""
    evidence = half("worker-0", "10.0.1.1")
    assert codes(everything(evidence)) == ["node-route-missing"]
    assert met(evidence, "worker-0", "worker-1") == []


def test_an_answer_needs_a_kernel_route_only_where_pods_are_not_masqueraded() -> None:
    evidence = bare(NODES, FIRST)
    assert met(evidence, "worker-1", "worker-0") == []
    assert met(masquerade_off(evidence), "worker-1", "worker-0") == ["node-route-missing"]


def test_the_receivers_check_drops_what_a_kernel_route_hands_to_it() -> None:
    evidence = with_interface(NODES, "worker-1", source_dest_check=True)
    assert met(evidence, "worker-0", "worker-1") == ["source-dest-check-on"]


def test_between_subnets_the_vpc_carries_what_no_kernel_route_can() -> None:
    assert met(by_nodes(TWO), "worker-0", "worker-2") == ["node-route-off-link"]
    assert met(UNLINKED, "worker-0", "worker-1") == []
    carried = with_route(UNLINKED, route(2, "10.200.2.0/24"))
    assert met(carried, "worker-0", "worker-2") == []


def test_an_address_is_near_where_the_interface_that_has_it_is() -> None:
    network = Network(by_second(OK))
    near = [is_near(network, "worker-0", "worker-1", each) for each in ("10.0.1.21", "10.0.7.21")]
    assert near == [True, False]


def test_the_vpc_carries_nothing_for_who_is_nowhere_or_where_no_route_leads() -> None:
    nowhere = Network(with_instance(OK, "worker-0", subnet=""))
    astray = Network(without_route(OK, ONE, "0.0.0.0/0"))
    for network in (nowhere, astray):
        assert carried(network, "worker-0", "worker-1", "10.200.1.2") is False
    assert carried(Network(OK), "worker-0", "worker-1", "10.200.1.2")


def test_a_machine_whose_subnet_is_not_known_sends_nothing() -> None:
    assert set(senders(Network(beside(NODES)))) == {*NODES.intended.workers, NAME}
    assert set(senders(Network(beside(NODES, subnet="")))) == {*NODES.intended.workers}


def _forgotten(evidence: Evidence, worker: str) -> Evidence:
    node = evidence.nodes[worker]
    routes = tuple(replace(each, kept=()) for each in node.routes or ())
    return replace(evidence, nodes={**evidence.nodes, worker: replace(node, routes=routes)})


def test_routes_that_no_file_keeps_are_remarked_on_with_the_file_that_would() -> None:
    (remark,) = not_kept(Network(_forgotten(NODES, "worker-1")))
    routes = [("10.200.0.0/24", "10.0.1.20"), ("10.200.2.0/24", "10.0.1.22")]
    told = ", ".join(f"{to} via {hop}" for to, hop in routes)
    assert (remark.worker, remark.facts["routes"]) == ("worker-1", told)
    assert (remark.facts["file"], shlex.split(remark.facts["keep"])) == (
        UNIT,
        [keep_file(None, routes).command],
    )


def test_routes_to_another_subnet_are_not_to_be_kept() -> None:
    """They carry nothing: no file keeps them, and none is written that keeps nothing."""
    (remark,) = not_kept(Network(_forgotten(APART, "worker-0")))
    assert remark.facts["routes"] == "10.200.1.0/24 via 10.0.1.21"
    assert not_kept(Network(_forgotten(APART, "worker-2"))) == []
    for evidence, _ in FAULTS.values():
        for found in everything(evidence):
            assert found.code != "node-route-off-link" or "keep" not in found.facts
            assert "route replace" in found.facts.get("keep", "route replace")


def test_the_file_is_the_one_that_the_nodes_distribution_reads() -> None:
    netplan = Keeper(by="netplan", device="ens5")
    evidence = with_node(_forgotten(NODES, "worker-1"), "worker-1", keeper=netplan)
    (remark,) = not_kept(Network(evidence))
    (found,) = everything(bare(with_node(NODES, "worker-0", keeper=netplan), FIRST))
    assert remark.facts["file"] == found.facts["file"] == "/etc/netplan/90-pod-routes.yaml"


def test_kept_routes_and_those_that_were_not_looked_at_are_not_remarked_on() -> None:
    assert not_kept(Network(NODES)) == []
    unseen = {name: replace(node, routes=None) for name, node in NODES.nodes.items()}
    assert not_kept(Network(replace(NODES, nodes=unseen))) == []
    assert not_kept(Network(meaning(_forgotten(NODES, "worker-1"), VPC_ROUTES))) == []
