"""``python -m kthw.lab``: look at what is there, and write it down as ``kthw.toml``.

Reads what ``AWS_PROFILE``, ``AWS_REGION`` and ``AWS_ENDPOINT_URL`` point at, and the nodes, as the suite
does; nothing is changed there. Exit codes: 0 the file was written, or not wanted; 1 it was not written, since
nobody could be asked; 2 bad usage, or could not look, or no telling which lab is meant.
"""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import BadNames, Intended
from kthw.intended.selectors import FoundNobody, asked_workers
from kthw.lab import guess
from kthw.lab.file import NAME, NOTHING
from kthw.lab.given import Given
from kthw.lab.text import Asked, text
from kthw.network.model import Network
from kthw.observed import choosing
from kthw.observed.aws import listing
from kthw.observed.aws.inventory import in_time
from kthw.observed.aws.reader import Reader
from kthw.observed.choosing import Tagged
from kthw.observed.evidence import Instance
from kthw.observed.gather import gather
from kthw.observed.namesakes import GONE, Roll
from kthw.start import loaded
from kthw.target import Target
from kthw.words.command_line import Parser, complain, language_asked, speaking
from kthw.words.messages import Catalogue, catalogue
from kthw.words.nobody import screen
from kthw.words.standard_output import NotWritten, bear_any_sign, write

_AGAIN: Final = "./run lab"
_MOST_TOLD: Final = 3
_MODE: Final = 0o644


class _Command:
    """One run: its words, and what it says to the person, on stderr; on stdout stands only the file."""

    def __init__(self, words: Catalogue, given: Given, options: argparse.Namespace) -> None:
        self.words = words
        self._given = given
        self._options = options
        self._phase = ""

    def say(self, key: str, /, **facts: object) -> None:
        complain(self.words.say(key, **facts))

    def complain(self, error: LookError) -> None:
        said = self.words.error(error)
        complain("\n".join(filter(None, (said.what, said.why, said.fix))))

    def run(self) -> int:
        file = Path(self._options.out)
        if os.path.lexists(file) and not self._options.force:
            raise BadNames("lab-there-is-one", file=str(file))
        given = self._given
        given.checked("workers")
        target = given.target(given.ssh())
        if self._options.no_ssh:
            target = replace(target, no_packets="--no-ssh")
        reader = Reader(target)
        account = given.checked("expect-account")
        seen = in_time(reader, "account", lambda: reader.account(account))
        self.say("provision-where", account=seen, region=reader.region)
        if reader.facts["endpoint"]:
            self.say("provision-endpoint", endpoint=reader.facts["endpoint"])
        there = in_time(reader, "instances", lambda: listing.tagged(reader.ec2))
        intended, asked = self._workers(there, reader, target)
        evidence = gather(target, intended, expect_account=account, progress=self._progress)
        network = Network(evidence)
        for error in evidence.errors[:_MOST_TOLD]:
            self.complain(error)
        written = text(evidence, network, asked, self.words, file.parent)
        _show(written)
        return self._offer(file, written)

    def _workers(self, there: Sequence[Tagged], reader: Reader, target: Target) -> tuple[Intended, Asked]:
        typed, vpc = self._given.value("workers"), self._options.vpc
        near = [each for each in there if vpc in ("", each.instance.vpc)]
        if not near:
            raise self._nobody(there, reader)
        if typed is None:
            found = guess.groups(near)
            if not found:
                raise self._nobody(near, reader)
            if len(found) > 1:
                raise _Several(found)
            (one,) = found
            workers = guess.asked_for(one.instances, there, one.what)
            facts = {"count": len(one.instances), "what": one.what, "vpc": one.vpc}
            why = self.words.say(f"lab-workers-{one.sign}", **facts)
        else:
            workers = _asked(typed)
            why = self.words.say("lab-workers-asked", value=typed)
            if vpc:
                intended = choosing.chosen(asked_workers(typed), near, typed, reader.facts)
                workers = guess.asked_for(_instances(intended, near), there)
        said = ",".join(workers)
        intended = choosing.chosen(asked_workers(said), near, said, reader.facts)
        profile = reader.facts["profile"] if os.environ.get("AWS_PROFILE") else ""
        return intended, Asked(
            workers=workers,
            why=why,
            profile=profile,
            ssh=target.ssh,
            looked_at_nodes=not target.no_packets,
        )

    def _nobody(self, there: Sequence[Tagged], reader: Reader) -> BadNames:
        shown = [choosing.noun(each.instance) for each in there]
        vpc = self._options.vpc
        key = "lab-nobody-in-vpc" if vpc else "lab-nobody" if there else "run-workers-none-there"
        return _Nobody(key, shown, region=reader.region, vpc=vpc)

    def _progress(self, phase: str, _done: int, _of: int) -> None:
        if phase != self._phase:
            self._phase = phase
            complain(f"{self.words.say(f'run-phase-{phase}')} …")

    def _offer(self, file: Path, written: str) -> int:
        if not self._options.yes:
            if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
                self.say("lab-not-written", file=str(file))
                return 1
            sys.stderr.write(f"\n{self.words.say('lab-write', file=str(file))} ")
            sys.stderr.flush()
            if sys.stdin.readline().strip().lower() not in ("y", "yes", "s", "sim"):
                self.say("lab-unwanted")
                return 0
        try:
            _write(file, written, over=self._options.force)
        except FileExistsError:
            raise BadNames("lab-there-is-one", file=str(file)) from None
        except OSError as problem:
            raise BadNames("lab-unwritable", file=str(file), detail=problem.strerror or "") from problem
        named = "" if file.name == NAME and file.parent == Path() else f" --lab {file}"
        self.say("lab-written", file=str(file), next=f"./run routes --target aws{named}")
        return 0


