"""``python -m kthw.provision [plan|apply|rollback]``: the chapter's loop as a command.

Works on what ``AWS_PROFILE``, ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` point at. Exit codes: 0 all is as it
should be; 1 something could not be provisioned or taken back; 2 bad usage, or could not look.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.intended import tutorial
from kthw.intended.cluster import NODE_ROUTES, VPC_ROUTES, BadNames
from kthw.intended.selectors import asked_workers
from kthw.lab.given import Given, lab_named
from kthw.observed.aws.concerned import NAMELESS
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import GOOD, apply
from kthw.provision.asked import intended
from kthw.provision.by_nodes import carry_out, place_of, roll_back
from kthw.provision.entry import Entry, Place
from kthw.provision.journal import DEFAULT, Journal
from kthw.provision.node_rollback import claims_here as claims_on_nodes
from kthw.provision.plan import headroom, plan
from kthw.provision.replacement import replacing
from kthw.provision.rollback import claims_here, elsewhere, of_the_vpc, rollback
from kthw.provision.terminal import Terminal
from kthw.provision.turns import turn
from kthw.provision.undivided import SIGNALS
from kthw.provision.writer import Writer
from kthw.start import loaded
from kthw.target import Target
from kthw.words.command_line import Parser, complain, language_asked, one_of, speaking
from kthw.words.messages import LANGUAGES, Catalogue, catalogue
from kthw.words.standard_output import NotWritten, bear_any_sign

_NETWORKS: Final = (VPC_ROUTES, NODE_ROUTES)
_ACTIONS: Final = ("plan", "apply", "rollback")
_SSH: Final = (
    ("ssh-user", "USER"), ("ssh-key", "FILE"), ("ssh-config", "FILE"), ("ssh-jump", "[USER@]HOST[:PORT]"),
)  # fmt: skip
_OF_A_LAB: Final = (
    "workers", "pod-cidrs", "network", "also", "region", "profile", "expect-account", "language",
    *(name for name, _ in _SSH), "ssh-accept-new",
)  # fmt: skip
"""What of a lab file this is about."""
_ACCOUNT = re.compile(r"\d{12}")


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    loaded()
    bear_any_sign()
    session = Terminal(catalogue(language_asked(arguments, os.environ)))
    options = _options(arguments, session.words)
    try:
        given = _given(options)
        session = Terminal(catalogue(given.checked("language") or session.words.language))
        with _interruptible():
            return _run(session, options, given)
    except CouldNotLook as problem:
        session.complain(problem.error)
        return 2
    except BadNames as problem:
        session.refuse(problem)
        return 2
    except KeyboardInterrupt as came:
        with contextlib.suppress(OSError):  # after SIGHUP there may be no terminal left to tell it to
            sys.stderr.write(f"\n{session.words.say('provision-interrupted')}\n")
        return 128 + (came.number if isinstance(came, _Interrupted) else signal.SIGINT)
    except BrokenPipeError:
        return 1  # whoever read our output has gone; the journal knows all that was done
    except NotWritten as problem:
        complain(session.words.say("provision-unwritten", detail=problem.detail))
        return 1


class _Interrupted(KeyboardInterrupt):
    """Somebody wants us to end, by the signal ``number``."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the command alike; one that we were started to ignore stays ignored."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise _Interrupted(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number, handler in before.items():
        if handler not in (signal.SIG_IGN, None):
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _given(options: argparse.Namespace) -> Given:
    here = Path.cwd()
    lab = lab_named(options.lab, os.environ, here).only(_OF_A_LAB)
    return Given(lambda name: getattr(options, name.replace("-", "_"), None), lab, os.environ, here)


def _run(session: Terminal, options: argparse.Namespace, given: Given) -> int:
    target, expect_account = given.target(), given.checked("expect-account")
    for line in given.told(session.words):
        session.print(line)
    reader = Reader(target)
    journal = Journal(options.journal)
    by_node = given.checked("network") == NODE_ROUTES
    if options.replace_wrong and (by_node or options.action == "rollback"):
        raise BadNames("provision-replaces-vpc-routes")
    if by_node:
        target = replace(target, ssh=given.ssh())
    if options.action == "rollback":
        account = reader.account(expect_account)
        session.where(account, reader)
        if by_node:
            return _roll_back_nodes(session, target, reader, account, journal)
        return _roll_back(session, Writer(target, account), journal)
    meant = intended(target, given)
    inventory, errors = read_inventory(
        reader, meant, expect_account=expect_account, progress=session.progress
    )
    session.where(inventory.account, reader)
    if any(error.kind == NAMELESS for error in errors):
        # An instance that may be any worker's: nobody knows where a route should lead.
        for error in errors:
            session.complain(error)
        session.say("provision-nameless")
        return 2
    if by_node:
        writing = journal if options.action == "apply" else None
        steps, unseen = carry_out(session, target, reader, (inventory, meant), writing)
        errors = (*errors, *unseen)
        for error in errors:
            session.complain(error)
        return 2 if errors else _verdict(steps)
    steps, place = plan(inventory, meant), place_of(reader, inventory.account)
    with contextlib.suppress(CouldNotLook):  # a plan needs no journal, and who writes is told by the writing
        _tell_of_a_cut(session, [claim.entry for claim in of_the_vpc(journal) if not claim.known], place)
    if options.replace_wrong:
        steps = replacing(steps)
    for growing in headroom(inventory, steps):
        session.say("provision-headroom", table=growing.route_table, now=growing.now, adding=growing.adding)
    if options.action == "plan":
        for step in steps:
            session.print(session.line(step))
    else:
        _tell_what_is_replaced(session, steps)
        writer = Writer(target, inventory.account)
        with turn(writer.place, (step.route_table for step in steps), waiting=session.waiting):
            steps = apply(
                writer, steps, journal,
                say=session.print, line=session.line, replace_wrong=options.replace_wrong,
            )  # fmt: skip
    for error in errors:
        session.complain(error)
    return 2 if errors else _verdict(steps)


def _tell_of_a_cut(session: Terminal, unknown: Sequence[Entry], place: Place) -> None:
    """Routes of which nobody knows what became, since a run of ours was cut off at them."""
    cut = [entry for entry in unknown if entry.place == place and not entry.is_running]
    if cut:
        routes = ", ".join(f"{entry.destination} ({entry.route_table})" for entry in cut)
        session.say("provision-cut-off", routes=routes)


def _tell_what_is_replaced(session: Terminal, steps: Sequence[ProvisionStep]) -> None:
    """Before the first of them is: each with what it leads to now."""
    wrong = [step for step in steps if step.outcome == "replace"]
    if wrong:
        session.say("provision-replacing", count=len(wrong))
        for step in wrong:
            session.print(session.line(step))


def _roll_back(session: Terminal, writer: Writer, journal: Journal) -> int:
    # A run that still goes on keeps its turn until its end; nothing of its own is touched.
    entries = [claim.entry for claim in claims_here(writer, journal) if not claim.entry.is_running]
    with turn(writer.place, (entry.route_table for entry in entries), waiting=session.waiting):
        steps = rollback(writer, journal, say=session.print, line=session.line)
    unread = journal.unread()
    if not steps and not unread:
        session.say("provision-nothing-to-roll-back", file=journal.path)
    others = elsewhere(writer, journal)
    if others:
        session.say("provision-elsewhere", count=others)
    nodes = len(claims_on_nodes(writer.place, journal))
    if nodes:
        session.say("provision-on-nodes", count=nodes)
    if unread:
        session.complain(unread)
    return 2 if unread else _verdict(steps)


def _roll_back_nodes(
    session: Terminal, target: Target, reader: Reader, account: str, journal: Journal
) -> int:
    steps, errors = roll_back(session, target, reader, account, journal)
    unread = journal.unread()
    if not steps and not unread:
        session.say("provision-no-node-routes", file=journal.path)
    for error in (*errors, *filter(None, [unread])):
        session.complain(error)
    return 2 if errors or unread else _verdict(steps)


def _verdict(steps: Sequence[ProvisionStep]) -> int:
    return 0 if all(step.outcome in GOOD for step in steps) else 1


def _options(arguments: Sequence[str], words: Catalogue) -> argparse.Namespace:
    with speaking(words):
        parser = _parser(words)
        options = parser.read(arguments)
        _check(options, parser.error, words)
    return options


def _parser(words: Catalogue) -> Parser:
    parser = Parser(words, prog="python -m kthw.provision", description=words.say("provision-help"))
    parser.add_argument(
        "action",
        nargs="?",
        type=one_of(_ACTIONS, words),
        metavar="|".join(_ACTIONS),
        default=_ACTIONS[0],
        help=words.say("provision-help-action"),
    )
    parser.add_argument(
        "--workers",
        metavar="NAMES",
        help=words.say("provision-help-workers", default=tutorial.WORKERS),
    )
    parser.add_argument("--network", metavar="|".join(_NETWORKS), help=words.say("provision-help-network"))
    for name, metavar in (("pod-cidrs", "HOW"), ("also", "NAMES"), *_SSH):
        parser.add_argument(f"--{name}", metavar=metavar, help=words.say(f"run-help-{name}"))
    parser.add_argument(
        "--replace-wrong", action="store_true", help=words.say("provision-help-replace-wrong")
    )
    parser.add_argument(
        "--ssh-accept-new", action="store_true", default=None, help=words.say("run-help-ssh-accept-new")
    )
    parser.add_argument("--expect-account", metavar="ID", help=words.say("provision-help-expect-account"))
    parser.add_argument("--lab", metavar="FILE", help=words.say("run-help-lab"))
    parser.add_argument(
        "--language",
        type=one_of(LANGUAGES, words),
        metavar="|".join(LANGUAGES),
        help=words.say("provision-help-language"),
    )
    parser.add_argument(
        "--journal", metavar="FILE", type=Path, default=DEFAULT, help=words.say("provision-help-journal")
    )
    return parser


def _check(options: argparse.Namespace, refuse: Callable[[str], object], words: Catalogue) -> None:
    try:
        asked_workers(options.workers or tutorial.WORKERS)
    except BadNames as problem:
        refuse(words.say(problem.key, **problem.facts))
    if options.expect_account and not _ACCOUNT.fullmatch(options.expect_account):
        refuse(words.say("provision-account-malformed", account=options.expect_account))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
