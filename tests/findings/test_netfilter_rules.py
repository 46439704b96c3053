"""What a firewall's rules do with the packets of pods: by one rule's matches, and by chains of rules.

The rules are as ``iptables-save`` 1.8 and ``nft -a list ruleset`` 1.0 print them.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

import pytest

from kthw.network.netfilter import Drop, Firewall
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain

OURS, THEIRS = IPv4Address("10.200.0.2"), IPv4Address("10.200.1.2")
PING = Packet(source=OURS, destination=THEIRS, protocol="icmp", entering="cnio0", leaving="ens5")
PONG = Packet(source=THEIRS, destination=OURS, protocol="icmp", entering="ens5", leaving="cnio0", reply=True)
REQUEST = Packet(source=OURS, destination=THEIRS, protocol="tcp", entering="cnio0", leaving="ens5")
RESPONSE = Packet(
    source=THEIRS, destination=OURS, protocol="tcp", entering="ens5", leaving="cnio0", reply=True
)
PACKETS: Final = {"ping": PING, "pong": PONG, "request": REQUEST, "response": RESPONSE}
BOTH_WAYS = "ping pong request response"
OUT, BACK, TCP, ICMP = "ping request", "pong response", "request response", "ping pong"


def iptables(name: str, *rules: str, policy: str = "", cut: bool = False) -> Chain:
    said = tuple(f"-A {name} {rule}" for rule in rules)
    return Chain(tool="iptables", table="filter", name=name, policy=policy, rules=said, cut=cut)


def nft(name: str, *rules: str, policy: str = "") -> Chain:
    said = tuple(f"{rule} # handle {n}" for n, rule in enumerate(rules, 2))
    return Chain(tool="nft", table="inet guide", name=name, policy=policy, rules=said)


def told(*chains: Chain, of: Packet = PING) -> list[str]:
    """What drops the packet, in the order in which it is told."""
    return [drop.rule or f"policy of {drop.chain.name}" for drop in Firewall(chains).drops(of)]


MATCHES: list[tuple[str, str, str, str]] = [
    # what it is, the matches, the packets that they hold for, those that they may hold for
    ("everything", "", BOTH_WAYS, ""),
    ("one pod's address", "-s 10.200.0.2/32", OUT, ""),
    ("a neighbour's address", "-s 10.200.0.3/32", "", ""),
    ("the other's pod CIDR", "-d 10.200.1.0/24", OUT, ""),
    ("from anywhere else", "! -s 10.200.0.0/24", BACK, ""),
    ("from the network that it is in", "! -s 10.200.0.0/16", "", ""),
    ("an address and the other's network", "-s 10.200.0.2/32 -d 10.200.1.0/24", OUT, ""),
    ("right address, wrong network", "-s 10.200.0.2/32 -d 10.200.9.0/24", "", ""),
    ("a mask with holes", "-s 10.0.0.0/255.0.255.0", "", BOTH_WAYS),
    ("a range of addresses", "-m iprange --src-range 10.200.0.1-10.200.0.9", OUT, ""),
    ("a range that ends below", "-m iprange --src-range 10.199.0.1-10.200.0.1", "", ""),
    ("a range, by its other end", "-m iprange --dst-range 10.200.1.2-10.200.1.9", OUT, ""),
    ("a range the wrong way round", "-m iprange --src-range 10.200.0.9-10.200.0.1", "", BOTH_WAYS),
    ("the bridge", "-i cnio0", OUT, ""),
    ("out of the bridge", "-o cnio0", BACK, ""),
    ("every card of a name", "-i ens+", BACK, ""),
    ("every card of a longer name", "-i ens6+", "", ""),
    ("a card with a longer name", "-i ens50", "", ""),
    ("all but the bridge", "! -i cnio0", BACK, ""),
    ("ICMP", "-p icmp", ICMP, ""),
    ("TCP", "-p tcp", TCP, ""),
    ("all but TCP", "! -p tcp", ICMP, ""),
    ("UDP", "-p udp", "", ""),
    ("connections that begin", "-m conntrack --ctstate NEW", OUT, ""),
    ("what belongs to a connection", "-m conntrack --ctstate RELATED,ESTABLISHED", BACK, ""),
    ("by its older name", "-m state --state ESTABLISHED", BACK, ""),
    ("what belongs to none", "-m conntrack --ctstate INVALID", "", ""),
    ("pings", "-p icmp -m icmp --icmp-type 8", "ping", ""),
    ("pings with their code", "-p icmp -m icmp --icmp-type 8/0", "ping", ""),
    ("answers to pings", "-p icmp -m icmp --icmp-type 0", "pong", ""),
    ("answers to pings with their code", "-p icmp -m icmp --icmp-type 0/0", "pong", ""),
    ("any ICMP", "-p icmp -m icmp --icmp-type any", ICMP, ""),
    ("all of ICMP but pings", "-p icmp -m icmp ! --icmp-type 8", "pong", ""),
    ("other ICMP", "-p icmp -m icmp --icmp-type 3/4", "", ""),
    ("the port that is asked", "-p tcp -m tcp --dport 8080", "request", ""),
    ("the port that answers", "-p tcp -m tcp --sport 8080", "response", ""),
    ("the port below", "-p tcp -m tcp --dport 8079", "", ""),
    ("the port above", "-p tcp -m tcp --dport 8081", "", ""),
    ("a port that connections come from", "-p tcp -m tcp --sport 40000", "", "request"),
    ("all ports that connections come from", "-p tcp -m tcp --sport 32768:60999", "request", ""),
    ("all of them but the first", "-p tcp -m tcp --sport 32769:60999", "", "request"),
    ("all of them but the last", "-p tcp -m tcp --dport 32768:60998", "", "response"),
    ("the first of them", "-p tcp -m tcp --sport 32768", "", "request"),
    ("the last of them", "-p tcp -m tcp --dport 60999", "", "response"),
    ("what is below and above them", "-p tcp -m multiport --sports 9000:32767,61000:65535", "", ""),
    ("every port but the lowest", "-p tcp -m tcp --sport 1024:65535", TCP, ""),
    ("several ports", "-p tcp -m multiport --dports 22,8080", "request", ""),
    ("several ports and ranges", "-p tcp -m multiport --dports 22,8000:8999,9090", "request", ""),
    ("a range twice", "-p tcp -m multiport --sports 40000:60999,40000:60999", "", "request"),
    ("one of them among others", "-p tcp -m multiport --sports 22,40000", "", "request"),
    ("a port by a name", "-p tcp -m tcp --dport http-alt", "", TCP),
    ("all but the port that is asked", "-p tcp -m tcp ! --dport 8080", "response", ""),
    ("all but another port", "-p tcp -m tcp ! --dport 22", TCP, ""),
    ("a match that nobody here knows", "-m physdev --physdev-is-bridged", "", BOTH_WAYS),
    ("the same of one protocol", "-p tcp -m physdev --physdev-is-bridged", "", TCP),
    ("the same before what holds", "-m set --match-set pods src -i cnio0", "", OUT),
    ("the same before what does not hold", "-m set --match-set pods src -p udp", "", ""),
]
NFT_MATCHES: list[tuple[str, str, str, str]] = [
    ("a set of networks", "ip saddr { 10.9.0.0/16, 10.200.0.0/24 }", OUT, ""),
    ("a set of ranges", "ip saddr { 10.9.0.1-10.9.0.9, 10.200.0.1-10.200.0.9 }", OUT, ""),
    ("a set by its name", "ip saddr @pods", "", BOTH_WAYS),
    ("all but a set by its name", "ip saddr != @pods", "", BOTH_WAYS),
    ("a set with a comment", 'ip saddr { 10.200.0.2 comment "pod", 10.9.0.1 }', "", BOTH_WAYS),
    ("every card of a name", 'iifname "ens*"', BACK, ""),
    ("a set of cards", 'iifname { "eth*", "cnio0" }', OUT, ""),
    ("a set of cards by its name", "iifname @cards", "", BOTH_WAYS),
    ("two protocols", "meta l4proto { icmp, udp }", ICMP, ""),
    ("ICMP by its number", "ip protocol 1", ICMP, ""),
    ("TCP by its number", "ip protocol 6", TCP, ""),
    ("the protocol with the number 0", "ip protocol ip", "", ""),
    ("a range of protocols", "meta l4proto 1-6", "", BOTH_WAYS),
    ("a range among protocols", "meta l4proto { udp, 1-6 }", "", BOTH_WAYS),
    ("protocols by the name of a set", "meta l4proto @protocols", "", BOTH_WAYS),
    ("pings", "icmp type echo-request", "ping", ""),
    ("answers", "icmp type echo-reply", "pong", ""),
    ("both", "icmp type { echo-reply, echo-request }", ICMP, ""),
    ("all of ICMP but pings", "icmp type != echo-request", "pong", ""),
    ("a range of types", "icmp type 0-8", "", ICMP),
    ("the port that is asked", "tcp dport 8080", "request", ""),
    ("a range of ports", "tcp dport 8000-8999", "request", ""),
    ("all of TCP but one port", "tcp dport != 22", TCP, ""),
    ("ports of no protocol", "th dport != 22", TCP, ICMP),
    ("ports of other protocols", "udp dport 1-65535", "", ""),
    ("connections that begin", "ct state new", OUT, ""),
    ("what belongs to one", "ct state established,related", BACK, ""),
]


def held(name: str, matches: str) -> tuple[str, str]:
    """The packets that the matches hold for, and those that they may hold for.

    What is sure is dropped by the rule; what may be is let through by a rule that accepts.
    """
    drop, accept = ("-j DROP", "-j ACCEPT") if name == "FORWARD" else ("drop", "accept")
    make = iptables if name == "FORWARD" else nft
    dropping = make(name, f"{matches} {drop}", policy="ACCEPT")
    accepting = make(name, f"{matches} {accept}", policy="DROP")
    sure = [each for each, packet in PACKETS.items() if told(dropping, of=packet)]
    possible = [each for each, packet in PACKETS.items() if not told(accepting, of=packet)]
    assert set(sure) <= set(possible)
    return " ".join(sure), " ".join(each for each in possible if each not in sure)


@pytest.mark.parametrize(
    ("matches", "sure", "possible"), [row[1:] for row in MATCHES], ids=[row[0] for row in MATCHES]
)
def test_a_rule_of_iptables_holds_for(matches: str, sure: str, possible: str) -> None:
    """A packet counts as dropped only where the rule is sure to hold, as accepted where it may."""
    assert held("FORWARD", matches) == (sure, possible)


@pytest.mark.parametrize(
    ("matches", "sure", "possible"), [row[1:] for row in NFT_MATCHES], ids=[row[0] for row in NFT_MATCHES]
)
def test_a_rule_of_nft_holds_for(matches: str, sure: str, possible: str) -> None:
    """The same in the other tool's language."""
    assert held("forward", matches) == (sure, possible)


