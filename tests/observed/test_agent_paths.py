"""What the agent measures where some packets pass and some do not: too large ones, or a share of all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kthw.observed.agent import answering
from kthw.observed.evidence import DNS_PORT
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import NO_NODES, PEER, TwoNodes

pytestmark = NO_NODES

HERE = "10.200.0.2"
PEERS = {0: {"worker": "worker-1", "address": PEER}, 1: {"worker": "worker-0", "address": HERE}}
LOSE = "add chain ip lose c { type filter hook prerouting priority -300; }"


class Row(NamedTuple):
    reached: bool
    detail: str
    milliseconds: float
    limit: int
    sent: int
    lost: int


class Lab(NamedTuple):
    nodes: TwoNodes
    sessions: tuple[Session, Session]

    def look(self, number: int = 0, seconds: float = 1.0) -> dict[tuple[str, int], Row]:
        """What the pod on a node measures of the other one, by protocol and size."""
        peers = [{**PEERS[number], "port": 8080}]
        answer = self.sessions[number].request("probe", deadline=30, peers=peers, seconds=seconds)
        return {(row[3], row[4]): Row(*row[5:]) for row in answer["probes"]}

    def lose(self, rule: str) -> None:
        """On the other node, drop what ``rule`` matches, on its way to a pod or from one."""
        for command in ("add table ip lose", LOSE, f"add rule ip lose c {rule} drop"):
            self.nodes.on(1, "nft", command)


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A pod on each node, made with the changes to its CNI file that the test's parameter says."""
    nodes = TwoNodes(tmp_path)
    for number, changes in getattr(request, "param", {}).items():
        nodes.configure(number, **changes)
    sessions = nodes.session(0), nodes.session(1)
    for number, session in enumerate(sessions):
        nodes.make_pod(session, number)
    yield Lab(nodes, sessions)
    nodes.close()


def reached(rows: dict[tuple[str, int], Row]) -> dict[tuple[str, int], bool]:
    return {key: row.reached for key, row in rows.items()}


def all_of(small: bool, full: bool, size: int = 1500) -> dict[tuple[str, int], bool]:
    return {
        (protocol, each): full if each else small for protocol in ("icmp", "tcp", "udp") for each in (0, size)
    }


def test_each_size_of_each_protocol_has_its_round_trip(lab: Lab) -> None:
    rows = lab.look()
    assert reached(rows) == all_of(True, True)
    assert all(0 < row.milliseconds < 1000 for row in rows.values())
    assert {row.limit for row in rows.values()} == {0}


def test_where_nothing_is_lost_packets_are_counted_all_the_same(lab: Lab) -> None:
    rows = lab.look()
    assert (rows["icmp", 0].sent, rows["icmp", 0].lost) == (20, 0)
    assert {row.lost for row in rows.values()} == {0}


@pytest.mark.parametrize("lab", [{0: {"mtu": 9001}, 1: {"mtu": 9001}}], indirect=True)
def test_full_size_is_the_pod_s_own(lab: Lab) -> None:
    """Jumbo pods on links that carry as much."""
    for number in (0, 1):
        lab.nodes.on(number, "ip", "link", "set", "ens5", "mtu", "9001")
    assert reached(lab.look()) == all_of(True, True, 9001)


def test_a_link_that_is_too_narrow_to_leave_by_says_so_and_its_mtu_is_found(lab: Lab) -> None:
    """Its node's kernel tells the pod; and TCP, which heeds that, gets through from this side alone."""
    lab.nodes.on(0, "ip", "link", "set", "ens5", "mtu", "1300")
    lab.nodes.on(1, "ip", "link", "set", "ens5", "mtu", "9001")
    rows = lab.look()
    assert [rows[protocol, 0].reached for protocol in ("icmp", "tcp", "udp")] == [True] * 3
    for protocol in ("icmp", "udp"):
        full = rows[protocol, 1500]
        assert (full.reached, full.limit) == (False, 1300)
        assert full.detail == "fragmentation needed (from 10.200.0.1: 1300 bytes)"


