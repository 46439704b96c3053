"""All the probes of one pod at once."""

from __future__ import annotations

import contextlib
import errno
import heapq
import os
import random
import selectors
import socket
import struct
import time
from typing import Any

from kthw.observed.agent.system import MOST_NAME

SO_RCVBUFFORCE = 33
SOL_RAW, ICMP_FILTER = 255, 1
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 8, 11

WINDOW = 32
"""Probes under way at once that could still be answered soon: the mesh clocks itself by the answers."""
FRESH = 0.5
"""Seconds after which an unanswered probe no longer holds the next one back."""
MOST_WHO = 100
"""Characters of the name that a stranger who answered gives itself."""

UNREACHABLES = {
    0: "network unreachable",
    1: "host unreachable",
    2: "protocol unreachable",
    3: "port unreachable",
    4: "fragmentation needed",
    9: "administratively prohibited",
    10: "administratively prohibited",
    13: "administratively prohibited",
}
REFUSALS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EPERM: "operation not permitted",
    errno.ETIMEDOUT: "",
}


class Probe:
    """One pair and one protocol, tried again and again until it is reached or its time is up."""

    def __init__(self, kind: str, worker: str, address: str, port: int, expected: bytes = b"") -> None:
        self.kind = kind
        self.worker = worker
        self.address = address
        self.port = port  # 0: ICMP
        self.expected = expected
        self.began = 0.0
        self.sent = 0.0
        self.done = False
        self.fresh = False
        self.reached = False
        self.refusal = ""
        self.took = 0.0
        self.heard = b""
        self.socket: socket.socket | None = None

    def told(self, deadline: float) -> list[Any]:
        detail = "" if self.reached else self.refusal or f"no answer in {deadline:.1f} s"
        protocol = "tcp" if self.port else "icmp"
        took = round(self.took * 1000, 1) if self.reached else 0.0
        found = [self.reached, detail[:MOST_NAME], took, 0, 0, 0]
        return [self.kind, self.worker, self.address, protocol, 0, *found]


