"""Further pods with addresses that are asked for: what they send and answer, and whose is not taken."""

from __future__ import annotations

import contextlib
import signal
import threading
import time

import pytest

from kthw.errors import CouldNotLook
from kthw.observed import answers
from kthw.observed.answers import Further, UnfitError
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import CLEAN, NO_NODES, PEER, Lab, TwoNodes

HERE, THERE = "10.200.0.77", "10.200.1.130"


def make(session: Session, *addresses: str) -> tuple[list[str], list[str]]:
    told = session.request("further", deadline=30, addresses=list(addresses))
    return list(told["made"]), list(told["taken"])


@NO_NODES
def test_packets_of_every_kind_are_answered_from_and_at_an_address_that_was_asked_for(lab: Lab) -> None:
    nodes, sender, receiver = lab
    assert make(sender, HERE) == ([HERE], [])
    assert make(receiver, THERE) == ([THERE], [])
    receiver.request("listen", deadline=20, ports=[["tcp", 9000, THERE], ["udp", 19, THERE]])
    packets = [
        [0, "icmp", "worker-1", THERE, 0, 0, ""],
        [1, "icmp", "worker-1", PEER, 0, 0, HERE],
        [2, "icmp", "worker-1", THERE, 0, 0, HERE],
        [3, "tcp", "worker-1", THERE, 9000, 40000, HERE],
        [4, "udp", "worker-1", THERE, 19, 40000, ""],
        [5, "udp", "worker-1", THERE, 19, 40000, "10.200.0.78"],
        [6, "tcp", "worker-1", PEER, 9000, 40000, HERE],
        [7, "icmp", "worker-1", "10.200.1.131", 0, 0, HERE],
    ]

    def answered() -> tuple[list[int], list[int]]:
        told = sender.request("single", deadline=20, packets=packets, seconds=1.0)
        return list(told["answered"]), list(told["unsent"])

    assert answered() == ([0, 1, 2, 3, 4], [5]), "there is no such pod here; at the probe pod nobody listens"
    nodes.on(1, "iptables", "-A", "FORWARD", "-d", "10.200.1.128/28", "-j", "DROP")
    try:
        assert answered() == ([1], [5])
    finally:
        nodes.on(1, "iptables", "-D", "FORWARD", "-d", "10.200.1.128/28", "-j", "DROP")


@NO_NODES
def test_all_is_given_back_at_the_end(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    addresses = [f"10.200.0.{n}" for n in range(100, 108)]
    assert make(session, *addresses) == (addresses, [])
    assert set(addresses) < set(nodes.reservations(0))
    session.request("end", deadline=30)
    assert nodes.reservations(0) == []
    session.close()
    assert nodes.until_clean(0) == CLEAN
    assert nodes.make_pod(nodes.session(0), 0) == "10.200.0.3", "the next one, as if none had been asked for"


@NO_NODES
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_gives_all_back(nodes: TwoNodes, number: int) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    make(session, HERE)
    nodes.on(0, "kill", f"-{int(number)}", str(min(nodes.agents(0))))
    assert nodes.until_clean(0) == CLEAN


@NO_NODES
def test_what_a_killed_agent_left_the_next_one_sweeps(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    make(session, HERE, "10.200.0.78")
    nodes.on(0, "kill", "-9", str(min(nodes.agents(0))))
    nodes.until_clean(0, 0.5)
    assert nodes.trace(0)["processes"] == []
    assert nodes.reservations(0) == ["10.200.0.2", HERE, "10.200.0.78"]
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    assert len(nodes.reservations(0)) == 1
    session.close()
    assert nodes.trace(0) == CLEAN


@NO_NODES
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ended_while_it_makes_them_it_leaves_nothing_that_no_sweep_takes(
    nodes: TwoNodes, number: int
) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    (agent,) = nodes.agents(0)[:1]
    addresses = [f"10.200.0.{n}" for n in range(100, 108)]
    asking = threading.Thread(target=lambda: _in_vain(session, addresses))
    asking.start()
    until = time.monotonic() + 20
    while len(nodes.reservations(0)) < 3 and time.monotonic() < until:
        time.sleep(0.005)
    nodes.on(0, "kill", f"-{int(number)}", str(agent))
    asking.join()
    nodes.until_clean(0, 10 if number == signal.SIGTERM else 0.5)
    assert nodes.trace(0)["processes"] == []
    assert bool(nodes.reservations(0)) == (number == signal.SIGKILL)
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    session.close()
    assert nodes.trace(0) == CLEAN


def _in_vain(session: Session, addresses: list[str]) -> None:
    with contextlib.suppress(CouldNotLook):
        make(session, *addresses)


@NO_NODES
def test_nobodys_address_is_taken(nodes: TwoNodes) -> None:
    """Neither one that is held for a pod, nor one that a pod has without a reservation, nor the node's."""
    session = nodes.session(0)
    mine = nodes.make_pod(session, 0)
    held = nodes.directory / "ipam0" / "bridge" / HERE
    held.write_text("3f2a9c\r\neth0")
    nodes.around("ip", "netns", "add", "by-hand")
    try:
        nodes.around("ip", "-n", "by-hand", "address", "add", "10.200.0.78/24", "dev", "lo")
        nodes.around("ip", "-n", "by-hand", "link", "set", "lo", "up")
        taken = [HERE, "10.200.0.78", "10.200.0.1", mine]
        assert make(session, *taken, "10.200.0.79") == (["10.200.0.79"], taken)
    finally:
        nodes.around("ip", "netns", "delete", "by-hand")
    session.close()
    assert nodes.reservations(0) == [HERE]
    assert held.read_text().startswith("3f2a9c")


@NO_NODES
def test_what_the_nodes_network_does_not_give_is_not_taken(nodes: TwoNodes) -> None:
    ranges = [[{"subnet": "10.200.0.0/24", "rangeStart": "10.200.0.2", "rangeEnd": "10.200.0.99"}]]
    ipam = {"type": "host-local", "dataDir": str(nodes.directory / "ipam0"), "ranges": ranges}
    nodes.configure(0, ipam=ipam)
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    assert make(session, "10.200.1.77", "10.0.1.50", "10.200.0.100", "10.200.0.255") == ([], [])
    assert make(session, HERE) == ([HERE], [])
    assert make(session, HERE, "10.200.0.78") == ([HERE, "10.200.0.78"], [])
    session.close()
    assert nodes.trace(0) == CLEAN


@NO_NODES
def test_another_address_plugin_is_not_asked_for_an_address(nodes: TwoNodes) -> None:
    nodes.configure(0, ipam={"type": "static", "addresses": [{"address": "10.200.0.9/24"}]})
    session = nodes.session(0)
    assert nodes.make_pod(session, 0) == "10.200.0.9"
    assert make(session, HERE) == ([], [])
    session.close()
    assert nodes.trace(0) == CLEAN


@NO_NODES
def test_without_a_probe_pod_there_is_no_further_one(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    with pytest.raises(CouldNotLook, match="no pod"):
        make(session, HERE)
    session.close()


def test_what_a_worker_tells_of_addresses_is_of_those_that_were_asked() -> None:
    assert answers.further(Further(id=1, made=(HERE,), taken=(THERE,)), [HERE, THERE]) == ({HERE}, {THERE})
    for wrong in (
        Further(id=1, made=(HERE,), taken=()),
        Further(id=1, made=(), taken=(HERE,)),
        Further(id=1, made=(THERE,), taken=(THERE,)),
    ):
        with pytest.raises(UnfitError, match="nobody asked"):
            answers.further(wrong, [THERE])
