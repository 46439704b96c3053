"""What a node's firewall hides, what it does by lot, and which of its hooks lead to a chain."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from msgspec.structs import replace

from kthw.network.netfilter import Drop, Firewall
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain

REQUEST = Packet(
    source=IPv4Address("10.200.0.2"),
    destination=IPv4Address("10.200.1.2"),
    protocol="tcp",
    entering="cnio0",
    leaving="ens5",
)
PING = replace(REQUEST, protocol="icmp")
TOO_BIG = replace(PING, reply=True, too_big=True)
INPUT = Chain(tool="iptables", table="filter", name="INPUT", policy="ACCEPT", hook="input")


def forward(*rules: str, policy: str = "ACCEPT", cut: bool = False) -> Chain:
    return chain("FORWARD", *rules, policy=policy, cut=cut)


def chain(name: str, *rules: str, policy: str = "", cut: bool = False) -> Chain:
    said = tuple(f"-A {name} {rule}" for rule in rules)
    return Chain(tool="iptables", table="filter", name=name, policy=policy, rules=said, cut=cut)


def nft(*rules: str, policy: str = "ACCEPT") -> Chain:
    return Chain(tool="nft", table="inet guide", name="c", policy=policy, rules=rules)


@pytest.mark.parametrize(
    ("chains", "hides"),
    [
        ((), False),
        ((INPUT, forward("-j ACCEPT", "-s 10.9.0.0/16 -j DROP")), False),
        ((forward("-j PODS"), chain("PODS", "-j RETURN")), False),
        ((forward("-g PODS"), chain("PODS", "-j RETURN")), False),
        ((INPUT, forward("-j ACCEPT", cut=True)), True),
        ((forward("-j ACCEPT", "-j PODS"),), True),
        ((forward("-j ACCEPT", "-g PODS"),), True),
        ((INPUT, nft("accept", "queue to 0")), True),
        ((forward("-j ACCEPT", "-j PODS"), replace(chain("PODS"), table="nat")), True),
    ],
)
def test_a_firewall_hides_what_it_hands_packets_to_and_nobody_saw(
    chains: tuple[Chain, ...], *, hides: bool
) -> None:
    assert Firewall(chains).hides is hides


def test_what_may_drop_a_packet_is_told_of_the_first_hook_it_passes() -> None:
    doubted = forward("-m set --match-set blocked src -j DROP")
    assert Firewall([INPUT, doubted]).doubt(REQUEST) == Drop(doubted, doubted.rules[0])
    unseen = forward("-j PODS")
    assert Firewall([INPUT, unseen]).doubt(REQUEST) == Drop(unseen, unseen.rules[0])
    cut = forward(cut=True)
    assert Firewall([INPUT, cut]).doubt(REQUEST) == Drop(cut)
    assert Firewall([INPUT, forward("-j ACCEPT")]).doubt(REQUEST) is None
    assert Firewall([INPUT, forward()]).doubt(REQUEST) is None


def test_a_drop_is_found_behind_a_hook_that_the_packet_does_not_pass() -> None:
    dropping = forward(policy="DROP")
    assert Firewall([INPUT, dropping]).drops(REQUEST) == (Drop(dropping),)


def test_the_ports_that_rules_tell_apart_are_those_that_can_be_read() -> None:
    firewall = Firewall(
        [forward("-p tcp --dport 22 -j DROP", "-p tcp --sport 40:50 -j DROP", "-p tcp --dport ssh -j DROP")]
    )
    assert firewall.ports("destination-port") == [(22, 22)]
    assert firewall.ports("source-port") == [(40, 50)]


@pytest.mark.parametrize(
    ("rule", "by_lot"),
    [
        ("-m statistic --mode random --probability 0.1 -j DROP", True),
        ("-m limit --limit 3/min -j DROP", True),
        ("-m hashlimit --hashlimit-above 1/sec --hashlimit-name pods -j DROP", True),
        ("-m limit --limit 3/min -j ACCEPT", False),
        ("-m set --match-set blocked src -j DROP", False),
        ("-i limit -j DROP", False),
        ("-j DROP", False),
    ],
)
def test_what_drops_one_packet_and_lets_the_next_pass_is_known(rule: str, *, by_lot: bool) -> None:
    dropping = forward("-p udp -j ACCEPT", rule)
    firewall = Firewall([replace(INPUT, rules=(f"-A INPUT {rule}",)), dropping])
    assert firewall.by_lot is by_lot
    found = firewall.at_random(replace(REQUEST, entering="limit"))
    assert found == ([Drop(dropping, dropping.rules[1])] if by_lot else [])


LOT = "-m statistic --mode random --probability 0.1 -j DROP"


def test_what_drops_by_lot_is_found_behind_jumps_also_in_a_circle() -> None:
    pods, more = chain("PODS", "-j PODS", "-j MORE"), chain("MORE", "-j PODS", LOT)
    firewall = Firewall([forward("-j PODS", "-j MORE"), pods, more])
    assert firewall.at_random(REQUEST) == [Drop(more, more.rules[1])]
    aside = Firewall([forward("-p udp -j PODS"), chain("PODS", LOT)])
    assert aside.at_random(REQUEST) == []
    assert Firewall([nft("numgen random mod 10 0 drop")]).at_random(REQUEST)


def test_a_chain_is_of_the_hooks_that_lead_to_it() -> None:
    pods = chain("PODS", "-i cnio0 -j DROP")
    output = replace(INPUT, name="OUTPUT", hook="output", rules=("-A OUTPUT -j ACCEPT",))
    other = replace(INPUT, tool="nft", table="inet filter", hook="ingress", rules=("jump PODS",))
    jumping = replace(INPUT, rules=("-A INPUT -i cnio0 -j ACCEPT", "-A INPUT -j PODS"))
    assert Firewall([jumping, forward(), output, other, pods]).hooks_of(pods) == {"input"}
    both = Firewall([jumping, forward("-i cnio0 -j PODS"), output, pods])
    assert both.hooks_of(pods) == {"input", "forward"}
    assert both.hooks_of(output) == {"output"}


@pytest.mark.parametrize(
    ("packet", "match", "holds"),
    [
        (TOO_BIG, "ct state related", True),
        (TOO_BIG, "ct state established", False),
        (replace(PING, reply=True), "ct state related", False),
        (TOO_BIG, "icmp type destination-unreachable", True),
        (TOO_BIG, "icmp type 3", True),
        (TOO_BIG, "icmp type echo-reply", False),
        (TOO_BIG, "icmp type 3 icmp code 4", True),
        (TOO_BIG, "icmp code frag-needed", True),
        (TOO_BIG, "icmp code 0", False),
        (PING, "icmp code 0", True),
        (PING, "icmp code net-unreachable", True),
        (PING, "icmp code frag-needed", False),
        (PING, "meta nfproto ipv6", False),
        (REQUEST, "icmp code 0", False),
    ],
)
def test_what_says_that_a_packet_is_too_big_belongs_to_a_connection(
    packet: Packet, match: str, *, holds: bool
) -> None:
    """It is ICMP of a type and a code of its own, and a ping has none."""
    assert bool(Firewall([nft(f"{match} drop")]).drops(packet)) is holds
    assert bool(Firewall([nft(f"{match} accept", policy="DROP")]).drops(packet)) is not holds


@pytest.mark.parametrize("named", ["3", "3/4", "fragmentation-needed", "any"])
def test_iptables_names_what_is_too_big_in_its_own_way(named: str) -> None:
    assert Firewall([forward(f"-p icmp -m icmp --icmp-type {named} -j DROP")]).drops(TOO_BIG)


@pytest.mark.parametrize("number", ["64", "8080"])
def test_a_number_that_is_no_port_is_not_taken_for_one(number: str) -> None:
    rule = f"-m ttl --ttl-eq {number} -j"
    assert Firewall([forward(f"{rule} DROP")]).drops(REQUEST) == ()
    assert Firewall([forward(f"{rule} ACCEPT", policy="DROP")]).drops(REQUEST) == ()
