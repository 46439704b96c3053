"""``python -m sandbox up | run -- CMD … | ssh NAME [CMD …] | env | status | practice | beliefs``."""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NoReturn

from kthw.errors import CouldNotLook
from kthw.start import loaded
from kthw.words.command_line import Parser, language_asked, one_of, speaking, unknown
from kthw.words.messages import LANGUAGES, Catalogue, catalogue, language_of
from sandbox import labs, login, picture, programs, running, shell, status, surroundings
from sandbox.box import REGION, Sandbox, start, why_no_packets
from sandbox.command import handling, until_it_ends
from sandbox.habits import USUAL
from sandbox.internet import LAPTOP
from sandbox.lab import CHAPTERS
from sandbox.labs import TUTORIAL
from sandbox.practice.asked import LEVELS, MOST_FAULTS, MOST_SEED, USUAL_FAULTS

_HABITS: Final = ("delay", "lag")
_MOST_SECONDS: Final = 600
_COMMANDS: Final = ("up", "run", "ssh", "env", "status", "practice", "beliefs")
_REPORTS: Final = Path(__file__).resolve().parent.parent / "reports"
_OF_ONE_THAT_RUNS: Final = ("env", "status")
_CMD: Final = {"run": "[--] CMD …", "ssh": "[CMD …]", "practice": "[[--] CMD …]"}


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code. 2: bad usage, or no sandbox to be had."""
    if arguments[:1] == ["beliefs"]:
        from sandbox.beliefs.__main__ import main as beliefs  # boto3 is slow to load, and others need none

        return beliefs(arguments[1:])
    loaded()
    _fill_in_what_is_closed()
    words = catalogue(_language(arguments))
    options = _options(arguments, words)
    try:
        # These end a sandbox as Ctrl-C does: with everything undone.
        with handling(_interrupt, signal.SIGTERM, signal.SIGHUP):
            if options.command == "ssh":
                return _ssh(options.name, options.cmd, words.say)
            if options.command in _OF_ONE_THAT_RUNS:
                return _of_one_that_runs(options.command, options.name, words.say)
            if options.command == "practice":
                return _practise(options, words)
            return _boot(options, words)
    except KeyboardInterrupt:
        return 130


def _language(arguments: Sequence[str]) -> str:
    """That which is asked for, where it can be: of ``run``, ``--language`` may be another program's."""
    practises = arguments[:1] == ["practice"]
    return language_asked(arguments, os.environ) if practises else language_of(os.environ)


def _options(arguments: Sequence[str], words: Catalogue) -> argparse.Namespace:
    with speaking(words):
        parser = Parser(words, prog="python -m sandbox", description=words.say("sandbox-help"))
        part: Any = functools.partial(Parser, words, parser.known)
        commands = parser.add_subparsers(
            dest="command", required=True, metavar="|".join(_COMMANDS), parser_class=part
        )
        for name in _COMMANDS:
            command = commands.add_parser(name, help=words.say(f"sandbox-help-{name}"))
            if name == "ssh":
                command.add_argument("name")
            elif name == "beliefs":
                pass  # the command line is its own
            elif name in _OF_ONE_THAT_RUNS:
                command.add_argument("name", nargs="?", default="", metavar="SANDBOX")
            elif name == "practice":
                command.add_argument("--seed", metavar="N", help=words.say("practice-help-seed"))
                command.add_argument("--faults", metavar="N", help=words.say("practice-help-faults"))
                for option, choices in (("level", LEVELS), ("language", LANGUAGES)):
                    command.add_argument(
                        f"--{option}",
                        type=one_of(choices, words),
                        default=choices[0] if option == "level" else words.language,
                        metavar="|".join(choices),
                        help=words.say(f"practice-help-{option}"),
                    )
                command.add_argument(
                    "--reports", type=Path, default=_REPORTS, metavar="DIR",
                    help=words.say("practice-help-reports"),
                )  # fmt: skip
            else:
                command.add_argument("--empty", action="store_true", help=words.say("sandbox-help-empty"))
                command.add_argument("--workers", metavar="N", help=words.say("sandbox-help-workers"))
                command.add_argument(
                    "--like", default=TUTORIAL, nargs="?", metavar="LAB", help=words.say("sandbox-help-like")
                )
                command.add_argument(
                    "--after", default="workers", metavar="CHAPTER", help=words.say("sandbox-help-after")
                )
                for habit in _HABITS:
                    usual, told = str(getattr(USUAL, habit)), words.say(f"sandbox-help-{habit}")
                    command.add_argument(f"--{habit}", default=usual, metavar="N", help=told)
                told = words.say("sandbox-help-throttle")
                command.add_argument("--throttle", action="store_true", help=told)
            if name in _CMD:
                rest = command.add_argument("cmd", nargs=argparse.REMAINDER, metavar=_CMD[name])
                rest.required = False  # nothing is a rest, too
        first = next(iter(arguments), "")
        if first and first not in (*_COMMANDS, "-h", "--help"):
            known = parser.known if first.startswith("-") else _COMMANDS
            parser.refuse_unknown(first, known)
        return parser.read(arguments, with_a_command=True)