QUESTION = Packet(source=OURS, destination=THEIRS, protocol="udp", entering="cnio0", leaving="ens5")
ANSWER = Packet(source=THEIRS, destination=OURS, protocol="udp", entering="ens5", leaving="cnio0", reply=True)
UDP_MATCHES = [
    # the tool, the matches, whether they hold for the question and for its answer; None: they may
    ("FORWARD", "-p udp", True, True),
    ("FORWARD", "-p 17", True, True),
    ("FORWARD", "-p udp -m udp --dport 53", True, False),
    ("FORWARD", "-p udp -m udp --sport 53", False, True),
    ("FORWARD", "-p udp -m udp --dport 9", False, False),
    ("FORWARD", "-p udp -m multiport --dports 40000:65535", False, None),
    ("FORWARD", "-p tcp", False, False),
    ("forward", "meta l4proto 17", True, True),
    ("forward", "udp dport 53", True, False),
    ("forward", "udp dport != 53", False, True),
    ("forward", "udp sport { 53, 5353 }", False, True),
    ("forward", "udp dport 9", False, False),
    ("forward", "udp dport @closed", None, None),
    ("forward", "udp length > 1400", None, None),
    ("forward", "th dport 53", True, False),
    ("forward", "tcp dport 53", False, False),
    ("forward", "tcp flags syn", False, False),
]


