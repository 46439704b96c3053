"""What the command says to the person who typed it, in their language."""

from __future__ import annotations

import sys
from typing import Final

from kthw.errors import LookError
from kthw.foreign import printable
from kthw.intended.cluster import BadNames
from kthw.intended.selectors import FoundNobody
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import ProvisionStep
from kthw.provision.turns import Holder
from kthw.provision.wording import step_line, waiting_line
from kthw.words.messages import Catalogue
from kthw.words.nobody import screen
from kthw.words.standard_output import write_line

_AGAIN: Final = "./run provision"
_MOST_SHOWN: Final = 5000


class Terminal:
    """One run of the command: its words, and what it writes for the person."""

    def __init__(self, words: Catalogue) -> None:
        self.words = words

    def say(self, key: str, /, **facts: object) -> None:
        """Print a phrase on stdout."""
        self.print(self.words.say(key, **facts))

    def print(self, line: str) -> None:
        """Print a line on stdout, or a step with its command."""
        write_line(line, _MOST_SHOWN, lines=True)

    def complain(self, error: LookError) -> None:
        """Print what could not be looked at, and what to do about it, on stderr."""
        said = self.words.error(error)
        told = "\n".join(filter(None, (said.what, said.why, said.fix)))
        sys.stderr.write(f"{printable(told, _MOST_SHOWN, lines=True)}\n")

    def refuse(self, problem: BadNames) -> None:
        """Print that the workers asked for are not there, and who is, on stderr."""
        found = isinstance(problem, FoundNobody) and screen(self.words, problem, _AGAIN)
        told = found or self.words.refusal(problem)
        sys.stderr.write(f"{printable(told, _MOST_SHOWN, lines=True)}\n")

    def progress(self, done: int, of: int) -> None:
        """One line that counts what was read, for a person who watches; nothing into a file."""
        self._count("provision-reading", done, of)

    def logging_in(self, done: int, of: int) -> None:
        """The same of nodes."""
        self._count("provision-logging-in", done, of)

    def _count(self, phrase: str, done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\r\x1b[K" if done == of else ""
            sys.stderr.write(f"\r{self.words.say(phrase, done=done, of=of)}{end}")
            sys.stderr.flush()

    def line(self, step: ProvisionStep) -> str:
        """A step, as a person reads it."""
        return step_line(self.words, step)

    def waiting(self, table: str, holder: Holder) -> None:
        """Say that another run is waited for."""
        self.print(waiting_line(self.words, table, holder))

    def where(self, account: str, reader: Reader) -> None:
        """Say which account and region this is about."""
        self.say("provision-where", account=account, region=reader.region)
        if reader.facts["endpoint"]:
            self.say("provision-endpoint", endpoint=reader.facts["endpoint"])