def test_a_link_that_is_too_narrow_to_come_in_by_is_silent_and_its_limit_is_found(lab: Lab) -> None:
    """Nobody tells TCP either. A virtual link takes in four bytes more than its MTU."""
    lab.nodes.on(1, "ip", "link", "set", "ens5", "mtu", "1300")
    rows = lab.look()
    assert reached(rows) == all_of(True, False)
    assert {row.limit for (_, size), row in rows.items() if size} == {1304}
    assert {row.detail for (_, size), row in rows.items() if size} == {"no answer in 1.0 s"}
    assert all(row.lost == 0 for row in rows.values())


@pytest.mark.parametrize("lab", [{1: {"mtu": 1450}}], indirect=True)
def test_pods_of_two_sizes_are_too_narrow_one_way_and_tcp_agrees_on_the_smaller_one(lab: Lab) -> None:
    rows = lab.look(0)
    assert reached(rows) == {**all_of(True, False), ("tcp", 1500): True}
    assert {rows[protocol, 1500].limit for protocol in ("icmp", "udp")} == {1450}
    assert reached(lab.look(1)) == all_of(True, True, 1450)


def test_a_filter_of_a_size_nobody_has_for_an_mtu_is_found_to_the_byte(lab: Lab) -> None:
    lab.lose(f"ip daddr {PEER} ip length > 1337")
    rows = lab.look()
    assert reached(rows) == all_of(True, False)
    assert {row.limit for (_, size), row in rows.items() if size} == {1337}


def test_what_stops_a_question_to_dns_stops_what_is_sent_by_udp(lab: Lab) -> None:
    """The agent has no evidence to import: its port is this one."""
    assert answering.DNS_PORT == DNS_PORT
    lab.lose(f"ip daddr {PEER} udp dport {DNS_PORT}")
    assert reached(lab.look()) == {**all_of(True, True), ("udp", 0): False, ("udp", 1500): False}


def test_what_only_one_protocol_meets_is_told_of_that_one(lab: Lab) -> None:
    lab.lose(f"ip daddr {PEER} udp dport 53 ip length > 1000")
    rows = lab.look()
    assert reached(rows) == {**all_of(True, True), ("udp", 1500): False}
    assert rows["udp", 1500].limit == 1000


def test_udp_that_nothing_lets_through_is_told_though_icmp_and_tcp_pass(lab: Lab) -> None:
    lab.lose(f"ip daddr {PEER} ip protocol udp")
    rows = lab.look()
    assert reached(rows) == {**all_of(True, True), ("udp", 0): False, ("udp", 1500): False}
    assert rows["udp", 0].detail == "no answer in 1.0 s"


@pytest.mark.parametrize(
    ("lost", "least", "most"),
    [("numgen random mod 100 < 20", 45, 100), ("numgen inc mod 20 == 7", 5, 45)],
    ids=["a fifth", "a twentieth"],
)
def test_a_share_that_is_lost_is_counted_and_no_pair_is_told_as_unreachable(
    lab: Lab, lost: str, least: int, most: int
) -> None:
    """On one node, that both a packet and its answer pass: 36 % and 10 % of the round trips.

    The smaller share in turn and not by chance: one look of ten would see nothing of it.
    """
    lab.lose(lost)
    began = time.monotonic()
    rows = lab.look(seconds=3.0)
    assert time.monotonic() - began < 15
    assert reached(rows) == all_of(True, True)
    count = rows["icmp", 0]
    assert count.sent == 200
    assert least <= count.lost <= most


def test_where_icmp_is_blocked_what_is_lost_is_counted_by_udp(lab: Lab) -> None:
    lab.lose("numgen random mod 100 < 20")
    lab.nodes.on(1, "nft", f"add rule ip lose c ip daddr {PEER} ip protocol icmp drop")
    rows = lab.look(seconds=3.0)
    assert not rows["icmp", 0].reached
    assert (rows["icmp", 0].sent, rows["udp", 0].sent) == (0, 200)
    assert 45 <= rows["udp", 0].lost <= 100


