"""What somebody else did to the workers' routes while we looked: then what was seen does not fit together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from kthw.errors import LookError
from kthw.intended.cluster import Intended
from kthw.observed.evidence import Inventory, ProvisionStep, RouteTable
from kthw.observed.namesakes import Roll

_THERE: Final = ("created", "exists")
"""Outcomes of provisioning after which the route was there."""
_NONE: Final = "—"
_MOST_TOLD: Final = 10


class _Change(NamedTuple):
    table: str
    destination: str
    before: str
    after: str


def changes(
    before: Inventory, now: Inventory, intended: Intended, steps: Iterable[ProvisionStep] = ()
) -> tuple[LookError, ...]:
    """One error (``routes-changed``) for each route of a table that rules a worker's subnet:
    of each worker at least one, of all ten at most beyond that.

    ``steps``: what provisioning saw there before ``before`` was read. An error bears a worker where a step
    says whose route it is, and the route's ``destination``. Facts: ``table``, and ``change``
    (``10.200.1.0/24: i-0ab → —``).
    """
    steps = [step for step in steps if step.outcome in _THERE]
    whose = {(step.route_table, step.pod_cidr): step.worker for step in steps}
    found = [*_vanished(before, steps), *_between(before, now, intended)]
    each_once = {(change.table, change.destination): change for change in reversed(found)}
    told: dict[str, list[LookError]] = {}
    for count, change in enumerate(sorted(each_once.values())):
        worker = whose.get((change.table, change.destination), "")
        if count < _MOST_TOLD or worker not in told:
            told.setdefault(worker, []).append(_error(change, worker))
    return tuple(error for errors in told.values() for error in errors)


def _vanished(before: Inventory, steps: Iterable[ProvisionStep]) -> Iterator[_Change]:
    routes = {table.id: _targets(table) for table in before.route_tables}
    for step in steps:
        if step.pod_cidr not in routes.get(step.route_table, {}):
            yield _Change(step.route_table, step.pod_cidr, step.target, _NONE)


def _between(before: Inventory, now: Inventory, intended: Intended) -> Iterator[_Change]:
    roll = Roll(intended)
    workers = [each for each in before.instances if roll.worker(each.id, each.name)]
    subnets = {each.subnet for each in workers}
    associated = {subnet for table in before.route_tables for subnet in table.subnets}
    fallen_back = {each.vpc for each in workers if each.subnet not in associated}
    later = {table.id: _targets(table) for table in now.route_tables}
    for table in before.route_tables:
        if not ((table.main and table.vpc in fallen_back) or subnets & set(table.subnets)):
            continue
        was, is_now = _targets(table), later.get(table.id, {})
        for destination in was.keys() | is_now.keys():
            sooner, then = was.get(destination, _NONE), is_now.get(destination, _NONE)
            if sooner != then:
                yield _Change(table.id, destination, sooner, then)


def _targets(table: RouteTable) -> dict[str, str]:
    seen = (route for route in table.routes if route.prefix_list or not route.foreign)
    return {route.destination: route.target for route in seen}


def _error(change: _Change, worker: str) -> LookError:
    said = f"{change.destination}: {change.before} → {change.after}"
    subject = f"{change.table} · {change.destination}"
    return LookError(
        code="routes-changed",
        subject=subject,
        detail=said,
        worker=worker,
        destination=change.destination,
        facts={"table": change.table, "change": said},
    )
