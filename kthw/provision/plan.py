"""What the chapter's loop should do for each worker, decided before anything is done. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.network.nouns import destination_noun
from kthw.network.prefix_lists import PrefixLists
from kthw.network.routing import ACTIVE, Lookup, effective_table
from kthw.network.said import stated
from kthw.observed.evidence import Instance, Inventory, ProvisionStep, Route, RouteTable
from kthw.observed.namesakes import candidates, unambiguous
from kthw.provision import commands
from kthw.provision.targets import restorable

_ALIVE: Final = ("running", "pending")
_LEARNED: Final = ("EnableVgwRoutePropagation", "Advertisement")
"""Origins of routes AWS learned by itself: a static one for the same destination may stand beside them."""

_MOST_TOLD: Final = 4
_JUDGED: Final = ("create", "exists", "wrong-target", "blackhole", "replace")
"""Outcomes that a route table decides."""
_LACKING: Final = {0: "worker-missing", 1: "worker-elsewhere"}
"""By the number of instances that bear the name, where none of them is the worker."""


class Headroom(msgspec.Struct, frozen=True, kw_only=True):
    """``now`` routes count towards the table's quota (IPv4, not propagated); ``adding`` would join them."""

    route_table: str
    now: int
    adding: int


def plan(inventory: Inventory, intended: Intended) -> tuple[ProvisionStep, ...]:
    """The steps for the intended workers, in their order.

    Outcomes: ``create``; ``exists`` (active, and to this worker); ``carried`` (``detail``, other routes, lead
    all of it there: by a prefix list, in parts, or wider ones); ``wrong-target`` and ``blackhole``
    (``detail`` says what is there, ``command`` would mend it, nothing does so unasked); ``impossible``,
    where ``detail`` is the code of what is lacking: a finding's code (``worker-missing``,
    ``pod-cidr-invalid`` …), ``worker-elsewhere`` (in another VPC than the others), ``user-data-unread``
    or ``route-table-unknown``.

    A worker's route goes into the effective table of its subnet. Where workers of one VPC live in subnets
    ruled by different tables, it goes into each of those, one step per table: the others look there.
    """
    workers = unambiguous(candidates(inventory.instances, intended))
    ruled = {worker: effective_table(inventory, instance.subnet) for worker, instance in workers.items()}
    lists = PrefixLists(inventory.prefix_lists)
    steps: list[ProvisionStep] = []
    for worker, step in worker_steps(inventory, intended).items():
        own = ruled.get(worker)
        if step.detail or own is None:
            steps.append(replace(step, detail=step.detail or "route-table-unknown"))
            continue
        tables = {own.id: own} | {t.id: t for t in ruled.values() if t and t.vpc == own.vpc}
        steps += [
            _or_carried(judged_by(replace(step, route_table=table.id), table), lists.spread(table))
            for table in tables.values()
        ]
    return without_overlaps(steps)


def worker_steps(inventory: Inventory, intended: Intended) -> dict[str, ProvisionStep]:
    """By worker, in order, what all steps about its pods share: ``impossible``, until something leads there.

    ``detail`` is the code of what is lacking, as in ``plan``; empty where a route can be made.
    """
    named = candidates(inventory.instances, intended)
    workers = unambiguous(named)
    steps = {}
    for worker in intended.workers:
        if worker in workers:
            steps[worker] = _step(inventory, worker, workers[worker], intended.pod_cidrs.get(worker, ""))
        else:
            lacking = _LACKING.get(len(named[worker]), "worker-ambiguous")
            steps[worker] = ProvisionStep(worker=worker, outcome="impossible", detail=lacking)
    return steps


def headroom(inventory: Inventory, steps: Sequence[ProvisionStep]) -> tuple[Headroom, ...]:
    """The tables that would grow, by id. The quota itself is the account's, and not ours to know."""
    adding = Counter(step.route_table for step in steps if step.outcome == "create")
    now = {table.id: sum(_counts(route) for route in table.routes) for table in inventory.route_tables}
    return tuple(
        Headroom(route_table=table, now=now.get(table, 0), adding=count)
        for table, count in sorted(adding.items())
    )


def judged_again(
    steps: Sequence[ProvisionStep], tables: Mapping[str, RouteTable]
) -> tuple[ProvisionStep, ...]:
    """``steps`` of a plan by the tables as they are now: much may happen between a look and its plan."""
    return without_overlaps(
        [judged_by(step, tables.get(step.route_table)) if step.outcome in _JUDGED else step for step in steps]
    )


