"""What is planned for the kernels of nodes: what is missing is added, and nothing that is there replaced."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.network.model import Network
from kthw.observed.evidence import Evidence, ProvisionStep
from kthw.provision.node_plan import plan
from kthw.provision.wording import node_step_line
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import OK
from tests.findings.faults_of_node_routes import (
    ACROSS,
    APART,
    FIRST,
    NODES,
    UNLINKED,
    bare,
    half,
    handing,
    without_vpc_routes,
)

BARE = bare(NODES, FIRST)


def steps(evidence: Evidence) -> dict[tuple[str, str], ProvisionStep]:
    return {(step.worker, step.pod_cidr): step for step in plan(Network(evidence))}


def one(evidence: Evidence) -> ProvisionStep:
    """What is planned on worker-0 for worker-1's pods."""
    return steps(evidence)["worker-0", "10.200.1.0/24"]


def without_node(evidence: Evidence, worker: str) -> Evidence:
    return replace(evidence, nodes={name: n for name, n in evidence.nodes.items() if name != worker})


def saying(evidence: Evidence, worker: str, cidr: str) -> Evidence:
    return replace(evidence, intended=replace(evidence.intended, pod_cidrs={worker: cidr}))


CASES: dict[str, tuple[Evidence, str, str]] = {
    "missing": (BARE, "create", ""),
    "there": (NODES, "exists", "10.200.1.0/24 via 10.0.1.21 dev ens5"),
    "carried by the VPC": (OK, "exists", "default via 10.0.1.1"),
    "through another node": (
        handing(NODES, *FIRST, via="10.0.1.22"),
        "wrong-hop",
        "10.200.1.0/24 via 10.0.1.22",
    ),
    "to the router": (handing(NODES, *FIRST, via="10.0.1.1"), "wrong-hop", "10.200.1.0/24 via 10.0.1.1"),
    "half of it elsewhere": (half("worker-0", "10.0.1.10"), "wrong-hop", "10.200.1.128/25 via 10.0.1.10"),
    "a wider one elsewhere": (handing(NODES, *FIRST, via="10.0.1.10", cidr="10.200.0.0/16"), "create", ""),
    "a wider one there": (
        handing(NODES, *FIRST, cidr="10.200.0.0/16"),
        "exists",
        "10.200.0.0/16 via 10.0.1.21",
    ),
    "its kernel did not say": (with_node(NODES, "worker-0", ways=()), "unseen", ""),
}


@pytest.mark.parametrize(("evidence", "outcome", "detail"), CASES.values(), ids=CASES)
def test_what_is_there_decides_and_is_shown(evidence: Evidence, outcome: str, detail: str) -> None:
    step = one(evidence)
    assert step.outcome == outcome
    assert step.detail.startswith(detail)
    assert step.target == ("" if outcome == "unseen" else "10.0.1.21")
    if outcome == "create":
        assert step.command.endswith("'sudo ip route add 10.200.1.0/24 via 10.0.1.21'")


def test_of_three_nodes_each_gets_a_route_to_each_other_one() -> None:
    planned = plan(Network(bare(NODES, *((a, b) for a in NODES.nodes for b in NODES.nodes if a != b))))
    assert [step.outcome for step in planned] == ["create"] * 6
    assert {step.worker for step in planned if step.pod_cidr == "10.200.0.0/24"} == {"worker-1", "worker-2"}


@pytest.mark.parametrize("evidence", [UNLINKED, APART], ids=["no route", "a route through the other subnet"])
def test_a_next_hop_in_another_subnet_is_impossible_and_says_so(evidence: Evidence) -> None:
    planned = steps(evidence)
    for worker, _ in ACROSS:
        step = planned[worker, "10.200.2.0/24"]
        assert (step.outcome, step.detail, step.command) == ("impossible", "off-link", "")
    assert planned["worker-0", "10.200.1.0/24"].outcome == "exists"


def test_who_could_not_be_logged_in_to_is_told_once_and_the_others_are_served() -> None:
    planned = plan(Network(without_node(BARE, "worker-1")))
    assert [s.pod_cidr for s in planned if s.worker == "worker-1"] == [""]
    assert one(without_node(BARE, "worker-1")).outcome == "create"


def test_two_claims_on_the_same_pods_are_nobody_s() -> None:
    planned = plan(Network(saying(without_vpc_routes(BARE), "worker-2", "10.200.1.128/25")))
    assert [(s.worker, s.detail) for s in planned if s.detail == "pod-cidr-overlap"] == [
        ("worker-1", "pod-cidr-overlap"),
        ("worker-2", "pod-cidr-overlap"),
    ]
    assert {s.pod_cidr for s in planned if s.outcome == "exists"} == {"10.200.0.0/24"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_outcome_is_told_with_whose_kernel_and_which_way(language: str) -> None:
    words = catalogue(language)
    for evidence, outcome, _ in CASES.values():
        line = node_step_line(words, one(evidence))
        assert line.startswith("worker-0 10.200.1.0/24" if outcome != "unseen" else "worker-0 ")
    assert node_step_line(words, one(BARE)).endswith("'sudo ip route add 10.200.1.0/24 via 10.0.1.21'")
    for outcome in ("created", "failed", "unsure", "deleted", "gone", "left", "running"):
        assert "worker-0" in node_step_line(words, replace(one(BARE), outcome=outcome))
    for detail in ("off-link", "pod-cidr-missing", "worker-missing"):
        assert node_step_line(words, replace(one(BARE), outcome="impossible", detail=detail))
