"""Ranges: who has what overlaps one, which ranges pods are carved from, and which pod CIDR is nobody's."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from msgspec.structs import replace

from kthw.findings import workers
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.pods import Pods
from kthw.observed.evidence import Vpc
from tests.findings.changed_aws import with_inventory, with_route, with_user_data, without_route
from tests.findings.clusters import OK, VPC, healthy, route

OWNED = {
    "high": "10.1.0.0/24",
    "last": "10.0.1.255/32",
    "next": "10.0.2.0/25",
    "low": "10.0.1.0/25",
    "wide": "10.0.0.0/16",
    "one": "10.0.1.0/24",
}


def test_who_has_a_network_that_overlaps_is_found_once() -> None:
    owners = ranges.Owners({name: IPv4Network(cidr) for name, cidr in OWNED.items()})
    assert sorted(owners.holding(IPv4Network("10.0.1.0/24"))) == ["one", "wide"]
    assert sorted(owners.overlapping(IPv4Network("10.0.1.0/24"))) == ["last", "low", "one", "wide"]
    assert sorted(owners.overlapping(IPv4Network("10.0.1.0/32"))) == ["low", "one", "wide"]
    assert list(owners.overlapping(IPv4Network("10.2.0.0/16"))) == []
    assert list(owners.overlapping(IPv4Network("0.0.0.0/0"))) == [
        "wide",
        "one",
        "low",
        "last",
        "next",
        "high",
    ]


@pytest.mark.parametrize(
    ("cidrs", "expected"),
    [
        (("172.16.0.0/24", "172.200.0.0/24"), ("172.0.0.0/8",)),
        (("172.16.0.0/24", "173.16.0.0/24"), ("172.16.0.0/24", "173.16.0.0/24")),
        (
            ("192.168.7.0/24", "172.20.9.0/24", "10.1.2.0/24", "10.1.0.0/16", "100.64.3.0/24", "11.5.0.0/20"),
            ("10.1.0.0/16", "10.1.2.0/24", "11.5.0.0/20", "100.64.3.0/24", "172.20.9.0/24", "192.168.7.0/24"),
        ),
    ],
)
def test_pod_cidrs_that_have_less_than_a_byte_in_common_are_no_range(
    cidrs: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """They stand for themselves, the wider one before what is in it."""
    found = ranges.pod_ranges(IPv4Network(cidr) for cidr in cidrs)
    assert tuple(map(str, found)) == expected


BEYOND_THREE = ("10.200.3.0/24", *(f"10.200.{2**n}.0/{24 - n}" for n in range(2, 8)))
"""All of the tutorial's range but three pod CIDRs."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
FREE: dict[str, tuple[int, int, dict[str, str], tuple[str, ...], str]] = {
    "its own": (1, 3, {"w0": "10.200.0.0/24", "w": "10.200.1.0/24"}, (), "10.200.1.0/24"),
    "another's, so one beyond those of all": (0, 3, {"x": "10.200.0.0/24"}, (), "10.200.3.0/24"),
    "another one beyond for another place": (1, 3, {"x": "10.200.1.0/24"}, (), "10.200.4.0/24"),
    "free ones beyond": (1, 3, {"x": "10.200.1.0/24", "y": "10.200.3.0/24"}, (), "10.200.5.0/24"),
    "a wider one's": (1, 3, {"x": "10.200.0.0/22"}, (), "10.200.5.0/24"),
    "not that many beyond, so the first": (200, 201, {"x": "10.200.200.0/24"}, (), "10.200.201.0/24"),
    "none beyond, so the first of all": (1, 3, {"x": "10.200.1.0/24"}, BEYOND_THREE, "10.200.0.0/24"),
    "a place past all": (300, 301, {}, (), "10.200.0.0/24"),
    "the VPC has the tutorial's range": (1, 3, {}, ("10.200.0.0/16",), "10.128.1.0/24"),
    "and the next one": (1, 3, {}, ("10.200.0.0/16", "10.128.0.0/16"), "10.129.1.0/24"),
    "another worker has the next one": (1, 3, {"x": "10.128.0.0/16"}, ("10.200.0.0/16",), "10.129.1.0/24"),
    "a place past all of another range": (300, 301, {}, ("10.200.0.0/16",), "10.129.44.0/24"),
    "none at all": (1, 3, {}, PRIVATE, "None"),
    "no place": (-1, 2, {"w1": "10.200.1.0/24"}, (), "10.200.0.0/24"),
}


@pytest.mark.parametrize(("place", "of", "taken", "blocks", "expected"), FREE.values(), ids=FREE)
def test_a_free_pod_cidr_is_that_of_the_place_or_else_nobodys(
    place: int, of: int, taken: dict[str, str], blocks: tuple[str, ...], expected: str
) -> None:
    """For ``w``, at its place among so many."""
    places = {"w" if n == place else f"w{n}": n for n in range(of)}
    cidrs = {worker: IPv4Network(cidr) for worker, cidr in taken.items()}
    assert str(Pods(cidrs, places, map(IPv4Network, blocks)).free_for("w")) == expected


def test_suggested_pod_cidrs_differ_from_worker_to_worker() -> None:
    evidence = OK
    for worker in OK.intended.workers:
        evidence = with_user_data(evidence, worker, name=worker, pod_cidr="10.0.3.0/24")
    found = [
        workers.valid_pod_cidr(Network(evidence), worker)[-1].facts["suggested"]
        for worker in OK.intended.workers
    ]
    assert found == ["10.200.0.0/24", "10.200.1.0/24", "10.200.2.0/24"]


def test_what_leads_to_a_worker_that_nobody_asked_about_is_suggested_to_none() -> None:
    """``--workers worker-0,worker-3`` of a cluster of four; a NAT instance's route is nobody's pod CIDR."""
    evidence = with_route(without_route(healthy(4), "10.200.3.0/24", "0.0.0.0/0"), route(2, "0.0.0.0/0"))
    evidence = with_route(evidence, route(2, "10.200.0.0/16"))
    evidence = with_user_data(evidence, "worker-3", name="worker-3", pod_cidr="10.0.3.0/24")
    asked = replace(evidence.intended, workers=("worker-0", "worker-3"))
    network = Network(replace(evidence, intended=asked))
    assert workers.suggested_pod_cidr(network, "worker-3") == "10.200.4.0/24"


def test_where_the_vpc_has_the_tutorials_range_another_is_suggested() -> None:
    """Outside the VPC, and outside the pod CIDRs that others have there already."""
    blocks = ("10.0.0.0/16", "10.200.0.0/16", "10.128.0.0/16")
    evidence = with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=blocks),))
    evidence = with_user_data(evidence, "worker-2", name="worker-2", pod_cidr="10.129.7.0/24")
    network = Network(evidence)
    found = [workers.suggested_pod_cidr(network, worker) for worker in ("worker-0", "worker-1")]
    assert found == ["10.130.0.0/24", "10.130.1.0/24"]
    assert all(network.pods.is_free_for("", ranges.network(cidr)) for cidr in found)


def test_where_every_private_range_is_somebodys_the_tutorials_is_named_all_the_same() -> None:
    whole = {"worker-0": "10.0.0.0/8", "worker-1": "172.16.0.0/12", "worker-2": "192.168.0.0/16"}
    evidence = replace(healthy(4), intended=replace(healthy(4).intended, pod_cidrs=whole))
    assert workers.suggested_pod_cidr(Network(evidence), "worker-3") == "10.200.0.0/16"