class _Several(BadNames):
    """More labs than one look meant."""

    def __init__(self, found: Sequence[guess.Group]) -> None:
        super().__init__("lab-several")
        self.found = found


class _Nobody(BadNames):
    """No instance looks like a worker; ``there`` are those that are."""

    def __init__(self, key: str, there: Sequence[str], **facts: str) -> None:
        super().__init__(key, **facts)
        self.there = there


def _asked(typed: str) -> tuple[str, ...]:
    return tuple(each if isinstance(each, str) else each.text for each in asked_workers(typed))


def _instances(intended: Intended, there: Sequence[Tagged]) -> list[Instance]:
    """Those that are the workers, in order."""
    roll = Roll(intended)
    alive = [each.instance for each in there if each.instance.state not in GONE]
    meant = [each for each in alive if roll.worker(each.id, each.name)]
    return sorted(meant, key=choosing.by_name_and_address)


def _show(written: str) -> None:
    """On standard output. Raises ``BadNames``, and writes nothing there ever after, where that cannot be."""
    try:
        write(written)
    except (NotWritten, BrokenPipeError) as problem:
        detail = getattr(problem, "detail", "") or os.strerror(errno.EPIPE)
        raise BadNames("lab-unwritable", file="/dev/stdout", detail=detail) from problem


def _write(file: Path, written: str, *, over: bool) -> None:
    """Whole or not at all. Raises ``OSError``, ``FileExistsError`` unless ``over``."""
    data = written.encode("utf-8")
    if not over:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
        try:
            _fill(descriptor, data)
        except OSError:
            file.unlink()
            raise
        return
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        _fill(descriptor, data)
        Path(name).chmod(_MODE)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _fill(descriptor: int, data: bytes) -> None:
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    loaded()
    bear_any_sign("backslashreplace")
    words = catalogue(language_asked(arguments, os.environ))
    options = _options(arguments, words)
    given = Given(
        lambda name: getattr(options, name.replace("-", "_"), None), NOTHING, os.environ, Path.cwd()
    )
    command = _Command(words, given, options)
    try:
        return command.run()
    except CouldNotLook as problem:
        command.complain(problem.error)
    except _Several as several:
        command.say("lab-several")
        vpcs = {group.vpc for group in several.found}
        for group in several.found:
            option = f"--vpc {group.vpc}" if len(vpcs) > 1 else f"--workers {shlex.quote(group.what)}"
            facts = {"count": len(group.instances), "what": group.what, "vpc": group.vpc}
            complain("  " + words.say("lab-one-of-several", again=f"{_AGAIN} {option}", **facts))
    except FoundNobody as nobody:
        complain(screen(words, nobody, _AGAIN))
    except _Nobody as nobody:
        complain("\n".join([words.refusal(nobody), *(f"  {noun}" for noun in nobody.there[:12])]))
    except BadNames as problem:
        complain(words.refusal(problem))
    except KeyboardInterrupt:
        command.say("lab-interrupted")
        return 128 + signal.SIGINT
    return 2


def _options(arguments: Sequence[str], words: Catalogue) -> argparse.Namespace:
    with speaking(words):
        parser = Parser(words, prog="python -m kthw.lab", description=words.say("lab-help"))
        for name, metavar in (("workers", "NAMES"), ("vpc", "ID")):
            parser.add_argument(f"--{name}", metavar=metavar, help=words.say(f"lab-help-{name}"))
        parser.add_argument("--no-ssh", action="store_true", help=words.say("lab-help-no-ssh"))
        for name, metavar in (
            ("ssh-user", "USER"),
            ("ssh-key", "FILE"),
            ("ssh-config", "FILE"),
            ("ssh-jump", "HOST"),
        ):
            parser.add_argument(f"--{name}", metavar=metavar, help=words.say(f"run-help-{name}"))
        parser.add_argument(
            "--ssh-accept-new", action="store_true", default=None, help=words.say("run-help-ssh-accept-new")
        )
        parser.add_argument("--expect-account", metavar="ID", help=words.say("run-help-expect-account"))
        parser.add_argument("--out", metavar="FILE", default=NAME, help=words.say("lab-help-out"))
        for name in ("yes", "force"):
            parser.add_argument(f"--{name}", action="store_true", help=words.say(f"lab-help-{name}"))
        parser.add_language()
        options = parser.read(arguments)
    options.vpc = options.vpc or ""
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
