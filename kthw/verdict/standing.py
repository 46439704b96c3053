"""What a verdict came to, as far as it can be compared with another run's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kthw.findings.finding import Cause
from kthw.findings.judging import Outcome, Verdict
from kthw.foreign import printable
from kthw.observed.evidence import Evidence
from kthw.verdict.report import Report, Summary
from kthw.verdict.since import MOST_TELLERS, Standing, Stood, Teller
from kthw.words.moments import moment_of

_LONGEST: Final = 280


def standing(verdict: Verdict) -> Standing:
    """What a verdict came to."""
    tellers: dict[Cause, list[Teller]] = {}
    for outcome in verdict.outcomes:
        for finding in outcome.findings:
            tellers.setdefault(finding.cause, []).append((outcome.check, outcome.subject))
    causes = tuple(
        Stood(
            code=root.finding.code,
            subject=printable(root.finding.subject, _LONGEST),
            worker=printable(root.finding.worker, _LONGEST),
            told_by=tuple(tellers.get(root.finding.cause, ())[:MOST_TELLERS]),
        )
        for root in Report(verdict, Summary()).roots
    )
    evidence = verdict.evidence
    return Standing(
        at=evidence.gathered_at,
        causes=causes,
        missed=_missed(verdict.outcomes),
        private=evidence.target.kind == "sandbox" or evidence.target.is_local,
    )


def _missed(outcomes: Iterable[Outcome]) -> dict[str, tuple[str, ...]]:
    answered: dict[str, bool] = {}
    missed: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.status in ("passed", "failed"):
            answered[outcome.check] = True
        else:
            missed.setdefault(outcome.check, []).append(outcome.subject)
    # Of too many to name it is taken for all: then nothing is called gone that may be there.
    return {
        check: tuple(subjects) if answered.get(check) and len(subjects) <= MOST_TELLERS else ()
        for check, subjects in missed.items()
    }


def is_comparable(before: Evidence, now: Evidence) -> bool:
    """Whether both are of one lab after one chapter, and ``before`` is the earlier one."""
    one, other = moment_of(before.gathered_at), moment_of(now.gathered_at)
    return bool(one and other and one < other) and _lab(before) == _lab(now)


def _lab(evidence: Evidence) -> tuple[object, ...]:
    target, intended = evidence.target, evidence.intended
    return target.kind, target.is_local, target.account, target.region, set(intended.workers), intended.after