def _boot(options: argparse.Namespace, words: Catalogue) -> int:
    if options.like not in labs.NAMES:
        return _complain(_labs(options.like, words))
    lab = labs.lab(options.like)
    typed = str(lab.workers) if options.workers is None else options.workers
    workers = int(typed) if typed.isdecimal() else -1
    if not 0 <= workers <= lab.most:
        return _complain(words.say("sandbox-workers-range", workers=typed, most=lab.most))
    seconds = {habit: _seconds(getattr(options, habit)) for habit in _HABITS}
    for habit in (habit for habit in _HABITS if not 0 <= seconds[habit] <= _MOST_SECONDS):
        typed = getattr(options, habit)
        return _complain(words.say("sandbox-seconds", habit=habit, typed=typed, most=_MOST_SECONDS))
    if options.after not in CHAPTERS:
        return _complain(words.say("sandbox-after-which", typed=options.after, chapters=" ".join(CHAPTERS)))
    command = options.cmd[options.cmd[:1] == ["--"] :] if options.command == "run" else []
    if options.command == "run" and not command:
        return _complain(words.say("sandbox-run-what"))
    if sys.stderr and sys.stderr.isatty():
        _complain(f"{words.say('run-phase-boot')} …")
    try:
        no_packets = why_no_packets(words.say)
        if no_packets:
            _complain(words.say("sandbox-without-packets", reason=no_packets))
        stands = "" if options.empty or no_packets else words.say(f"sandbox-stands-{options.after}")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or REGION
        habits = replace(USUAL, delay=seconds["delay"], lag=seconds["lag"], throttled=options.throttle)
        with start(
            lab.names(workers),
            like=options.like,
            after=options.after,
            empty=options.empty,
            region=region,
            no_packets=no_packets,
            habits=habits,
        ) as box:
            if options.command == "up":
                return _up(box, stands, words.say)
            return _run(box, command, stands, words.say)
    except CouldNotLook as problem:
        said = words.error(problem.error)
        return _complain(f"{said.what}\n{said.fix}")


def _practise(options: argparse.Namespace, words: Catalogue) -> int:
    from sandbox.practice.run import practise  # the catalogue, and more: other commands need not wait for it
    from sandbox.practice.session import Session

    typed = {"seed": options.seed, "faults": options.faults}
    usual = {"seed": secrets.randbelow(MOST_SEED + 1), "faults": USUAL_FAULTS[options.level]}
    asked = {name: _number(said, usual[name]) for name, said in typed.items()}
    for name, least, most in (("seed", 0, MOST_SEED), ("faults", 1, MOST_FAULTS)):
        if not least <= asked[name] <= most:
            return _complain(
                words.say("practice-number", option=name, typed=typed[name], least=least, most=most)
            )
    exercise = Session.new(asked["seed"], options.level, asked["faults"], words.language)
    command = options.cmd[options.cmd[:1] == ["--"] :]
    if sys.stderr and sys.stderr.isatty():
        _complain(f"{words.say('run-phase-boot')} …")
    try:
        no_packets = why_no_packets(words.say)
        if no_packets:
            return _complain(words.say("practice-without-packets", reason=no_packets))
        return practise(exercise, command, options.reports, words)
    except CouldNotLook as problem:
        said = words.error(problem.error)
        return _complain(f"{said.what}\n{said.fix}")


