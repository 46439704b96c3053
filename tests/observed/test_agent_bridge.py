"""What the agent says of a bridge and iptables, and what becomes of a service's answer there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kthw.observed.agent.ways import BRIDGE_NETFILTER
from tests.observed.two_nodes import NO_NODES, TwoNodes, around

pytestmark = [
    NO_NODES,
    pytest.mark.skipif(not Path(BRIDGE_NETFILTER).exists(), reason="the kernel's br_netfilter is not loaded"),
]
SERVICE, BACKEND = "10.32.0.10", "10.200.0.12"
PODS = f"""set -e
ip link add cnio0 type bridge && ip address add 10.200.0.1/24 dev cnio0 && ip link set cnio0 up
for n in 11 12; do
    ip link add veth$n type veth peer name eth0 netns pod$n
    ip link set veth$n master cnio0 up && ip -n pod$n link set lo up && ip -n pod$n link set eth0 up
    ip -n pod$n address add 10.200.0.$n/24 dev eth0 && ip -n pod$n route add default via 10.200.0.1
done
iptables -N KUBE-SERVICES && iptables -A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES
iptables -t nat -A PREROUTING -d {SERVICE} -p udp --dport 53 -j DNAT --to-destination {BACKEND}:53
"""
BACKEND_S = """
import socket
served = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
served.bind(("", 53))
while True:
    served.sendto(*served.recvfrom(100))
"""
CLIENT_S = f"""
import socket, time
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.settimeout(0.2)
until = time.monotonic() + 10
while time.monotonic() < until:  # until the backend listens
    asking.sendto(b"?", ("{SERVICE}", 53))
    try:
        print(asking.recvfrom(100)[1][0])
        break
    except OSError:
        pass
resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
resolver.connect(("{SERVICE}", 53))
resolver.settimeout(1)
resolver.send(b"?")
try:
    resolver.recv(100)
    print("answered")
except OSError:
    print("not answered")
"""
ASK = """ip netns exec pod12 "$0" -c "$1" >/dev/null 2>&1 &
ip netns exec pod11 "$0" -c "$2"; kill $!"""


def test_a_service_s_answer_from_the_same_node_comes_only_where_iptables_is_asked(nodes: TwoNodes) -> None:
    """Red when the agent takes 0 for 1: it says ``off`` just where the answer is not the service's."""
    for pod in ("pod11", "pod12"):
        nodes.around("ip", "netns", "add", pod)
    nodes.on(0, "sh", "-c", PODS)
    session = nodes.session(0)
    for number, said, answered in (
        ("0", "off", [BACKEND, "not answered"]),
        ("1", "on", [SERVICE, "answered"]),
    ):
        nodes.on(0, "sh", "-c", f"echo {number} > {BRIDGE_NETFILTER}")
        answer = around(session)
        assert answer["bridge_netfilter"] == said
        assert "KUBE-SERVICES" in {chain["name"] for chain in answer["firewall"]}
        asked = nodes.on(0, "sh", "-c", ASK, sys.executable, BACKEND_S, CLIENT_S)
        assert asked.split("\n")[:2] == answered
