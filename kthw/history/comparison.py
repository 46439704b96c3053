"""What became of a network between two looks: causes new, gone and still there, and what changed."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kthw.history.changes import changes
from kthw.history.chosen import Side
from kthw.history.noted import Change
from kthw.verdict.since import Since, since
from kthw.words.moments import moment_of

SIGNS: Final = {"new": "✗", "uncovered": "✗", "still": "✗", "hidden": "!", "gone": "✓"}


class Comparison(Struct, frozen=True, kw_only=True):
    """``changes`` is ``None`` where one of the two has no recording."""

    was: Side
    now: Side
    causes: Since
    changes: tuple[Change, ...] | None

    @property
    def doubts(self) -> list[str]:
        """What makes the two hard to compare, as phrases of the catalogues."""
        found = []
        one, other = self.was.target, self.now.target
        if (one.kind, one.account, one.region, one.local) != (
            other.kind,
            other.account,
            other.region,
            other.local,
        ):
            found.append("history-other-place")
        if self.was.lab.id != self.now.lab.id:
            found.append("history-other-lab")
        before, after = moment_of(self.was.at), moment_of(self.now.at)
        if before and after and before > after:
            found.append("history-backwards")
        if self.was.standing.cut or self.now.standing.cut:
            found.append("history-cut")
        return found

    @property
    def code(self) -> int:
        """1: something is wrong that was not seen before; 10: nothing is, but not all was looked at; or 0."""
        if self.causes.is_worse:
            return 1
        return 10 if self.causes.hidden or self.now.blind else 0


def compared(was: Side, now: Side) -> Comparison:
    """The two of them."""
    found = tuple(changes(was.evidence, now.evidence)) if was.evidence and now.evidence else None
    return Comparison(was=was, now=now, causes=since(was.standing, now.standing), changes=found)