def test_a_dead_pair_is_not_asked_again(lab: Lab) -> None:
    lab.nodes.on(0, "ip", "route", "add", "blackhole", f"{PEER}/32")
    began = time.monotonic()
    rows = lab.look(seconds=1.0)
    assert time.monotonic() - began < 3
    assert {(row.reached, row.sent, row.limit) for row in rows.values()} == {(False, 0, 0)}


SAID: dict[str, tuple[bytes, bytes]] = {
    "the run and a number": (b"kthw r1 7\n" + bytes(60), b"kthw r1 7 worker-1\n"),
    "no room for the answer": (b"kthw r1 7\n", b"kthw r1 7 "),
    "another run": (b"kthw r2 7\n" + bytes(60), b""),
    "nothing": (b"", b""),
    "an answer": (b"kthw r1 7 worker-0\n" + bytes(60), b""),
    "no number": (b"kthw r1 \n" + bytes(60), b""),
}


@pytest.mark.parametrize(("said", "heard"), SAID.values(), ids=SAID)
def test_a_pod_answers_only_who_knows_the_run_and_never_more_than_was_said(
    lab: Lab, said: bytes, heard: bytes
) -> None:
    """Nobody can use it against a third, and two of them do not talk to each other for ever."""
    code = (
        "import socket,sys; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(0.5)\n"
        f"s.sendto({said!r}, ('{PEER}', {DNS_PORT}))\n"
        "try: sys.stdout.buffer.write(s.recv(2048))\n"
        "except socket.timeout: pass"
    )
    assert lab.nodes.on(1, "python3", "-c", code).encode() == heard


def _connected(lab: Lab, said: bytes) -> bytes:
    code = (
        f"import socket,sys; s=socket.create_connection(('{PEER}', 8080), 2); s.settimeout(0.5)\n"
        f"s.sendall({said!r}); heard=b''\n"
        "try:\n"
        "    while True:\n"
        "        more=s.recv(4096); heard+=more\n"
        "        if not more: heard+=b'END'; break\n"
        "except socket.timeout: pass\n"
        "except ConnectionResetError: heard+=b'END'\n"
        "sys.stdout.buffer.write(heard)"
    )
    return lab.nodes.on(1, "python3", "-c", code).encode()


TOKEN = b"kthw r1 worker-1\n"
ECHOED: dict[str, tuple[bytes, bytes]] = {
    "as long as it says": (b"kthw r1 20\n123456789", TOKEN + b"kthw r1 20\n123456789"),
    "shorter than it says": (b"kthw r1 21\n123456789", TOKEN),
    "no run": (b"GET / HTTP/1.1\r\n\r\n", TOKEN + b"END"),
    "no length": (b"kthw r1 many\n", TOKEN + b"END"),
    "too long": (b"kthw r1 65536\n", TOKEN + b"END"),
    "a length without an end": (b"kthw r1 11111111111", TOKEN + b"END"),
}


@pytest.mark.parametrize(("said", "heard"), ECHOED.values(), ids=ECHOED)
def test_over_tcp_too_only_what_knows_the_run_comes_back(lab: Lab, said: bytes, heard: bytes) -> None:
    """What was said as he connected is answered in one packet as large; else who it is, and then the rest."""
    assert _connected(lab, said) in (heard, heard[: len(said)] if heard.endswith(said) else heard)


def test_only_the_protocol_that_was_counted_by_has_a_count(lab: Lab) -> None:
    """How often another one was tried until it was answered is no sample of anything."""
    lab.nodes.on(1, "nft", "add table ip lose")
    lab.nodes.on(1, "nft", LOSE)
    lab.nodes.on(1, "nft", f"add rule ip lose c ip daddr {PEER} ip protocol udp quota until 4500 bytes drop")
    rows = lab.look(seconds=3.0)
    assert reached(rows) == all_of(True, True)
    assert (rows["icmp", 0].sent, rows["icmp", 0].lost) == (200, 0)
    assert {(row.sent, row.lost) for (protocol, _), row in rows.items() if protocol != "icmp"} == {(0, 0)}


