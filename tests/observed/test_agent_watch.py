"""Who saw the packets on their way."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.observed.two_nodes import NO_NODES, PEER, PUT_RIGHT, Lab


@NO_NODES
@pytest.mark.parametrize("protocol", ["icmp", "tcp"])
def test_every_interface_on_the_way_sees_the_packet_and_its_answer(lab: Lab, protocol: str) -> None:
    assert watched(lab, protocol) == {
        (0, "request"): {"eth0 in pod", "cnio0", "ens5"},
        (1, "request"): {"ens5", "cnio0", "eth0 in pod"},
        (1, "reply"): {"eth0 in pod", "cnio0", "ens5"},
        (0, "reply"): {"ens5", "cnio0", "eth0 in pod"},
    }


@NO_NODES
@pytest.mark.parametrize("protocol", ["icmp", "tcp"])
def test_nobody_behind_what_drops_it_sees_the_packet(lab: Lab, protocol: str) -> None:
    nodes, *_ = lab
    nodes.on(1, "iptables", "-P", "FORWARD", "DROP")
    try:
        seen = watched(lab, protocol)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert seen == {(0, "request"): {"eth0 in pod", "cnio0", "ens5"}, (1, "request"): {"ens5"}}


@NO_NODES
def test_packets_of_others_are_not_counted(lab: Lab) -> None:
    nodes, sender, receiver = lab
    pairs = [[0, "icmp", "10.200.0.2", "10.0.1.20", PEER]]
    for session in (sender, receiver):
        session.request("watch", deadline=20, mark="00" * 8, port=8080, pairs=pairs)
    nodes.on(0, "fping", "-c", "2", "-p", "100", "10.200.1.2")
    assert [s.request("seen", deadline=20, seconds=0.1)["seen"] for s in (sender, receiver)] == [[], []]


def watched(lab: Lab, protocol: str) -> dict[tuple[int, str], set[str]]:
    """By node and direction, where a packet from pod to pod was seen; bridge ports aside."""
    found: dict[tuple[int, str], set[str]] = {}
    for number, answer in enumerate(answered(lab, protocol)):
        for pair, direction, interface, inside in answer["seen"]:
            assert pair == 7
            if not interface.startswith("veth"):
                where = f"{interface} in pod" if inside else interface
                found.setdefault((number, direction), set()).add(where)
    return found


def answered(lab: Lab, protocol: str) -> list[dict[str, Any]]:
    """What each node says afterwards."""
    _, *sessions = lab
    pairs = [[7, protocol, "10.200.0.2", "10.0.1.20", PEER]]
    for session in sessions:
        session.request("watch", deadline=20, mark="0123456789abcdef", port=8080, pairs=pairs)
    sessions[0].request("send", deadline=20, pairs=[[7, protocol, PEER]], times=3, pause=0.05)
    return [session.request("seen", deadline=20, seconds=1) for session in sessions]


COUNTED = {
    "a rule of iptables": (
        "iptables -t raw -A PREROUTING -s 10.0.1.20 -m length --length 1:9999 -j DROP",
        ("raw", "PREROUTING", "-A PREROUTING -s 10.0.1.20/32 -m length --length 1:9999 -j DROP"),
    ),
    "a policy": ("iptables -P FORWARD DROP", ("filter", "FORWARD", "")),
    "a rule of nft": (
        """nft 'add table inet guide; add chain inet guide c { type filter hook prerouting priority 0; };
        add rule inet guide c ip saddr 10.0.1.20 meta length < 9999 counter drop'""",
        ("inet guide", "c", "ip saddr 10.0.1.20 meta length < 9999 counter drop # handle 2"),
    ),
    "the kernel's reverse path": (
        "sysctl -qw net.ipv4.conf.ens5.rp_filter=1; ip route add 10.0.1.20 dev cnio0",
        "IPReversePathFilter",
    ),
}  # fmt: skip


