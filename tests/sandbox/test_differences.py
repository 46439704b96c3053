"""The fabric changes the kernel by differences: equal states cost nothing, one change touches one thing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox import firewall, forwarding, nftables, subnet
from sandbox.state import (
    AclEntry,
    Eni,
    Instance,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    State,
    Subnet,
    Vpc,
)

MARKS = {"rtb-1": 2000, **{f"eni-{number:017x}": 2000 + number for number in (1, 2, 3)}}


def eni(number: int, **changes: object) -> Eni:
    made = Eni(
        id=f"eni-{number:017x}", subnet="subnet-1", vpc="vpc-1", instance=f"i-{number}", index=0,
        addresses=(f"10.0.1.{20 + number}",), public=((f"10.0.1.{20 + number}", f"54.0.0.{number}"),),
        source_dest_check=False, security_groups=("sg-1",),
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's free choice of fields


def state(
    *routes: Route, enis: tuple[Eni, ...] = (eni(1), eni(2)), rules: tuple[SecurityRule, ...] = ()
) -> State:
    allow = AclEntry(100, egress=False, allow=True, protocol="-1", cidr="0.0.0.0/0")
    return State(
        vpcs={"vpc-1": Vpc("vpc-1", ("10.0.0.0/16",), "igw-1")},
        subnets={"subnet-1": Subnet("subnet-1", "vpc-1", "10.0.1.0/24", "rtb-1", "acl-1")},
        route_tables={"rtb-1": RouteTable("rtb-1", "vpc-1", routes)},
        enis={e.id: e for e in enis},
        instances={e.instance: Instance(e.instance, e.instance, running=True) for e in enis},
        security_groups={"sg-1": SecurityGroup("sg-1", "vpc-1", rules)},
        network_acls={"acl-1": NetworkAcl("acl-1", (allow, replace(allow, egress=True)))},
    )


def ruleset(of: State) -> nftables.Ruleset:
    return firewall.ruleset(of, "vpc-1", MARKS)


def link(*enis: Eni) -> nftables.Ruleset:
    return subnet.ruleset(state(enis=enis), "vpc-1", MARKS)


def kernel(of: State) -> forwarding.Routes:
    return forwarding.routes(of, "vpc-1", MARKS, "100.64.0.2")


POD = Route("10.200.1.0/24", "eni", eni(1).id)
LOCAL = Route("10.0.0.0/16", "local")


def test_equal_states_differ_in_nothing() -> None:
    """Reconciling the same state twice runs no command."""
    assert nftables.difference(ruleset(state(POD)), ruleset(state(POD))) == ""
    assert forwarding.difference(kernel(state(POD)), kernel(state(POD))) == ([], [])


def test_one_new_route_is_one_command_and_no_firewall_change() -> None:
    """CreateRoute adds one kernel route; the rest is not touched."""
    before, after = state(LOCAL), state(LOCAL, POD)
    added = f"route add 10.200.1.0/24 via 10.0.1.21 dev {firewall.link_name(eni(1).id)} onlink table 2000"
    assert forwarding.difference(kernel(before), kernel(after)) == ([], [added])
    assert nftables.difference(ruleset(before), ruleset(after)) == ""


@pytest.mark.parametrize(
    ("route", "how"),
    [
        (LOCAL, "throw"),
        (Route("0.0.0.0/0", "igw", "igw-1"), "via 100.64.0.2 dev igw"),
        (Route("10.200.1.0/24", "drop"), "blackhole"),
    ],
)
def test_each_kind_of_route_has_its_kernel_route(route: Route, how: str) -> None:
    """local looks among the ENIs, an internet gateway leads out, a blackhole drops."""
    assert kernel(state(route))[2000][route.destination] == how


def test_what_no_route_matches_is_dropped() -> None:
    """A table without a default route drops the rest silently, as AWS does."""
    assert kernel(state(LOCAL))[2000]["0.0.0.0/0"] == "blackhole"


def test_a_changed_route_is_removed_before_it_is_added() -> None:
    """A new target for a destination replaces the old one."""
    elsewhere = Route(POD.destination, "eni", eni(2).id)
    remove, add = forwarding.difference(kernel(state(POD)), kernel(state(elsewhere)))
    assert [c.split()[:2] for c in remove + add] == [["route", "del"], ["route", "add"]]
    assert "10.0.1.22" in add[0]


def test_one_new_rule_changes_one_chain() -> None:
    """AuthorizeSecurityGroupIngress rewrites its group's chain, and no other."""
    rule = SecurityRule("tcp", 22, 22, ("0.0.0.0/0",))
    script = nftables.difference(ruleset(state()), ruleset(state(rules=(rule,))))
    assert script.splitlines() == [
        "flush chain ip vpc group_in_sg_1",
        "add rule ip vpc group_in_sg_1 ip saddr 0.0.0.0/0 tcp dport 22 accept",
    ]