@pytest.mark.parametrize(("name", "matches", "question", "answer"), UDP_MATCHES)
def test_a_rule_holds_for_a_question_to_dns(
    name: str, matches: str, question: bool | None, answer: bool | None
) -> None:
    """And for its answer, which comes from port 53 to a port of Linux's choice."""
    drop, accept = ("-j DROP", "-j ACCEPT") if name == "FORWARD" else ("drop", "accept")
    make = iptables if name == "FORWARD" else nft
    for packet, held in ((QUESTION, question), (ANSWER, answer)):
        sure = bool(told(make(name, f"{matches} {drop}", policy="ACCEPT"), of=packet))
        possible = not told(make(name, f"{matches} {accept}", policy="DROP"), of=packet)
        assert (sure, possible) == (held is True, held is not False)


def test_an_interface_that_is_not_known_may_be_any() -> None:
    blind = Packet(source=OURS, destination=THEIRS, protocol="icmp")
    assert told(iptables("FORWARD", "-i cnio0 -j DROP", policy="ACCEPT"), of=blind) == []
    assert told(iptables("FORWARD", "-i cnio0 -j ACCEPT", policy="DROP"), of=blind) == []
    assert told(iptables("FORWARD", "-o ens5 -j DROP", policy="ACCEPT"), of=blind) == []
    assert told(iptables("FORWARD", "-o ens5 -j ACCEPT", policy="DROP"), of=blind) == []