def judged_by(step: ProvisionStep, table: RouteTable | None) -> ProvisionStep:
    """``step`` with the outcome that the table's route for its pod CIDR makes of it."""
    there = route_for(step.pod_cidr, table)
    if there is None:
        command = commands.create_route(step.route_table, step.pod_cidr, step.target)
        return replace(step, outcome="create", command=command, detail="", before="")
    ours = leads_to(there, step.instance, step.network_interfaces)
    if ours and there.state == "active":
        return replace(step, outcome="exists", command="", detail="", before="")
    command = commands.replace_route(step.route_table, step.pod_cidr, step.target)
    outcome = "wrong-target" if there.state == "active" else "blackhole"
    detail = f"{there.target} {there.state}"
    return replace(step, outcome=outcome, command=command, detail=detail, before=restorable(there))


def _or_carried(step: ProvisionStep, table: RouteTable) -> ProvisionStep:
    """``step`` where there is nothing to create, because other routes of the table lead there."""

    def leads(route: Route) -> bool:
        return route.state == ACTIVE and leads_to(route, step.instance, step.network_interfaces)

    carried = Lookup(table).carrying(IPv4Network(step.pod_cidr), leads) if step.outcome == "create" else []
    by = ", ".join(destination_noun(route) for route in carried[:_MOST_TOLD])
    return replace(step, outcome="carried", command="", detail=by) if carried else step


def route_for(destination: str, table: RouteTable | None) -> Route | None:
    """The table's own route for exactly ``destination``; learned ones do not count."""
    if table is None:
        return None
    wanted = IPv4Network(destination)
    own = (route for route in table.routes if not route.foreign and route.origin not in _LEARNED)
    return next((route for route in own if route.network == wanted), None)


def leads_to(route: Route, instance: str, network_interfaces: Sequence[str]) -> bool:
    """Whether ``route`` points at the instance, by its id or by one of its ENIs."""
    return route.instance == instance if route.instance else route.network_interface in network_interfaces


def _step(inventory: Inventory, worker: str, instance: Instance, option: str) -> ProvisionStep:
    """What every table's step for ``worker`` shares; ``detail`` is empty when a route can be made."""
    step = ProvisionStep(
        worker=worker,
        outcome="impossible",
        address=instance.address,
        instance=instance.id,
        network_interfaces=tuple(eni.id for eni in instance.network_interfaces),
        target=_target(instance),
    )
    if instance.state not in _ALIVE:
        return replace(step, detail="worker-not-running")
    said = stated(option, instance)
    if said is None:
        return replace(step, detail="user-data-unread")
    if said.read.network is None:
        return replace(step, detail=said.read.problem)
    pods = said.read.network
    step = replace(step, pod_cidr=str(pods))
    own = [cidr for vpc in inventory.vpcs if vpc.id == instance.vpc for cidr in vpc.cidrs]
    if any(pods.overlaps(IPv4Network(cidr)) for cidr in own):
        return replace(step, detail="pod-cidr-inside-vpc")
    return step


def _target(instance: Instance) -> str:
    """EC2 refuses a route by instance id where the instance has several ENIs."""
    primary = instance.primary_interface
    return primary.id if primary and len(instance.network_interfaces) > 1 else instance.id


def without_overlaps(steps: Sequence[ProvisionStep]) -> tuple[ProvisionStep, ...]:
    """Steps that would make a route another worker claims a part of become impossible.

    Neither is more right than the other, and the first come would take the other's packets.
    """
    claims = sorted(
        (step.route_table, IPv4Network(step.pod_cidr), step.worker) for step in steps if step.route_table
    )
    disputed: set[str] = set()
    for index, (table, network, worker) in enumerate(claims):
        # Sorted by first address: what overlaps comes next, until something begins beyond this one's end.
        for other_table, other, other_worker in islice(claims, index + 1, None):
            if other_table != table or not other.overlaps(network):
                break
            disputed |= {worker, other_worker}
    return tuple(
        replace(step, outcome="impossible", command="", detail="pod-cidr-overlap")
        if step.outcome in ("create", "replace") and step.worker in disputed
        else step
        for step in steps
    )


def _counts(route: Route) -> bool:
    return not route.foreign and route.origin not in _LEARNED
