"""What a recording says came of it, against what its own evidence gives: nothing is counted by the former."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from kthw.findings.judging import Outcome, Verdict
from kthw.grade.row import Note
from kthw.observed.evidence import Evidence

_BARE = b"null"
_STATUS = {
    "passed": "passed",
    "failed": "failed",
    "broken": "failed",
    "error": "errors",
    "skipped": "skipped",
}


class _Cause(Struct, frozen=True):
    code: str
    subject: str


class _Summary(Struct, frozen=True):
    passed: int
    failed: int
    errors: int
    skipped: int


class _Target(Struct, frozen=True):
    kind: str
    endpoint: str = ""
    account: str = ""


class _Claims(Struct):
    """The part of a ``report.json`` that follows from its evidence. What it does not name is passed over."""

    evidence: msgspec.Raw = msgspec.Raw(_BARE)
    findings: tuple[_Cause, ...] | None = None
    summary: _Summary | None = None
    target: _Target | None = None


def checked(content: bytes, verdict: Verdict) -> Iterator[Note]:
    """What is to be told of the recording ``content``. ``verdict``: of its own evidence, as recorded."""
    try:
        claims = msgspec.json.decode(content, type=_Claims)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        yield Note("altered", "shape")
        return
    if bytes(claims.evidence) == _BARE:
        yield Note("bare")
    elif claims.findings is None or claims.summary is None or claims.target is None:
        yield Note("altered", "shape")
    else:
        yield from _findings(claims.findings, claims.summary, verdict)
        yield from _target(claims.target, verdict.evidence)


def _findings(told: tuple[_Cause, ...], summary: _Summary, verdict: Verdict) -> Iterator[Note]:
    asked = summary.passed + summary.failed + summary.errors + summary.skipped
    is_part = asked != len(verdict.outcomes)
    if is_part:
        yield Note("partial", "", {"asked": str(asked), "all": str(len(verdict.outcomes))})
    claimed = {(each.code, each.subject) for each in told}
    given = {finding.cause for finding in verdict.findings}
    invented, hidden = sorted(claimed - given), sorted(given - claimed)
    if invented or (hidden and not is_part):
        code, subject = (invented or hidden)[0]
        facts = {"count": str(len(invented) + len(hidden)), "code": code, "subject": subject}
        yield Note("altered", "invented" if invented else "hidden", facts)
    elif not is_part and _counts(verdict.outcomes) != Counter(msgspec.structs.asdict(summary)):
        yield Note("altered", "summary", {"passed": str(summary.passed)})


def _counts(outcomes: tuple[Outcome, ...]) -> Counter[str]:
    return Counter(_STATUS[outcome.status] for outcome in outcomes)


def _target(told: _Target, evidence: Evidence) -> Iterator[Note]:
    seen = evidence.target
    others = {told.account, seen.account, evidence.inventory.account if evidence.inventory else ""} - {""}
    if len(others) > 1:
        yield Note("altered", "account", {"accounts": ", ".join(sorted(others))})
    elif (told.kind, told.endpoint) != (seen.kind, seen.endpoint):
        yield Note("altered", "target")
