"""Adding the kernel routes that were planned, one after the other; none is ever replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.observed.answers import RouteTold
from kthw.observed.evidence import ProvisionStep
from kthw.provision.entry import Place
from kthw.provision.journal import Journal
from kthw.provision.nodes import Nodes
from kthw.provision.undivided import undivided


def apply(
    nodes: Nodes,
    place: Place,
    steps: Sequence[ProvisionStep],
    journal: Journal,
    say: Callable[[ProvisionStep], None],
) -> tuple[ProvisionStep, ...]:
    """Carry out a plan; returns its steps with what came of them, in order; ``say`` is told of each.

    A step ``create`` becomes ``created``; ``exists`` or ``wrong-hop`` where a route was there after all (the
    kernel refuses a second one for a destination, however short ago the first came); ``failed`` with the
    node's refusal in ``detail``, or because nobody is logged in there any more; ``unsure`` where no answer
    came: rollback finds by the mark whether it was made. Every other step stays as it is.

    Raises ``CouldNotLook`` (``journal-unusable``) before a route that could not be written down.
    """
    done = []
    for step in steps:
        done.append(_created(nodes, place, step, journal) if step.outcome == "create" else step)
        say(done[-1])
    return tuple(done)


def _created(nodes: Nodes, place: Place, step: ProvisionStep, journal: Journal) -> ProvisionStep:
    if not nodes.has(step.worker):
        return replace(step, outcome="failed", detail="—")
    with undivided():
        journal.record("create-intended", step, place)
        try:
            told = nodes.add(step.worker, step.address, step.pod_cidr, step.target)
        except CouldNotLook as problem:
            journal.record("create-unknown", step, place)
            return replace(step, outcome="unsure", detail=problem.error.detail)
        journal.record("created" if told.done else "create-refused", step, place)
    return replace(step, outcome="created") if told.done else _there(step, told)


def _there(step: ProvisionStep, told: RouteTold) -> ProvisionStep:
    if not told.routes:
        return replace(step, outcome="failed", detail=told.detail)
    outcome = "exists" if told.routes[0].via == step.target else "wrong-hop"
    return replace(step, outcome=outcome, detail=told.routes[0].text)
