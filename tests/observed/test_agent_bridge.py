"""What the agent says of a bridge and iptables, and what becomes of a service's answer there."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from kthw.findings.bridge_netfilter import CODE
from kthw.findings.remark import Remark
from kthw.observed.agent import ways
from kthw.observed.agent.ways import BRIDGE_NETFILTER
from kthw.words.messages import catalogue
from tests.observed.two_nodes import NO_NODES, TwoNodes, around

NO_BRIDGES = pytest.mark.skipif(
    not Path(BRIDGE_NETFILTER).exists(), reason="the kernel's br_netfilter is not loaded"
)
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


PASTED = """set -e
mount -t tmpfs tmpfs /etc && mkdir /etc/sysctl.d /etc/modules-load.d
sudo() { "$@"; }
modprobe() { test "$1" = br_netfilter; }
eval "$0"
cat /etc/sysctl.d/*.conf /etc/modules-load.d/*.conf"""
"""In a mount namespace of its own: the machine's ``/etc`` stays as it is, and its modules."""


@pytest.fixture
def bridged(nodes: TwoNodes) -> TwoNodes:
    """``node0`` with two pods on one bridge, and a service whose backend is the second of them."""
    for pod in ("pod11", "pod12"):
        nodes.around("ip", "netns", "add", pod)
    nodes.on(0, "sh", "-c", PODS)
    return nodes


def switch(nodes: TwoNodes, number: int) -> None:
    nodes.on(0, "sh", "-c", f"echo {number} > {BRIDGE_NETFILTER}")


def asked(nodes: TwoNodes) -> list[str]:
    """Who answers the first pod, and whether one that takes answers of the service alone hears any."""
    return nodes.on(0, "sh", "-c", ASK, sys.executable, BACKEND_S, CLIENT_S).split("\n")[:2]


@NO_NODES
@NO_BRIDGES
def test_a_service_s_answer_from_the_same_node_comes_only_where_iptables_is_asked(bridged: TwoNodes) -> None:
    """Red when the agent takes 0 for 1: it says ``off`` just where the answer is not the service's."""
    session = bridged.session(0)
    for number, said, comes in ((0, "off", [BACKEND, "not answered"]), (1, "on", [SERVICE, "answered"])):
        switch(bridged, number)
        seen = around(session)
        assert seen["bridge_netfilter"] == said
        assert "KUBE-SERVICES" in {chain["name"] for chain in seen["firewall"]}
        assert asked(bridged) == comes


@NO_NODES
@NO_BRIDGES
@pytest.mark.skipif(not shutil.which("sysctl"), reason="sysctl (procps) is not installed")
def test_what_is_to_be_pasted_mends_it_and_keeps_it(bridged: TwoNodes) -> None:
    remark = Remark(code=CODE, subject="worker-0", worker="worker-0", facts={"login": "ssh worker-0"})
    command = shlex.split(catalogue("en").remark(remark).fix)[-1]
    switch(bridged, 0)
    kept = bridged.on(0, "sh", "-c", PASTED, command).split()
    assert kept[-2:] == ["net.bridge.bridge-nf-call-iptables=1", "br_netfilter"]
    assert asked(bridged) == [SERVICE, "answered"]


@NO_NODES
@NO_BRIDGES
def test_a_bridge_s_own_setting_does_as_well(bridged: TwoNodes) -> None:
    """Red when the sysctl alone is read: what works would be told as broken."""
    session = bridged.session(0)
    bridged.make_pod(session, 0)
    switch(bridged, 0)
    assert around(session)["bridge_netfilter"] == "off"
    bridged.on(0, "ip", "link", "set", "cnio0", "type", "bridge", "nf_call_iptables", "1")
    assert around(session)["bridge_netfilter"] == "on"
    assert asked(bridged) == [SERVICE, "answered"]


def test_without_the_kernel_s_module_there_is_no_such_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "BRIDGE_NETFILTER", str(tmp_path / "bridge-nf-call-iptables"))
    assert ways.bridge_netfilter("") == "none"
