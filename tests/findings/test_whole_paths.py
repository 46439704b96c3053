"""All that each pair meets, and nothing else: judged once, for whoever meets the same."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Route, SecurityGroup, Vpc
from tests.findings.changed_aws import (
    by_eni,
    inventory_of,
    with_group,
    with_instance,
    with_interface,
    with_inventory,
    with_route,
    with_second_interface,
    with_table,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import NOT_MASQUERADED, with_cni, with_node, with_way
from tests.findings.clusters import ALL_IN, LOCAL, OK, ONE, VPC, route
from tests.findings.faults_of_installed_networks import FAULTS
from tests.findings.judged import codes

EVERY = tuple(itertools.permutations((0, 1, 2), 2))
TO_0 = ((1, 0), (2, 0))
TO_1 = ((0, 1), (2, 1))
FROM_1 = ((1, 0), (1, 2))
BOTH_WAYS = (*TO_1, *FROM_1)
COPIED = with_user_data(OK, "worker-1", pod_cidr="10.200.0.0/24")
"""worker-1's user data is that of worker-0; its CNI file is right."""
SECOND_ON = with_second_interface(NOT_MASQUERADED, 1, source_dest_check=True)
ABOUT_0 = with_cni(OK, "worker-1", subnet="10.200.0.0/24")
ELSEWHERE = with_cni(with_cni(OK, "worker-0", subnet="10.201.0.0/24"), "worker-1", subnet="10.201.0.0/24")
DIVERTED = with_route(OK, route(0, "10.200.1.128/25"))
MUTE = with_inventory(
    with_interface(OK, "worker-1", security_groups=("sg-0mute",)),
    security_groups=(
        *inventory_of(OK).security_groups,
        SecurityGroup(id="sg-0mute", vpc=VPC, ingress=(ALL_IN,), egress=()),
    ),
)
WIDER = with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),))
MISMATCH, OVERLAP, CHECK = "cni-subnet-mismatch", "pod-cidr-overlap", "source-dest-check-on"

Met = dict[tuple[int, int], list[str]]


def each(pairs: tuple[tuple[int, int], ...], *found: str) -> Met:
    return {pair: [*found] for pair in pairs}


def lone(evidence: Evidence, *nodes: str) -> Evidence:
    """Nobody logged in to the others."""
    return replace(evidence, nodes={name: evidence.nodes[name] for name in nodes})


