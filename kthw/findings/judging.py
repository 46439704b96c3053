"""The verdict: the outcome of every check on one evidence."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Final, Literal

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.findings.check import Check, Skip
from kthw.findings.finding import Cause, Finding
from kthw.findings.promise import Promise, promises
from kthw.findings.registry import CHECKS
from kthw.findings.remark import Remark
from kthw.findings.remarks import remarks
from kthw.findings.unread import founded, unread
from kthw.intended.tutorial import CLEANUP
from kthw.network.model import Network
from kthw.observed.evidence import Evidence

Status = Literal["passed", "failed", "error", "skipped", "broken"]
_NOTHING_PROMISED: Final[Mapping[Cause, Promise]] = {}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one check on one subject.

    ``failed`` has ``findings``, ``error`` what could not be looked at, ``skipped`` the reason. ``broken`` is
    a fault of this program: ``fault`` is its traceback, and nothing is said of the network.
    """

    check: str
    subject: str
    status: Status
    findings: tuple[Finding, ...] = ()
    error: LookError | None = None
    skip: Skip | None = None
    fault: str = ""


def judge(evidence: Evidence, checks: Iterable[Check] = CHECKS) -> Verdict:
    """The outcome of each of ``checks`` on each of its subjects. Raises nothing."""
    network, unseen, fault = None, None, ""
    try:
        network = Network(evidence)
    except CouldNotLook as problem:
        unseen = problem
    except Exception:  # noqa: BLE001 -- a fault of ours, told as that; what was seen is not lost
        fault = traceback.format_exc()
    outcomes = []
    for check in checks:
        early = _out_of_season(evidence, check)
        for subject in check.subjects(evidence.intended):
            if early:
                outcomes.append(_skipped(check, subject, early))
            elif unseen:
                outcomes.append(_blind(check, subject, unseen))
            elif network is None:
                outcomes.append(Outcome(check=check.name, subject=subject, status="broken", fault=fault))
            else:
                outcomes.append(outcome_of(network, check, subject))
    return _promised(Verdict(evidence, network, outcomes))


class Verdict:
    """``outcomes`` in the order of the checks, and of the workers.

    ``network`` is ``None`` where AWS could not be looked at. ``promises``: by cause, what its fix does alone.
    """

    def __init__(
        self,
        evidence: Evidence,
        network: Network | None,
        outcomes: Iterable[Outcome],
        promises: Mapping[Cause, Promise] = _NOTHING_PROMISED,
    ) -> None:
        self.evidence = evidence
        self.network = network
        self.outcomes = tuple(outcomes)
        self.promises = promises

    def only(self, asked: Collection[tuple[str, str]]) -> Verdict:
        """The part of it about these (check, subject)."""
        outcomes = [o for o in self.outcomes if (o.check, o.subject) in asked]
        return Verdict(self.evidence, self.network, outcomes, self.promises)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Each cause once, in the order of the path and of the workers; a pair's from both its ends."""
        told: dict[Cause, Finding] = {}
        for outcome in self.outcomes:
            for finding in outcome.findings:
                before = told.get(finding.cause)
                told[finding.cause] = _together(before, finding) if before else finding
        position = {worker: n for n, worker in enumerate(self.evidence.intended.workers)}
        last = len(position)
        return tuple(
            sorted(
                told.values(),
                key=lambda f: (f.about.stage, f.code, position.get(f.worker, last), f.subject),
            )
        )

    @cached_property
    def remarks(self) -> tuple[Remark, ...]:
        """What is nothing wrong, and worth a word."""
        return remarks(self.network) if self.network else ()

    @cached_property
    def errors(self) -> tuple[LookError, ...]:
        """What could not be looked at, each once: what the looking said, then what the checks missed."""
        missed = [outcome.error for outcome in self.outcomes if outcome.error]
        each: dict[tuple[str, str], LookError] = {}
        for error in (*self.evidence.errors, *missed):
            each.setdefault((error.code, error.subject), error)
        return tuple(each.values())


def _promised(verdict: Verdict) -> Verdict:
    """With what each fix does alone, tried on the model, and a word at those that are not to be alone."""
    made = _NOTHING_PROMISED
    if verdict.network:
        with contextlib.suppress(Exception):  # a fault of ours promises nothing, and hides no finding
            made = promises(verdict.network, verdict.findings)
    outcomes = (_warned(outcome, made) for outcome in verdict.outcomes)
    return Verdict(verdict.evidence, verdict.network, outcomes, made)


def _warned(outcome: Outcome, made: Mapping[Cause, Promise]) -> Outcome:
    each = (
        made[finding.cause].at(finding) if finding.cause in made else finding for finding in outcome.findings
    )
    return msgspec.structs.replace(outcome, findings=tuple(each))


def _blind(check: Check, subject: str, problem: CouldNotLook) -> Outcome:
    return Outcome(check=check.name, subject=subject, status="error", error=problem.error)


def _skipped(check: Check, subject: str, skip: Skip) -> Outcome:
    return Outcome(check=check.name, subject=subject, status="skipped", skip=skip)


def outcome_of(network: Network, check: Check, subject: str) -> Outcome:
    """What comes of one check on one subject, whichever chapter was finished. Raises nothing."""
    try:
        for need in check.needs:
            skip = need(network, subject)
            if skip:
                return _skipped(check, subject, skip)
        unseen = unread(network, check.reads, subject)
        if unseen:
            raise CouldNotLook(unseen)
        found = founded(network, check.judge, subject, check.misled_by)
    except CouldNotLook as problem:
        return _blind(check, subject, problem)
    except Exception:  # noqa: BLE001 -- a fault of ours costs one outcome, and is told as that
        return Outcome(check=check.name, subject=subject, status="broken", fault=traceback.format_exc())
    return Outcome(check=check.name, subject=subject, status="failed" if found else "passed", findings=found)


def _out_of_season(evidence: Evidence, check: Check) -> Skip | None:
    """Why it is not asked: what it is about comes with a later chapter, or was taken down by the last one."""
    intended = evidence.intended
    if intended.is_cleaned_up and check.chapter != CLEANUP:
        return Skip(reason="run-skip-cleaned-up")
    if intended.has_finished(check.chapter):
        return None
    return Skip(reason="run-skip-chapter", facts={"chapter": check.chapter, "after": intended.after})


def _together(first: Finding, second: Finding) -> Finding:
    lost = {each.probe: each for each in (*first.lost, *second.lost)}
    return msgspec.structs.replace(first, lost=tuple(lost.values()))
