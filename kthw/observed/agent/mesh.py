"""All the probes of one pod at once."""

from __future__ import annotations

import errno
import heapq
import math
import os
import socket
import struct
import time

from kthw.observed.agent.answering import bulk, unhurried
from kthw.observed.agent.calls import Call, Probe
from kthw.observed.agent.datagrams import Datagrams, stranger
from kthw.observed.agent.turns import BOTH, READ, WRITE, Turns

WINDOW = 32
"""Calls under way at once that could still be answered soon: the mesh clocks itself by the answers."""
FRESH = 0.5
"""Seconds after which an unanswered call no longer holds the next one back."""
LEAST_TRIES = 3
MOST_TOKEN = 512
AT_ONCE = struct.pack("ii", 1, 0)
SYN_SENT = 2
TCP_HEADERS, TIMESTAMPS, TCPI_OPTIONS, TCPI_OPT_TIMESTAMPS = 40, 12, 5, 1
REFUSALS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTUNREACH: "host unreachable",
    errno.EPERM: "operation not permitted",
    errno.EMSGSIZE: "message too long",
    errno.ETIMEDOUT: "",
}


class Mesh:
    """All calls of one pod at once, each tried again and again until its time is up, in one thread.

    ``pauses``: the seconds between two tries of datagrams, and of a connection that is silent.
    """

    def __init__(
        self,
        calls: list[Call],
        deadline: float,
        datagrams: Datagrams,
        turns: Turns,
        pauses: tuple[float, float] | None = None,
    ) -> None:
        self.deadline = deadline
        # A lost packet must not fail a pair, nor a slow one be cut off.
        self.pauses = pauses or (max(FRESH, deadline / 6), max(1.0, deadline / 3))
        self.datagrams = datagrams
        self.turns = turns
        # In any order, or all pods would turn to the same peer first; without ``random``, which loads hashes.
        self.waiting = sorted(calls, key=lambda _: os.urandom(8))
        self.pending = 0
        self.left = len(calls)
        self.wakes: list[tuple[float, int, Call]] = []
        self.woken = 0
        self.to: dict[str, list[Call]] = {}
        for call in calls:
            self.to.setdefault(call.address, []).append(call)
            call.mesh = self
            for probe in call.probes:
                probe.call = call

    def close(self) -> None:
        for calls in self.to.values():
            for call in calls:
                if call.socket:
                    self._drop(call)

    def advance(self) -> float:
        """Send what is due; the seconds until something is due again."""
        now = time.monotonic()
        while self.waiting and self.pending < WINDOW:
            call = self.waiting.pop()
            call.began, call.fresh = now, True
            self.pending += 1
            self._send(call, now)
        while self.wakes and self.wakes[0][0] <= now:
            call = heapq.heappop(self.wakes)[2]
            if not call.left:
                continue
            self._stale(call)
            if now >= self._end(call):
                for probe in call.open:
                    call.finish(probe)
            elif now >= call.tried + self._pause(call):
                self._send(call, now)
            else:
                self._wake(call, now)
        if not self.left or (self.waiting and self.pending < WINDOW):
            return 0.0
        return max(0.0, self.wakes[0][0] - now) if self.wakes else self.deadline

    def finished(self, call: Call) -> None:
        """Something has come of each of its probes."""
        self.left -= 1
        self._stale(call)
        if call.socket:
            self._drop(call)

    def connection_refused(self, address: str, text: str) -> None:
        """A router refused a TCP packet to ``address``."""
        for call in self.to.get(address, ()):
            if call.connects:
                for probe in call.probes:
                    probe.refused(text)

    def _pause(self, call: Call) -> float:
        return self.pauses[1 if call.socket and not call.whole else 0]

    def _end(self, call: Call) -> float:
        """When its time is up: later where the node was too busy with other things for us to try."""
        tried = call.tries >= min(LEAST_TRIES, self.deadline // self.pauses[call.connects])
        last = call.tried + min(FRESH, self._pause(call))
        return max(call.began + self.deadline * (1 if tried else 2), last)

    def _wake(self, call: Call, now: float) -> None:
        pause = self._pause(call)
        due = call.began + FRESH
        if not call.fresh or pause < FRESH:  # else nothing is due before that
            due = min(call.tried + pause, self._end(call), due if call.fresh else math.inf)
        self.woken += 1
        heapq.heappush(self.wakes, (max(due, now + 0.001), self.woken, call))

    def _send(self, call: Call, now: float) -> None:
        call.tried = now
        call.tries += 1
        for probe in call.probes:
            if probe.done:
                continue
            try:
                if call.connects:
                    self._connect(call)
                    break
                for _ in range(call.times if call.tries > 1 else 1):
                    probe.numbers.append(self.datagrams.send(probe, probe.protocol, probe.size))
            except OSError as problem:
                self._refused(probe, problem)
        if call.left:
            self._wake(call, now)

    def _connect(self, call: Call) -> None:
        self._drop(call)
        call.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        call.whole = call.tries == 1 and len(call.probes) > 1
        if call.whole:
            unhurried(call.socket)  # what we say goes with the handshake's last packet
        number = call.socket.connect_ex((call.address, call.port))
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, os.strerror(number))
        # Who says something is connected: then there is no need to be told of that first.
        event = BOTH if call.whole else READ if call.expected else WRITE
        self.turns.register(call.socket, event, lambda: self._on_connection(call))

    def _on_connection(self, call: Call) -> None:
        if not call.socket:
            return
        try:
            if not call.expected:
                number = call.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if number:
                    raise OSError(number, os.strerror(number))
                if _is_connected(call.socket):  # or it was another's turn, who had its descriptor before
                    call.finish(call.probes[0], reached=True, took=time.monotonic() - call.tried)
                return
            if call.whole and not call.bulk:
                self._say_all(call)
                return
            if not call.bulk:
                unhurried(call.socket)
            heard = call.socket.recv(1 << 16 if call.bulk else MOST_TOKEN)
            call.heard += heard
            if call.whole:
                self._on_whole(call, not heard)
            else:
                (self._on_bulk if call.bulk else self._on_token)(call, not heard)
        except BlockingIOError:
            return
        except OSError as problem:
            self._drop(call)
            for probe in call.open:
                self._refused(probe, problem)

    def _say_all(self, call: Call) -> None:
        """As soon as it is connected, say what comes back after who it is: both go in one packet each."""
        connection = call.socket
        if connection and connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] != SYN_SENT:
            now = time.monotonic()
            unhurried(connection)
            full = max(probe.size for probe in call.probes)
            call.bulk = bulk(call.run, full - _headers(connection))
            connection.send(call.bulk)
            call.opened = now

    def _on_whole(self, call: Call, ended: bool) -> None:
        """A try that no answer as large comes of is in vain: the next one begins with what is small."""
        expected = call.expected + call.bulk
        if not expected.startswith(call.heard[: len(expected)]):
            self._on_token(call, ended)
        elif len(call.heard) >= len(call.bulk):
            self._hang_up(call)
            took = time.monotonic() - call.opened
            for probe in call.open:
                call.finish(probe, reached=True, took=took if probe.size else call.opened - call.tried)
        elif ended:
            raise OSError(errno.ECONNRESET, "")

    def _on_token(self, call: Call, ended: bool) -> None:
        if not ended and b"\n" not in call.heard and len(call.heard) < MOST_TOKEN:
            return
        if call.heard != call.expected:
            line = call.heard.partition(b"\n")[0]
            words = line.decode("utf-8", "replace").split(" ", 2)
            ours = len(words) == 3 and words[0] == "kthw" and line + b"\n" != call.expected
            self._mistaken(call, words[2] if ours else "")
            return
        now = time.monotonic()
        for probe in call.open:
            if probe.size:
                call.heard, call.tried = b"", now
                call.bulk = bulk(call.run, probe.size - _headers(call.socket))
                if call.socket:
                    call.socket.send(call.bulk)
            else:
                # A try to say all at once that was connected is none that was lost.
                probe.missed = call.tries - 1 - bool(call.opened)
                call.finish(probe, reached=True, took=now - call.tried)

    def _on_bulk(self, call: Call, ended: bool) -> None:
        if ended and len(call.heard) < len(call.bulk):
            raise OSError(errno.ECONNRESET, "")
        if len(call.heard) >= len(call.bulk):
            took = time.monotonic() - call.tried
            if call.heard != call.bulk:
                self._mistaken(call, "")
            self._hang_up(call)
            for probe in call.open:
                call.finish(probe, reached=True, took=took)

    def _hang_up(self, call: Call) -> None:
        """There is no more to say: one packet ends it, instead of four."""
        if call.socket:
            call.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)

    def _mistaken(self, call: Call, name: str) -> None:
        for probe in call.open:
            probe.mistaken(stranger(name))

    def _refused(self, probe: Probe, problem: OSError) -> None:
        text = REFUSALS.get(problem.errno or 0, problem.strerror or str(problem))
        # An ICMP error says more than the errno it became: keep it.
        if not probe.refusal.startswith(text):
            probe.refusal = text

    def _stale(self, call: Call) -> None:
        if call.fresh:
            call.fresh = False
            self.pending -= 1

    def _drop(self, call: Call) -> None:
        if call.socket:
            self.turns.unregister(call.socket)
            call.socket.close()
            call.socket = None
        call.heard = call.bulk = b""


def _is_connected(connection: socket.socket) -> bool:
    try:
        return bool(connection.getpeername())
    except OSError:
        return False


def _headers(connection: socket.socket | None) -> int:
    """Bytes of each of its segments that are no data: so much less is in one that is as large as can be."""
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8) if connection else b""
    timestamps = len(told) > TCPI_OPTIONS and told[TCPI_OPTIONS] & TCPI_OPT_TIMESTAMPS
    return TCP_HEADERS + (TIMESTAMPS if timestamps else 0)
