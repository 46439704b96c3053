"""One hand-in, judged again from its evidence: a row, and the student's page. Nothing it says is believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.finding import Cause
from kthw.findings.judging import Outcome, Verdict, judge
from kthw.findings.registry import BY_NAME
from kthw.foreign import printable
from kthw.grade import claims, hand_in, pages
from kthw.grade.asked import Asked, recorded_at
from kthw.grade.hand_in import BadFile, HandIn
from kthw.grade.identity import Identity, account_of, of_file, of_look, of_recording
from kthw.grade.naming import Submitter
from kthw.grade.points import Scheme
from kthw.grade.roster import Roster
from kthw.grade.row import Note, Row, Share, Told
from kthw.observed import recording
from kthw.observed.evidence import Evidence
from kthw.verdict.report import Report, Summary
from kthw.verdict.where import recorded
from kthw.words.messages import LANGUAGES, Catalogue, catalogue

_MOST_TOLD: Final = 40
_LONGEST_NAME: Final = 100
_LONGEST: Final = 4000
_AHEAD: Final = timedelta(days=1)
_NOT_ASKED: Final = frozenset(
    {
        "run-skip-chapter", "run-skip-cleaned-up", "run-skip-node-routes", "run-skip-also-vpc-routes",
        "run-skip-plugin", "run-skip-plugin-pods", "run-skip-tunnel", "run-skip-no-masquerade",
        "run-skip-no-other-worker", "run-skip-no-tool",
    }
)  # fmt: skip
"""Why a question makes no sense in this lab, whoever built it. Other skipped ones were not answered."""


class Class(Struct, frozen=True, kw_only=True):
    """What is the same for all: what was asked, how it is counted, who they are, where their pages go."""

    asked: Asked
    scheme: Scheme
    roster: Roster
    pages: str = ""


def judged(number: int, handed: HandIn, submitter: Submitter, group: Class) -> Row:
    """The row of one hand-in, the ``number``-th. Raises nothing."""
    try:
        content = hand_in.content(handed)
        evidence = recording.decoded(content, handed.name)
    except BadFile as problem:
        return unread(handed, submitter, group, Note("bad", problem.why))
    except CouldNotLook as problem:
        return unread(handed, submitter, group, Note("not-recording", error=problem.error))
    except MemoryError:
        return unread(handed, submitter, group, Note("bad", "large"))
    if handed.of:
        identity = of_look(handed.of, group.roster)
    else:
        identity = of_recording(submitter, handed.name, evidence, group.roster)
    language = _language(identity, evidence, group)
    try:
        return _Judging(number, handed, identity, language, group).row(content, evidence)
    except Exception as fault:  # noqa: BLE001 -- a fault of ours costs one row, and is told as that
        told = Note("fault", "", {"detail": type(fault).__name__})
        return replace(
            unread(handed, submitter, group, told), student=_shown(identity.name), key=identity.key
        )


def unread(handed: HandIn, submitter: Submitter, group: Class, why: Note) -> Row:
    """The row of a file of which nothing could be judged."""
    identity = of_file(submitter, handed.name, group.roster)
    return Row(
        student=_shown(identity.name),
        key=identity.key,
        language=identity.language or group.asked.language,
        listed=identity.listed,
        file=_shown(handed.name, 200),
        notes=(why, *identity.notes),
    )


class _Judging:
    def __init__(self, number: int, handed: HandIn, identity: Identity, language: str, group: Class) -> None:
        self._number = number
        self._handed = handed
        self._identity = identity
        self._language = language
        self._group = group

    def row(self, content: bytes, evidence: Evidence) -> Row:
        group, asked = self._group, self._group.asked
        meant = asked.meant(evidence)
        own = judge(evidence)
        verdict = own if meant == evidence else judge(meant)
        late = _hours_late(evidence, asked)
        notes = (
            *self._identity.notes,
            *([] if self._handed.of else claims.checked(content, own)),
            *_unlooked(evidence),
            *_about(evidence, verdict, asked, late),
        )
        shares = tuple(_shares(verdict.outcomes))
        report = Report(verdict, Summary(passed=sum(share.held for share in shares), failed=0))
        words = catalogue(self._language)
        account = account_of(evidence)
        row = Row(
            student=_shown(self._identity.name),
            key=self._identity.key,
            language=self._language,
            listed=self._identity.listed,
            file=_shown(self._handed.name, 200),
            at=_shown(evidence.gathered_at, 40),
            account=account,
            where="account" if account else "local" if evidence.target.kind == "aws" else "sandbox",
            lab=_lab(evidence),
            notes=notes,
            shares=shares,
            roots=tuple(_roots(report, words, catalogue(asked.language))),
            errors=tuple(_errors(report, words)),
            points=group.scheme.points(shares, late),
        )
        if not group.pages:
            return row
        page = f"{self._number:05d}.html"
        written = pages.student(row, report, words, recorded(report, words))
        (Path(group.pages) / page).write_text(written, encoding="utf-8")
        return replace(row, page=page)


def _language(identity: Identity, evidence: Evidence, group: Class) -> str:
    said = identity.language or evidence.language
    return said if said in LANGUAGES else group.asked.language


def _shown(text: str, most: int = _LONGEST_NAME) -> str:
    return printable(text, most)


def _hours_late(evidence: Evidence, asked: Asked) -> float:
    at = recorded_at(evidence)
    return max(0.0, (at - asked.due).total_seconds() / 3600) if at and asked.due else 0.0


def _about(evidence: Evidence, verdict: Verdict, asked: Asked, late: float) -> Iterator[Note]:
    other = asked.differs(evidence)
    if other:
        yield Note("other-lab", *other)
    if asked.account and not account_of(evidence):
        yield Note("no-account", "sandbox" if evidence.target.kind != "aws" else "local")
    at = recorded_at(evidence)
    if at is None or at > datetime.now(UTC) + _AHEAD:
        if asked.due or asked.since:
            yield Note("undated", "", {"at": evidence.gathered_at})
    elif late:
        yield Note("late", "", {"at": evidence.gathered_at, "hours": str(math.ceil(late))})
    elif asked.since and at < asked.since:
        yield Note("old", "", {"at": evidence.gathered_at})
    faults = [outcome.check for outcome in verdict.outcomes if outcome.status == "broken"]
    if faults:
        yield Note("fault", "check", {"check": faults[0]})


def _unlooked(evidence: Evidence) -> Iterator[Note]:
    """Why there is nothing to judge, in a sentence of its own."""
    if evidence.inventory is None and evidence.errors:
        yield Note("unlooked", error=evidence.errors[0])


def _shares(outcomes: Iterable[Outcome]) -> Iterator[Share]:
    by: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if not (outcome.skip and outcome.skip.reason in _NOT_ASKED):
            by.setdefault(outcome.check, []).append(outcome)
    for name, each in by.items():
        blocked = sum(outcome.skip is not None and outcome.skip.after is not None for outcome in each)
        unseen = sum(outcome.status in ("error", "broken", "skipped") for outcome in each) - blocked
        held = sum(outcome.status == "passed" for outcome in each)
        yield Share(name, BY_NAME[name].area, len(each), held, unseen, blocked)


def _roots(report: Report, words: Catalogue, taught: Catalogue) -> Iterator[Told]:
    tellers = _tellers(report.verdict)
    for root in report.roots[:_MOST_TOLD]:
        finding, said = root.finding, words.finding(root.finding)
        teaching = taught.finding(root.finding)
        check = BY_NAME[tellers[finding.cause]]
        yield Told(
            code=finding.code,
            subject=_shown(finding.subject, 300),
            area=check.area,
            chapter=check.chapter,
            check=check.name,
            what=printable(said.what, _LONGEST, lines=True),
            fix=printable(said.fix, _LONGEST, lines=True),
            example=printable(teaching.what, _LONGEST, lines=True),
            why=printable(teaching.why, _LONGEST, lines=True),
        )


def _tellers(verdict: Verdict) -> Mapping[Cause, str]:
    tellers: dict[Cause, str] = {}
    for outcome in verdict.outcomes:
        for finding in outcome.findings:
            tellers.setdefault(finding.cause, outcome.check)
    return tellers


def _errors(report: Report, words: Catalogue) -> Iterator[Told]:
    for error in report.errors[:_MOST_TOLD]:
        said = words.error(error)
        yield Told(
            code=error.code, subject=_shown(error.subject, 300), area="", chapter="", check="",
            what=printable(said.what, _LONGEST, lines=True), fix=printable(said.fix, _LONGEST, lines=True),
        )  # fmt: skip


def _lab(evidence: Evidence) -> str:
    """What no other lab has: the ids of its workers' instances, which AWS never gives twice."""
    named = set(evidence.intended.workers)
    chosen = set(evidence.intended.instances.values())
    there = evidence.inventory.instances if evidence.inventory else ()
    return " ".join(sorted(each.id for each in there if each.name in named or each.id in chosen))