@NO_NODES
@pytest.mark.parametrize(("command", "what"), COUNTED.values(), ids=COUNTED)
def test_what_counts_the_packets_that_are_lost_is_told(lab: Lab, command: str, what: object) -> None:
    """Three were sent; on the node where none is lost, nothing is said to have taken any."""
    nodes, *_ = lab
    nodes.on(1, "sh", "-c", command)
    try:
        sender, receiver = answered(lab, "icmp")
    finally:
        nodes.on(1, "sh", "-c", "iptables -t raw -F; sysctl -qw net.ipv4.conf.ens5.rp_filter=0")
        nodes.on(1, "sh", "-c", f"ip route del 10.0.1.20 dev cnio0; {PUT_RIGHT}")
    told = {_who(each): each["packets"] for each in receiver["moved"]}
    assert told == {what: 3}
    assert sender["moved"] == []


def _who(moved: dict[str, Any]) -> object:
    chain = moved.get("chain")
    return (chain["table"], chain["name"], moved["text"]) if chain else moved["text"]


PROGRAMS = {
    "a filter of tc": (
        "tc qdisc add dev ens5 clsact; tc filter add dev ens5 ingress bpf da bytecode '1,6 0 0 2,'",
        "tc qdisc del dev ens5 clsact",
        ("tc", "ens5"),
    ),
    "a filter of tc that passes all": (
        "tc qdisc add dev cnio0 clsact; tc filter add dev cnio0 egress bpf da bytecode '1,6 0 0 0,'",
        "tc qdisc del dev cnio0 clsact",
        ("tc", "cnio0"),
    ),
}


@NO_NODES
@pytest.mark.parametrize(("command", "undo", "program"), PROGRAMS.values(), ids=PROGRAMS)
def test_programs_that_see_every_packet_are_told(
    lab: Lab, command: str, undo: str, program: tuple[str, str]
) -> None:
    nodes, *_ = lab
    nodes.on(1, "sh", "-c", command)
    try:
        sender, receiver = answered(lab, "icmp")
    finally:
        nodes.on(1, "sh", "-c", undo)
    assert [(each["kind"], each["device"]) for each in receiver["programs"]] == [program]
    assert sender["programs"] == []


XDP = """
import ctypes, struct
libc = ctypes.CDLL(None)
code = ctypes.create_string_buffer(bytes.fromhex("b700000001000000" "9500000000000000"))  # return XDP_DROP
terms = ctypes.create_string_buffer(b"GPL")
path = ctypes.create_string_buffer(b"/run/bpf/drop")
asked = struct.pack("<IIQQ", 6, 2, ctypes.addressof(code), ctypes.addressof(terms)).ljust(128, b"\\0")
made = libc.syscall(321, 5, ctypes.create_string_buffer(asked), 128)
pinned = struct.pack("<QI", ctypes.addressof(path), max(0, made)).ljust(128, b"\\0")
raise SystemExit(made < 0 or libc.syscall(321, 6, ctypes.create_string_buffer(pinned), 128) != 0)
"""
"""Loads a program that drops all, on x86-64; needs more than a user namespace."""


@NO_NODES
@pytest.mark.skipif(os.geteuid() != 0 or os.uname().machine != "x86_64", reason="loads a BPF program as root")
def test_an_xdp_program_is_told_and_nobody_behind_it_sees_the_packet(lab: Lab) -> None:
    nodes, *_ = lab
    attach = "ip link set dev ens5 xdpgeneric pinned /run/bpf/drop"
    mounted = "mkdir -p /run/bpf && mount -t bpf bpf /run/bpf"
    nodes.on(1, "sh", "-c", f"{mounted} && python3 -c '{XDP}' && {attach}; umount /run/bpf")
    try:
        _, receiver = answered(lab, "icmp")
    finally:
        nodes.on(1, "ip", "link", "set", "dev", "ens5", "xdp", "off")
    assert [(each["kind"], each["device"]) for each in receiver["programs"]] == [("xdp", "ens5")]
    assert receiver["seen"] == []