def test_where_only_large_ones_were_answered_small_ones_were_lost_and_are_counted(lab: Lab) -> None:
    """A pair that happened to lose each of its small packets is no dead one: they are tried again."""
    lab.nodes.on(1, "nft", "add table ip lose")
    lab.nodes.on(1, "nft", LOSE)
    for protocol, port in (("icmp", ""), ("udp", "udp dport 53")):
        small = f"ip daddr {PEER} ip protocol {protocol} {port} ip length < 1000"
        lab.nodes.on(1, "nft", f"add rule ip lose c {small} quota until 500 bytes drop")
    rows = lab.look(seconds=1.0)
    assert (rows["icmp", 0].reached, rows["udp", 0].reached) == (True, True)
    assert (rows["icmp", 0].sent, rows["icmp", 0].lost) == (200, 0)


def test_of_many_pairs_what_the_mesh_sends_is_sample_enough(lab: Lab) -> None:
    peers = [{**PEERS[0], "port": 8080}] * 20
    answer = lab.sessions[0].request("probe", deadline=30, peers=peers, seconds=1.0)
    assert {tuple(row[8:]) for row in answer["probes"] if row[3:5] == ["icmp", 0]} == {(0, 1, 0)}


def test_of_many_pairs_those_that_were_answered_in_part_are_sampled(lab: Lab) -> None:
    """What nothing came of may be lost, and the mesh need not have shown that any is."""
    lab.lose(f"ip daddr {PEER} tcp dport 8080")
    peers = [{**PEERS[0], "port": 8080}] * 20
    answer = lab.sessions[0].request("probe", deadline=30, peers=peers, seconds=1.0)
    counts = [tuple(row[9:]) for row in answer["probes"] if row[3:5] == ["icmp", 0]]
    assert sorted(counts) == [(1, 0)] * 8 + [(5, 0)] * 12


def test_a_silent_pair_beside_one_that_loses_is_asked_again(lab: Lab) -> None:
    """It may have lost all by chance; alone it is a dead one."""
    silent = "10.200.1.77"
    lab.lose("numgen random mod 100 < 20")
    lab.nodes.on(1, "nft", f"insert rule ip lose c ip daddr {silent} drop")
    peers = [{**PEERS[0], "address": each, "port": 8080} for each in (silent, PEER)]
    answer = lab.sessions[0].request("probe", deadline=30, peers=peers, seconds=1.0)
    counts = {row[2]: tuple(row[9:]) for row in answer["probes"] if row[3:5] == ["icmp", 0]}
    assert counts[silent] == (200, 200)
    assert 45 <= counts[PEER][1] <= 100


def test_where_pairs_are_few_a_later_try_sends_several(lab: Lab) -> None:
    """At once, then half a second later; of three quarters that are lost some come back."""
    lab.lose(f"ip daddr {PEER} ip protocol icmp ip length < 1000 counter")
    lab.nodes.on(1, "nft", f"add rule ip lose c ip daddr {PEER} ip protocol {{ icmp, udp }} drop")
    lab.look(seconds=1.0)
    assert " counter packets 5 " in lab.nodes.on(1, "nft", "list", "table", "ip", "lose")
    many = [{**PEERS[0], "port": 8080}] * 13
    lab.sessions[0].request("probe", deadline=30, peers=many, seconds=1.0)
    assert f" counter packets {5 + 2 * 13} " in lab.nodes.on(1, "nft", "list", "table", "ip", "lose")


def test_a_small_and_a_large_packet_of_tcp_share_a_connection_and_its_packets(lab: Lab) -> None:
    """To the other pod: one that opens it, one that is full, one that ends it."""
    lab.nodes.on(1, "nft", "add table ip lose")
    lab.nodes.on(1, "nft", LOSE)
    lab.nodes.on(1, "nft", f"add rule ip lose c ip daddr {PEER} tcp dport 8080 counter")
    rows = lab.look()
    assert reached(rows) == all_of(True, True)
    assert " counter packets 3 " in lab.nodes.on(1, "nft", "list", "table", "ip", "lose")
