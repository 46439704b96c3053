"""Where a pod CIDR is said: what rules, what is only assumed and so not checked, and what is remarked."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.network.model import Network
from kthw.network.pod_cidr import PodCidr
from kthw.network.said import Said, Saying
from kthw.observed.evidence import Evidence, Statement, UserData
from tests.findings.changed_aws import (
    with_instance,
    with_route,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK, ONE, healthy, route

OTHER = "10.200.9.0/24"
SILENT = with_cni(without_route(with_user_data(OK, "worker-1"), ONE), "worker-1", subnet="")
"""Nothing says worker-1's pod CIDR."""


def saying(said: Mapping[str, str]) -> Evidence:
    """With worker-1's pod CIDR said by each of these sources, and by nothing else."""
    evidence = SILENT
    if "option" in said:
        evidence = replace(
            evidence, intended=replace(evidence.intended, pod_cidrs={"worker-1": said["option"]})
        )
    if "user_data" in said:
        statement = Statement(cidr=said["user_data"], form="assigned", key="POD_CIDR")
        evidence = with_instance(evidence, "worker-1", user_data=UserData(statements=(statement,)))
    if "tag" in said:
        evidence = with_instance(evidence, "worker-1", pod_cidr_tags={"PodCidr": said["tag"]})
    if "cni" in said:
        evidence = with_cni(evidence, "worker-1", subnet=said["cni"])
    if "kubelet" in said:
        evidence = with_node(evidence, "worker-1", kubelet_pod_cidr=said["kubelet"])
    if "route" in said:
        inventory = OK.inventory if said["route"] == ONE else None
        assert inventory is not None
        assert evidence.inventory is not None
        evidence = replace(
            evidence, inventory=replace(evidence.inventory, route_tables=inventory.route_tables)
        )
    return evidence


@pytest.mark.parametrize(
    ("said", "source", "cidr"),
    [
        ({"option": ONE, "user_data": OTHER, "tag": OTHER, "cni": OTHER}, "option", ONE),
        ({"user_data": ONE, "tag": OTHER, "cni": OTHER, "kubelet": OTHER}, "user-data", ONE),
        ({"tag": ONE, "cni": OTHER, "kubelet": OTHER}, "tag", ONE),
        ({"cni": ONE, "kubelet": OTHER}, "cni", ONE),
        ({"kubelet": OTHER, "route": ONE}, "kubelet", OTHER),
        ({"route": ONE}, "route", ONE),
    ],
    ids=["option", "user-data", "tag", "cni", "kubelet", "route"],
)
def test_of_several_places_the_first_that_says_one_rules(
    said: dict[str, str], source: str, cidr: str
) -> None:
    network = Network(saying(said))
    found = network.said("worker-1")
    assert found
    assert (found.source, str(network.pod_cidrs["worker-1"])) == (source, cidr)
    assert found.is_assumed == (source in ("cni", "kubelet", "route"))


@pytest.mark.parametrize(
    ("routes", "assumed"),
    [
        ((ONE,), ONE),
        (("10.200.1.0/25", "10.200.1.128/25"), ONE),
        (("10.0.0.0/8",), "10.0.0.0/8"),
        ((ONE, "0.0.0.0/0"), ONE),
        ((ONE, "fd00:1::/64"), ONE),
        ((ONE, OTHER), ""),
        (("10.200.1.2/32",), ""),
        (("0.0.0.0/0",), ""),
    ],
)
def test_what_routes_lead_to_a_worker_tells_its_pod_cidr(routes: tuple[str, ...], assumed: str) -> None:
    """One range, large enough for pods; a default route, or one of IPv6, is no worker's pods."""
    led = (route(1, each) for each in routes)
    network = Network(with_route(SILENT, *led))
    assert str(network.pod_cidrs.get("worker-1", "")) == assumed
    said = network.said("worker-1")
    assert said
    assert (said.saying.cidr if said.saying else "") == assumed


def test_of_two_tags_the_first_by_name_rules() -> None:
    network = Network(with_instance(SILENT, "worker-1", pod_cidr_tags={"pod-cidr": OTHER, "PodCidr": ONE}))
    assert str(network.pod_cidrs["worker-1"]) == ONE


@pytest.mark.parametrize(
    ("data", "cidr", "where"),
    [
        (UserData(pairs={"pod-cidr": "hello"}), "hello", "pod-cidr"),
        (UserData(pairs={"pod-cidr": "10.200.1.7/24"}), ONE, "pod-cidr"),
        (
            UserData(statements=(Statement(cidr="10.200.1.0/33", form="assigned", key="PODS"),)),
            "10.200.1.0/33",
            "PODS",
        ),
        (UserData(statements=(Statement(cidr="10.200.1.7/24", form="alone"),)), ONE, ""),
    ],
    ids=["no network", "host bits", "no network, said otherwise", "host bits, said otherwise"],
)
def test_what_disagrees_is_told_as_it_is_written(data: UserData, cidr: str, where: str) -> None:
    evidence = with_instance(SILENT, "worker-1", user_data=data, pod_cidr_tags={"PodCidr": OTHER})
    said = Network(evidence).said("worker-1")
    assert said
    assert said.saying == Saying(source="user-data", cidr=cidr, where=where)
    assert said.others == (Saying(source="tag", cidr=OTHER, where="PodCidr"),)


