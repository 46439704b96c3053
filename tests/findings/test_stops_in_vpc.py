"""Of the packets between pods, what AWS stops: which of its things it is, and what it is told as."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings.proof import Proof, fate, proofs
from kthw.network.flows import Flow
from kthw.network.model import Network
from kthw.observed.evidence import AclEntry, Evidence, Route, SecurityRule
from tests.findings.changed_aws import (
    TWO,
    inventory_of,
    with_acl,
    with_group,
    with_instance,
    with_interface,
    with_inventory,
    with_route,
    with_table,
    without_route,
)
from tests.findings.clusters import ACL, ACL_2, GROUP, HALVES, OK, ONE, route
from tests.findings.faults_of_node_routes import NODES
from tests.findings.faults_of_prefix_lists import ALONE, BY_VPN, LIST, TO_0, TO_1

NO_TCP_OUT: Final = tuple(SecurityRule(protocol=each, cidrs=("0.0.0.0/0",)) for each in ("udp", "icmp"))
BY_LIST: Final = SecurityRule(protocol="-1", prefix_lists=(LIST,))
TO_INTERNET: Final = Route(destination=HALVES[1], gateway="igw-0a")


def proof(evidence: Evidence, pair: str) -> Proof:
    ends = tuple(f"worker-{n}" for n in pair.split())
    return next(each for each in proofs(Network(evidence)) if (each.source, each.destination) == ends)


def told(found: Proof) -> str:
    """The smallest flow, what stops it, and as which finding that is told; or what was not seen."""
    if found.stop is None:
        return found.outcome
    end = f"{found.stop.code} {found.stop.subject}".strip() or "—"
    if found.stop.doubt:
        assert found.outcome == "unknown"
        return f"{found.flow}? {found.stop.where} ({found.stop.doubt})"
    return f"{found.flow}: {found.stop.where} | {end}"


def denying(*, egress: bool, **what: object) -> AclEntry:
    return replace(AclEntry(number=90, egress=egress, allow=False, cidr="0.0.0.0/0"), **what)


def in_two_groups(evidence: Evidence) -> Evidence:
    (group,) = inventory_of(evidence).security_groups
    second = replace(group, id="sg-0b", ingress=(), egress=())
    evidence = with_inventory(evidence, security_groups=(group, second))
    return with_interface(evidence, "worker-0", security_groups=(GROUP, "sg-0b"))


def without_acl(evidence: Evidence, acl: str) -> Evidence:
    return with_inventory(
        evidence, network_acls=tuple(a for a in inventory_of(evidence).network_acls if a.id != acl)
    )


@pytest.mark.parametrize(
    ("evidence", "pair", "said"),
    [
        (
            in_two_groups(with_group(OK, egress=NO_TCP_OUT)),
            "0 1",
            "tcp 10.200.0.2:32768 → 10.200.1.2:1: sg-0a, sg-0b egress | "
            "security-group-blocks sg-0a, sg-0b · egress",
        ),
        (
            with_interface(OK, "worker-1", security_groups=(GROUP, "sg-0gone")),
            "0 1",
            "icmp 10.200.0.2 → 10.200.1.2? eni-01 (group)",
        ),
        (
            with_interface(OK, "worker-1", security_groups=(GROUP, "sg-0gone")),
            "1 0",
            "icmp 10.200.1.2 → 10.200.0.2? eni-01 (group)",
        ),
        (
            with_instance(OK, "worker-1", network_interfaces=()),
            "1 0",
            "icmp 10.200.1.2 → 10.200.0.2? i-01 (group)",
        ),
        (with_group(OK, egress=(BY_LIST,)), "0 1", "icmp 10.200.0.2 → 10.200.1.2? pl-0a (prefix-list)"),
        (
            with_group(OK, egress=(replace(BY_LIST, protocol="udp"), *NO_TCP_OUT)),
            "0 1",
            "tcp 10.200.0.2:32768 → 10.200.1.2:1: sg-0a egress | security-group-blocks sg-0a · egress",
        ),
    ],
)
def test_the_groups_of_an_interface_are_told_together_and_what_was_not_seen_of_them(
    evidence: Evidence, pair: str, said: str
) -> None:
    assert told(proof(evidence, pair)) == said


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (without_acl(TWO, ACL), "icmp 10.200.0.2 → 10.200.2.2? subnet-0a (acl)"),
        (without_acl(TWO, ACL_2), "icmp 10.200.0.2 → 10.200.2.2? subnet-0b (acl)"),
        (
            with_acl(TWO, denying(egress=True, cidr="10.200.2.128/25"), acl=ACL),
            "icmp 10.200.0.2 → 10.200.2.128: acl-0a egress: 90 deny all → 10.200.2.128/25 | "
            "network-acl-blocks acl-0a · egress",
        ),
        (
            with_acl(TWO, denying(egress=False, cidr="10.200.2.128/25"), acl=ACL),
            "icmp 10.200.0.2 → 10.200.2.128: acl-0a ingress: 90 deny all ← 10.200.2.128/25 | "
            "network-acl-blocks acl-0a · ingress",
        ),
    ],
)
def test_the_entry_of_an_acl_is_told_and_where_none_was_seen_the_subnet(
    evidence: Evidence, said: str
) -> None:
    assert told(proof(evidence, "0 2")) == said


def test_of_one_flow_whose_answers_are_stopped_its_own_port_is_told() -> None:
    evidence = with_acl(TWO, denying(egress=True, protocol="6", from_port=40000, to_port=40009))
    ends = {"source": IPv4Address("10.200.0.7"), "destination": IPv4Address("10.200.2.7")}
    flow = Flow(**ends, protocol="tcp", port=443, asker=40003)
    found = fate(Network(evidence), "worker-0", "worker-2", flow)
    assert (found.outcome, found.flow) == ("stopped", flow)


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (with_inventory(OK, route_tables=()), "icmp 10.200.0.2 → 10.200.1.2? subnet-0a (table)"),
        (
            without_route(OK, ONE),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: 0.0.0.0/0 → igw-0a active | "
            "route-missing worker-1 (i-01, 10.0.1.21) · rtb-0a",
        ),
        (
            without_route(OK, ONE, "0.0.0.0/0"),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: — | route-missing worker-1 (i-01, 10.0.1.21) · rtb-0a",
        ),
        (
            with_route(ALONE, TO_INTERNET, route(1, HALVES[0], state="blackhole")),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: 10.200.1.0/25 → worker-1 (i-01, 10.0.1.21) blackhole | "
            "route-shadowed worker-1 (i-01, 10.0.1.21) · rtb-0a · 10.200.1.0/25",
        ),
        (
            with_route(OK, route(1, ONE, state="blackhole")),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: 10.200.1.0/24 → worker-1 (i-01, 10.0.1.21) blackhole | "
            "route-blackhole worker-1 (i-01, 10.0.1.21) · rtb-0a",
        ),
        # The list leads elsewhere, too: lost it is either way, and which of the two it is nobody can say.
        (
            with_route(ALONE, replace(BY_VPN, state="blackhole"), TO_0),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: 10.200.1.0/24 → vgw-0a blackhole | —",
        ),
        (
            with_table(with_route(ALONE, TO_1), subnets=()),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0main: — | subnet-not-associated subnet-0a",
        ),
    ],
)
def test_what_a_table_leads_astray_is_told_as_what_is_found_about_the_route_that_takes_it(
    evidence: Evidence, said: str
) -> None:
    assert told(proof(evidence, "0 1")) == said


UNREAD: Final = "icmp 10.200.0.2 → 10.200.1.2? pl-0a (prefix-list)"


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (with_route(OK, TO_0), UNREAD),
        (with_route(OK, replace(TO_1, state="blackhole")), UNREAD),
        (with_route(OK, TO_1), "proved"),
        (with_route(ALONE, TO_1), UNREAD),
        (
            with_route(ALONE, TO_INTERNET, TO_1),
            "icmp 10.200.0.2 → 10.200.1.128: rtb-0a: 10.200.1.128/25 → igw-0a active | "
            "route-shadowed worker-1 (i-01, 10.0.1.21) · rtb-0a · 10.200.1.128/25",
        ),
        (
            with_route(OK, replace(TO_INTERNET, destination=ONE), TO_1),
            "icmp 10.200.0.2 → 10.200.1.2: rtb-0a: 10.200.1.0/24 → igw-0a active | "
            "route-wrong-target worker-1 (i-01, 10.0.1.21) · rtb-0a",
        ),
    ],
)
def test_where_a_list_that_was_not_read_may_lead_them_otherwise_it_is_not_known(
    evidence: Evidence, said: str
) -> None:
    assert told(proof(evidence, "0 1")) == said


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        (with_instance(OK, "worker-1", network_interfaces=()), "eni-01 (group)"),
        (
            with_route(
                with_instance(OK, "worker-1", network_interfaces=()), route(1, ONE, network_interface="")
            ),
            "i-01 (group)",
        ),
        (with_instance(NODES, "worker-1", network_interfaces=()), "i-01 (group)"),
    ],
)
def test_at_an_interface_that_was_not_seen_nobody_knows_what_comes_in(evidence: Evidence, said: str) -> None:
    assert told(proof(evidence, "0 1")) == f"icmp 10.200.0.2 → 10.200.1.2? {said}"


def test_a_route_that_names_an_instance_only_leads_to_its_first_interface() -> None:
    checked = with_interface(OK, "worker-1", source_dest_check=True)
    evidence = with_route(checked, route(1, ONE, network_interface=""))
    assert told(proof(evidence, "0 1")) == told(proof(checked, "0 1")) != "proved"
    assert told(proof(with_route(OK, route(1, ONE, network_interface="")), "0 1")) == "proved"


def test_what_nodes_hand_to_each_other_comes_in_by_the_first_interface() -> None:
    assert told(proof(NODES, "0 1")) == "proved"
