"""The path of a pair names the obstacles it meets, there and back, the first one first; and no others."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import AclEntry, Evidence, Route, SecurityRule
from tests.findings.changed_aws import (
    in_two_subnets,
    with_acl,
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
from tests.findings.changed_nodes import masquerade_off, with_cni, with_forward_chain, with_node, with_way
from tests.findings.clusters import ACL, LOCAL, TABLE, TABLE_2, healthy, route
from tests.findings.faults import FAULTS, HEALTHY
from tests.findings.judged import codes, everything

OK = healthy()
TWO = in_two_subnets(OK)
BARE = masquerade_off(OK)
BARE_TWO = masquerade_off(TWO)
NODES_ONLY = (SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",)),)
PODS_ONLY = (SecurityRule(protocol="-1", cidrs=("10.200.0.0/16",)),)
MEMBERS = (SecurityRule(protocol="-1", groups=("sg-0a",)),)
ONE = "10.200.1.0/24"
DROPPING = with_forward_chain(OK, "worker-1", policy="DROP")
CHECKED = with_interface(BARE, "worker-1", source_dest_check=True)
NAMELESS = with_user_data(OK, "worker-1")
EVERY = tuple(itertools.permutations((0, 1, 2), 2))
TO_1 = ((0, 1), (2, 1))
FROM_1 = ((1, 0), (1, 2))
FROM_2 = ((2, 0), (2, 1))


def _by_eni(destination: str) -> Route:
    """To the second ENI of worker-1."""
    return Route(destination=destination, network_interface="eni-11")


def _deny(cidr: str, *, egress: bool) -> AclEntry:
    return AclEntry(number=1, egress=egress, allow=False, cidr=cidr)


# What is wrong, which ordered pairs fail, and the first obstacle each of them meets.
PATHS: dict[str, tuple[Evidence, tuple[tuple[int, int], ...], str]] = {
    "all is well": (OK, (), ""),
    "masquerade off, all is well": (BARE, (), ""),
    "route missing": (without_route(OK, ONE), TO_1, "route-missing"),
    # Without masquerade, the answers go to the pod as well.
    "route missing, masquerade off": (without_route(BARE, ONE), (*TO_1, *FROM_1), "route-missing"),
    "route to another worker": (with_route(OK, route(0, ONE)), TO_1, "route-wrong-target"),
    "blackhole": (
        with_route(OK, Route(destination=ONE, instance="i-0x", state="blackhole")),
        TO_1,
        "route-blackhole",
    ),
    "the part with the pod diverted": (with_route(OK, route(0, "10.200.1.0/25")), TO_1, "route-shadowed"),
    "a part without the pod diverted": (with_route(OK, route(0, "10.200.1.128/25")), (), ""),
    "missing in the other subnet's table": (
        without_route(TWO, ONE, table=TABLE_2),
        ((2, 1),),
        "route-in-unused-table",
    ),
    "table not associated": (with_table(OK, subnets=()), EVERY, "subnet-not-associated"),
    "second subnet not associated": (
        with_table(TWO, TABLE_2, subnets=()),
        ((2, 0), (2, 1)),
        "subnet-not-associated",
    ),
    # The check drops what is for a pod at its worker; what the worker sends has its own address.
    "source/dest check on": (
        with_interface(OK, "worker-1", source_dest_check=True),
        TO_1,
        "source-dest-check-on",
    ),
    "source/dest check on, masquerade off": (CHECKED, (*TO_1, *FROM_1), "source-dest-check-on"),
    "source/dest check on at the ENI for the half with the pod": (
        with_route(with_second_interface(OK, 1, source_dest_check=True), _by_eni("10.200.1.0/25")),
        TO_1,
        "source-dest-check-on",
    ),
    "source/dest check on at the ENI for the half without the pod": (
        with_route(with_second_interface(OK, 1, source_dest_check=True), _by_eni("10.200.1.128/25")),
        (),
        "",
    ),
    "source/dest check on at the ENI for a half, nobody knows which has the pod": (
        with_node(
            with_route(with_second_interface(OK, 1, source_dest_check=True), _by_eni("10.200.1.128/25")),
            "worker-1",
            pod="",
        ),
        TO_1,
        "source-dest-check-on",
    ),
    "source/dest check on at the ENI that one table names": (
        with_route(with_second_interface(TWO, 1, source_dest_check=True), _by_eni(ONE), table=TABLE_2),
        ((2, 1),),
        "source-dest-check-on",
    ),
    "source/dest check on at the ENI that pods leave by, masquerade off": (
        with_route(with_second_interface(CHECKED, 1, source_dest_check=False), _by_eni(ONE)),
        (*TO_1, *FROM_1),
        "source-dest-check-on",
    ),
    "local route replaced": (
        with_route(OK, Route(destination="10.0.0.0/16", network_interface="eni-0fw")),
        EVERY,
        "local-route-altered",
    ),
    "local route replaced, masquerade off": (
        with_route(BARE, Route(destination="10.0.0.0/16", network_interface="eni-0fw")),
        (),
        "",
    ),
    "ingress for pods only": (with_group(OK, ingress=PODS_ONLY), EVERY, "security-group-blocks"),
    "ingress for pods only, masquerade off": (with_group(BARE, ingress=PODS_ONLY), (), ""),
    "ingress for nodes only": (with_group(OK, ingress=NODES_ONLY), (), ""),
    "ingress for nodes only, masquerade off": (
        with_group(BARE, ingress=NODES_ONLY),
        EVERY,
        "security-group-blocks",
    ),
    "ingress for the group": (with_group(OK, ingress=MEMBERS), (), ""),
    "ingress for the group, masquerade off": (
        with_group(BARE, ingress=MEMBERS),
        EVERY,
        "security-group-blocks",
    ),
    "egress for nodes only": (with_group(OK, egress=NODES_ONLY), EVERY, "security-group-blocks"),
    "egress for the pods of two workers": (
        with_group(OK, egress=(SecurityRule(protocol="-1", cidrs=("10.200.0.0/24", "10.200.2.0/24")),)),
        TO_1,
        "security-group-blocks",
    ),
    "one node not in the rule": (FAULTS["one node not in the rule"][0], FROM_2, "security-group-blocks"),
    "groups that were not seen": (
        with_interface(with_group(OK, ingress=()), "worker-1", security_groups=("sg-0shared",)),
        ((0, 2), (1, 2), (1, 0), (2, 0)),
        "security-group-blocks",
    ),
    "egress for pods only": (with_group(OK, egress=PODS_ONLY), (), ""),
    "another group on the ENI to which one table leads": (
        FAULTS["another group on the ENI to which the other subnet's table leads"][0],
        ((2, 1),),
        "security-group-blocks",
    ),
    "another group on the primary ENI, to which one table leads": (
        FAULTS["another group on the primary ENI, to which one of two tables leads"][0],
        ((0, 1),),
        "security-group-blocks",
    ),
    "another group on the ENI for the half with the pod": (
        with_route(
            FAULTS["another group on the ENI where pods' packets arrive"][0], route(1, "10.200.1.128/25")
        ),
        TO_1,
        "security-group-blocks",
    ),
    "another group on the ENI for the half without the pod": (
        FAULTS["another group on the ENI where half of the packets arrive"][0],
        (),
        "",
    ),
    # worker-2's subnet: its ACL is passed by 2's requests and answers, and by those of 0 and 1.
    "ACL: pods out": (
        with_acl(TWO, _deny("10.200.0.0/16", egress=True)),
        ((2, 0), (2, 1)),
        "network-acl-blocks",
    ),
    "ACL: answers in": (
        with_acl(TWO, _deny("10.200.0.0/16", egress=False)),
        ((2, 0), (2, 1)),
        "network-acl-blocks",
    ),
    "ACL: nodes in": (
        with_acl(TWO, _deny("10.0.1.0/24", egress=False)),
        ((0, 2), (1, 2)),
        "network-acl-blocks",
    ),
    "ACL: answers out": (
        with_acl(TWO, _deny("10.0.1.0/24", egress=True)),
        ((0, 2), (1, 2)),
        "network-acl-blocks",
    ),
    "ACL: one node in": (with_acl(TWO, _deny("10.0.1.20/32", egress=False)), ((0, 2),), "network-acl-blocks"),
    "ACL: pods, masquerade off": (
        with_acl(BARE_TWO, _deny("10.200.0.0/16", egress=True)),
        ((2, 0), (2, 1), (0, 2), (1, 2)),
        "network-acl-blocks",
    ),
    "ACLs that were not seen": (with_inventory(TWO, network_acls=()), (), ""),
    "ACL of the one subnet is not asked": (with_acl(OK, _deny("0.0.0.0/0", egress=True), acl=ACL), (), ""),
    "forwarding off": (with_node(OK, "worker-1", ip_forward=False), (*TO_1, *FROM_1), "forwarding-off"),
    "policy DROP": (DROPPING, (*TO_1, *FROM_1), "forward-dropped"),
    "policy DROP, and nobody logged in to a peer": (
        replace(
            DROPPING,
            nodes={w: n for w, n in DROPPING.nodes.items() if w != "worker-0"},
        ),
        (*TO_1, *FROM_1),
        "forward-dropped",
    ),
    "only what pods open is dropped": (
        with_forward_chain(OK, "worker-1", "-i cnio0 -m state --state NEW -j DROP"),
        FROM_1,
        "forward-dropped",
    ),
    "only one peer's node is dropped": (
        with_forward_chain(OK, "worker-1", "-s 10.0.1.20/32 -j DROP"),
        ((0, 1),),
        "forward-dropped",
    ),
    "what comes from a peer's pods is dropped": (
        with_forward_chain(OK, "worker-1", "-s 10.200.0.0/24 -j DROP"),
        ((1, 0),),
        "forward-dropped",
    ),
    "what comes from a peer's pods is dropped, masquerade off": (
        with_forward_chain(BARE, "worker-1", "-s 10.200.0.0/24 -j DROP"),
        ((1, 0), (0, 1)),
        "forward-dropped",
    ),
    "a node drops what is for a peer": (
        with_way(OK, "worker-1", "worker-0", device="", kind="blackhole", route="blackhole 10.200.0.0/24"),
        ((1, 0),),
        "node-route-conflict",
    ),
    "a node drops what is for a peer, masquerade off": (
        with_way(BARE, "worker-1", "worker-0", device="", kind="blackhole", route="blackhole 10.200.0.0/24"),
        ((1, 0), (0, 1)),
        "node-route-conflict",
    ),
    "a node loses its own pods": (
        with_way(OK, "worker-1", "worker-1", device="ens5", route="10.200.1.0/24 via 10.0.1.1 dev ens5"),
        (*TO_1, *FROM_1),
        "node-route-conflict",
    ),
    "no CNI file": (with_node(OK, "worker-1", cni=()), (*TO_1, *FROM_1), "cni-config-missing"),
    # Such pods send behind their node's address, but are not where the VPC looks for them.
    "CNI subnet of nobody": (with_cni(OK, "worker-1", subnet="10.201.1.0/24"), TO_1, "cni-subnet-mismatch"),
    "CNI subnet of nobody, masquerade off": (
        with_cni(BARE, "worker-1", subnet="10.201.1.0/24"),
        (*TO_1, *FROM_1),
        "cni-subnet-mismatch",
    ),
    "CNI subnet of worker-0": (
        with_cni(OK, "worker-1", subnet="10.200.0.0/24"),
        (*TO_1, (1, 0)),
        "cni-subnet-mismatch",
    ),
    "worker stopped": (
        with_route(with_instance(OK, "worker-1", state="stopped"), route(1, ONE, state="blackhole")),
        (*TO_1, *FROM_1),
        "worker-not-running",
    ),
    "worker gone": (without_instance(OK, "worker-1"), (*TO_1, *FROM_1), "worker-missing"),
    # Packets never see the user data, only what was made from it.
    "no pod CIDR, all else is well": (NAMELESS, (), ""),
    "no pod CIDR but the CNI file's, and no route": (without_route(NAMELESS, ONE), TO_1, "route-missing"),
    "no pod CIDR but the CNI file's, and a route elsewhere": (
        with_route(NAMELESS, route(0, ONE)),
        TO_1,
        "route-wrong-target",
    ),
    "no pod CIDR, and another fault": (
        with_interface(NAMELESS, "worker-1", source_dest_check=True),
        TO_1,
        "source-dest-check-on",
    ),
    "no pod CIDR, and an empty subnet": (
        with_cni(without_route(NAMELESS, ONE), "worker-1", subnet=""),
        (*TO_1, *FROM_1),
        "pod-cidr-missing",
    ),
    "no pod CIDR, and nobody logged in": (
        replace(without_route(NAMELESS, ONE), nodes={}),
        (*TO_1, *FROM_1),
        "pod-cidr-missing",
    ),
    "another's pod CIDR, all else is well": (
        with_user_data(OK, "worker-1", **{"pod-cidr": "10.200.0.0/24"}),
        (),
        "",
    ),
    "another's pod CIDR, and another fault": (
        with_user_data(CHECKED, "worker-1", **{"pod-cidr": "10.200.0.0/24"}),
        (*TO_1, *FROM_1),
        "source-dest-check-on",
    ),
    "another's pod CIDR, and pods made of it": (
        with_cni(
            with_user_data(OK, "worker-1", **{"pod-cidr": "10.200.0.0/24"}),
            "worker-1",
            subnet="10.200.0.0/24",
        ),
        (*TO_1, *FROM_1),
        "pod-cidr-overlap",
    ),
}


@pytest.mark.parametrize(("evidence", "failing", "first"), PATHS.values(), ids=PATHS)
def test_exactly_the_pairs_whose_packets_meet_it_fail(
    evidence: Evidence, failing: tuple[tuple[int, int], ...], first: str
) -> None:
    network = Network(evidence)
    met = {
        (a, b): codes(obstacles(network, f"worker-{a}", f"worker-{b}"))[:1]
        for a, b in itertools.permutations((0, 1, 2), 2)
    }
    assert {pair for pair, found in met.items() if found} == set(failing)
    assert {code for found in met.values() for code in found} <= {first}


def test_obstacles_come_in_the_order_of_the_path() -> None:
    evidence = with_node(
        with_interface(without_route(OK, ONE), "worker-1", source_dest_check=True),
        "worker-0",
        ip_forward=False,
    )
    evidence = with_node(with_group(evidence, ingress=(), egress=()), "worker-1", ip_forward=False)
    evidence = with_forward_chain(evidence, "worker-1", policy="DROP")
    evidence = with_way(evidence, "worker-0", "worker-1", via="10.0.1.9", route="10.200.1.0/24 via 10.0.1.9")
    evidence = with_route(
        evidence, Route(destination=LOCAL.destination, network_interface="eni-0fw"), table=TABLE
    )
    assert codes(obstacles(Network(evidence), "worker-0", "worker-1")) == [
        "forwarding-off",
        "node-route-conflict",
        "security-group-blocks",
        "route-missing",
        "source-dest-check-on",
        "security-group-blocks",
        "forwarding-off",
        "forward-dropped",
        "local-route-altered",
    ]


def test_a_node_nobody_logged_in_to_is_no_obstacle() -> None:
    assert obstacles(Network(replace(OK, nodes={})), "worker-0", "worker-1") == []


@pytest.mark.parametrize("evidence", HEALTHY.values(), ids=HEALTHY)
def test_no_pair_of_a_healthy_cluster_meets_an_obstacle(evidence: Evidence) -> None:
    for source, destination in itertools.product(evidence.intended.workers, repeat=2):
        assert obstacles(Network(evidence), source, destination) == []


@pytest.mark.parametrize("evidence", [evidence for evidence, _ in FAULTS.values()], ids=FAULTS)
def test_every_obstacle_is_a_finding_of_some_check(evidence: Evidence) -> None:
    """One home for each judgement: the path says nothing that no check says."""
    told = {(finding.code, finding.subject) for finding in everything(evidence)}
    for source, destination in itertools.product(evidence.intended.workers, repeat=2):
        assert {(f.code, f.subject) for f in obstacles(Network(evidence), source, destination)} <= told


def test_user_data_that_was_not_seen_hides_no_way_that_was() -> None:
    unread = with_instance(FAULTS["a node's own pods are sent to the VPC"][0], "worker-1", user_data=None)
    assert codes(obstacles(Network(unread), "worker-1", "worker-1")) == ["node-route-conflict"]


def test_a_table_that_was_not_seen_is_no_obstacle() -> None:
    """The report asks for every pair: what could not be looked at is the checks' to say."""
    unseen = with_inventory(with_interface(OK, "worker-1", source_dest_check=True), route_tables=())
    for evidence in (unseen, with_group(unseen, ingress=(), egress=())):
        network = Network(evidence)
        assert codes(obstacles(network, "worker-0", "worker-1")) == ["source-dest-check-on"]
        assert obstacles(network, "worker-0", "worker-2") == []
