"""What a night came to: broken, whole, not all of it seen, or no run at all; by its exit code and recording.

The exit code says whether the run came to its end; what it saw is in its recording, judged again. A recording
alone may be that of the night before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from kthw.errors import CouldNotLook
from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from kthw.observed.recording import read
from kthw.verdict.outcome import judged_as, reported
from kthw.verdict.report import Report
from kthw.words.messages import Catalogue

Kind = Literal["whole", "broken", "unseen", "no-run"]
_ENDED: Final = (0, 1, 10)
"""The exit codes of a run that came to its end, as pytest's side promises them."""
_FRESH: Final = timedelta(hours=6)
"""How old the recording of a run that has just ended can be, where nobody says when it began."""
_AHEAD: Final = timedelta(minutes=5)
"""How far clocks may be apart. A recording of later than that is of no run that has ended."""
_JUDGED: Final[dict[str, Kind]] = {"good": "whole", "bad": "broken", "unknown": "unseen"}


class Night(Struct, frozen=True, kw_only=True):
    """``report`` is ``None`` where the run left none of its own; ``code`` where nobody said how it ended."""

    kind: Kind
    report: Report | None = None
    code: int | None = None

    def said(self, words: Catalogue) -> str:
        """It, in a sentence."""
        return words.say(f"night-{self.kind}")


def kind_of(report: Report | None, code: int | None) -> Kind:
    """What a run that ended with ``code`` came to, by its own ``report``.

    Nothing is broken but by a cause that the report has, and nothing whole but by code and report: some tests
    may have been left out, a file not be written, no packets be sent.
    """
    if report is None or (code is not None and code not in _ENDED):
        return "no-run"
    judged = _JUDGED[judged_as(report)]
    return "unseen" if judged == "whole" and code else judged


def night(
    file: Path,
    *,
    code: int | None = None,
    ended: bool = True,
    since: datetime | None = None,
    now: datetime | None = None,
) -> Night:
    """The night whose recording is ``file``, judged again. ``code``: the run's exit code, where it is known;
    ``ended``: whether it came to have one; ``since``: when it began.

    Whatever its exit code, a run without a recording of its own has looked at nothing. Raises
    ``CouldNotLook`` (``evidence-unreadable``) where nobody says how it ended, and that cannot be read.
    """
    if not ended or (code is not None and code not in _ENDED):
        return Night(kind="no-run", code=code)
    try:
        evidence = read(file)
    except CouldNotLook:
        if code is None:
            raise
        return Night(kind="no-run", code=code)
    now = now or datetime.now(UTC)
    if code is not None and not _is_of(evidence, since or now - _FRESH, now + _AHEAD):
        return Night(kind="no-run", code=code)
    report = reported(judge(evidence))
    return Night(kind=kind_of(report, code), report=report, code=code)


def _is_of(evidence: Evidence, since: datetime, until: datetime) -> bool:
    try:
        at = datetime.fromisoformat(evidence.gathered_at)
    except ValueError:
        return False
    # It is told in whole seconds.
    return at.tzinfo is not None and since.replace(microsecond=0) <= at <= until
