"""The two that are compared: recordings in files, or runs of the history, with what was kept of them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from kthw.errors import CouldNotLook
from kthw.findings.judging import judge
from kthw.history.kept import recording_of
from kthw.history.nights import labs
from kthw.history.run import Lab, Place, Run, lab_of, place_of
from kthw.intended.cluster import BadNames
from kthw.observed.evidence import Evidence
from kthw.observed.recording import read
from kthw.verdict.since import Standing
from kthw.verdict.standing import standing
from kthw.words.moments import moment_of

_REPORT: Final = "report.json"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d)?")
_NUMBER: Final = re.compile(r"[0-9]{1,6}")


class Side(Struct, frozen=True, kw_only=True):
    """One of the two. ``evidence`` is ``None`` where only the line of its run is left."""

    name: str
    at: str
    target: Place
    lab: Lab
    standing: Standing
    blind: bool
    """Whether something could not be looked at."""
    evidence: Evidence | None = None


def chosen(named: Sequence[str], runs: Sequence[Run], reports: Path) -> tuple[Side, Side]:
    """The earlier and the later one, as they were named: none is the last run and the one before it.

    ``runs``: the history, the first first. Raises ``BadNames``, ``CouldNotLook``.
    """
    if len(named) > 2:
        raise BadNames("history-two", value=named[2])
    if len(named) == 2:
        was, now = (_side(each, runs, reports) for each in named)
        return was, now
    now_run = _numbered(1, runs, "1")
    if named:
        return _side(named[0], runs, reports), _of_run(now_run, "1", reports)
    same = next(each for each in labs(runs) if now_run in each)
    if len(same) < 2:
        raise BadNames("history-one-run")
    before = same[same.index(now_run) - 1]
    return _of_run(before, _number(before, runs), reports), _of_run(now_run, "1", reports)


def _side(named: str, runs: Sequence[Run], reports: Path) -> Side:
    path = Path(named)
    with contextlib.suppress(RuntimeError):  # a home of nobody's
        path = path.expanduser()
    if path.is_dir():
        path /= _REPORT
    if path.exists():
        return _recorded(named, read(path))
    if _NUMBER.fullmatch(named):
        return _of_run(_numbered(int(named), runs, named), named, reports)
    if _DAY.fullmatch(named):
        of_day = [run for run in runs if _starts(run, named.replace(" ", "T"))]
        if not of_day:
            raise BadNames("history-no-such-day", value=named)
        return _of_run(of_day[-1], named, reports)
    raise BadNames("history-no-such", value=named)


def _starts(run: Run, said: str) -> bool:
    at = moment_of(run.at)
    return at is not None and at.isoformat().startswith(said)


def _numbered(number: int, runs: Sequence[Run], named: str) -> Run:
    if not runs:
        raise BadNames("history-none")
    if not 1 <= number <= len(runs):
        raise BadNames("history-no-such-number", value=named, count=str(len(runs)))
    return runs[-number]


def _number(run: Run, runs: Sequence[Run]) -> str:
    return str(len(runs) - runs.index(run))


def _of_run(run: Run, named: str, reports: Path) -> Side:
    file = recording_of(reports, run.recording)
    if file is not None:
        try:
            return _recorded(named, read(file))
        except CouldNotLook:
            pass  # its line still tells the causes, and that the network was not compared is told
    return Side(
        name=named, at=run.at, target=run.target, lab=run.lab, standing=run.standing, blind=bool(run.errors)
    )


def _recorded(named: str, evidence: Evidence) -> Side:
    verdict = judge(evidence)
    return Side(
        name=named,
        at=evidence.gathered_at,
        target=place_of(evidence),
        lab=lab_of(evidence),
        standing=standing(verdict),
        blind=bool(verdict.errors),
        evidence=evidence,
    )
