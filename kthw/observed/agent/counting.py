"""How many packets of a pair are lost: counted, of so many small ones."""

from __future__ import annotations

import contextlib
import time

from kthw.observed.agent.calls import Probe
from kthw.observed.agent.datagrams import Asker, Datagrams
from kthw.observed.agent.mesh import FRESH, WINDOW

LATE = 1.0
"""Seconds after the last one in which an answer may still come."""


class Count(Asker):
    """Of one pair, by the protocol of ``probe``: the packets ``sent``, and the answers that came ``back``."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.address = probe.address
        self.port = probe.port
        self.worker = probe.worker
        self.sent = 0
        self.back = 0
        self.counting: Counting | None = None

    def answered(self, _number: int, _took: float) -> None:
        self.back += 1
        if self.counting:
            self.counting.out -= 1


class Counting:
    """``times`` packets for each of ``counts``, in rounds ``pause`` seconds apart.

    No more are sent after ``seconds``. Without a pause as many are under way as in a mesh. What was found is
    told to the probes.
    """

    def __init__(
        self, counts: list[Count], times: int, pause: float, seconds: float, datagrams: Datagrams
    ) -> None:
        self.counts = counts
        self.pause = pause
        self.datagrams = datagrams
        self.began = time.monotonic()
        self.until = self.began + seconds
        self.rounds = times if counts else 0
        self.round = 0
        self.at = 0
        self.out = 0
        self.last = self.began
        for count in counts:
            count.counting = self

    @property
    def left(self) -> bool:
        return self.round < self.rounds or (self.out > 0 and time.monotonic() < self.last + LATE)

    def advance(self) -> float:
        """Send what is due; the seconds until something is due again."""
        now = time.monotonic()
        if now > self.until:
            self.round = self.rounds
        while self.round < self.rounds:
            due = self.began + self.round * self.pause
            if now < due:
                return due - now
            if self.out >= WINDOW and not self.pause and now < self.last + FRESH:
                return self.last + FRESH - now
            self._send(self.counts[self.at], now)
            self.at = (self.at + 1) % len(self.counts)
            self.round += not self.at
        return max(0.0, self.last + LATE - now) if self.out > 0 else 0.0

    def tell(self) -> None:
        for count in self.counts:
            count.probe.sent, count.probe.lost = count.sent, count.sent - count.back

    def _send(self, count: Count, now: float) -> None:
        count.sent += 1
        self.out += 1
        self.last = now
        # What this node's own kernel does not let out is lost as well.
        with contextlib.suppress(OSError):
            self.datagrams.send(count, count.probe.protocol, 0)
