"""Where on its way a packet meets a node's firewall, and what is known of it there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any, Final, get_args

import pytest
from msgspec.structs import replace

from kthw.network.netfilter import Firewall
from kthw.network.packet import Course, Packet
from kthw.observed.evidence import Chain

POD, OTHER, NODE = map(IPv4Address, ("10.200.0.2", "10.200.1.2", "10.0.1.20"))
OUT = Packet(source=POD, destination=OTHER, protocol="tcp", entering="cnio0", leaving="ens5")
TO_POD = replace(OUT, source=OTHER, destination=POD, entering="ens5", leaving="cnio0", course="in")
HOOKS: Final = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
MET = {
    ("ip", "out"): "ingress prerouting forward postrouting egress",
    ("ip", "in"): "ingress prerouting forward postrouting egress",
    ("ip", "to-node"): "ingress prerouting input",
    ("ip", "from-node"): "output postrouting egress",
    ("bridge", "out"): "prerouting input",
    ("bridge", "in"): "output postrouting",
    ("bridge", "to-node"): "prerouting input",
    ("bridge", "from-node"): "output postrouting",
}
"""A bridge hands what is for its node over to it, and takes what comes from there."""


def at(hook: str, *rules: str, policy: str = "ACCEPT", family: str = "ip", **about: Any) -> Chain:
    devices = ("cnio0", "ens5")
    made = Chain(tool="nft", table=f"{family} guide", name="c", policy=policy, devices=devices, rules=rules)
    return replace(made, hook=hook, **about)


def is_dropped(packet: Packet, chain: Chain) -> bool:
    return bool(Firewall([chain]).drops(packet))


def where(packet: Packet, *rules: str, **about: Any) -> str:
    """The hooks at which it is dropped."""
    return " ".join(hook for hook in HOOKS if is_dropped(packet, at(hook, *rules, **about)))


@pytest.mark.parametrize(("family", "course"), MET)
def test_a_packet_passes_the_hooks_of_its_course(family: str, course: Course) -> None:
    assert where(replace(OUT, course=course), policy="DROP", family=family) == MET[family, course]
    assert {each for _, each in MET} == set(get_args(Course))


def test_an_interfaces_own_hooks_are_asked_about_what_passes_that_interface() -> None:
    assert where(OUT, policy="DROP", devices=("cnio0",)) == "ingress prerouting forward postrouting"
    assert where(OUT, policy="DROP", devices=("ens5",)) == "prerouting forward postrouting egress"
    assert where(OUT, policy="DROP", devices=("lo",)) == "prerouting forward postrouting"


def known(packet: Packet, match: str, otherwise: str, **about: Any) -> str:
    """The hooks at which a match holds for sure, and one that does not hold may not hold either."""
    sure = where(packet, f"{match} drop", **about)
    assert where(packet, f"{otherwise} accept", policy="DROP", **about) == sure
    return sure


def courses() -> Iterator[Packet]:
    for course in get_args(Course):
        yield replace(OUT, course=course)


def test_the_interface_it_came_by_is_known_before_it_is_sent_and_the_other_one_after() -> None:
    entered = [known(each, "iifname cnio0", "iifname lo") for each in courses()]
    assert entered == ["ingress prerouting forward"] * 2 + ["ingress prerouting input", ""]
    leaving = [known(each, "oifname ens5", "oifname lo") for each in courses()]
    assert leaving == ["forward postrouting egress"] * 2 + ["", "output postrouting egress"]


def test_of_a_bridges_ports_none_is_known() -> None:
    for packet in courses():
        for match in ("iifname cnio0", "oifname cnio0", "iifname ens5", "oifname ens5"):
            assert known(packet, match, match.replace("name ", "name v"), family="bridge") == ""


@pytest.mark.parametrize("priority", [-201, -200, 0])
def test_connections_are_known_from_where_the_kernel_looks_them_up(priority: int) -> None:
    """At the first hook of a way from there on, behind it always; of an interface or a bridge never."""
    early = priority < -200
    found = [known(each, "ct state new", "ct state invalid", priority=priority) for each in courses()]
    passing = "forward postrouting" if early else "prerouting forward postrouting"
    to, back = ("input", "postrouting") if early else ("prerouting input", "output postrouting")
    assert found == [passing, passing, to, back]
    for each in courses():
        assert known(each, "ct state new", "ct state invalid", priority=priority, family="bridge") == ""


@pytest.mark.parametrize(
    ("packet", "match", "priority", "hooks"),
    [
        (OUT, f"ip saddr {NODE}", 100, "egress"),
        (OUT, f"ip saddr {NODE}", 101, "postrouting egress"),
        (OUT, f"ip saddr {POD}", 101, "ingress prerouting forward"),
        (TO_POD, f"ip daddr {NODE}", -100, "ingress"),
        (TO_POD, f"ip daddr {NODE}", -101, "ingress prerouting"),
        (TO_POD, f"ip daddr {POD}", -101, "forward postrouting egress"),
        (replace(TO_POD, course="to-node"), f"ip daddr {NODE}", -101, ""),
        (replace(OUT, course="from-node"), f"ip saddr {NODE}", 101, ""),
    ],
)
def test_a_masqueraded_packet_has_the_nodes_address_on_the_vpcs_side_only(
    packet: Packet, match: str, priority: int, hooks: str
) -> None:
    assert where(replace(packet, masked=NODE), f"{match} drop", priority=priority) == hooks


def test_a_packet_that_nothing_masquerades_has_the_pods_address_everywhere() -> None:
    for packet, match in ((OUT, f"ip saddr {POD}"), (TO_POD, f"ip daddr {POD}")):
        for priority in (-300, 300):
            assert where(packet, f"{match} drop", priority=priority) == MET["ip", packet.course]


def test_no_bridge_sees_the_nodes_address_in_a_pods_place() -> None:
    for packet, asked in ((OUT, "saddr"), (TO_POD, "daddr")):
        masked = replace(packet, masked=NODE)
        for priority in (-300, 300):
            assert where(masked, f"ip {asked} {NODE} drop", family="bridge", priority=priority) == ""


def test_answers_pass_by_what_is_asked_of_new_connections_only() -> None:
    assert where(OUT, policy="DROP", nat=True) == MET["ip", "out"]
    assert where(replace(OUT, reply=True), policy="DROP", nat=True) == ""


@pytest.mark.parametrize(
    ("match", "asked", "answered"),
    [
        ("tcp dport 22", True, False),
        ("tcp sport 22", False, True),
        ("tcp sport 40000", True, False),
        ("tcp dport 40000", False, True),
        ("tcp dport 23", False, False),
        ("tcp dport 21", False, False),
        ("tcp sport 39999", False, False),
    ],
)
def test_of_one_connection_both_ports_are_known(match: str, *, asked: bool, answered: bool) -> None:
    one = replace(OUT, port=22, asker=40000)
    assert is_dropped(one, at("forward", f"{match} drop")) is asked
    assert is_dropped(one, at("forward", f"{match} accept", policy="DROP")) is not asked
    assert is_dropped(replace(one, reply=True), at("forward", f"{match} drop")) is answered


def test_what_is_asked_of_one_port_may_come_from_any_that_linux_takes() -> None:
    one = replace(OUT, port=22)
    assert is_dropped(one, at("forward", "tcp sport 32768-60999 drop"))
    assert not is_dropped(one, at("forward", "tcp sport 40000 drop"))
    assert is_dropped(replace(OUT, asker=40000), at("forward", "tcp dport 8080 drop"))
