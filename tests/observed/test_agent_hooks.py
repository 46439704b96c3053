"""What becomes of packets at every hook that they pass on a node: as it is read, so it is."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import msgspec
import pytest

from kthw.network.netfilter import Firewall
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain
from tests.observed.two_nodes import NO_NODES, PEER, Lab, around

SENDER, OTHER, NODE = IPv4Address("10.200.0.2"), IPv4Address(PEER), IPv4Address("10.0.1.20")
PUT_RIGHT = """
for t in raw mangle; do iptables -t $t -F; iptables -t $t -X; done
iptables -F; iptables -X; iptables -P INPUT ACCEPT; iptables -P OUTPUT ACCEPT; iptables-legacy -t raw -F
for f in ip inet netdev bridge; do nft delete table $f guide; done; true
"""
SHELL = """set -e
raw() { iptables -t raw "$@"; }
mangle() { iptables -t mangle "$@"; }
guide() {
  nft add table $1 guide
  nft "add chain $1 guide c { type $2; policy ${3:-accept}; }"
}
rule() { family=$1; shift; nft "add rule $family guide c $*"; }
"""
SENDING = {
    "raw, by the pod's address": "raw -A PREROUTING -s 10.200.0.2 -p tcp -j DROP",
    "raw, of what comes back to the pod's address": "raw -A PREROUTING -d 10.200.0.0/16 -p icmp -j DROP",
    "raw, of what comes back to the node's address": "raw -A PREROUTING -i ens5 -d 10.0.1.20 -p icmp -j DROP",
    "raw, metadata only": "raw -A PREROUTING -d 169.254.169.254 -j DROP",
    "raw, a reverse path filter": "raw -A PREROUTING -m rpfilter --invert -j DROP",
    "mangle before and after": """
        mangle -A PREROUTING -i cnio0 -p udp -j DROP
        mangle -A POSTROUTING -o ens5 -s 10.200.0.2 -p tcp -j DROP
    """,
    "mangle, the node's address as the source": "mangle -A POSTROUTING -o ens5 -s 10.0.1.20 -p tcp -j DROP",
    "mangle, replies": "mangle -A PREROUTING -m conntrack --ctstate ESTABLISHED -d 10.0.1.20 -p tcp -j DROP",
    "nft before the mask is off": """
        guide ip 'filter hook prerouting priority mangle'
        rule ip ip daddr 10.0.1.20 icmp type echo-reply drop
    """,
    "nft after the mask is off": """
        guide ip 'filter hook prerouting priority filter'
        rule ip ip daddr 10.200.0.2 icmp type echo-reply drop
    """,
    "nft after the mask is off, by the node's address": """
        guide ip 'filter hook prerouting priority filter'; rule ip iif ens5 ip daddr 10.0.1.20 drop
    """,
    "nft before the mask is on": """
        guide inet 'filter hook postrouting priority srcnat - 1'
        rule inet ip saddr 10.200.0.2 udp dport 53 drop
    """,
    "nft after the mask is on": """
        guide inet 'filter hook postrouting priority srcnat + 1'; rule inet ip saddr 10.200.0.2 drop
        rule inet ip saddr 10.0.1.20 udp dport 53 drop
    """,
    "a chain for new connections": """
        guide ip 'nat hook prerouting priority dstnat'; rule ip ip protocol icmp accept
        rule ip tcp dport 8080 drop
        rule ip tcp sport 8080 drop; rule ip udp sport 53 drop
    """,
    "ingress at the bridge": """
        guide netdev 'filter hook ingress device cnio0 priority filter'
        rule netdev ip saddr 10.200.0.2 tcp dport 8080 drop
    """,
    "ingress at the card": """
        guide netdev 'filter hook ingress device ens5 priority filter'; rule netdev ip daddr 10.200.0.2 drop
        rule netdev ip daddr 10.0.1.20 icmp type echo-reply counter drop
    """,
    "egress at the card": """
        guide netdev 'filter hook egress device ens5 priority filter'; rule netdev ip saddr 10.200.0.2 drop
        rule netdev ip saddr 10.0.1.20 udp dport 53 drop
    """,
    "egress at the bridge": """
        guide netdev 'filter hook egress device cnio0 priority 0'
        rule netdev ip daddr 10.200.0.2 tcp sport 8080 drop
    """,
    "ingress of two interfaces, IPv6 and ARP": """
        guide netdev 'filter hook ingress devices = { ens5, cnio0 } priority 0'
        rule netdev meta protocol ip6 drop
        rule netdev ether type 8021q drop; rule netdev meta protocol ip icmp type echo-request drop
    """,
    "ingress of inet": """
        guide inet 'filter hook ingress device ens5 priority 0'; rule inet icmp type echo-reply drop
    """,
    "a bridge's own chain, in": """
        guide bridge 'filter hook prerouting priority -300'
        rule bridge ip saddr 10.200.0.2 tcp dport 8080 drop
    """,
    "a bridge's own chain, forward": "guide bridge 'filter hook forward priority 0' drop",
    "a bridge's own chain, out": """
        guide bridge 'filter hook output priority 0'; rule bridge ether type ip ip protocol icmp drop
    """,
    "counted only": """
        guide netdev 'filter hook ingress device ens5 priority 0'; rule netdev ip daddr 10.0.1.20 counter
        raw -A PREROUTING -s 10.200.0.2; mangle -A POSTROUTING -d 10.200.1.2 -m comment --comment DROP
    """,
    "a chain of two hooks": """
        mangle -N PODS; mangle -A PODS -p udp -j DROP; mangle -A INPUT -j PODS
        mangle -A POSTROUTING -o lo -j PODS
    """,
    "INPUT drops pings": "iptables -A INPUT -i cnio0 -p icmp -j DROP",
    "INPUT drops all but answers": """
        iptables -P INPUT DROP; iptables -A INPUT -i ens5 -m conntrack --ctstate ESTABLISHED -j ACCEPT
    """,
    "INPUT as ufw has it": """
        iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
        iptables -A INPUT -p icmp -m icmp --icmp-type 8 -j ACCEPT
    """,
    "OUTPUT drops what is for pods": "iptables -A OUTPUT -o cnio0 -p icmp -j REJECT",
    "legacy raw": "iptables-legacy -t raw -A PREROUTING -s 10.200.0.2 -p udp -j DROP",
}  # fmt: skip
PROTOCOLS = ("icmp", "tcp", "udp")


def packets(protocol: Any) -> tuple[Packet, Packet]:
    """The question of the sender's pod to the other one, and the answer, on the sender's node."""
    asked = Packet(
        source=SENDER,
        destination=OTHER,
        protocol=protocol,
        entering="cnio0",
        leaving="ens5",
        masked=NODE,
    )
    return asked, Packet(
        source=OTHER,
        destination=SENDER,
        protocol=protocol,
        entering="ens5",
        leaving="cnio0",
        reply=True,
        course="in",
        masked=NODE,
    )


OWN = (
    Packet(source=SENDER, destination=NODE, protocol="icmp", entering="cnio0", course="to-node"),
    Packet(source=NODE, destination=SENDER, protocol="icmp", leaving="cnio0", course="from-node", reply=True),
)


@NO_NODES
@pytest.mark.parametrize("commands", SENDING.values(), ids=SENDING)
def test_a_rule_at_any_hook_does_what_is_read_of_it(lab: Lab, commands: str) -> None:
    """Real rules on the node of a pod that sends, behind its masquerade."""
    nodes, sender, _ = lab
    nodes.on(0, "sh", "-c", SHELL + commands)
    try:
        told = [msgspec.convert(each, Chain) for each in around(sender)["firewall"]]
        peers = [{"worker": "worker-1", "address": PEER, "port": 8080}]
        answer = sender.request("probe", deadline=20, peers=peers, node=str(NODE), seconds=0.4)
    finally:
        nodes.on(0, "sh", "-c", PUT_RIGHT)
    read = Firewall(told)
    judged = {each: not any(map(read.drops, packets(each))) for each in PROTOCOLS}
    own = not any(map(read.drops, OWN))
    reached = {row[3]: row[5] for row in answer["probes"] if row[0] == "pod" and not row[4]}
    to_node = [row[5] for row in answer["probes"] if row[0] == "node"]
    assert (judged, [own]) == (reached, to_node)