def _number(typed: str | None, otherwise: int) -> int:
    if typed is None:
        return otherwise
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < len(str(10**9)) else -1


def _seconds(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        return math.nan  # which is within no bounds


def _labs(typed: str | None, words: Catalogue) -> str:
    """What ``--like`` takes: a line for each lab; before them, that ``typed`` is none, where it is not."""
    lines = [unknown(words, typed, labs.NAMES)] if typed else []
    lines.append(words.say("sandbox-labs"))
    for name in labs.NAMES:
        told = shlex.join(labs.lab(name).options)
        lines.append(f"  {name}: {words.say(f'sandbox-lab-{name}')}{f'  [{told}]' if told else ''}")
    return "\n".join(lines)


def _complain(sentence: str) -> int:
    if sys.stderr:
        with contextlib.suppress(OSError):  # nobody can be told
            print(sentence, file=sys.stderr, flush=True)  # noqa: T201 -- a command speaks to who ran it
    return 2


def _fill_in_what_is_closed() -> None:
    """Of standard input, output and error: a pipe of ours in its place would be a program's to write to."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # the lowest free number; writing to it fails as it would have


def _up(box: Sandbox, stands: str, say: Callable[..., str]) -> int:
    with contextlib.suppress(KeyboardInterrupt):
        said = [f"# {sentence}" for sentence in (say("sandbox-up", laptop=LAPTOP), stands) if sentence]
        lines = [surroundings.lines(box.environment, _first(box.directory)), *said, ""]
        try:
            os.write(sys.stdout.fileno() if sys.stdout else 1, "\n".join(lines).encode())
        except OSError as problem:
            _complain(say("sandbox-cannot-say", detail=problem.strerror))
            return 1
        picture.Picture(box.directory, lines, sys.stderr, say).until_it_ends(box.leader)
        _complain(say("sandbox-ended"))
        return 1
    return 0


def _run(box: Sandbox, command: list[str], stands: str, say: Callable[..., str]) -> int:
    dressed = shell.dressed(command, box.directory, os.environ, box.environment)
    told = dressed.is_interactive and sys.stdin.isatty()
    if told:
        _complain("\n".join(filter(None, (say("sandbox-shell-begins", laptop=LAPTOP), stands))))
    try:
        return _until_it_ends(dressed.command, dressed.environment, say)
    finally:
        if told:
            _complain(say("sandbox-shell-ended"))


def _until_it_ends(command: list[str], environment: dict[str, str], say: Callable[..., str]) -> int:
    try:
        return until_it_ends(command, environment)
    except OSError as problem:
        _complain(say("sandbox-cannot-run", command=command[0], detail=problem.strerror))
        return 127


def _ssh(name: str, words: list[str], say: Callable[..., str]) -> int:
    try:
        command = login.command(name, words, os.environ, say)
    except login.NoLoginError as problem:
        return _complain(str(problem))
    return _until_it_ends(command, dict(os.environ), say)


def _of_one_that_runs(command: str, name: str, say: Callable[..., str]) -> int:
    """``env``: what a shell is to evaluate; ``status``: what is there. For a sandbox that is up already."""
    try:
        directory = running.meant(name, command, os.environ, say)
        if command == "env":
            said = surroundings.lines(surroundings.kept(directory), _first(directory), os.environ)
        else:
            said = status.told(directory, say)
    except running.NotOneError as problem:
        return _complain(str(problem))
    except FileNotFoundError:  # it ended this moment
        return _complain(say("sandbox-none"))
    print(said, flush=True)  # noqa: T201 -- a command speaks to who ran it
    if command == "env":
        _complain(say("sandbox-env-says", laptop=LAPTOP))
    return 0


def _first(directory: Path) -> str:
    return programs.wrapped(directory, os.environ.get("PATH", os.defpath))


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
