"""One SSH session for each machine whose kernel routes are provisioned: to look, and where asked to write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Final

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed import answers, node_answers
from kthw.observed.abreast import Abreast
from kthw.observed.answers import RouteTold
from kthw.observed.aws import configured
from kthw.observed.evidence import Instance, Node
from kthw.observed.pods import FACTS_DEADLINE, PLACES, WAYS_DEADLINE
from kthw.observed.ssh.session import Session
from kthw.observed.ways_in import ways_in
from kthw.target import Target

WRITE_DEADLINE: Final = 20.0
"""Seconds for one route: ``ip`` runs a few times."""


class Nodes:
    """Sessions with ``machines``, by name; of ``instances``, all there are, one may be the jump host.

    ``writes``: their agents can add and delete routes. ``errors``: of those that could not be logged in
    to, or did not answer. A context manager: at its end all sessions are closed.
    """

    def __init__(
        self,
        target: Target,
        instances: Iterable[Instance],
        machines: Mapping[str, Instance],
        *,
        writes: bool,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.machines = dict(machines)
        self.errors: list[LookError] = []
        self._endpoint = configured.endpoint(target)
        self._ways_in = ways_in(target.ssh, instances, self.machines.values())
        self._writes = writes
        self._progress = progress
        self._stop = threading.Event()
        self._abreast = Abreast()
        self._opened: list[Session] = []
        self._sessions: dict[str, Session] = {}

    def __enter__(self) -> Nodes:
        try:
            self._sessions = self._abreast.each(self.machines, self._log_in, self._failed, self._progress)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop whatever still runs and hang up everywhere."""
        self._stop.set()
        self._abreast.wait(5.0)
        for session in self._opened:
            session.close()

    def has(self, name: str) -> bool:
        """Whether somebody is logged in there, and may ask."""
        return name in self._sessions and self._sessions[name].usable

    def look(self, towards: Mapping[str, tuple[str, str]]) -> dict[str, Node]:
        """By machine, where its kernel sends packets to ``towards``: by worker, an address and its range."""

        def one(name: str) -> Node:
            session, others = self._sessions[name], {w: to for w, to in towards.items() if w != name}
            facts = session.ask("facts", answers.Facts, deadline=FACTS_DEADLINE, **PLACES)
            told = session.ask("ways", answers.Surroundings, deadline=WAYS_DEADLINE, towards=others)
            for each in (*facts.failed, *told.failed):
                if each.facts.tool == "ip":  # nobody asks here for the firewall
                    raise session.failure(each.code, each.detail, each.variant, **each.circumstances)
            with session.fitting("ways"):
                return node_answers.with_surroundings(
                    node_answers.node(name, session.facts["login"], facts), told, others
                )

        return self._abreast.each(self._sessions, one, self._failed)

    def add(self, name: str, node: str, destination: str, via: str) -> RouteTold:
        """Add that kernel route, if there is none for this destination. Raises ``CouldNotLook``.

        ``node`` is an address of the machine's own: any other one refuses.
        """
        return self._changed("add-route", name, node, destination, via)

    def delete(self, name: str, node: str, destination: str, via: str) -> RouteTold:
        """Take that one away, if it bears our mark. Raises ``CouldNotLook``."""
        return self._changed("delete-route", name, node, destination, via)

    def _changed(self, do: str, name: str, node: str, destination: str, via: str) -> RouteTold:
        fields = {"node": node, "destination": destination, "via": via}
        return self._sessions[name].ask(do, RouteTold, deadline=WRITE_DEADLINE, **fields)

    def _log_in(self, name: str) -> Session:
        session = self._ways_in.log_in(
            name, self.machines[name], endpoint=self._endpoint, stop=self._stop, writes=self._writes
        )
        self._opened.append(session)
        return session

    def _failed(self, name: str, error: LookError) -> None:
        self._sessions.pop(name, None)
        self.errors.append(replace(error, worker=name))