CHAINS: dict[str, tuple[tuple[Chain, ...], list[str]]] = {
    "the policy alone": ((iptables("FORWARD", policy="DROP"),), ["policy of FORWARD"]),
    "accepted before the policy": ((iptables("FORWARD", "-j ACCEPT", policy="DROP"),), []),
    "accepted before the rule": ((iptables("FORWARD", "-j ACCEPT", "-j DROP", policy="ACCEPT"),), []),
    "dropped before it is accepted": (
        (iptables("FORWARD", "-j DROP", "-j ACCEPT", policy="DROP"),),
        ["-A FORWARD -j DROP"],
    ),
    "each rule, then the policy": (
        (iptables("FORWARD", "-p icmp -j DROP", "-j REJECT", policy="DROP"),),
        ["-A FORWARD -p icmp -j DROP", "-A FORWARD -j REJECT", "policy of FORWARD"],
    ),
    "a blocklist is not blamed for what the last rule drops": (
        (iptables("FORWARD", "-m set --match-set blocked src -j DROP", "-j REJECT", policy="ACCEPT"),),
        ["-A FORWARD -j REJECT"],
    ),
    "nor for what the policy drops": (
        (iptables("FORWARD", "-m set --match-set blocked src -j DROP", policy="DROP"),),
        ["policy of FORWARD"],
    ),
    "logged, then dropped": (
        (iptables("FORWARD", "-j LOG --log-prefix dropped", "-j DROP", policy="ACCEPT"),),
        ["-A FORWARD -j DROP"],
    ),
    "given to a program": (
        (iptables("FORWARD", "-j NFQUEUE --queue-num 0", "-j DROP", policy="ACCEPT"),),
        [],
    ),
    "a chain that nothing jumps to": (
        (iptables("FORWARD", policy="ACCEPT"), iptables("PODS", "-j DROP")),
        [],
    ),
    "a chain that was not told": ((iptables("FORWARD", "-j PODS", "-j DROP", policy="ACCEPT"),), []),
    "a chain that drops": (
        (iptables("FORWARD", "-j PODS", policy="ACCEPT"), iptables("PODS", "-j DROP")),
        ["-A PODS -j DROP"],
    ),
    "a chain that accepts": (
        (iptables("FORWARD", "-j PODS", "-j DROP", policy="ACCEPT"), iptables("PODS", "-j ACCEPT")),
        [],
    ),
    "a chain that comes back": (
        (iptables("FORWARD", "-j PODS", "-j DROP", policy="ACCEPT"), iptables("PODS", "-p udp -j ACCEPT")),
        ["-A FORWARD -j DROP"],
    ),
    "a chain that returns before it drops": (
        (
            iptables("FORWARD", "-j PODS", "-j ACCEPT", policy="DROP"),
            iptables("PODS", "-s 10.200.0.0/16 -j RETURN", "-j DROP"),
        ),
        [],
    ),
    "a chain that may return before it drops": (
        (
            iptables("FORWARD", "-j PODS", "-j ACCEPT", policy="DROP"),
            iptables("PODS", "-m set --match-set pods src -j RETURN", "-j DROP"),
        ),
        [],
    ),
    "a chain that may return, and all is dropped either way": (
        (
            iptables("FORWARD", "-j PODS", "-j REJECT", policy="ACCEPT"),
            iptables("PODS", "-m set --match-set pods src -j RETURN", "-j DROP"),
        ),
        ["-A PODS -j DROP", "-A FORWARD -j REJECT"],
    ),
    "a chain that was gone to ends at the policy": (
        (iptables("FORWARD", "-g PODS", "-j ACCEPT", policy="DROP"), iptables("PODS", "-p udp -j ACCEPT")),
        ["policy of FORWARD"],
    ),
    "a chain that was gone to drops": (
        (iptables("FORWARD", "-g PODS", "-j ACCEPT", policy="ACCEPT"), iptables("PODS", "-j DROP")),
        ["-A PODS -j DROP"],
    ),
    "a chain that was gone to comes back where the first was jumped from": (
        (
            iptables("FORWARD", "-j PODS", "-j DROP", policy="ACCEPT"),
            iptables("PODS", "-g MORE", "-j ACCEPT"),
            iptables("MORE", "-j RETURN"),
        ),
        ["-A FORWARD -j DROP"],
    ),
    "a chain that was cut": ((iptables("FORWARD", "-p udp -j DROP", policy="DROP", cut=True),), []),
    "a chain that drops before it was cut": (
        (iptables("FORWARD", "-j DROP", policy="ACCEPT", cut=True),),
        ["-A FORWARD -j DROP"],
    ),
    "in the second of two tools": (
        (iptables("FORWARD", "-j ACCEPT", policy="ACCEPT"), nft("forward", "drop", policy="ACCEPT")),
        ["drop # handle 2"],
    ),
    "in both": (
        (iptables("FORWARD", policy="DROP"), nft("forward", policy="DROP")),
        ["policy of FORWARD", "policy of forward"],
    ),
    "the same chain's name in another tool": (
        (
            iptables("FORWARD", "-j pods", policy="ACCEPT"),
            iptables("pods", "-j RETURN"),
            nft("pods", "drop"),
        ),
        [],
    ),
    "nft jumps": (
        (nft("forward", "jump pods", "accept", policy="DROP"), nft("pods", "ip protocol icmp counter drop")),
        ["ip protocol icmp counter drop # handle 2"],
    ),
    "nft goes": (
        (nft("forward", "goto pods", "accept", policy="DROP"), nft("pods", "continue")),
        ["policy of forward"],
    ),
}


