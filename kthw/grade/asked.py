"""What a class was asked for: which lab, until when, and where."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kthw.intended.cluster import AUTO, BadNames
from kthw.intended.tutorial import CLEANUP
from kthw.observed.evidence import Evidence

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")


class Asked(Struct, frozen=True, kw_only=True):
    """``workers`` by name; empty where only their number, ``count``, matters. ``network``: the model they are
    judged by. ``due`` and ``since``: the last and the first moment, with a time zone. ``account``: whether it
    is to be an AWS account. ``language``: of whom nobody knows another. ``looked``: their
    accounts were, by us.
    """

    workers: tuple[str, ...]
    count: int = 0
    after: str = "routes"
    network: str = AUTO
    due: datetime | None = None
    since: datetime | None = None
    account: bool = False
    language: str = "en"
    looked: bool = False

    def differs(self, evidence: Evidence) -> tuple[str, dict[str, str]] | None:
        """How the recorded lab is another one, as a situation with its facts; ``None`` where it is not."""
        intended = evidence.intended
        missing = [worker for worker in self.workers if worker not in intended.workers]
        if missing:
            return "workers", {"missing": ", ".join(missing), "found": ", ".join(intended.workers)}
        if len(intended.workers) < self.count:
            return "count", {"count": str(len(intended.workers)), "asked": str(self.count)}
        ends = {self.after, intended.after}
        if not intended.has_finished(self.after) or (CLEANUP in ends and len(ends) > 1):
            return "after", {"after": intended.after, "asked": self.after}
        return None

    def meant(self, evidence: Evidence) -> Evidence:
        """The same evidence, to be judged as the class was asked, by that chapter and by that network model.

        By neither of the student's own: with ``--network cni-plugin`` next to nothing would be asked.
        """
        intended = replace(evidence.intended, after=self.after, network=self.network)
        return replace(evidence, intended=intended)


def moment(option: str, typed: str) -> datetime:
    """A date (the end of it, for ``--due``) or a time; the time of here where no zone is said.

    Raises ``BadNames``.
    """
    try:
        said = datetime.fromisoformat(typed)
    except ValueError as problem:
        raise BadNames("grade-bad-date", option=option, value=typed) from problem
    if _DATE.fullmatch(typed) and option == "--due":
        said = datetime.combine(said.date(), time(23, 59, 59))
    try:
        return said.astimezone()
    except (OverflowError, ValueError, OSError) as problem:
        raise BadNames("grade-bad-date", option=option, value=typed) from problem


def recorded_at(evidence: Evidence) -> datetime | None:
    """When it says that it was made; ``None`` where it says nothing that is a time with its zone."""
    try:
        said = datetime.fromisoformat(evidence.gathered_at)
    except ValueError:
        return None
    return said if said.tzinfo else None
