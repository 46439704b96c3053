"""Packets that anybody on the network may send to a probe pod: passed over, or read for what they are.

Seeded, in this process, and bounded. ``KTHW_FUZZ=100000 ./run test tests/fuzz`` tries more of them.
"""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from kthw.observed.agent.answering import MOST_BULK, Answering, bulk, bulk_length
from kthw.observed.agent.calls import Call, Probe
from kthw.observed.agent.datagrams import TIME_EXCEEDED, UNREACHABLE, Asker, Datagrams, told_of
from kthw.observed.agent.mesh import Mesh
from kthw.observed.agent.turns import Turns

MUTANTS: Final = int(os.environ.get("KTHW_FUZZ", "3000"))
PEER: Final = "127.0.0.2"


@pytest.fixture
def turns() -> Turns:
    return Turns()


class _Sockets:
    """What ``Datagrams`` needs of its sockets, with one packet to read."""

    def __init__(self, packet: bytes) -> None:
        self.packet = [packet]
        self.sent: list[bytes] = []

    def recvfrom_into(self, buffer: bytearray) -> tuple[int, tuple[str, int]]:
        data = self._next()
        buffer[: len(data)] = data
        return len(data), (PEER, 0)

    def recvfrom(self, _size: int) -> tuple[bytes, tuple[str, int]]:
        return self._next(), (PEER, 53)

    def sendto(self, data: bytes, _to: object) -> None:
        self.sent.append(data)

    def _next(self) -> bytes:
        if not self.packet:
            raise BlockingIOError
        return self.packet.pop()


def _changed(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data[: chance.choice((len(data), chance.randrange(len(data) + 1)))])
    for _ in range(chance.randrange(6)):
        if found:
            found[chance.randrange(len(found))] = chance.choice((0, 10, 32, 255, chance.randrange(256)))
    return bytes(found + bytes(chance.choice((0, 0, 1, 2000))))


def _honest(datagrams: Datagrams) -> Iterator[bytes]:
    """Answers to number 1, and errors about it."""
    head = bytes([0x45, *[0] * 8, 1, 0, 0, *socket.inet_aton(PEER), *socket.inet_aton("10.200.0.2")])
    there = bytes([0x45, *[0] * 8, 1, 0, 0, *socket.inet_aton("10.200.0.2"), *socket.inet_aton(PEER)])
    yield head + struct.pack("!BBHHH", 0, 0, 0, datagrams.identity, 1) + datagrams.nonce
    for kind in (UNREACHABLE, TIME_EXCEEDED):
        for protocol in (1, 6, 17):
            inner = there[:9] + bytes([protocol]) + there[10:] + struct.pack("!BBHHH", 8, 0, 0, 7, 1)
            yield head + struct.pack("!BBHHH", kind, 4, 0, 0, 1300) + inner


def _datagrams(turns: Turns) -> Datagrams:
    """As it is made, but for its sockets: a raw one may not be everybody's."""
    datagrams = object.__new__(Datagrams)
    datagrams.prefix, datagrams.turns, datagrams.number = b"kthw r1 ", turns, 1
    datagrams.nonce, datagrams.identity, datagrams.buffer = b"12345678", 7, bytearray(1 << 16)
    datagrams.connection_refused = lambda *_: None
    return datagrams


@pytest.mark.parametrize("way", ["icmp", "udp"])
def test_a_packet_says_no_more_than_that_one_probe_was_answered_or_refused(turns: Turns, way: str) -> None:
    datagrams, chance = _datagrams(turns), random.Random(way)  # noqa: S311 -- a seed, no secret
    seeds = [*_honest(datagrams)] if way == "icmp" else [b"kthw r1 1 worker-1\n", b"kthw r1 1 worker-2\n"]
    outcomes = set()
    for count in range(MUTANTS):
        probe = Probe("pod", "worker-1", PEER, "icmp" if way == "icmp" else "udp", 53)
        call = Call([probe])
        Mesh([call], 3.0, datagrams, turns)
        probe.numbers = [1]
        asker: Asker = probe
        datagrams.asked, datagrams.lengths = {1: (asker, 0.0, 0)}, {(PEER, 128): asker}
        seed = seeds[count % len(seeds)]
        sockets = _Sockets(seed if count < len(seeds) else _changed(seed, chance))
        vars(datagrams).update(icmp=sockets, udp=sockets)
        read: Callable[[], None] = datagrams._on_icmp if way == "icmp" else datagrams._on_udp
        read()
        told = probe.told(3.0)
        assert told[:5] == ["pod", "worker-1", PEER, way, 0]
        assert str(told[6]).isprintable()
        outcomes.add((told[5], bool(probe.refusal)))
    assert {(True, False), (False, True), (False, False)} <= outcomes


def test_what_is_to_come_back_is_read_for_its_length_or_dropped() -> None:
    chance = random.Random("bulk")  # noqa: S311 -- a seed, no secret
    honest = bulk("r1", 1448)
    assert len(honest) == 1448
    assert bulk_length(b"kthw r1 ", bytearray(honest)) == 1448
    for _ in range(MUTANTS):
        said = bytearray(_changed(honest[: chance.choice((16, 1448))], chance))
        assert -1 <= bulk_length(b"kthw r1 ", said) <= MOST_BULK


def test_no_datagram_is_answered_with_more_than_it_says() -> None:
    chance = random.Random("answer")  # noqa: S311 -- a seed, no secret
    answering = object.__new__(Answering)
    answering.prefix, answering.name = b"kthw r1 ", b" worker-1\n"
    answered = 0
    for _ in range(MUTANTS):
        said = _changed(b"kthw r1 7\n" + bytes(chance.choice((0, 8, 118))), chance)
        sockets = _Sockets(said)
        vars(answering).update(udp=sockets)
        answering._answer()
        assert sum(map(len, sockets.sent)) <= len(said)
        assert all(said.startswith(b"kthw r1 ") for _ in sockets.sent)
        answered += len(sockets.sent)
    assert 0 < answered < MUTANTS


@pytest.mark.parametrize("code", range(16))
def test_an_error_of_any_code_has_words(code: int) -> None:
    assert told_of(struct.pack("!BBHHH", UNREACHABLE, code, 0, 0, 0), PEER).endswith(f"(from {PEER})")
