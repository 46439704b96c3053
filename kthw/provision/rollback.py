"""Taking back: only what the journal knows we created, and only while it is as we made it."""

from __future__ import annotations

import time
from typing import Final

from msgspec.structs import replace

from kthw.observed.evidence import ProvisionStep, Route, RouteTable
from kthw.provision import commands
from kthw.provision.apply import Line, Say, silent, tutorial_line
from kthw.provision.claims import Claim
from kthw.provision.deletion import Deletion, is_what_we_made
from kthw.provision.entry import Entry
from kthw.provision.fate import PATIENCE_SECONDS, Patience
from kthw.provision.journal import Journal
from kthw.provision.plan import route_for
from kthw.provision.restoration import Restoration
from kthw.provision.targets import restorable
from kthw.provision.writer import Writer
from kthw.settling import settled

_YOUNG_SECONDS: Final = 60.0
_SETTLING_SECONDS: Final = 5.0
"""What was created or replaced less than a minute ago may not be listed yet: it is waited for this long."""


def rollback(
    writer: Writer,
    journal: Journal,
    *,
    run: str = "",
    say: Say = silent,
    line: Line = tutorial_line,
    patience: float = PATIENCE_SECONDS,
) -> tuple[ProvisionStep, ...]:
    """Delete the routes the journal knows were created at this writer's endpoint, and write that down.

    What was replaced leads again where it led (``restored``), or stays where that is no more (``kept``).

    ``run`` takes back that run's only. Outcomes: ``deleted``; ``gone`` (there is no such route any
    more); ``left`` (it has another target now, in ``detail``: somebody else's); ``maybe`` (it is there, and
    nobody knows whether we made it: left, with the command in ``command``); ``running`` (the run that
    made it still goes on); ``failed`` (AWS's refusal in ``detail``; it will be tried again next time);
    ``not-tried`` (there was no time left). One that fails does not keep the next from being tried, and
    ``patience`` seconds are waited for all together. Raises ``CouldNotLook`` where the route tables or the
    journal cannot be read.

    A table is listed again right before each deletion. What remains is the time between that answer and
    the request's arrival: a route that somebody replaces in those milliseconds is deleted, since EC2 has
    no way to say "delete it if it is still this one".
    """
    claims = [claim for claim in claims_here(writer, journal) if run in ("", claim.entry.run)]
    tables = _tables(writer, claims)
    work = _Work(writer, journal, Patience(patience))
    done: list[ProvisionStep] = []
    while claims:
        restored = set()
        for claim in claims:
            done.append(work.taken_back(claim, tables.get(claim.entry.route_table)))
            say(line(done[-1]))
            if done[-1].outcome == "restored":
                restored.add(claim.entry.route)
        # Below what was replaced there may be a route of an earlier run's making.
        claims = [each for each in claims_here(writer, journal) if each.entry.route in restored]
        claims = [each for each in claims if run in ("", each.entry.run)]
        tables = _tables(writer, claims, moved=True) if claims else {}
    return tuple(done)


def claims_here(writer: Writer, journal: Journal) -> list[Claim]:
    """What may still be there of all that the journal has about this writer's endpoint."""
    return [claim for claim in of_the_vpc(journal) if claim.entry.place == writer.place]


def elsewhere(writer: Writer, journal: Journal) -> int:
    """How many routes the journal knows that may still exist in other accounts, regions or endpoints."""
    return sum(claim.entry.place != writer.place for claim in of_the_vpc(journal))


def of_the_vpc(journal: Journal) -> list[Claim]:
    """What may still be there; the kernel routes of nodes aside, which are no route table's."""
    return [claim for claim in journal.open() if not claim.entry.by_node]


class _Work:
    def __init__(self, writer: Writer, journal: Journal, patience: Patience) -> None:
        self._writer = writer
        self._journal = journal
        self._patience = patience

    def taken_back(self, claim: Claim, table: RouteTable | None) -> ProvisionStep:
        """What came of one claim; ``table`` is a first look, good for everything but a deletion."""
        entry, step = claim.entry, _step(claim.entry)
        if entry.is_running:
            return replace(step, outcome="running", detail=entry.run)
        there = route_for(entry.destination, table)
        if there is None:
            self._journal.record("gone", step, self._writer.place)
            return replace(step, outcome="gone")
        if entry.before and restorable(there) == entry.before:
            self._journal.record("restored", step, self._writer.place)
            return replace(step, outcome="restored")
        if not is_what_we_made(there, entry):
            self._journal.record("left", step, self._writer.place)
            return replace(step, outcome="left", detail=f"{there.target} {there.state}")
        if not claim.known:
            return replace(step, outcome="maybe")
        if self._patience.is_over:
            return replace(step, outcome="not-tried")
        kind = Restoration if entry.before else Deletion
        return self._deleted(kind(self._writer, self._journal, entry, step))

    def _deleted(self, deletion: Deletion) -> ProvisionStep:
        while True:
            since = time.monotonic()
            step = deletion.attempt()
            if step is None or step.outcome == "failed":
                self._patience.charge(since)
            else:
                self._patience.succeeded()
            if step:
                return step
            if self._patience.is_over:
                return deletion.given_up()
            self._patience.wait()


def _tables(writer: Writer, claims: list[Claim], *, moved: bool = False) -> dict[str, RouteTable]:
    """The tables concerned; read again while the list is behind with what was only just done.

    ``moved``: these routes were pointed back a moment ago, at what an earlier run had made of them.
    """
    entries = [claim.entry for claim in claims if not claim.entry.is_running]
    young = entries if moved else [entry for entry in entries if entry.age < _YOUNG_SECONDS]
    shown = _is_as_made if moved else _is_listed
    return settled(
        lambda: writer.tables(entry.route_table for entry in entries),
        lambda tables: all(shown(route_for(e.destination, tables.get(e.route_table)), e) for e in young),
        seconds=_SETTLING_SECONDS,
        first=0.5,
    )


def _is_listed(route: Route | None, entry: Entry) -> bool:
    """A list that is behind lacks what was created, and has what was replaced as it was before."""
    return route is not None and not (entry.before and restorable(route) == entry.before)


def _is_as_made(route: Route | None, entry: Entry) -> bool:
    return route is not None and is_what_we_made(route, entry)


def _step(entry: Entry) -> ProvisionStep:
    return ProvisionStep(
        worker=entry.worker,
        outcome="failed",
        pod_cidr=entry.destination,
        route_table=entry.route_table,
        instance=entry.instance,
        network_interfaces=entry.network_interfaces,
        target=entry.target,
        command=commands.replace_route(entry.route_table, entry.destination, entry.before)
        if entry.before
        else commands.delete_route(entry.route_table, entry.destination),
        before=entry.before,
    )
