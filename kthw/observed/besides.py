"""Packets that are sent besides the probes, to other ports: somebody doubts that they come through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed import answers
from kthw.observed.evidence import Sent
from kthw.observed.ssh.session import Session

MOST: Final = 64
"""Of one run."""
SECONDS: Final = 2.5
"""That an answer is waited for: the kernel sends a connection's first packet again after one."""
_DEADLINE: Final = 8.0

_T = TypeVar("_T")


class Besides:
    """Two steps, each for all workers before the next: who is asked listens, who asks sends.

    ``sent`` as it came out; what a worker did not do, or not in time, is not in it, and no error, unless the
    worker is lost.
    """

    def __init__(
        self, sessions: Mapping[str, Session], pods: Mapping[str, str], asked: Sequence[Sent]
    ) -> None:
        here = (each for each in asked if {each.source, each.destination} <= pods.keys())
        self._asked = [each for each in here if each.protocol != "icmp"][:MOST]
        self._sessions = sessions
        self._pods = pods
        self._listening: set[str] = set()
        self._found: dict[int, Sent] = {}

    @property
    def asked(self) -> list[str]:
        """The workers that are asked."""
        return list(dict.fromkeys(each.destination for each in self._asked))

    @property
    def asking(self) -> list[str]:
        """The workers that ask those who listen."""
        return list(dict.fromkeys(e.source for e in self._asked if e.destination in self._listening))

    @property
    def sent(self) -> tuple[Sent, ...]:
        return tuple(self._found[number] for number in sorted(self._found))

    def listen(self, worker: str) -> None:
        ports = dict.fromkeys((e.protocol, e.port) for e in self._asked if e.destination == worker)
        if self._ask(worker, "listen", answers.Done, ports=[list(each) for each in ports]):
            self._listening.add(worker)

    def send(self, worker: str) -> None:
        mine = {
            n: each
            for n, each in enumerate(self._asked)
            if each.source == worker and each.destination in self._listening
        }
        packets = [
            [n, e.protocol, e.destination, self._pods[e.destination], e.port, e.asker]
            for n, e in mine.items()
        ]
        answer = self._ask(worker, "single", answers.Singles, packets=packets, seconds=SECONDS)
        if answer:
            with self._sessions[worker].fitting("single"):
                reached = answers.singles(answer, mine)
            for n, came in reached.items():
                self._found[n] = replace(mine[n], reached=came)

    def _ask(self, worker: str, do: str, kind: type[_T], **fields: object) -> _T | None:
        session = self._sessions[worker]
        try:
            return session.ask(do, kind, deadline=_DEADLINE, **fields)
        except CouldNotLook:
            if not session.usable:
                raise
        return None