PATHS: dict[str, tuple[Evidence, Met]] = {
    # Behind no masquerade, the answers are for the pod, and come by the ENI that the route names.
    "check on where the answers arrive": (with_route(SECOND_ON, *by_eni(ONE)), each(BOTH_WAYS, CHECK)),
    "check on where pods' packets leave": (
        with_route(
            with_interface(with_second_interface(NOT_MASQUERADED, 1), "worker-1", source_dest_check=True),
            *by_eni(ONE),
        ),
        each(BOTH_WAYS, CHECK),
    ),
    "one worker's own group lets nothing out": (MUTE, each(FROM_1, "security-group-blocks")),
    "neither ENI nor address was told of": (
        with_instance(OK, "worker-1", network_interfaces=(), address=""),
        {},
    ),
    "a subnet was not told of": (with_instance(OK, "worker-1", subnet=""), {}),
    "the user data was not read": (with_instance(OK, "worker-1", user_data=None), {}),
    "the user data was not read, and the worker is stopped": (
        with_instance(OK, "worker-1", user_data=None, state="stopped"),
        each(BOTH_WAYS, "worker-not-running"),
    ),
    "nobody, whose pod CIDR is an option": (
        without_instance(replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": ONE})), "worker-1"),
        each(BOTH_WAYS, "worker-missing"),
    ),
    "no table of its own, and no route": (
        with_table(without_route(OK, ONE), subnets=()),
        each(EVERY, "subnet-not-associated"),
    ),
    "a part is diverted, and nobody knows which has the pod": (
        with_node(DIVERTED, "worker-1", pod=""),
        each(TO_1, "route-shadowed"),
    ),
    "a part is diverted, and nobody logged in": (lone(DIVERTED), each(TO_1, "route-shadowed")),
    "the way to a block without workers is altered": (
        with_route(WIDER, Route(destination="10.9.0.0/16", network_interface="eni-0fw")),
        {},
    ),
    "no way to the nodes at all": (
        without_route(OK, LOCAL.destination, "0.0.0.0/0"),
        each(EVERY, "local-route-altered"),
    ),
    "forwarding was not told of": (with_node(OK, "worker-1", ip_forward=None), {}),
    "a plugin is missing": (
        with_node(OK, "worker-1", cni_plugins=("bridge", "loopback")),
        {
            (0, 1): ["cni-plugin-missing"],
            (2, 1): ["cni-plugin-missing"],
            **each(FROM_1, "cni-plugin-missing"),
        },
    ),
    "a plugin is missing, and the subnet is another's": (
        with_node(ABOUT_0, "worker-1", cni_plugins=("bridge", "loopback")),
        each(BOTH_WAYS, "cni-plugin-missing"),
    ),
    # The bridge takes what is for its own range: that of the peer, or that which the peer's pods are in.
    "the range of a peer nobody logged in to": (
        lone(ABOUT_0, "worker-1", "worker-2"),
        each((*TO_1, (1, 0)), MISMATCH),
    ),
    "the range of a peer whose file names none": (
        with_cni(ABOUT_0, "worker-0", subnet=""),
        {**each(TO_1, MISMATCH), (1, 0): [MISMATCH] * 2, (2, 0): [MISMATCH]},
    ),
    "both in one strange range": (
        ELSEWHERE,
        {**each((*TO_0, *TO_1), MISMATCH), (0, 1): [MISMATCH] * 2, (1, 0): [MISMATCH] * 2},
    ),
    "a file that names no range": (with_cni(OK, "worker-1", subnet=""), each(TO_1, MISMATCH)),
    # Packets meet what was made from user data; where that was wrong, it is what is to be mended.
    "copied user data": (COPIED, {}),
    "copied user data, and no route": (without_route(COPIED, ONE), each(TO_1, OVERLAP)),
    "copied user data, and pods by another way": (
        with_way(COPIED, "worker-1", "worker-1", device="ens5", route="10.200.1.0/24 via 10.0.1.1 dev ens5"),
        each(BOTH_WAYS, OVERLAP),
    ),
    "copied user data, and the check on": (
        with_interface(COPIED, "worker-1", source_dest_check=True),
        each(TO_1, CHECK),
    ),
    "copied user data, and nobody logged in": (
        lone(with_interface(COPIED, "worker-1", source_dest_check=True)),
        each(BOTH_WAYS, OVERLAP),
    ),
}


@pytest.mark.parametrize(("evidence", "met"), PATHS.values(), ids=PATHS)
def test_each_pair_meets_what_is_in_its_way_and_nothing_else(evidence: Evidence, met: Met) -> None:
    network = Network(evidence)
    found = {(a, b): codes(obstacles(network, f"worker-{a}", f"worker-{b}")) for a, b in EVERY}
    assert {pair: way for pair, way in found.items() if way} == met


@pytest.mark.parametrize(
    ("evidence", "other"),
    [
        (with_group(OK, egress=()), ("worker-2", "worker-1")),
        (with_group(OK, ingress=()), ("worker-0", "worker-2")),
        (with_interface(OK, "worker-1", source_dest_check=True), ("worker-2", "worker-1")),
    ],
)
def test_pairs_that_meet_the_same_get_the_very_same(evidence: Evidence, other: tuple[str, str]) -> None:
    """There are as many pairs as workers times workers: what is said of them is made once."""
    network = Network(evidence)
    met = obstacles(network, "worker-0", "worker-1")
    assert met
    assert obstacles(network, *other) is met


SELF: dict[str, tuple[Evidence, list[str]]] = {
    "a network of a plugin's own, and the check on": (
        FAULTS["Calico without tunnels, and a check on"][0],
        [],
    ),
    "the user data was not read": (with_instance(OK, "worker-1", user_data=None), []),
    "no route, the check on, and all groups shut": (
        with_interface(
            without_route(with_group(OK, ingress=(), egress=()), ONE), "worker-1", source_dest_check=True
        ),
        [],
    ),
    "forwarding off": (with_node(OK, "worker-1", ip_forward=False), []),
    "a plugin is missing": (
        with_node(OK, "worker-1", cni_plugins=("bridge", "loopback")),
        ["cni-plugin-missing"],
    ),
    "pods by another way": (
        with_way(OK, "worker-1", "worker-1", device="ens5", route="10.200.1.0/24 via 10.0.1.1 dev ens5"),
        ["node-route-conflict"],
    ),
}


@pytest.mark.parametrize(("evidence", "met"), SELF.values(), ids=SELF)
def test_between_a_node_and_its_own_pods_is_the_pod_network_only(evidence: Evidence, met: list[str]) -> None:
    assert codes(obstacles(Network(evidence), "worker-1", "worker-1")) == met
