"""One route of ours that is to be deleted: each attempt looks again, and asks only for what we made."""

from __future__ import annotations

from typing import Literal, NamedTuple

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed.aws.reader import LOOKING_FAILS_WITH, aws_code, look_error
from kthw.observed.evidence import ProvisionStep, Route
from kthw.provision.creation import MOST_UNSENT
from kthw.provision.entry import Entry, Event
from kthw.provision.fate import Fate, fate_of
from kthw.provision.journal import Journal
from kthw.provision.plan import route_for
from kthw.provision.undivided import undivided
from kthw.provision.writer import Writer

End = Literal["deleted", "restored", "gone", "left", "kept"]


class Events(NamedTuple):
    """What the journal is told before the request, and after one that did nothing."""

    intended: Event
    refused: Event


class Deletion:
    """The work on one route that is known to be ours: ``entry`` made it, ``step`` tells of it."""

    events = Events("delete-intended", "delete-refused")

    def __init__(self, writer: Writer, journal: Journal, entry: Entry, step: ProvisionStep) -> None:
        self._writer = writer
        self._journal = journal
        self._entry = entry
        self._step = step
        self._fate: Fate | None = None
        self._unsent = 0
        self._unsure = False
        """Whether an earlier attempt may have deleted the route, though it brought no answer."""

    def attempt(self) -> ProvisionStep | None:
        """Look, and ask once if the route is still as we made it; the step as it ended, or ``None``.

        ``None``: to be tried again later. Raises ``CouldNotLook`` (``journal-unusable``).
        """
        self._writer.pace()
        with undivided():
            self._journal.record(self.events.intended, self._step, self._writer.place)
            end = self._asked()
            # After an unknown one, what stands is that a deletion was begun.
            if end or not self._unsure:
                self._journal.record(end or self.events.refused, self._step, self._writer.place)
        if end:
            return replace(self._step, outcome=end)
        return self.given_up() if self._fate == "refused" or self._unsent >= MOST_UNSENT else None

    def given_up(self) -> ProvisionStep:
        """The step, when there is no more time or no more sense in trying."""
        return replace(self._step, outcome="failed")

    def _asked(self) -> End | None:
        step = self._step
        try:
            there = route_for(step.pod_cidr, self._writer.tables([step.route_table]).get(step.route_table))
            if there is None:
                return self._vanished
            if not is_what_we_made(there, self._entry):
                self._step = replace(step, detail=f"{there.target} {there.state}")
                return "left"
            self._writer.delete(step)
        except CouldNotLook as problem:
            self._fate = "refused"
            self._step = replace(step, detail=problem.error.detail)
        except LOOKING_FAILS_WITH as problem:
            if aws_code(problem) == "InvalidRoute.NotFound":
                return self._vanished
            self._fate = fate_of(problem)
            self._unsent += self._fate == "unsent"
            self._unsure = self._unsure or self._fate == "unknown"
            error = look_error(problem, step.route_table, worker=step.worker, **self._writer.facts)
            self._step = replace(step, detail=error.detail)
        else:
            return "deleted"
        return None

    @property
    def _vanished(self) -> End:
        return "deleted" if self._unsure else "gone"


def is_what_we_made(route: Route, entry: Entry) -> bool:
    """Whether ``route`` points where ``entry`` pointed it, and not at another interface of the instance.

    EC2 lists a route to an instance with the instance's interface, and one to an interface with its
    instance; of one whose instance is gone, the interface only.
    """
    if entry.target.startswith("eni-"):
        return route.network_interface == entry.target
    if route.instance and route.instance != entry.target:
        return False
    own = not entry.network_interfaces or route.network_interface in entry.network_interfaces
    return own if route.network_interface else bool(route.instance)
