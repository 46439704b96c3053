"""How large a packet may be that passes where the largest does not."""

from __future__ import annotations

import contextlib
import time

from kthw.observed.agent.calls import Probe
from kthw.observed.agent.datagrams import HEADERS, SMALL, Asker, Datagrams

LEAST = HEADERS + SMALL
"""Bytes of a packet that is small: those do pass."""
SIZES = 12
"""Sizes that are tried at once."""
ROUND, AGAIN = 0.5, 0.2
"""Seconds that a round waits, and those after which what was not answered is sent once more."""
USUAL = (1280, 1300, 1400, 1420, 1440, 1450, 1460, 1480, 1492, 1500, 8951, 8973, 8981, 9000, 9001)
"""MTUs that links have: of these, few rounds find the very byte."""


class Size(Asker):
    """One size that is tried of one pair."""

    def __init__(self, limit: Limit, size: int) -> None:
        self.address = limit.probe.address
        self.port = limit.probe.port
        self.worker = limit.probe.worker
        self.size = size
        self.passed = False

    def answered(self, _number: int, _took: float) -> None:
        self.passed = True


class Limit:
    """Of one pair: the largest size that ``passed`` and the smallest above it that did not (``failed``)."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.passed = 0
        self.failed = probe.size
        self.tried: list[Size] = []

    @property
    def found(self) -> bool:
        return self.failed - self.passed <= 1

    def aim(self) -> None:
        """What to try next, between what passed and what did not."""
        low, high = max(self.passed, LEAST - 1), self.failed
        step = (high - low) / (SIZES + 1)
        spread = {low + int(step * n) for n in range(1, SIZES + 1)} | {LEAST}
        usual = {size + more for size in USUAL for more in (0, 1)} if step > 1 else set()
        self.tried = [Size(self, size) for size in sorted(spread | usual) if self.passed < size < high]

    def learn(self) -> None:
        """From what came back of these."""
        self.passed = max([self.passed, *(each.size for each in self.tried if each.passed)])
        self.failed = min([self.failed, *(each.size for each in self.tried if each.size > self.passed)])


class Limits:
    """Those of all ``probes``: their size did not pass, and small ones do. In rounds, for ``seconds``."""

    def __init__(self, probes: list[Probe], seconds: float, datagrams: Datagrams) -> None:
        self.limits = [Limit(probe) for probe in probes]
        self.until = time.monotonic() + seconds
        self.datagrams = datagrams
        self.began = 0.0
        self.sent = 0

    @property
    def open(self) -> list[Limit]:
        return [each for each in self.limits if not each.found]

    @property
    def left(self) -> bool:
        return bool(self.open) and time.monotonic() < self.until

    def advance(self) -> float:
        """Send what is due; the seconds until something is due again."""
        now = time.monotonic()
        if self.sent == 2 and now >= self.began + ROUND:
            for limit in self.open:
                limit.learn()
            self.sent = 0
        if not self.sent:
            self.began = now
            for limit in self.open:
                limit.aim()
        if self.sent < 2 and now >= self.began + self.sent * AGAIN:
            self.sent += 1
            self._send()
        return max(0.0, self.began + (ROUND if self.sent == 2 else AGAIN) - now)

    def tell(self) -> None:
        """To the probes; nothing where not even small ones pass as they are sent here."""
        for limit in self.limits:
            limit.probe.limit = limit.passed

    def _send(self) -> None:
        for limit in self.open:
            for size in limit.tried:
                if not size.passed:
                    # Too long for a link of our own: does not pass.
                    with contextlib.suppress(OSError):
                        self.datagrams.send(size, limit.probe.protocol, size.size)