def test_a_missing_worker_has_the_pod_cidr_of_the_option() -> None:
    network = Network(without_instance(saying({"option": ONE}), "worker-1"))
    assert network.said("worker-1") == Said(
        read=PodCidr(network=IPv4Network(ONE), observed=ONE), saying=Saying(source="option", cidr=ONE)
    )


def test_where_nothing_says_one_there_is_none() -> None:
    said = Network(SILENT).said("worker-1")
    assert said
    assert (said.saying, said.source) == (None, "user-data"), "which is where one is looked for"
    assert "worker-1" not in Network(SILENT).pod_cidrs
    (found,) = {finding.code for finding in judge(SILENT).findings}
    assert found == "pod-cidr-missing"


@pytest.mark.parametrize("pairs", [{"pod_cidr": ""}, {"pod_cider": ONE}], ids=["empty", "misspelt"])
def test_what_was_meant_in_user_data_is_not_assumed_from_elsewhere(pairs: dict[str, Any]) -> None:
    evidence = with_user_data(OK, "worker-1", name="worker-1", **pairs)
    assert "worker-1" not in Network(evidence).pod_cidrs
    assert [finding.code for finding in judge(evidence).findings] == ["pod-cidr-missing"]


def outcomes(evidence: Evidence) -> dict[str, str]:
    return {each.check: each.status for each in judge(evidence).outcomes if each.subject == "worker-1"}


@pytest.mark.parametrize(
    ("said", "unasked"),
    [
        ({"cni": ONE, "route": ONE}, {"cni-subnet-matches"}),
        ({"route": ONE}, {"route-to-worker"}),
        ({"tag": ONE, "cni": ONE, "route": ONE}, set()),
        ({"option": ONE, "cni": ONE, "route": ONE}, set()),
    ],
    ids=["cni", "route", "tag", "option"],
)
def test_nothing_is_checked_against_what_was_assumed_from_it(said: dict[str, str], unasked: set[str]) -> None:
    found = outcomes(saying(said))
    assert {name for name, status in found.items() if status == "skipped"} == unasked


def test_a_wrong_route_is_told_against_what_is_assumed_from_the_cni_file() -> None:
    assert [f.code for f in judge(saying({"cni": ONE})).findings] == ["route-missing"]


def remarked(evidence: Evidence) -> list[str]:
    return [remark.code for remark in judge(evidence).remarks]


def test_the_chapters_own_form_is_not_remarked_on() -> None:
    assert remarked(OK) == []


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"user_data": ONE}, ["pod-cidr-said-otherwise"]),
        ({"tag": ONE}, []),
        ({"cni": ONE}, ["pod-cidr-assumed"]),
        ({"cni": ONE, "kubelet": OTHER}, ["pod-cidr-assumed", "pod-cidr-disagrees"]),
        ({"user_data": ONE, "tag": OTHER}, ["pod-cidr-disagrees", "pod-cidr-said-otherwise"]),
        ({"option": ONE, "tag": OTHER}, ["pod-cidr-disagrees"]),
        ({"option": ONE, "tag": ONE}, []),
    ],
    ids=["otherwise", "tag", "assumed", "assumed-twice", "user-data-and-tag", "option-and-tag", "agreed"],
)
def test_what_is_said_elsewhere_or_twice_is_remarked(said: dict[str, str], codes: list[str]) -> None:
    assert remarked(saying(said)) == codes


@pytest.mark.parametrize(
    ("form", "key", "variant"),
    [
        ("assigned", "POD_CIDR", "assigned"),
        ("assigned", "pod-cidr", "separated"),
        ("written", "subnet", "written"),
        ("alone", "", "alone"),
    ],
)
def test_the_chapters_own_key_between_other_signs_is_told_as_that(form: Any, key: str, variant: str) -> None:
    said = UserData(statements=(Statement(cidr=ONE, form=form, key=key),))
    (remark,) = judge(with_instance(OK, "worker-1", user_data=said)).remarks
    assert (remark.code, remark.variant) == ("pod-cidr-said-otherwise", variant)


def test_user_data_that_was_not_read_hides_what_it_would_rule() -> None:
    unread = with_instance(saying({"tag": ONE}), "worker-1", user_data=None)
    assert Network(unread).said("worker-1") is None
    assert outcomes(unread)["pod-cidr-of-its-own"] == "error"
    assert (
        outcomes(with_instance(saying({"option": ONE, "cni": ONE}), "worker-1", user_data=None))[
            "pod-cidr-of-its-own"
        ]
        == "passed"
    )


def test_those_whom_a_pod_cidr_overlaps_are_told_in_the_order_of_the_workers() -> None:
    """Not by name: the tenth comes after the second."""
    evidence = with_user_data(healthy(12), "worker-11", name="worker-11", pod_cidr="10.200.0.0/16")
    found = next(each for each in judge(evidence).findings if each.code == "pod-cidr-overlap")
    told = [each.split(" ")[0] for each in str(found.near_miss).split("/24, ")]
    assert told == [f"worker-{n}" for n in range(11)]
