"""Single packets to a port and from a port: answered, lost, and what the worker may tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from kthw.observed import answers
from kthw.observed.answers import Singles, UnfitError
from tests.observed.two_nodes import NO_NODES, PEER, PUT_RIGHT, Lab

PACKETS = [
    [3, "tcp", "worker-1", PEER, 9000, 40000, ""],
    [4, "udp", "worker-1", PEER, 9000, 40000, ""],
    [5, "udp", "worker-1", PEER, 19, 40001, ""],
]


def answered(lab: Lab, *packets: list[Any], listen: bool = True) -> list[int]:
    _, sender, receiver = lab
    if listen:
        ports = [["tcp", 9000, ""], ["udp", 9000, ""], ["udp", 19, ""]]
        receiver.request("listen", deadline=20, ports=ports)
    return list(sender.request("single", deadline=20, packets=list(packets), seconds=1.0)["answered"])


@NO_NODES
def test_a_packet_to_any_port_is_answered_by_the_pod_that_listens_there(lab: Lab) -> None:
    assert answered(lab, *PACKETS) == [3, 4, 5]
    assert answered(lab, *PACKETS) == [3, 4, 5], "the same once more"


@NO_NODES
@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("-p udp --dport 19 -j DROP", [3, 4]),
        ("-p tcp --dport 9000 -j DROP", [4, 5]),
        ("-p tcp --dport 9000 -j REJECT --reject-with tcp-reset", [4, 5]),
        ("-p udp --sport 40001 -j REJECT", [3, 4]),
    ],
)
def test_what_a_rule_stops_is_not_answered_whoever_refuses_it(lab: Lab, rule: str, left: list[int]) -> None:
    nodes, *_ = lab
    nodes.on(1, "iptables", "-A", "FORWARD", *rule.split())
    try:
        assert answered(lab, *PACKETS) == left
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)


@NO_NODES
def test_another_pod_than_the_one_that_is_asked_is_no_answer(lab: Lab) -> None:
    strangers = [[number, protocol, "worker-7", *rest] for number, protocol, _, *rest in PACKETS]
    assert answered(lab, *strangers) == []


def test_what_a_worker_tells_of_packets_is_of_those_that_were_asked() -> None:
    told = Singles(id=1, answered=(4,), unsent=(6,))
    assert answers.singles(told, [4, 5, 6]) == {4: True, 5: False}
    for wrong in (Singles(id=1, answered=(7,), unsent=()), Singles(id=1, answered=(), unsent=(7,))):
        with pytest.raises(UnfitError, match="nobody asked"):
            answers.singles(wrong, [4, 5, 6])
