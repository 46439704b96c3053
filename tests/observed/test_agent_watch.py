"""Who saw the packets on their way."""

from __future__ import annotations

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
    _, *sessions = lab
    pairs = [[7, protocol, "10.200.0.2", "10.0.1.20", PEER]]
    for session in sessions:
        session.request("watch", deadline=20, mark="0123456789abcdef", port=8080, pairs=pairs)
    sessions[0].request("send", deadline=20, pairs=[[7, protocol, PEER]], times=2, pause=0.05)
    found: dict[tuple[int, str], set[str]] = {}
    for number, session in enumerate(sessions):
        for pair, direction, interface, inside in session.request("seen", deadline=20, seconds=1)["seen"]:
            assert pair == 7
            if not interface.startswith("veth"):
                where = f"{interface} in pod" if inside else interface
                found.setdefault((number, direction), set()).add(where)
    return found
