"""Echo requests and UDP datagrams, to many pods from two sockets, each with a number that comes back."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from kthw.observed.agent.turns import READ, Turns

SO_RCVBUFFORCE = 33
SOL_RAW, ICMP_FILTER = 255, 1
IP_MTU_DISCOVER, IP_PMTUDISC_PROBE = 10, 3
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 8, 11
FRAGMENTATION_NEEDED = 4

ECHO = struct.Struct("!BBHHH")
HEADERS = 28
"""Bytes of an IPv4 header and a UDP header, or an ICMP echo's."""
SMALL = 128
"""Bytes that a small datagram's data have at least: there must be room for the answer in as many."""
MOST_AT_ONCE = 64
"""Packets that are taken from a socket before it is another's turn."""
MOST_WHO = 100
"""Characters of the name that a stranger who answered gives itself."""
UNREACHABLES = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    FRAGMENTATION_NEEDED: "fragmentation needed",
    9: "administratively prohibited",
    10: "administratively prohibited",
    13: "administratively prohibited",
}


class Asker:
    """Who sent a datagram and waits for what comes of it: a pod's ``address``, ``port`` and ``worker``."""

    address = ""
    port = 0
    worker = ""

    def answered(self, number: int, took: float) -> None:
        """The answer to the datagram ``number`` is there, after so many seconds."""

    def refused(self, text: str) -> None:
        """Somebody on the way said that it cannot pass; there may be an answer to another one."""

    def mistaken(self, who: str) -> None:
        """Another pod answered."""


