"""Packets that are sent besides the probes, to other ports and pods: somebody doubts that they get there."""

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
MOST_FURTHER: Final = 8
"""Pods of one worker with addresses that packets are from or to, besides its probe pod."""
_DEADLINE: Final = 8.0
_MAKE_DEADLINE: Final = 35.0
"""An agent begins none after ten seconds, and gives the last one as long as any pod."""

_T = TypeVar("_T")


class Besides:
    """Three steps, each for all workers before the next: further pods are made, who is asked listens,
    who asks sends.

    ``sent`` as it came out; what a worker did not do, or not in time, is not in it, and no error, unless the
    worker is lost.
    """

    def __init__(
        self, sessions: Mapping[str, Session], pods: Mapping[str, str], asked: Sequence[Sent]
    ) -> None:
        self._asked = [each for each in asked if {each.source, each.destination} <= pods.keys()][:MOST]
        self._sessions = sessions
        self._pods = pods
        self._made: dict[str, set[str]] = {}
        self._taken: dict[str, set[str]] = {}
        self._listening: set[str] = set()
        self._found: dict[int, Sent] = {}

    @property
    def lacking(self) -> list[str]:
        """The workers that need pods besides their probe pods."""
        ends = (end for each in self._asked for end in _ends(each))
        return list(dict.fromkeys(worker for worker, address in ends if address))

    @property
    def asked(self) -> list[str]:
        """The workers that are asked."""
        return list(dict.fromkeys(each.destination for each in self._asked if self._has_ends(each)))

    @property
    def asking(self) -> list[str]:
        """The workers that ask those who listen."""
        return list(dict.fromkeys(each.source for each in self._asked if self._can_be_sent(each)))

    @property
    def sent(self) -> tuple[Sent, ...]:
        taken = (
            (n, replace(each, taken=True))
            for n, each in enumerate(self._asked)
            if any(address in self._taken.get(worker, ()) for worker, address in _ends(each))
        )
        found = {**self._found, **dict(taken)}
        return tuple(found[number] for number in sorted(found))

    def make(self, worker: str) -> None:
        ends = (end for each in self._asked for end in _ends(each))
        wanted = list(dict.fromkeys(address for one, address in ends if one == worker and address))
        wanted = wanted[:MOST_FURTHER]
        answer = self._ask(worker, "further", answers.Further, _MAKE_DEADLINE, addresses=wanted)
        if answer:
            with self._sessions[worker].fitting("further"):
                self._made[worker], self._taken[worker] = answers.further(answer, wanted)

    def listen(self, worker: str) -> None:
        mine = [each for each in self._asked if each.destination == worker and self._has_ends(each)]
        ports = dict.fromkeys(
            (e.protocol, e.port, e.destination_address) for e in mine if e.protocol != "icmp"
        )
        if self._ask(worker, "listen", answers.Done, _DEADLINE, ports=[list(each) for each in ports]):
            self._listening.add(worker)

    def send(self, worker: str) -> None:
        mine = {
            n: each for n, each in enumerate(self._asked) if each.source == worker and self._can_be_sent(each)
        }
        packets = [
            [
                n,
                e.protocol,
                e.destination,
                e.destination_address or self._pods[e.destination],
                e.port,
                e.asker,
                e.source_address,
            ]
            for n, e in mine.items()
        ]
        answer = self._ask(worker, "single", answers.Singles, _DEADLINE, packets=packets, seconds=SECONDS)
        if answer:
            with self._sessions[worker].fitting("single"):
                reached = answers.singles(answer, mine)
            for n, came in reached.items():
                self._found[n] = replace(mine[n], reached=came)

    def _has_ends(self, sent: Sent) -> bool:
        ends = _ends(sent)
        return all(not address or address in self._made.get(worker, ()) for worker, address in ends)

    def _can_be_sent(self, sent: Sent) -> bool:
        return sent.destination in self._listening and self._has_ends(sent)

    def _ask(self, worker: str, do: str, kind: type[_T], deadline: float, **fields: object) -> _T | None:
        session = self._sessions[worker]
        try:
            return session.ask(do, kind, deadline=deadline, **fields)
        except CouldNotLook:
            if not session.usable:
                raise
        return None


def _ends(sent: Sent) -> tuple[tuple[str, str], tuple[str, str]]:
    """The workers, and the addresses of further pods; empty where it is the probe pod."""
    return (sent.source, sent.source_address), (sent.destination, sent.destination_address)
