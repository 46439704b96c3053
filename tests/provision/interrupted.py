"""The command, sent a signal at one place of its work on its second route; for a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kthw.observed.aws.reader import preload
from kthw.observed.evidence import ProvisionStep
from kthw.provision import __main__ as command
from kthw.provision.entry import Event, Place
from kthw.provision.journal import Journal
from kthw.provision.writer import Writer

# A process that only forks pays for the AWS libraries once.
preload()


def run(action: str, directory: Path, phase: str, number: int, environment: Mapping[str, str]) -> None:
    """Run ``action``, and send ourselves the signal ``number`` in ``phase``, saying it to ``said``."""
    said = os.open(directory / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
    _arm(phase, number)
    options = ["apply", "--replace-wrong"] if action == "replace" else [action]
    sys.exit(command.main([*options, "--language", "en", "--journal", str(directory / "journal.jsonl")]))


def _arm(phase: str, number: int) -> None:
    planned, record, create, delete = vars(command)["plan"], Journal.record, Writer.create, Writer.delete
    repoint = Writer.replace

    def reached(place: str, worker: str = "worker-1") -> None:
        if place == phase and worker == "worker-1":
            os.kill(os.getpid(), number)

    def plan(*arguments: Any) -> Any:
        reached("plan")
        return planned(*arguments)

    def recorded(journal: Journal, event: Event, step: ProvisionStep, place: Place) -> None:
        reached(f"before {event}", step.worker)
        record(journal, event, step, place)
        reached(f"after {event}", step.worker)

    def created(writer: Writer, step: ProvisionStep) -> bool:
        made = create(writer, step)
        reached("created", step.worker)
        return made

    def deleted(writer: Writer, step: ProvisionStep) -> None:
        delete(writer, step)
        reached("deleted", step.worker)

    def repointed(writer: Writer, step: ProvisionStep, target: str) -> bool:
        made = repoint(writer, step, target)
        reached("repointed", step.worker)
        return made

    vars(command)["plan"] = plan
    for owner, name, ours in (
        (Journal, "record", recorded),
        (Writer, "create", created),
        (Writer, "delete", deleted),
        (Writer, "replace", repointed),
    ):
        setattr(owner, name, ours)