class Mesh:
    """All probes of one pod at once, in one thread. Made, run and closed inside the pod."""

    def __init__(
        self, probes: list[Probe], deadline: float, own: str, selector: selectors.BaseSelector
    ) -> None:
        self.probes = probes
        self.deadline = deadline
        self.selector = selector
        self.waiting = list(probes)
        random.shuffle(self.waiting)  # or all pods would turn to the same peer first
        self.pending = 0
        self.left = len(probes)
        self.wakes: list[tuple[float, int, Probe]] = []
        self.echoes: dict[int, tuple[Probe, float]] = {}
        self.echo = 0
        self.nonce = os.urandom(8)
        self.icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.icmp.setblocking(False)
        wanted = 1 << ECHO_REPLY | 1 << UNREACHABLE | 1 << TIME_EXCEEDED
        self.icmp.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", ~wanted & 0xFFFFFFFF))
        with contextlib.suppress(OSError):
            self.icmp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        selector.register(self.icmp, selectors.EVENT_READ, self._on_icmp)
        for probe in probes:
            if probe.address == own and probe.kind == "pod":
                self.waiting.remove(probe)
                self._finish(probe, refusal=f"{own} is this pod's own address")

    def close(self) -> None:
        for probe in self.probes:
            self._drop(probe)
        self.selector.unregister(self.icmp)
        self.icmp.close()

    def advance(self) -> float:
        """Send what is due; the seconds until something is due again."""
        now = time.monotonic()
        while self.waiting and self.pending < WINDOW:
            probe = self.waiting.pop()
            probe.began, probe.fresh = now, True
            self.pending += 1
            self._send(probe, now)
        while self.wakes and self.wakes[0][0] <= now:
            probe = heapq.heappop(self.wakes)[2]
            if probe.done:
                continue
            self._stale(probe)
            if now >= probe.began + self.deadline:
                self._finish(probe)
            elif now >= probe.sent + self._pause(probe):
                self._send(probe, now)
            else:
                self._wake(probe, now)
        if not self.left or (self.waiting and self.pending < WINDOW):
            return 0.0
        return max(0.0, self.wakes[0][0] - now) if self.wakes else self.deadline

    def _pause(self, probe: Probe) -> float:
        """Seconds between two tries: a lost packet must not fail a pair, nor a slow one be cut off."""
        silent = probe.port and probe.socket
        return max(1.0, self.deadline / 3) if silent else max(FRESH, self.deadline / 6)

    def _wake(self, probe: Probe, now: float) -> None:
        due = min(probe.sent + self._pause(probe), probe.began + self.deadline)
        if probe.fresh:
            due = min(due, probe.began + FRESH)
        self.echo += 1
        heapq.heappush(self.wakes, (max(due, now + 0.001), self.echo, probe))

    def _send(self, probe: Probe, now: float) -> None:
        probe.sent = now
        try:
            if probe.port:
                self._connect(probe)
            else:
                self._ping(probe, now)
        except OSError as problem:
            self._refused(probe, problem)
        if not probe.done:
            self._wake(probe, now)

    def _ping(self, probe: Probe, now: float) -> None:
        self.echo += 1
        sequence = self.echo & 0xFFFF
        self.echoes[sequence] = (probe, now)
        head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, os.getpid() & 0xFFFF, sequence)
        packet = head[:2] + struct.pack("!H", checksum(head + self.nonce)) + head[4:] + self.nonce
        with contextlib.suppress(BlockingIOError):
            self.icmp.sendto(packet, (probe.address, 0))

    def _connect(self, probe: Probe) -> None:
        self._drop(probe)
        probe.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        probe.socket.setblocking(False)
        number = probe.socket.connect_ex((probe.address, probe.port))
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, os.strerror(number))
        self.selector.register(probe.socket, selectors.EVENT_WRITE, lambda: self._on_connected(probe))

    def _on_connected(self, probe: Probe) -> None:
        if not probe.socket:
            return
        number = probe.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._drop(probe)
            self._refused(probe, OSError(number, os.strerror(number)))
        elif probe.expected:
            self.selector.modify(probe.socket, selectors.EVENT_READ, lambda: self._on_token(probe))
        else:
            self._finish(probe, reached=True, took=time.monotonic() - probe.sent)

    def _on_token(self, probe: Probe) -> None:
        if not probe.socket:
            return
        try:
            heard = probe.socket.recv(512)
        except OSError as problem:
            self._drop(probe)
            self._refused(probe, problem)
            return
        probe.heard += heard
        if heard and b"\n" not in probe.heard and len(probe.heard) < 512:
            return
        if probe.heard == probe.expected:
            self._finish(probe, reached=True, took=time.monotonic() - probe.sent)
            return
        # Whoever listens there may say anything: only a name goes into what we tell.
        words = probe.heard.decode("utf-8", "replace").rstrip("\n").split(" ", 2)
        ours = len(words) == 3 and words[0] == "kthw" and words[2].isprintable()
        who = words[2][:MOST_WHO] if ours else "something that is no probe pod"
        self._finish(probe, refusal=f"{who} answered")

    def _refused(self, probe: Probe, problem: OSError) -> None:
        text = REFUSALS.get(problem.errno or 0, problem.strerror or str(problem))
        # An ICMP error says more than the errno it became: keep it.
        if not probe.refusal.startswith(text):
            probe.refusal = text

    def _on_icmp(self) -> None:
        while True:
            try:
                packet, (sender, _) = self.icmp.recvfrom(2048)
            except OSError:
                return
            message = packet[(packet[0] & 0xF) * 4 :]
            if len(message) < 8:
                continue
            if message[0] == ECHO_REPLY:
                probe, sent = self.echoes.get(struct.unpack_from("!H", message, 6)[0], (None, 0.0))
                if probe and probe.address == sender and message[8:] == self.nonce:
                    self._finish(probe, reached=True, took=time.monotonic() - sent)
            else:
                self._on_icmp_error(message, sender)

    def _on_icmp_error(self, message: bytes, sender: str) -> None:
        inner = message[8:]
        if len(inner) < 20:
            return
        body = inner[(inner[0] & 0xF) * 4 :]
        if len(body) < 8:
            return
        to = socket.inet_ntoa(inner[16:20])
        if inner[9] == socket.IPPROTO_ICMP:
            about = [self.echoes.get(struct.unpack_from("!H", body, 6)[0], (None, 0.0))[0]]
        else:
            port = struct.unpack_from("!H", body, 2)[0]
            about = [each for each in self.probes if each.port == port and each.address == to]
        what = "time to live exceeded" if message[0] == TIME_EXCEEDED else UNREACHABLES.get(message[1])
        for probe in about:
            if probe and probe.address == to and not probe.done:
                probe.refusal = f"{what or 'unreachable'} (from {sender})"

    def _stale(self, probe: Probe) -> None:
        if probe.fresh:
            probe.fresh = False
            self.pending -= 1

    def _drop(self, probe: Probe) -> None:
        if probe.socket:
            with contextlib.suppress(KeyError):
                self.selector.unregister(probe.socket)
            probe.socket.close()
            probe.socket = None
        probe.heard = b""

    def _finish(self, probe: Probe, reached: bool = False, took: float = 0.0, refusal: str = "") -> None:
        if not probe.done:
            probe.done, probe.reached, probe.took = True, reached, took
            probe.refusal = refusal or probe.refusal
            self.left -= 1
            self._stale(probe)
            self._drop(probe)


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
