"""Where a cause is told, for whatever refers to it: its number, and its address in the page."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from kthw.errors import LookError
from kthw.findings.finding import Cause, Finding
from kthw.findings.judging import Outcome
from kthw.verdict.causes import Block
from kthw.verdict.report import Root


class Marks(Struct, frozen=True, kw_only=True):
    """``numbers``: by cause. ``unseen``: by (code, subject) of an error. ``workers``: those with an error of
    their own, by name, each with the number of the first."""

    numbers: dict[Cause, int] = {}
    unseen: dict[tuple[str, str], int] = {}
    workers: dict[str, int] = {}

    def of(self, outcome: Outcome) -> list[tuple[str, int, str]]:
        """What to read about it: the kind of address, the number, and what it is called; each once."""
        found: list[tuple[str, int, str]] = []
        after = (outcome.skip.after,) if outcome.skip and outcome.skip.after else ()
        for finding in (*outcome.findings, *after):
            found += [("cause", self.numbers[cause], cause[0]) for cause in self._told(finding)]
        if outcome.error and (outcome.error.code, outcome.error.subject) in self.unseen:
            key = outcome.error.code, outcome.error.subject
            found.append(("unseen", self.unseen[key], key[0]))
        return list(dict.fromkeys(found))

    def _told(self, finding: Finding) -> list[Cause]:
        """Itself; or what explains it, as far as that is told."""
        alike = {id(lost.causes): lost.causes for lost in finding.lost}
        each = [finding.cause, *(cause for causes in alike.values() for cause in causes)]
        return [cause for cause in dict.fromkeys(each) if cause in self.numbers]


def marks(wrong: Sequence[Block[Root]], unseen: Sequence[Block[LookError]]) -> Marks:
    """Of all that is told."""
    missed = [each for block in unseen for each in block.causes]
    workers: dict[str, int] = {}
    for each in missed:
        if each.cause.worker:
            workers.setdefault(each.cause.worker, each.number)
    return Marks(
        numbers={each.cause.finding.cause: each.number for block in wrong for each in block.causes},
        unseen={(each.cause.code, each.cause.subject): each.number for each in missed},
        workers=workers,
    )
