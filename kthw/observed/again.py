"""What did not arrive, sent once more, with every node watching for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from kthw.errors import CouldNotLook
from kthw.observed import answers, tracing
from kthw.observed.evidence import PROBE_PORT
from kthw.observed.ssh.session import Session

TRACE_DEADLINE: Final = 8.0

_T = TypeVar("_T")


class Again:
    """Three steps, each for all workers before the next; ``seen`` by the worker that saw, ``told`` all of it.

    A failure is no error here, unless the worker is lost; one that is late is not asked again.
    """

    def __init__(self, sessions: Mapping[str, Session], plan: tracing.Plan) -> None:
        self.seen: dict[str, Sequence[answers.Sighting]] = {}
        self.told: dict[str, answers.Seen] = {}
        self._sessions = sessions
        self._plan = plan
        self._watched = plan.watched()
        self._late: set[str] = set()

    def watch(self, worker: str) -> None:
        mark = self._plan.mark
        self._ask(worker, "watch", answers.Done, mark=mark, port=PROBE_PORT, pairs=self._watched)

    def send(self, worker: str) -> None:
        sent = self._plan.sent_by(worker)
        self._ask(worker, "send", answers.Done, pairs=sent, times=tracing.TIMES, pause=tracing.PAUSE)

    def collect(self, worker: str) -> None:
        answer = self._ask(worker, "seen", answers.Seen, seconds=tracing.SECONDS)
        if answer:
            with self._sessions[worker].fitting("seen"):
                self.seen[worker] = answers.sightings(answer, len(self._watched))
            self.told[worker] = answer

    def _ask(self, worker: str, do: str, kind: type[_T], **fields: object) -> _T | None:
        session = self._sessions[worker]
        if worker in self._late:
            return None
        try:
            return session.ask(do, kind, deadline=TRACE_DEADLINE, **fields)
        except CouldNotLook as problem:
            if not session.usable:
                raise
            if problem.error.code == "probe-timeout":
                self._late.add(worker)
        return None
