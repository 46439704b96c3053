"""``python -m kthw.provision [plan|apply|rollback]``: the chapter's loop as a command.

Works on what ``AWS_PROFILE``, ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` point at. Exit codes: 0 all is as it
should be; 1 something could not be provisioned or taken back; 2 bad usage, or could not look.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.intended.cluster import BadNames, Intended, worker_names
from kthw.observed.aws import Reader
from kthw.observed.evidence import ProvisionStep
from kthw.observed.inventory import read_inventory
from kthw.provision.apply import GOOD, apply
from kthw.provision.journal import DEFAULT, Journal
from kthw.provision.plan import headroom, plan
from kthw.provision.rollback import elsewhere, rollback
from kthw.provision.wording import step_line
from kthw.provision.writer import Writer
from kthw.target import Target
from kthw.verdict.messages import LANGUAGES, Catalogue, catalogue, language_of

_ACCOUNT = re.compile(r"\d{12}")


class Session:
    """One run of the command: its words, and what it writes for the person."""

    def __init__(self, words: Catalogue) -> None:
        self.words = words

    def say(self, key: str, /, **facts: object) -> None:
        """Print a phrase on stdout."""
        self.print(self.words.say(key, **facts))

    def print(self, line: str) -> None:
        """Print a line on stdout."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def complain(self, error: LookError) -> None:
        """Print what could not be looked at, and what to do about it, on stderr."""
        said = self.words.error(error)
        sys.stderr.write("\n".join(filter(None, (said.what, said.why, said.fix))) + "\n")

    def progress(self, done: int, of: int) -> None:
        """One line that counts, for a person who watches; nothing into a file."""
        if sys.stderr.isatty():
            end = "\r\x1b[K" if done == of else ""
            sys.stderr.write(f"\r{self.words.say('provision-reading', done=done, of=of)}{end}")
            sys.stderr.flush()

    def line(self, step: ProvisionStep) -> str:
        """A step, as a person reads it."""
        return step_line(self.words, step)

    def where(self, account: str, reader: Reader) -> None:
        """Say which account and region this is about."""
        self.say("provision-where", account=account, region=reader.region)
        if reader.facts["endpoint"]:
            self.say("provision-endpoint", endpoint=reader.facts["endpoint"])


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that has no → is no reason to stop in the middle.
            stream.reconfigure(errors="replace")
    session = Session(catalogue(_language(arguments)))
    options = _options(arguments, session.words)
    try:
        return _run(session, options)
    except CouldNotLook as problem:
        session.complain(problem.error)
        return 2
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{session.words.say('provision-interrupted')}\n")
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; the journal knows all that was done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(session: Session, options: argparse.Namespace) -> int:
    target = Target(kind="aws")
    reader = Reader(target)
    journal = Journal(options.journal)
    if options.action == "rollback":
        account = reader.account(options.expect_account)
        session.where(account, reader)
        return _roll_back(session, Writer(target, account), reader, journal)
    intended = Intended(workers=options.workers)
    inventory, errors = read_inventory(
        reader, intended, expect_account=options.expect_account, progress=session.progress
    )
    session.where(inventory.account, reader)
    steps = plan(inventory, intended)
    for growing in headroom(inventory, steps):
        session.say("provision-headroom", table=growing.route_table, now=growing.now, adding=growing.adding)
    if options.action == "plan":
        for step in steps:
            session.print(session.line(step))
    else:
        writer = Writer(target, inventory.account)
        steps = apply(writer, steps, journal, say=session.print, line=session.line)
    for error in errors:
        session.complain(error)
    return 2 if errors else _verdict(steps)


def _roll_back(session: Session, writer: Writer, reader: Reader, journal: Journal) -> int:
    steps = rollback(writer, reader, journal, say=session.print, line=session.line)
    if not steps:
        session.say("provision-nothing-to-roll-back", file=journal.path)
    others = elsewhere(writer, journal)
    if others:
        session.say("provision-elsewhere", count=others)
    return _verdict(steps)


def _verdict(steps: Sequence[ProvisionStep]) -> int:
    return 0 if all(step.outcome in GOOD for step in steps) else 1


def _language(arguments: Sequence[str]) -> str:
    """The language asked for, before anything can be said in it; the parser judges it afterwards."""
    early = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    early.add_argument("--language", nargs="?")
    asked = early.parse_known_args(arguments)[0].language
    return asked if asked in LANGUAGES else language_of(os.environ)


def _options(arguments: Sequence[str], words: Catalogue) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m kthw.provision", description=words.say("provision-help"), allow_abbrev=False
    )
    parser.add_argument(
        "action",
        nargs="?",
        choices=("plan", "apply", "rollback"),
        default="plan",
        help=words.say("provision-help-action"),
    )
    parser.add_argument(
        "--workers",
        metavar="NAMES",
        default=tutorial.WORKERS,
        help=words.say("provision-help-workers", default=tutorial.WORKERS),
    )
    parser.add_argument(
        "--expect-account", metavar="ID", default="", help=words.say("provision-help-expect-account")
    )
    parser.add_argument("--language", choices=LANGUAGES, help=words.say("provision-help-language"))
    parser.add_argument(
        "--journal", metavar="FILE", type=Path, default=DEFAULT, help=words.say("provision-help-journal")
    )
    options = parser.parse_args(arguments)
    _check(options, parser.error, words)
    return options


def _check(options: argparse.Namespace, refuse: Callable[[str], object], words: Catalogue) -> None:
    try:
        options.workers = worker_names(options.workers)
    except BadNames as problem:
        refuse(words.say(problem.key, **problem.facts))
    if options.expect_account and not _ACCOUNT.fullmatch(options.expect_account):
        refuse(words.say("provision-account-malformed", account=options.expect_account))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
