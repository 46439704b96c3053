"""Taking kernel routes back: those that the journal knows, that lead where we led them and bear our mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.network.model import RUNNING
from kthw.observed.answers import RouteTold
from kthw.observed.evidence import Instance, ProvisionStep
from kthw.provision import commands
from kthw.provision.claims import Claim
from kthw.provision.entry import Entry, Event, Place
from kthw.provision.journal import Journal
from kthw.provision.nodes import Nodes
from kthw.provision.undivided import undivided


def claims_here(place: Place, journal: Journal) -> list[Claim]:
    """What may still be there on nodes of ``place``, of all that the journal has."""
    return [claim for claim in journal.open() if claim.entry.by_node and claim.entry.place == place]


def machines(claims: Iterable[Claim], instances: Iterable[Instance]) -> dict[str, Instance]:
    """By their names, the machines that run and may have routes of ours."""
    by_id = {instance.id: instance for instance in instances if instance.state == RUNNING}
    entries = [claim.entry for claim in claims if not claim.entry.is_running]
    return {entry.worker: by_id[entry.instance] for entry in entries if entry.instance in by_id}


def rollback(
    nodes: Nodes,
    claims: Iterable[Claim],
    instances: Mapping[str, Instance],
    journal: Journal,
    say: Callable[[ProvisionStep], None],
) -> tuple[ProvisionStep, ...]:
    """Take back what ``claims`` are about, and write that down. ``instances``: all there are, by id.

    Outcomes: ``deleted``; ``gone`` (no such route is there any more, or the machine does not run: a restart
    keeps none of ours); ``left`` (``detail`` is there now: another next hop, or without our mark);
    ``running`` (the run that made it still goes on); ``failed`` (``detail``; tried again next time).

    The node looks right before it deletes, and its kernel deletes only what has that next hop and our mark.
    A route that a run was cut off at is ours by the same two signs: there is no telling apart by hand.
    """
    done = []
    for claim in claims:
        done.append(_taken_back(nodes, claim.entry, instances.get(claim.entry.instance), journal))
        say(done[-1])
    return tuple(done)


def _taken_back(nodes: Nodes, entry: Entry, machine: Instance | None, journal: Journal) -> ProvisionStep:
    step = ProvisionStep(
        worker=entry.worker,
        outcome="failed",
        address=machine.address if machine else "",
        pod_cidr=entry.destination,
        instance=entry.instance,
        target=entry.target,
        command=commands.delete_own_kernel_route(entry.destination, entry.target),
    )
    if entry.is_running:
        return replace(step, outcome="running", detail=entry.run)
    if machine is None or machine.state not in (RUNNING, "pending", "stopping"):
        journal.record("gone", step, entry.place)
        return replace(step, outcome="gone")
    if not nodes.has(entry.worker) or nodes.machines[entry.worker].id != machine.id:
        return replace(step, detail=machine.state if machine.state != RUNNING else "—")
    with undivided():
        journal.record("delete-intended", step, entry.place)
        try:
            told = nodes.delete(entry.worker, step.address, step.pod_cidr, step.target)
        except CouldNotLook as problem:
            return replace(step, detail=problem.error.detail)
        event, detail = _end(told, step)
        journal.record(event, step, entry.place)
    outcome = "failed" if event == "delete-refused" else event
    return replace(step, outcome=outcome, detail=detail)


def _end(told: RouteTold, step: ProvisionStep) -> tuple[Event, str]:
    if told.done:
        return "deleted", ""
    if not told.routes:
        return "gone", ""
    if any(route.ours and route.via == step.target for route in told.routes):
        return "delete-refused", told.detail
    return "left", told.routes[0].text