def test_source_dest_check_is_one_element() -> None:
    """ModifyInstanceAttribute changes one element of one set."""
    checked = eni(1, source_dest_check=True)
    script = nftables.difference(ruleset(state()), ruleset(state(enis=(checked, eni(2)))))
    assert script == f'add element ip vpc checked {{ "{firewall.link_name(checked.id)}" }}\n'


def test_a_vanished_eni_takes_its_elements_along() -> None:
    """Every element of a terminated instance's ENI is deleted, by key; nothing is added."""
    script = nftables.difference(ruleset(state()), ruleset(state(enis=(eni(2),))))
    lines = script.splitlines()
    assert lines
    assert all(line.startswith("delete element") for line in lines)
    assert not any(" : " in line for line in lines)
    assert any("10.0.1.21" in line for line in lines)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (SecurityRule("-1", cidrs=("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 accept"),
        (SecurityRule("tcp", 80, 90, ("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 tcp dport 80-90 accept"),
        (SecurityRule("tcp", 0, 65535, ("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 ip protocol tcp accept"),
        (SecurityRule("icmp", -1, -1, ("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 ip protocol icmp accept"),
        (SecurityRule("icmp", 8, -1, ("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 icmp type 8 accept"),
        (SecurityRule("icmp", 3, 4, ("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 icmp type 3 icmp code 4 accept"),
        (SecurityRule("50", cidrs=("10.0.0.0/16",)), "ip saddr 10.0.0.0/16 ip protocol 50 accept"),
        (SecurityRule("-1", groups=("sg-1",)), "ip saddr @members_sg_1 accept"),
        (SecurityRule("-1", groups=("sg-of-another-vpc",)), None),
    ],
)
def test_a_rule_says_in_nftables_what_it_says_in_ec2(rule: SecurityRule, expected: str | None) -> None:
    """Protocols, port ranges, ICMP types and groups as sources."""
    members = ruleset(state(rules=(rule,))).chains["group_in_sg_1"].members
    assert members == ((expected,) if expected else ())


def test_without_an_attached_gateway_nothing_has_a_public_address() -> None:
    """A detached internet gateway translates no address, in or out."""
    attached = state()
    detached = replace(attached, vpcs={"vpc-1": Vpc("vpc-1", ("10.0.0.0/16",))})
    assert ruleset(attached).sets["to_private"].members
    assert not ruleset(detached).sets["to_private"].members
    assert not ruleset(detached).sets["mapped"].members


def test_a_new_peer_is_an_answer_a_next_hop_and_a_watched_link() -> None:
    """RunInstances adds an element to each of the subnet's two maps and a chain on the new link, no more."""
    new = firewall.link_name(eni(2).id)
    assert nftables.difference(link(eni(1)), link(eni(1), eni(2))).splitlines() == [
        f'add chain netdev vpc {new} {{ type filter hook ingress device "{new}" priority 0; }}',
        f"flush chain netdev vpc {new}",
        f"add rule netdev vpc {new} jump link_subnet_1",
        "add element netdev vpc owners_subnet_1 { 10.0.1.22 : 06:00:00:00:00:02 }",
        "add element netdev vpc hops_subnet_1 { 06:00:00:00:00:02 : 0x7d2 }",
    ]


def test_a_link_is_released_before_it_goes() -> None:
    """Its chain is taken away, be it there or not; what is left of the table is as if it had never been."""
    gone = firewall.link_name(eni(2).id)
    script, left = subnet.released(link(eni(1), eni(2)), [gone, "eni-of-none"])
    assert script.splitlines() == [f"{step} chain netdev vpc {gone}" for step in ("add", "flush", "delete")]
    assert left.chains == link(eni(1)).chains
    assert all(
        line.startswith("delete element") for line in nftables.difference(left, link(eni(1))).splitlines()
    )
