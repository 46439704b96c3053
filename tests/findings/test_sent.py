"""Packets that should not come through: which are sent, and what came of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.proof import proofs
from kthw.findings.sent import confirmed, to_send
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Sent
from tests.findings.changed_aws import with_group, with_route
from tests.findings.changed_nodes import failing, not_probed, with_forward_chain, with_node
from tests.findings.clusters import OK, healthy, route
from tests.findings.faults import FAULTS

SHUT = "-p udp -m udp --dport 19 -j DROP"
ONE_PORT = with_forward_chain(OK, "worker-1", SHUT)

SOME = with_route(OK, route(0, "10.200.1.128/25"))
"""A part of a worker's pods is led elsewhere; the probe pod is not."""
NO_POD = with_node(ONE_PORT, "worker-1", pod="")
TWICE = FAULTS["same pod CIDR twice"][0]
"""Of two workers no pod has an address of its own: no packet is told."""
BY_CHANCE = with_forward_chain(OK, "worker-1", "-p udp -m statistic --mode random --probability 0.1 -j DROP")
SHUT_IN = with_group(OK, ingress=())
UNTRIED = not_probed(SHUT_IN, "worker-0", "worker-1")


def first(evidence: Evidence) -> str:
    network = Network(evidence)
    return confirmed(network, next(each for each in proofs(network) if each.destination == "worker-1"))


def test_of_each_thing_that_stops_some_the_first_packet_is_sent_to_each_worker() -> None:
    assert [(each.source, each.destination) for each in to_send(ONE_PORT)] == [
        ("worker-0", "worker-1"),
        ("worker-1", "worker-0"),
        ("worker-1", "worker-2"),
    ]
    assert to_send(ONE_PORT)[0] == Sent(
        source="worker-0", destination="worker-1", protocol="udp", port=19, asker=32768
    )


def test_nothing_is_sent_where_all_is_proved_or_the_probes_are_such_packets() -> None:
    assert to_send(OK) == ()
    assert to_send(with_group(OK, ingress=())) == ()
    assert to_send(replace(OK, inventory=None)) == ()


def test_a_packet_at_another_address_is_sent_by_a_further_pod_that_has_it() -> None:
    assert to_send(with_route(OK, route(0, "10.200.1.128/25"))) == (
        Sent(
            source="worker-0",
            destination="worker-1",
            protocol="icmp",
            destination_address="10.200.1.128",
        ),
    )
    from_some = with_forward_chain(OK, "worker-1", "-s 10.200.1.64/28 -p tcp -m tcp --dport 25 -j DROP")
    assert {(e.source, e.destination, e.source_address, e.port) for e in to_send(from_some)} == {
        ("worker-1", "worker-0", "10.200.1.64", 25),
        ("worker-1", "worker-2", "10.200.1.64", 25),
    }


def test_where_no_pod_of_ours_is_none_is_made() -> None:
    assert to_send(NO_POD) == ()


def test_what_is_not_known_and_what_has_no_packet_is_not_sent() -> None:
    assert to_send(BY_CHANCE) == ()
    assert to_send(TWICE) == ()


def test_a_packet_that_the_probes_left_out_is_sent() -> None:
    assert to_send(UNTRIED) == (Sent(source="worker-0", destination="worker-1", protocol="icmp"),)


def test_a_run_sends_no_more_than_so_many() -> None:
    evidence = healthy(12)
    for worker in evidence.nodes:
        evidence = with_forward_chain(evidence, worker, SHUT)
    assert len(to_send(evidence)) == 64


@pytest.mark.parametrize(
    ("evidence", "came"),
    [
        (failing(with_group(OK, ingress=()), ("*", "*")), "lost"),
        (with_group(OK, ingress=()), "arrived"),
        (ONE_PORT, ""),
        (UNTRIED, ""),
        (TWICE, ""),
        (NO_POD, ""),
        (replace(NO_POD, sent=to_send(ONE_PORT)), ""),
        (replace(ONE_PORT, sent=to_send(ONE_PORT)), "lost"),
        (SOME, ""),
        (replace(SOME, sent=to_send(SOME)), "lost"),
        (replace(SOME, sent=tuple(replace(e, reached=True) for e in to_send(SOME))), "arrived"),
        (replace(SOME, sent=tuple(replace(e, taken=True) for e in to_send(SOME))), "taken"),
        (replace(SOME, sent=tuple(replace(e, destination_address="") for e in to_send(SOME))), ""),
        (replace(ONE_PORT, sent=tuple(replace(e, reached=True) for e in to_send(ONE_PORT))), "arrived"),
    ],
)
def test_what_came_of_the_packet_is_what_the_probes_or_the_sending_say(evidence: Evidence, came: str) -> None:
    assert first(evidence) == came
