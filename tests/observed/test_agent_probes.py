"""The packets the agent sends from its pod, and what it says about those that do not come back."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from kthw.errors import CouldNotLook
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import TwoNodes, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")

PEER = "10.200.1.2"


@pytest.fixture
def pods(nodes: TwoNodes) -> tuple[Session, Session]:
    """A session with a pod on each node: 10.200.0.2 and 10.200.1.2."""
    sessions = nodes.session(0), nodes.session(1)
    for number, session in enumerate(sessions):
        nodes.make_pod(session, number)
    return sessions


def probe(
    session: Session, *addresses: str, seconds: float = 1.0, worker: str = "worker-1", **fields: Any
) -> dict[str, tuple[bool, str]]:
    """By ``protocol address``, or ``kind protocol address`` for what is no pod: reached, and detail.

    Those of full size come to the same.
    """
    peers = [{"worker": worker, "address": address, "port": 8080} for address in addresses]
    answer = session.request("probe", deadline=20, peers=peers, seconds=seconds, **fields)
    seen: dict[int, dict[str, tuple[bool, str]]] = {0: {}, 1500: {}}
    for kind, _, address, protocol, size, reached, detail, *_ in answer["probes"]:
        named = f"{'' if kind == 'pod' else kind + ' '}{protocol} {address}"
        seen[size][named] = (reached, detail)
    assert seen[1500] == {n: came for n, came in seen[0].items() if n.count(" ") == 1}
    return seen[0]


def pod(address: str, *came: tuple[bool, str]) -> dict[str, tuple[bool, str]]:
    """What came of ICMP, TCP and UDP; what is left out, as of the last that is given."""
    each = (*came, came[-1], came[-1])
    return {f"{protocol} {address}": each[n] for n, protocol in enumerate(("icmp", "tcp", "udp"))}


REACHED = (True, "")


def test_a_pod_reaches_a_pod_on_the_other_node(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    """By ICMP, TCP and UDP, both ways, and without waiting for the deadline."""
    began = time.monotonic()
    there = probe(pods[0], PEER, seconds=10)
    back = probe(pods[1], "10.200.0.2", seconds=10, worker="worker-0")
    assert there == pod(PEER, REACHED)
    assert back == pod("10.200.0.2", REACHED)
    assert time.monotonic() - began < 5


def test_a_pod_reaches_its_own_node(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    assert probe(pods[0], node="10.0.1.20") == {"node icmp 10.0.1.20": (True, "")}


def test_the_internet_is_a_host_that_answers_and_a_port_that_opens(
    nodes: TwoNodes, pods: tuple[Session, Session]
) -> None:
    """Whatever it says afterwards; here the other node's pod stands for it."""
    seen = probe(pods[0], internet=[PEER, 8080])
    assert seen == {f"internet icmp {PEER}": (True, ""), f"internet tcp {PEER}": (True, "")}


def test_silence_is_told_with_the_time_that_was_waited(
    nodes: TwoNodes, pods: tuple[Session, Session]
) -> None:
    nodes.on(1, "iptables", "-P", "FORWARD", "DROP")
    began = time.monotonic()
    assert probe(pods[0], PEER) == pod(PEER, (False, "no answer in 1.0 s"))
    assert 0.9 < time.monotonic() - began < 20


def test_lost_packets_fail_nothing(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    """The first try of each kind is dropped; another follows in time."""
    nodes.on(1, "nft", "add table ip lose")
    nodes.on(1, "nft", "add chain ip lose c { type filter hook prerouting priority -300; }")
    for protocol in ("icmp", "tcp", "udp"):
        rule = f"ip daddr {PEER} ip protocol {protocol} quota until 160 bytes drop"
        nodes.on(1, "nft", f"add rule ip lose c {rule}")
    seen = probe(pods[0], PEER, seconds=6)
    assert seen == pod(PEER, REACHED)


def test_a_router_that_says_no_is_named(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    nodes.on(1, "ip", "route", "add", "unreachable", "10.200.7.0/24")
    nodes.on(0, "ip", "route", "add", "10.200.7.0/24", "via", "10.0.1.21")
    seen = probe(pods[0], "10.200.7.2")
    assert seen == pod("10.200.7.2", (False, "host unreachable (from 10.0.1.21)"))


def test_a_node_without_a_route_says_so(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    nodes.on(0, "ip", "route", "del", "10.200.1.0/24")
    assert probe(pods[0], PEER)[f"icmp {PEER}"] == (False, "network unreachable (from 10.200.0.1)")


def test_a_routing_loop_shows_as_time_to_live(nodes: TwoNodes) -> None:
    """Without masquerade: a packet with a node's own address does not come round twice."""
    nodes.configure(0, ipMasq=False)
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    nodes.on(0, "ip", "route", "add", "10.200.8.0/24", "via", "10.0.1.21")
    nodes.on(1, "ip", "route", "add", "10.200.8.0/24", "via", "10.0.1.20")
    said = probe(session, "10.200.8.2")["icmp 10.200.8.2"][1]
    assert said in [f"time to live exceeded (from 10.0.1.{host})" for host in (20, 21)] + [
        "time to live exceeded (from 10.200.0.1)"
    ]


def test_a_refused_connection_is_no_silence(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    seen = probe(pods[0], "10.0.1.21")
    refused = (False, "connection refused"), (False, "port unreachable (from 10.0.1.21)")
    assert seen == pod("10.0.1.21", REACHED, *refused)


def test_the_wrong_pod_that_answers_is_named(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    """Two nodes with one pod range: somebody answers, but not the one that was meant."""
    other = (False, "worker-1 answered")
    assert probe(pods[0], PEER, worker="worker-2") == pod(PEER, REACHED, other)


def test_a_pod_that_has_the_peers_address_did_not_reach_it(
    nodes: TwoNodes, pods: tuple[Session, Session]
) -> None:
    """Of two pods with one address each would answer itself."""
    seen = probe(pods[0], "10.200.0.2")
    assert seen == pod("10.200.0.2", (False, "10.200.0.2 is this pod's own address"))


def test_many_dead_peers_cost_little_more_than_one(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    """They are tried together, and do not hold up the one that lives."""
    nodes.on(0, "ip", "route", "add", "blackhole", "10.200.9.0/24")
    dead = [f"10.200.9.{host}" for host in range(2, 62)]
    began = time.monotonic()
    seen = probe(pods[0], *dead, PEER)
    assert time.monotonic() - began < 6
    assert seen[f"tcp {PEER}"] == (True, "")
    assert sum(reached for reached, _ in seen.values()) == 3


def test_a_session_can_be_ended_while_its_pod_probes(nodes: TwoNodes, pods: tuple[Session, Session]) -> None:
    """Hanging up does not wait for the deadline."""
    nodes.on(0, "ip", "route", "add", "blackhole", "10.200.9.0/24")
    peers = [{"worker": "worker-9", "address": "10.200.9.9", "port": 8080}]
    with contextlib.suppress(CouldNotLook):
        pods[0].request("probe", deadline=0.3, peers=peers, seconds=30)
    began = time.monotonic()
    pods[0].close()
    assert time.monotonic() - began < 20
    assert nodes.trace(0)["reservations"] == []
