"""What the agent says of a node's firewall, and what becomes of packets there."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import msgspec
import pytest

from kthw.network.netfilter import Firewall
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import NO_NODES, PEER, PUT_RIGHT, Lab, around


def chains(session: Session) -> list[Chain]:
    return [msgspec.convert(each, Chain) for each in around(session)["firewall"]]


SHELL = """set -e
forward() { iptables -A FORWARD "$@"; }
drop() { iptables -P FORWARD DROP; }
guide() {
  nft add table inet guide
  nft "add chain inet guide forward { type filter hook forward priority 5; policy $1; }"
}
rule() { nft "add rule inet guide forward $*"; }
"""
RULES = {
    "nothing": "true",
    "policy DROP": "drop",
    "policy DROP of the legacy variant": "iptables-legacy -P FORWARD DROP",
    "policy DROP, one direction accepted": "drop; forward -i ens5 -o cnio0 -j ACCEPT",
    "policy DROP, both accepted": "drop; forward -i cnio0 -j ACCEPT; forward -o cnio0 -j ACCEPT",
    "stateful": """
        drop; forward -d 10.200.1.0/24 -j ACCEPT; forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    """,
    "ping only": "drop; forward -p icmp -j ACCEPT",
    "ping dropped": "forward -p icmp -m icmp --icmp-type echo-request -j DROP",
    "answers dropped": "forward -p icmp -m icmp --icmp-type echo-reply -j DROP",
    "the port dropped": "forward -p tcp -m multiport --dports 80,8000:8999 -j REJECT",
    "another port dropped": "forward -p tcp --dport 80 -j DROP",
    "a chain of its own": """
        iptables -N PODS; iptables -A PODS -s 10.0.1.20 -j RETURN; iptables -A PODS -j DROP
        forward -d 10.200.0.0/16 -j PODS
    """,
    "a chain of its own, for another": """
        iptables -N PODS; iptables -A PODS -s 10.9.9.9 -j RETURN; iptables -A PODS -j DROP
        forward -d 10.200.0.0/16 -j PODS
    """,
    "goto": "iptables -N PODS; drop; forward -g PODS; forward -j ACCEPT",
    "mangle": "iptables -t mangle -A FORWARD -i ens5 -p tcp -j DROP",
    "negations": "forward ! -i lo ! -s 10.0.0.0/8 -j DROP; forward -i ens5 ! -o docker0 ! -p tcp -j DROP",
    "a comment that says DROP": "drop; forward -m comment --comment 'not -j DROP' -j ACCEPT",
    "nft policy": "guide drop",
    "nft accepts": """
        guide drop; rule ct state established,related accept
        rule 'iifname "ens*" ip daddr { 10.200.1.0/24, 10.9.0.0/16 } accept'
    """,
    "nft reject": "guide accept; rule ip protocol tcp reject with icmpx admin-prohibited",
    "nft, all of TCP but a port": "guide accept; rule tcp dport != 22 drop",
    "nft, all of ICMP but pings": "guide accept; rule icmp type != echo-request drop",
    "nft range": "guide accept; rule ip saddr 10.0.1.9-10.0.1.30 tcp dport 8000-8080 counter drop",
    "nft jump": """
        guide accept; nft add chain inet guide pods
        nft 'add rule inet guide pods meta l4proto icmp log prefix "drop accept" drop'
        rule oifname cnio0 counter jump pods
    """,
    "nft for IPv6 and others": """
        guide accept; rule meta nfproto ipv6 drop; rule ip6 daddr fd00::/8 drop; rule udp dport 1-65535 drop
    """,
    "nft, a table of IPv4": """
        nft add table ip mine; nft 'add chain ip mine before { type filter hook forward priority -10; }'
        nft add rule ip mine before icmp type echo-request drop
    """,
}


@NO_NODES
@pytest.mark.parametrize("commands", RULES.values(), ids=RULES)
def test_the_firewall_as_it_is_read_does_what_it_does_to_packets(lab: Lab, commands: str) -> None:
    """Real rules, printed by the real tools: what the judgement predicts is what becomes of real packets."""
    nodes, sender, session = lab
    nodes.on(1, "sh", "-c", SHELL + commands)
    try:
        read = Firewall(chains(session))
        peers = [{"worker": "worker-1", "address": PEER, "port": 8080}]
        answer = sender.request("probe", deadline=20, peers=peers, seconds=0.4)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    judged = ("icmp", "tcp")
    small = ((row[3], row[5]) for row in answer["probes"] if row[3] in judged and not row[4])
    reached = dict(small)
    assert {name: not _dropped(read, name) for name in reached} == reached


def _dropped(read: Firewall, protocol: Any) -> bool:
    node, pod = IPv4Address("10.0.1.20"), IPv4Address(PEER)
    request = Packet(source=node, destination=pod, protocol=protocol, entering="ens5", leaving="cnio0")
    reply = Packet(
        source=pod, destination=node, protocol=protocol, entering="cnio0", leaving="ens5", reply=True
    )
    return bool(read.drops(request) or read.drops(reply))


@NO_NODES
def test_only_chains_that_packets_of_pods_pass_are_told(lab: Lab) -> None:
    nodes, _, session = lab
    pods = "iptables -N PODS; forward -j PODS; iptables -N IDLE; iptables -A INPUT -s 10.9.9.9 -j DROP"
    nodes.on(1, "sh", "-c", SHELL + pods)
    try:
        told = [(chain.tool, chain.table, chain.name, chain.policy) for chain in chains(session)]
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert [each for each in told if each[:2] == ("iptables", "filter")] == [
        ("iptables", "filter", "INPUT", "ACCEPT"),
        ("iptables", "filter", "FORWARD", "ACCEPT"),
        ("iptables", "filter", "PODS", ""),
    ]


@NO_NODES
def test_a_table_of_iptables_is_not_told_twice(lab: Lab) -> None:
    """nft lists the tables of iptables-nft as well."""
    nodes, _, session = lab
    nodes.on(1, "iptables", "-A", "FORWARD", "-s", "10.9.9.9", "-j", "DROP")
    try:
        told = chains(session)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert [rule for chain in told for rule in chain.rules] == ["-A FORWARD -s 10.9.9.9/32 -j DROP"]


@NO_NODES
def test_a_very_long_chain_is_cut_and_says_so(lab: Lab) -> None:
    """And what is behind the cut is not judged."""
    nodes, _, session = lab
    lines = [f"add rule inet guide forward ip saddr 10.{n >> 8}.{n & 255}.9 accept\n" for n in range(2100)]
    try:
        nodes.on(1, "sh", "-c", f"{SHELL}guide drop")
        # An ordinary user's kernel takes no message as long as all of them.
        for n in range(0, len(lines), 300):
            nodes.on(1, "sh", "-c", f"nft -f - <<'EOF'\n{''.join(lines[n : n + 300])}EOF")
        (chain,) = [chain for chain in chains(session) if chain.tool == "nft"]
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert (len(chain.rules), chain.cut) == (2000, True)
    assert not _dropped(Firewall([chain]), "icmp")
    assert _dropped(Firewall([msgspec.structs.replace(chain, cut=False)]), "icmp")