class Datagrams:
    """All datagrams of one pod. Made, used and closed inside the pod.

    None may be fragmented, and what the kernel has learned of a path's MTU is not heeded
    (``IP_PMTUDISC_PROBE``): we are here to measure it. ``connection_refused`` is told to which address a
    router would not pass a TCP packet on, and what it said.
    """

    def __init__(self, run: str, turns: Turns, connection_refused: Callable[[str, str], None]) -> None:
        self.prefix = f"kthw {run} ".encode()
        self.turns = turns
        self.connection_refused = connection_refused
        self.asked: dict[int, tuple[Asker, float, int]] = {}
        self.lengths: dict[tuple[str, int], Asker] = {}
        self.number = 0
        self.nonce = os.urandom(8)
        self.identity = os.getpid() & 0xFFFF
        self.bodies: dict[int, tuple[bytes, int]] = {}
        self.questions: dict[tuple[str, int], int] = {}
        self.buffer = bytearray(1 << 16)
        self.icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        wanted = 1 << ECHO_REPLY | 1 << UNREACHABLE | 1 << TIME_EXCEEDED
        self.icmp.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ~wanted & 0xFFFFFFFF))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for each, on_packet in ((self.icmp, self._on_icmp), (self.udp, self._on_udp)):
            each.setblocking(False)
            each.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE)
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            turns.register(each, READ, on_packet)

    def close(self) -> None:
        for each in (self.icmp, self.udp):
            self.turns.unregister(each)
            each.close()

    def send(self, asker: Asker, protocol: str, size: int) -> int:
        """Send one of ``size`` bytes, headers included (0: a small one); its number. Raises ``OSError``."""
        self.number = number = self.number % 0xFFFF + 1
        self.asked[number] = (asker, time.monotonic(), size)
        try:
            if protocol == "icmp":
                self.icmp.sendto(self._echo(size, number), (asker.address, 0))
            else:
                data = self._question(asker.worker, size, number)
                self.lengths[asker.address, len(data)] = asker
                self.udp.sendto(data, (asker.address, asker.port))
        except BlockingIOError:  # contextlib.suppress costs half of what sending does
            pass
        return number

    def _echo(self, size: int, number: int) -> bytes:
        found = self.bodies.get(size)
        if not found:
            body = self.nonce + bytes(max(0, size - HEADERS - len(self.nonce)))
            total = words_of(body) + (ECHO_REQUEST << 8) + self.identity
            found = self.bodies[size] = (body, ~folded(total) & 0xFFFF)
        body, total = found
        return ECHO.pack(ECHO_REQUEST, 0, folded(total + number), self.identity, number) + body

    def _question(self, worker: str, size: int, number: int) -> bytes:
        length = self.questions.get((worker, size))
        if length is None:
            least = max(SMALL, len(self.prefix) + 8 + len(worker.encode()))
            length = self.questions[worker, size] = max(least, size - HEADERS)
        return (self.prefix + b"%d\n" % number).ljust(length, b"\0")

    def _on_icmp(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                count, (sender, _) = self.icmp.recvfrom_into(self.buffer)
            except OSError:
                return
            start = (self.buffer[0] & 0xF) * 4
            if count < start + 8:
                continue
            if self.buffer[start]:
                self._on_error(bytes(self.buffer[start:count]), sender)
            elif self.buffer.startswith(self.nonce, start + 8):
                self._on_answer(self.buffer[start + 6] << 8 | self.buffer[start + 7], sender, count)

    def _on_answer(self, number: int, sender: str, count: int) -> None:
        asker, sent, size = self.asked.get(number, (None, 0.0, 0))
        if asker and asker.address == sender and count >= size:
            del self.asked[number]
            asker.answered(number, time.monotonic() - sent)

    def _on_udp(self) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                data, sender = self.udp.recvfrom(2048)
            except OSError:
                return
            number, who = self._read(data)
            asker, sent, _ = self.asked.get(number, (None, 0.0, 0))
            if asker and (asker.address, asker.port) == sender:
                del self.asked[number]
                if who == asker.worker:
                    asker.answered(number, time.monotonic() - sent)
                else:
                    asker.mistaken(stranger(who))

    def _read(self, data: bytes) -> tuple[int, str]:
        """The number of the question that ``data`` answers, and who says so; 0 where it is no answer."""
        number, _, who = data[len(self.prefix) :].partition(b" ")
        if not data.startswith(self.prefix) or not number.isdigit() or len(number) > 5:
            return 0, ""
        return int(number), who.decode("utf-8", "replace").rstrip("\n")

    def _on_error(self, message: bytes, sender: str) -> None:
        inner = message[8:]
        if len(inner) < 20:
            return
        body = inner[(inner[0] & 0xF) * 4 :]
        if len(body) < 8:
            return
        to, protocol = socket.inet_ntoa(inner[16:20]), inner[9]
        text = told_of(message, sender)
        if protocol == socket.IPPROTO_TCP:
            self.connection_refused(to, text)
            return
        if protocol == socket.IPPROTO_ICMP:
            asker: Any = self.asked.get(struct.unpack_from("!H", body, 6)[0], (None,))[0]
        else:  # of a UDP datagram, its header may be all that is quoted
            asker = self.lengths.get((to, struct.unpack_from("!H", body, 4)[0] - 8))
        if asker and asker.address == to:
            asker.refused(text)


def told_of(message: bytes, sender: str) -> str:
    """What an ICMP error says, and who says it."""
    if message[0] == TIME_EXCEEDED:
        return f"time to live exceeded (from {sender})"
    mtu = struct.unpack_from("!H", message, 6)[0] if message[1] == FRAGMENTATION_NEEDED else 0
    size = f": {mtu} bytes" if mtu else ""
    return f"{UNREACHABLES.get(message[1], 'unreachable')} (from {sender}{size})"


def stranger(name: str) -> str:
    """Who answered instead. Whoever it is may say anything: only a name goes into what we tell."""
    return name[:MOST_WHO] if name and name.isprintable() else "something that is no probe pod"


def words_of(data: bytes) -> int:
    """The sum of ``data``'s 16-bit words, an odd byte at the end filled up with a zero (RFC 1071)."""
    data += bytes(len(data) % 2)
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def folded(total: int) -> int:
    """The internet checksum of a sum of 16-bit words."""
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF
