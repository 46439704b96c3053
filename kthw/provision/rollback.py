"""Taking back: only what the journal says we created, and only while it is as we made it."""

from __future__ import annotations

import time
from typing import Final

from msgspec.structs import replace

from kthw.observed import inventory
from kthw.observed.aws import LOOKING_FAILS_WITH, Reader, aws_code, look_error, looking
from kthw.observed.evidence import ProvisionStep, RouteTable
from kthw.provision import commands
from kthw.provision.apply import Line, Say, silent, tutorial_line
from kthw.provision.journal import Entry, Journal
from kthw.provision.plan import leads_to, route_for
from kthw.provision.writer import Writer

_YOUNG_SECONDS: Final = 60.0
_SETTLING_SECONDS: Final = 5.0
"""A route created less than a minute ago may not be listed yet: it is waited for this long."""


def rollback(
    writer: Writer,
    reader: Reader,
    journal: Journal,
    *,
    run: str = "",
    say: Say = silent,
    line: Line = tutorial_line,
) -> tuple[ProvisionStep, ...]:
    """Delete the routes that the journal says were created at this writer's endpoint, and write that down.

    ``run`` takes back that run's only. Outcomes: ``deleted``; ``gone`` (there is no such route any
    more); ``left`` (it has another target now, in ``detail``: somebody else's); ``running`` (the run that
    made it still goes on); ``failed`` (AWS's refusal in ``detail``; it will be tried again next time).
    One that fails does not keep the next from being tried. Raises ``CouldNotLook`` where the route
    tables cannot be read.
    """
    entries = [entry for entry in journal.open() if entry.place == writer.place and run in ("", entry.run)]
    tables = _tables(reader, entries)
    done: list[ProvisionStep] = []
    for entry in entries:
        done.append(_take_back(writer, journal, entry, tables.get(entry.route_table)))
        say(line(done[-1]))
    return tuple(done)


def elsewhere(writer: Writer, journal: Journal) -> int:
    """How many routes the journal knows that may still exist in other accounts, regions or endpoints."""
    return sum(entry.place != writer.place for entry in journal.open())


def _take_back(writer: Writer, journal: Journal, entry: Entry, table: RouteTable | None) -> ProvisionStep:
    step = _step(entry)
    if entry.is_running:
        return replace(step, outcome="running", detail=entry.run)
    there = route_for(entry.destination, table)
    if there is None:
        journal.record("gone", step, writer.place)
        return replace(step, outcome="gone")
    same = there.target == entry.target or leads_to(there, entry.instance, entry.network_interfaces)
    if not same:
        journal.record("left", step, writer.place)
        return replace(step, outcome="left", detail=f"{there.target} {there.state}")
    try:
        writer.delete(step)
    except LOOKING_FAILS_WITH as problem:
        if aws_code(problem) == "InvalidRoute.NotFound":
            journal.record("gone", step, writer.place)
            return replace(step, outcome="gone")
        error = look_error(problem, entry.route_table, worker=entry.worker, **writer.facts)
        return replace(step, outcome="failed", detail=error.detail)
    journal.record("deleted", step, writer.place)
    return replace(step, outcome="deleted")


def _tables(reader: Reader, entries: list[Entry]) -> dict[str, RouteTable]:
    """The tables concerned; read again while a route that was only just created is not listed."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    young = [entry for entry in entries if entry.event == "created" and entry.age < _YOUNG_SECONDS]
    wait = 0.5
    while True:
        with looking("route tables", **reader.facts):
            ids = sorted({entry.route_table for entry in entries})
            tables = {t.id: t for t in inventory.route_tables(reader.ec2, "route-table-id", ids)}
        unlisted = [e for e in young if route_for(e.destination, tables.get(e.route_table)) is None]
        if not unlisted or time.monotonic() + wait > deadline:
            return tables
        time.sleep(wait)
        wait *= 2


def _step(entry: Entry) -> ProvisionStep:
    return ProvisionStep(
        worker=entry.worker,
        outcome="failed",
        pod_cidr=entry.destination,
        route_table=entry.route_table,
        instance=entry.instance,
        network_interfaces=entry.network_interfaces,
        target=entry.target,
        command=commands.delete_route(entry.route_table, entry.destination),
    )
