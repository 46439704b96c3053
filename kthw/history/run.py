"""One line of the history: what a run came to, without its evidence. Read as anybody's text, not as ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from kthw.findings.judging import Outcome, Verdict
from kthw.findings.registry import AREAS, BY_NAME
from kthw.foreign import printable
from kthw.observed.evidence import Evidence
from kthw.observed.values import MaybeIdentifier, Name
from kthw.verdict.outcome import Kind, judged_as, reported
from kthw.verdict.since import Standing, Stood
from kthw.verdict.standing import standing
from kthw.words.moments import moment_of

LINE_SCHEMA: Final = 1
MOST_CAUSES: Final = 300
_MOST_ERRORS: Final = 100
_LONGEST: Final = 280
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2100
_WORD: Final = r"\A[A-Za-z][A-Za-z0-9_-]{0,60}\Z"

Word = Annotated[str, Meta(pattern=_WORD)]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]
Recording = Annotated[str, Meta(pattern=r"\A(?:[0-9]{8}T[0-9]{6}Z-[0-9]{1,10}\.json)?\Z")]
"""The name of a recording that is kept, or empty."""


class Place(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was looked at. ``local``: a sandbox, or an endpoint on this machine, and no account."""

    kind: Literal["sandbox", "aws"]
    account: MaybeIdentifier = ""
    region: MaybeIdentifier = ""
    local: bool = False


class Lab(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which lab, after which chapter. ``id``: the same for the same workers, whatever their order."""

    id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{12}\Z")]
    workers: Name
    count: Count
    after: Word


class Share(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of an area's questions: how many hold, are broken, could not be looked at, were not asked."""

    passed: Count = 0
    failed: Count = 0
    missed: Count = 0
    skipped: Count = 0

    @property
    def state(self) -> str:
        """``bad``, ``unseen``, ``good``, or ``none`` where nothing was asked."""
        if self.failed:
            return "bad"
        return "unseen" if self.missed else "good" if self.passed else "none"


class Unseen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could not be looked at."""

    code: Word
    subject: Name = ""


class Figures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run cost."""

    aws_calls: Count = 0
    ssh_sessions: Count = 0
    seconds: Annotated[float, Meta(ge=0, le=1e7)] = 0.0


class Run(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line. ``cut``: how many causes more there were than a line holds. ``phases``: seconds, by phase.

    ``missed``: by check, the subjects it was not answered for; all where none is named.
    """

    schema: Literal[1] = LINE_SCHEMA
    at: Name
    target: Place
    lab: Lab
    verdict: Kind
    areas: dict[Word, Share] = {}
    causes: Annotated[tuple[Stood, ...], Meta(max_length=MOST_CAUSES)] = ()
    errors: Annotated[tuple[Unseen, ...], Meta(max_length=_MOST_ERRORS)] = ()
    missed: dict[Word, tuple[Name, ...]] = {}
    cut: Count = 0
    figures: Figures = Figures()
    phases: dict[Word, Annotated[float, Meta(ge=0, le=1e7)]] = {}
    versions: dict[Word, Name] = {}
    recording: Recording = ""

    def __post_init__(self) -> None:
        at = moment_of(self.at)
        if at is None:
            raise ValueError("at: no moment")
        if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            raise ValueError(f"at: no year from {_FIRST_YEAR} to {_LAST_YEAR}")
        if (self.verdict == "bad") != bool(self.causes):
            raise ValueError("verdict: another than its causes say")

    @property
    def moment(self) -> datetime:
        """When it looked, in this machine's time."""
        return datetime.fromisoformat(self.at).astimezone()

    @property
    def standing(self) -> Standing:
        """To be compared with another."""
        return Standing(
            at=self.at, causes=self.causes, missed=self.missed, private=self.target.local, cut=self.cut
        )

    @property
    def place(self) -> tuple[str, str, bool, str, str]:
        """What makes two runs nights of one history; the account stands last, as it may not be known."""
        return self.lab.id, self.target.kind, self.target.local, self.target.region, self.target.account


def run_of(
    verdict: Verdict,
    *,
    seconds: float = 0.0,
    phases: Mapping[str, float] | None = None,
    versions: Mapping[str, str] | None = None,
    recording: str = "",
) -> Run:
    """The line of one run, from all that it saw."""
    evidence, stood = verdict.evidence, standing(verdict)
    counts = evidence.counts
    return Run(
        at=evidence.gathered_at,
        target=place_of(evidence),
        lab=lab_of(evidence),
        verdict=judged_as(reported(verdict)),
        areas=_areas(verdict.outcomes),
        causes=stood.causes[:MOST_CAUSES],
        errors=tuple(
            Unseen(code=error.code, subject=printable(error.subject, _LONGEST))
            for error in verdict.errors[:_MOST_ERRORS]
        ),
        missed=dict(stood.missed),
        cut=max(0, len(stood.causes) - MOST_CAUSES),
        figures=Figures(
            aws_calls=counts.aws_calls, ssh_sessions=counts.ssh_sessions, seconds=round(seconds, 2)
        ),
        phases={phase: round(took, 2) for phase, took in (phases or {}).items()},
        versions=dict(versions or {}),
        recording=recording,
    )


def place_of(evidence: Evidence) -> Place:
    """What was looked at."""
    target = evidence.target
    sandbox = target.kind == "sandbox"
    return Place(
        kind="sandbox" if sandbox else "aws",
        account=target.account,
        region=target.region,
        local=sandbox or target.is_local,
    )


def lab_of(evidence: Evidence) -> Lab:
    """Which lab that was."""
    intended = evidence.intended
    known = "\n".join([*sorted(intended.workers), intended.after])
    return Lab(
        id=hashlib.sha256(known.encode("utf-8", "backslashreplace")).hexdigest()[:12],
        workers=printable(", ".join(intended.workers), 100),
        count=len(intended.workers),
        after=intended.after,
    )


def _areas(outcomes: Iterable[Outcome]) -> dict[str, Share]:
    count: dict[str, dict[str, int]] = {}
    names = {"passed": "passed", "failed": "failed", "skipped": "skipped"}
    for outcome in outcomes:
        area = count.setdefault(BY_NAME[outcome.check].area, {})
        which = names.get(outcome.status, "missed")
        area[which] = area.get(which, 0) + 1
    return {area: Share(**count[area]) for area in AREAS if area in count}


def encoded(run: Run) -> bytes:
    """The line, without its end."""
    return msgspec.json.encode(run)


def decoded(line: bytes) -> Run:
    """What a line says. Raises ``msgspec.MsgspecError``, ``UnicodeDecodeError`` for what is none of ours."""
    return msgspec.json.decode(line, type=Run)
