"""Doing what was planned: create what is missing, compare what is there, replace nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from botocore.exceptions import ClientError
from msgspec.structs import replace

from kthw.observed.aws import LOOKING_FAILS_WITH, aws_code, look_error
from kthw.observed.aws_errors import THROTTLED
from kthw.observed.evidence import ProvisionStep
from kthw.provision import commands
from kthw.provision.journal import Journal
from kthw.provision.plan import judged_by
from kthw.provision.writer import Writer

PATIENCE_SECONDS: Final = 60.0
"""How long one route may wait for its instance to be ready, or for AWS to let us go on."""
_LONGEST_WAIT: Final = 8.0
_PASSING: Final = THROTTLED | {"IncorrectInstanceState"}
GOOD: Final = ("create", "created", "exists", "deleted", "gone", "left")
"""Outcomes after which nothing is left for the person to mend."""

Say = Callable[[str], None]
Line = Callable[[ProvisionStep], str]


def tutorial_line(step: ProvisionStep) -> str:
    """What the chapter's loop prints, ``10.0.1.20 10.200.0.0/24``, and what came of it."""
    return f"{step.address or step.worker} {step.pod_cidr or '—'} {step.outcome}"


def silent(_line: str) -> None:
    """Say nothing."""


def apply(
    writer: Writer,
    steps: Iterable[ProvisionStep],
    journal: Journal,
    *,
    say: Say = silent,
    line: Line = tutorial_line,
    patience: float = PATIENCE_SECONDS,
) -> tuple[ProvisionStep, ...]:
    """Carry out a plan; returns its steps with what came of them, in order.

    A step ``create`` becomes ``created``; ``exists`` where the same route turned out to be there;
    ``wrong-target`` or ``blackhole`` where another was; ``failed`` with AWS's refusal in ``detail``.
    Every other step stays as it is: nothing is ever replaced. ``say`` is given ``line(step)`` as
    each is done. A route that cannot be created does not keep the next from being tried.

    Raises ``CouldNotLook`` (``journal-unusable``) before a route that could not be written down.
    """
    done: list[ProvisionStep] = []
    for step in steps:
        done.append(_create(writer, step, journal, patience) if step.outcome == "create" else step)
        say(line(done[-1]))
    return tuple(done)


def _create(writer: Writer, step: ProvisionStep, journal: Journal, patience: float) -> ProvisionStep:
    journal.record("create-intended", step, writer.place)
    try:
        _patiently(lambda: writer.create(step), patience)
    except LOOKING_FAILS_WITH as problem:
        return _without_an_answer(writer, step, journal, problem)
    journal.record("created", step, writer.place)
    return _created(step)


def _without_an_answer(
    writer: Writer, step: ProvisionStep, journal: Journal, problem: Exception
) -> ProvisionStep:
    """What became of a create that was refused or not answered: look, and say what is there."""
    answered = isinstance(problem, ClientError) and not _broken(problem)
    if answered and aws_code(problem) != "RouteAlreadyExists":
        journal.record("create-refused", step, writer.place)
        return _failed(writer, step, problem)
    try:
        now = judged_by(step, writer.table(step.route_table))
    except LOOKING_FAILS_WITH:
        journal.record("create-unknown", step, writer.place)
        return _failed(writer, step, problem)
    # Not answered, or answered after a retry: the route that is there, as we meant it, is ours.
    if now.outcome == "exists" and (not answered or _was_retried(problem)):
        journal.record("created", step, writer.place)
        return _created(step)
    journal.record("create-refused" if answered else "create-unknown", step, writer.place)
    return _failed(writer, step, problem) if now.outcome == "create" else now


def _patiently(call: Callable[[], None], patience: float) -> None:
    """Call until it is not refused for a reason that passes, or ``patience`` seconds are over."""
    deadline = time.monotonic() + patience
    wait = 0.5
    while True:
        try:
            return call()
        except ClientError as problem:
            if aws_code(problem) not in _PASSING or time.monotonic() + wait > deadline:
                raise
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def _broken(problem: ClientError) -> bool:
    """Whether AWS itself broke down (5xx): then the route may exist or not."""
    status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 and aws_code(problem) not in THROTTLED


def _was_retried(problem: Exception) -> bool:
    if not isinstance(problem, ClientError):
        return False
    return problem.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def _created(step: ProvisionStep) -> ProvisionStep:
    command = commands.create_route(step.route_table, step.pod_cidr, step.target)
    return replace(step, outcome="created", command=command, detail="")


def _failed(writer: Writer, step: ProvisionStep, problem: Exception) -> ProvisionStep:
    error = look_error(problem, step.route_table, worker=step.worker, **writer.facts)
    return replace(step, outcome="failed", detail=error.detail)