@pytest.mark.parametrize(("chains", "expected"), CHAINS.values(), ids=CHAINS)
def test_a_ping_is_dropped_by(chains: tuple[Chain, ...], expected: list[str]) -> None:
    """All that drops it, in the order in which it would; nothing where it may get through."""
    assert told(*chains) == expected


def deep(jumps: int, *beside: str) -> list[Chain]:
    """Chains that jump one into the other so many times, the last of which drops."""
    first = iptables("FORWARD", *beside, "-j DEEP-1", policy="ACCEPT")
    between = [iptables(f"DEEP-{n}", f"-j DEEP-{n + 1}") for n in range(1, jumps)]
    return [first, *between, iptables(f"DEEP-{jumps}", "-j DROP")]


@pytest.mark.parametrize("beside", [(), [f"-j BESIDE-{n}" for n in range(20)]], ids=["alone", "after others"])
def test_chains_are_followed_as_deep_as_the_kernel_takes_them(beside: tuple[str, ...]) -> None:
    """Sixteen jumps in nftables. What is deeper is not known; chains beside each other are no depth."""
    others = [iptables(f"BESIDE-{n}", "-j RETURN") for n in range(20)]
    assert told(*deep(16, *beside), *others) == ["-A DEEP-16 -j DROP"]
    assert told(*deep(17, *beside), *others) == []


def test_no_more_than_sixteen_drops_of_one_packet_are_told() -> None:
    rules = [f"-d 10.200.{n}.0/16 -j DROP" for n in range(20)]
    assert told(iptables("FORWARD", *rules, policy="ACCEPT")) == [f"-A FORWARD {each}" for each in rules[:16]]


def test_addresses_that_a_rule_tells_apart_are_asked_about_one_by_one() -> None:
    """Also where only a range, or only one tool's chain, tells them apart."""
    chain = iptables("FORWARD", "-m iprange --dst-range 10.200.1.2-10.200.1.3 -j DROP", policy="ACCEPT")
    firewall = Firewall([chain, nft("forward", "ip saddr 10.200.7.0/24 accept", policy="ACCEPT")])
    alike = [firewall.alike(IPv4Address(f"10.200.{n}")) for n in ("1.2", "1.3", "1.4", "2.2", "7.1")]
    assert alike[0] == alike[1] != alike[2] == alike[3] != alike[4] != alike[0]
    drops = [firewall.drops(Packet(source=OURS, destination=each, protocol="tcp")) for each in (THEIRS, OURS)]
    assert drops == [(Drop(chain, chain.rules[0]),), ()]


@pytest.mark.parametrize(
    ("chains", "may"),
    [
        ((), False),
        ((iptables("FORWARD", "-j ACCEPT", policy="ACCEPT"),), False),
        ((iptables("FORWARD", policy="ACCEPT"), nft("forward", policy="DROP")), True),
        ((iptables("FORWARD", "-j ACCEPT", "-s 10.9.9.9 -j DROP", policy="ACCEPT"),), True),
    ],
    ids=["no chains", "nothing that drops", "one policy of two", "a rule for another"],
)
def test_a_firewall_that_drops_nothing_at_all_is_not_asked(chains: tuple[Chain, ...], may: bool) -> None:
    assert Firewall(chains).may_drop is may


def test_the_rules_that_accept_are_told_as_they_are_printed() -> None:
    """Maybe they were meant to let the pods through."""
    chains = iptables("FORWARD", "-j DROP", "-i cnio0 -j ACCEPT"), nft("forward", "accept", "drop")
    assert Firewall(chains).accepting() == ["-A FORWARD -i cnio0 -j ACCEPT", "accept # handle 2"]
