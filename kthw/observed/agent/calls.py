"""What is asked of one other pod, and what came of it: a probe of each protocol and size, and their calls."""

from __future__ import annotations

import socket
from typing import Any

from kthw.observed.agent.datagrams import Asker
from kthw.observed.agent.system import MOST_NAME


class Probe(Asker):
    """One pair, protocol and size, and what came of it; ``missed``: before the one that was answered."""

    call: Call | None = None
    done = False
    reached = False
    refusal = ""
    took = 0.0
    missed = 0
    limit = 0
    sent = 0
    lost = 0

    def __init__(
        self, kind: str, worker: str, address: str, protocol: str, port: int = 0, size: int = 0
    ) -> None:
        self.kind = kind
        self.worker = worker
        self.address = address
        self.protocol = protocol
        self.port = port
        self.size = size
        self.numbers: list[int] = []  # of its datagrams

    def told(self, deadline: float) -> list[Any]:
        detail = "" if self.reached else self.refusal or f"no answer in {deadline:.1f} s"
        took = round(self.took * 1000, 1) if self.reached else 0.0
        about = [self.kind, self.worker, self.address, self.protocol, self.size]
        return [*about, self.reached, detail[:MOST_NAME], took, self.limit, self.sent, self.lost]

    def answered(self, number: int, took: float) -> None:
        if self.call and not self.done:
            if self.numbers[0] != number:
                self.missed = self.numbers.index(number) if number in self.numbers else 0
            self.call.finish(self, True, took)

    def refused(self, text: str) -> None:
        if not self.done:
            self.refusal = text

    def mistaken(self, who: str) -> None:
        if self.call:
            self.call.finish(self, refusal=f"{who} answered")


class Call:
    """The probes of one address that go together: datagrams, or one connection.

    ``expected``: what is first heard on it; nothing: that it opens is enough. ``times``: how many of each
    datagram a try sends, the first one aside.
    """

    def __init__(self, probes: list[Probe], expected: bytes = b"", run: str = "", times: int = 1) -> None:
        self.probes = probes
        self.address = probes[0].address
        self.port = probes[0].port
        self.connects = probes[0].protocol == "tcp"
        self.expected = expected
        self.run = run
        self.times = times
        self.began = 0.0
        self.tried = 0.0
        self.tries = 0
        self.fresh = False
        self.socket: socket.socket | None = None
        self.heard = b""
        self.bulk = b""
        self.whole = False  # all is said at once: the first try of a small and a large packet
        self.opened = 0.0  # when it was connected, then
        self.left = len(probes)
        self.mesh: Any = None  # the one it is in

    @property
    def open(self) -> list[Probe]:
        """The probes that nothing has come of yet."""
        return [each for each in self.probes if not each.done]

    def finish(self, probe: Probe, reached: bool = False, took: float = 0.0, refusal: str = "") -> None:
        if not probe.done:
            probe.done, probe.reached, probe.took = True, reached, took
            probe.refusal = refusal or probe.refusal
            self.left -= 1
            if self.mesh and not self.left:
                self.mesh.finished(self)
