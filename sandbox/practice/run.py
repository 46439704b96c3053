"""One exercise from its beginning to its end: the lab, what is hidden in it, the shell, the score."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.words.messages import Catalogue
from sandbox import programs, shell
from sandbox.box import Sandbox, ec2_client, start
from sandbox.command import until_it_ends
from sandbox.faults.names import names
from sandbox.faults.stages import STAGES
from sandbox.faults.terminal import Terminal, TypingError
from sandbox.habits import USUAL
from sandbox.internet import LAPTOP
from sandbox.practice import __main__ as commands
from sandbox.practice import look, session
from sandbox.practice.session import Session
from sandbox.practice.telling import tell

COMMANDS: Final = ("check", "hint", "reveal")
_HUNG_UP: Final = (128 + signal.SIGHUP, 128 + signal.SIGTERM)
_SHELL: Final = "bash"
_WRAPPER: Final = """\
#!/bin/sh
PYTHONPATH={root} exec {python} -P -m kthw.start sandbox.practice {name} {directory}
"""


def practise(exercise: Session, command: list[str], reports: Path, words: Catalogue) -> int:
    """Build, hide, and let ``command`` (empty: a shell) find; the exit code: 0 solved, 1 not, 127 no such
    command.

    The recording of the last look, with the result in it, goes to the folder ``reports``. Raises
    ``CouldNotLook``.
    """
    say = words.say
    lab = STAGES[exercise.drawn.stage]
    # The tutorial's own rules, for everybody, would hide what its nodes may do.
    with start(like=lab.but(opened_to=f"{LAPTOP}/32"), habits=USUAL) as box:
        tell(say("practice-hiding", count=exercise.count), aside=True)
        hide(exercise, box)
        session.write(box.directory, exercise)
        dressed = shell.dressed(command or [_own_shell()], box.directory, os.environ, box.environment)
        _lay_out(box.directory)
        tell("", *goal(exercise, len(lab.names()), say), "", aside=True)
        try:
            code = until_it_ends(dressed.command, dressed.environment)
        except OSError as problem:
            tell(say("sandbox-cannot-run", command=dressed.command[0], detail=problem.strerror), aside=True)
            return 127
        code = _end(box.directory, reports, say, hung_up=code in _HUNG_UP)
    if dressed.is_interactive and sys.stdin.isatty():
        tell(say("practice-ended"), aside=True)
    return code


def hide(exercise: Session, box: Sandbox) -> None:
    """Type what breaks the lab. Raises ``CouldNotLook`` (``sandbox-unavailable``)."""
    stage = STAGES[exercise.drawn.stage]
    workers = stage.names()
    ec2 = ec2_client(box.target.endpoint)
    ours: Any = [{"Name": "tag:Name", "Values": [tutorial.NETWORK_NAME]}]
    try:
        vpc = ec2.describe_vpcs(Filters=ours)["Vpcs"][0]["VpcId"]
        known = {**names(ec2, vpc, workers), "PODS": stage.pod_range(len(workers))}
        with contextlib.closing(Terminal(box)) as terminal:
            for each in exercise.drawn.exercises:
                known |= terminal.types(each.data.breaks, known)
    except (ClientError, TypingError) as problem:
        detail = str(problem).splitlines()[0]
        raise CouldNotLook(
            LookError(code="sandbox-unavailable", subject="sandbox", detail=detail)
        ) from problem


def goal(exercise: Session, workers: int, say: Callable[..., str]) -> list[str]:
    """What is told first."""
    level = say(f"practice-level-{exercise.level}")
    lines = [f"  {name}: {say(f'practice-command-{name}')}" for name in (*COMMANDS, "exit")]
    return [
        say("practice-goal", seed=exercise.seed, level=level, workers=workers, count=exercise.count),
        say("practice-means"),
        *lines,
    ]


def _own_shell() -> str:
    own = os.environ.get("SHELL", "")
    return own if Path(own).name in shell.SHELLS else _SHELL


def _lay_out(directory: Path) -> None:
    """The commands, in the folder that comes first on PATH."""
    programs.wrapped(directory, os.environ.get("PATH", os.defpath))
    for name in COMMANDS:
        words = {"root": look.ROOT, "python": sys.executable, "directory": directory}
        quoted = {key: shlex.quote(str(value)) for key, value in words.items()}
        path = directory / "bin" / name
        path.touch(0o700)
        path.write_text(_WRAPPER.format(name=name, **quoted))


def _end(directory: Path, reports: Path, say: Callable[..., str], *, hung_up: bool) -> int:
    """The last look, where it can still change something; the score; the recording."""
    with session.kept(directory) as exercise:
        if not (exercise.solved or exercise.revealed or hung_up):
            tell(say("practice-last-look"), aside=True)
            found = commands.looked(exercise, directory)
            if found:
                tell(*commands.verdict(exercise, found, say), aside=True)
            else:
                tell(say("practice-no-verdict", detail=look.last_words(directory)), aside=True)
        elif exercise.revealed:
            tell(say("practice-revealed", score=exercise.score), aside=True)
        tell(
            say(
                "practice-result",
                score=exercise.score,
                mended=sum(exercise.mended),
                count=exercise.count,
                hints=sum(exercise.hints),
                seed=exercise.seed,
            ),
            aside=True,
        )
        return max(keep(exercise, directory, reports, say), int(not exercise.solved))


def keep(exercise: Session, directory: Path, reports: Path, say: Callable[..., str]) -> int:
    """The recording of the last look, with the result in it, if there was one; 1 where it cannot be kept."""
    path = reports / f"practice-{exercise.seed}-{exercise.level}-{exercise.count}.json"
    try:
        document = json.loads(look.report(directory).read_bytes())
    except FileNotFoundError:
        return 0
    try:
        reports.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**document, "practice": exercise.result()}, indent=1))
    except OSError as problem:
        tell(say("practice-not-kept", path=path, detail=problem.strerror), aside=True)
        return 1
    tell(say("practice-kept", path=path), aside=True)
    return 0
