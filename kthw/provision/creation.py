"""One route that is to be created: its attempts, and what is known about it after each.

What counts as ours is a route for which ``CreateRoute`` answered yes to us, after a look that found none.
Nothing else proves it: routes bear no tags, and no call tells who made one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, aws_code, look_error
from kthw.observed.evidence import ProvisionStep, RouteTable
from kthw.provision import commands
from kthw.provision.entry import Event
from kthw.provision.fate import Fate, fate_of
from kthw.provision.journal import Journal
from kthw.provision.plan import judged_by
from kthw.provision.undivided import undivided
from kthw.provision.writer import Writer

MOST_UNSENT: Final = 3
"""Attempts after which an endpoint to which no connection comes about is not tried again."""
_FRESH_SECONDS: Final = 1.0
"""How old a look may be on which a first attempt relies.

Within this time somebody else may make the very same route without our noticing: where EC2 then says yes to
us as well, which its documentation leaves open, we take it for ours.
"""

Look = Callable[[str, float], RouteTable | None]
"""``(table, seconds)``: the table as it was at most that long ago."""


class Events(NamedTuple):
    """What the journal is told: before the request, and after each of its ends."""

    intended: Event
    made: Event
    unknown: Event
    refused: Event


class Creation:
    """The work on one ``create`` step. ``fate``: what became of the last attempt, empty before the first."""

    events = Events("create-intended", "created", "create-unknown", "create-refused")

    def __init__(self, writer: Writer, journal: Journal, step: ProvisionStep, look: Look) -> None:
        self.step = step
        self.fate: Fate | None = None
        self._writer = writer
        self._journal = journal
        self._look = look
        self._unsent = 0
        self._detail = ""
        self._made = False
        self._unsure = False
        """Whether an earlier attempt may have made the route, though it brought no answer."""

    def attempt(self) -> ProvisionStep | None:
        """Look, and try once if the route is not there; the step with what came of it, or ``None``.

        ``None``: to be tried again later. Raises ``CouldNotLook`` (``journal-unusable``).
        """
        self._writer.pace()
        there = self._there(0 if self.fate else _FRESH_SECONDS)
        if there:
            return there
        problem: Exception | None = None
        with undivided():
            self._journal.record(self.events.intended, self.step, self._writer.place)
            try:
                self._made = self._ask()
                self.fate = None if self._made else "unknown"
            except LOOKING_FAILS_WITH as failed:
                problem, self.fate = failed, fate_of(failed)
            self._note()
        return self._created() if self._made else self._without_a_yes(problem)

    def _ask(self) -> bool:
        return self._writer.create(self.step)

    def given_up(self) -> ProvisionStep:
        """The step, when there is no more time: it may have been made after all, or never tried."""
        if self.fate is None:
            return replace(self.step, outcome="not-tried")
        there = self._there(0) if self._unsure else None
        return there or self._failed("gave-up")

    @property
    def unrecorded(self) -> ProvisionStep | None:
        """What to tell where a route was made and the journal could not take it."""
        return self._maybe() if self._made else None

    def _note(self) -> None:
        """Write down what came of the attempt. After an unknown one, a refusal does not say all."""
        self._unsure = self._unsure or self.fate == "unknown"
        event = self.events.unknown if self._unsure else self.events.refused
        if self._made:
            event = self.events.made
        self._journal.record(event, self.step, self._writer.place)

    def _without_a_yes(self, problem: Exception | None) -> ProvisionStep | None:
        self._detail = self._told(problem) if problem else "no answer to CreateRoute"
        self._unsent += self.fate == "unsent"
        if self.fate == "refused":
            exists = problem is not None and aws_code(problem) == "RouteAlreadyExists"
            there = self._there(0) if self._unsure or exists else None
            return there or self._failed("failed")
        return self._failed("failed") if self._unsent >= MOST_UNSENT else None

    def _there(self, age: float) -> ProvisionStep | None:
        """What is in the table already, or ``None`` when the route is still to be made.

        A table that cannot be listed is the end of the attempts: without a look nothing is created.
        """
        try:
            now = judged_by(self.step, self._look(self.step.route_table, age))
        except CouldNotLook as problem:
            self._detail = problem.error.detail
            return self._maybe() if self._unsure else self._failed("failed")
        if now.outcome == "create":
            return None
        return self._maybe() if self._unsure and now.outcome == "exists" else now

    def _created(self) -> ProvisionStep:
        command = commands.create_route(self.step.route_table, self.step.pod_cidr, self.step.target)
        return replace(self.step, outcome="created", command=command, detail="")

    def _maybe(self) -> ProvisionStep:
        command = commands.delete_route(self.step.route_table, self.step.pod_cidr)
        return replace(self.step, outcome="unsure", command=command, detail=self._detail)

    def _failed(self, outcome: str) -> ProvisionStep:
        return replace(self.step, outcome=outcome, detail=self._detail)

    def _told(self, problem: Exception) -> str:
        step = self.step
        return look_error(problem, step.route_table, worker=step.worker, **self._writer.facts).detail


class Tables:
    """Route tables, listed again when a look is too old."""

    def __init__(self, writer: Writer, ids: set[str]) -> None:
        self._writer = writer
        self._at = time.monotonic()
        self.seen = writer.tables(ids)

    def look(self, table: str, age: float) -> RouteTable | None:
        """The table as it was at most ``age`` seconds ago. Raises ``CouldNotLook``."""
        if time.monotonic() - self._at >= age:
            self._at = time.monotonic()
            self.seen = self._writer.tables(self.seen.keys() | {table})
        return self.seen.get(table)
