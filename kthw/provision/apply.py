"""Doing what was planned: create what is missing, compare what is there, replace nothing unasked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from kthw.errors import CouldNotLook
from kthw.observed.evidence import ProvisionStep
from kthw.provision.creation import Creation, Tables
from kthw.provision.fate import PATIENCE_SECONDS, Patience
from kthw.provision.journal import Journal
from kthw.provision.plan import judged_again
from kthw.provision.replacement import Replacement, replacing
from kthw.provision.writer import Writer

GOOD: Final = (
    "create", "created", "exists", "carried", "replace", "replaced", "deleted", "restored", "gone", "left",
)  # fmt: skip
"""Outcomes after which nothing is left for the person to mend."""
_KINDS: Final[dict[str, type[Creation]]] = {"create": Creation, "replace": Replacement}
"""By outcome, the work on a step that is to be done."""

Say = Callable[[str], None]
Line = Callable[[ProvisionStep], str]


def tutorial_line(step: ProvisionStep) -> str:
    """What the chapter's loop prints, ``10.0.1.20 10.200.0.0/24``, and what came of it."""
    return f"{step.address or step.worker} {step.pod_cidr or '—'} {step.outcome}"


def silent(_line: str) -> None:
    """Say nothing."""


def apply(
    writer: Writer,
    steps: Sequence[ProvisionStep],
    journal: Journal,
    *,
    say: Say = silent,
    line: Line = tutorial_line,
    patience: float = PATIENCE_SECONDS,
    replace_wrong: bool = False,
) -> tuple[ProvisionStep, ...]:
    """Carry out a plan; returns its steps with what came of them, in order.

    The plan is judged again by the route tables as they are now. Then a step ``create`` becomes ``created``;
    ``exists`` where the same route turned out to be there; ``wrong-target`` or ``blackhole`` where another
    was; ``unsure`` where the route is there and nobody knows whether we made it (it is never taken back);
    ``failed`` with AWS's refusal in ``detail``; ``gave-up`` after ``patience`` seconds of waiting, for all
    routes together; ``not-tried`` where they were over before its turn. Every other step stays as it is:
    nothing is replaced, but with ``replace_wrong``: then ``wrong-target`` and ``blackhole`` become
    ``replaced``, where what they lead to can be given back, or ``changed`` where they led elsewhere by
    then. A route that cannot be created keeps no other waiting. ``say`` is given ``line(step)`` as each is
    done.

    Raises ``CouldNotLook``: ``journal-unusable`` before a route that could not be written down, and where
    the route tables cannot be listed.
    """
    tables = Tables(writer, {step.route_table for step in steps if step.route_table})
    done = list(judged_again(steps, tables.seen))
    if replace_wrong:
        done = list(replacing(done))
    work = _Work(Patience(patience), lambda step: say(line(step)))
    pending = {
        n: _KINDS[s.outcome](writer, journal, s, tables.look)
        for n, s in enumerate(done)
        if s.outcome in _KINDS
    }
    for number, step in enumerate(done):
        if number not in pending:
            say(line(step))
        elif tried := work.tried(pending[number]):
            done[number] = tried
            del pending[number]
    while pending:
        work.wait()
        for number, creation in list(pending.items()):
            if tried := work.tried(creation):
                done[number] = tried
                del pending[number]
    return tuple(done)


class _Work:
    """Attempts, the waiting between them, and what is said of each that is the last."""

    def __init__(self, patience: Patience, say: Callable[[ProvisionStep], None]) -> None:
        self._patience = patience
        self._say = say

    def tried(self, creation: Creation) -> ProvisionStep | None:
        """The step as it ended, or ``None`` when it is to be tried again."""
        over = self._patience.is_over
        step = creation.given_up() if over else self._attempted(creation)
        if step:
            self._say(step)
        return step

    def wait(self) -> None:
        """Before those that are not ready are tried again."""
        self._patience.wait()

    def _attempted(self, creation: Creation) -> ProvisionStep | None:
        since = time.monotonic()
        try:
            step = creation.attempt()
        except CouldNotLook:
            if creation.unrecorded:
                self._say(creation.unrecorded)
            raise
        if step and step.outcome in ("created", "replaced"):
            self._patience.succeeded()
        else:
            self._patience.charge(since)
        if step is None and creation.fate != "not-ready":
            # It is AWS that does not keep up, and so with the next as well.
            self._patience.wait()
        return step
