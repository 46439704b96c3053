"""What a run came to in a sentence, and in four counts that add up to all requirements."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from msgspec import Struct

from kthw.findings.judging import Verdict
from kthw.findings.registry import BY_NAME
from kthw.intended.tutorial import CLEANUP
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, Catalogue, catalogue

Kind = Literal["bad", "unknown", "good"]
SIGNS: Final[dict[str, str]] = {"bad": "✗", "unknown": "!", "good": "✓", "skipped": "–"}


class Count(Struct, frozen=True):
    """So many requirements; ``said`` with the number in it."""

    kind: str
    count: int
    said: str

    @property
    def sign(self) -> str:
        return SIGNS[self.kind]


class Outcome(Struct, frozen=True, kw_only=True):
    """``said`` is the verdict, ``because`` why so many requirements are broken for so few causes."""

    kind: Kind
    said: str
    counts: tuple[Count, ...]
    because: tuple[str, ...]

    @property
    def sign(self) -> str:
        return SIGNS[self.kind]


def outcome(report: Report, words: Catalogue) -> Outcome:
    """Of one run."""
    kind, said = _verdict(report, words)
    seen = report.summary
    counts = (
        ("bad", seen.failed),
        ("unknown", seen.errors),
        ("skipped", seen.skipped),
        ("good", seen.passed),
    )
    return Outcome(
        kind=kind,
        said=said,
        counts=tuple(
            Count(each, count, words.say(f"report-count-{each}", count=count))
            for each, count in counts
            if count
        ),
        because=tuple(_because(report, words)),
    )


def reported(verdict: Verdict) -> Report:
    """The report of a whole run: what the suite of its chapter asks, and no other's."""
    cleaned = verdict.evidence.intended.is_cleaned_up
    asked = [o for o in verdict.outcomes if (BY_NAME[o.check].chapter == CLEANUP) == cleaned]
    counts = Counter(outcome.status for outcome in asked)
    summary = Summary(
        passed=counts["passed"],
        failed=counts["failed"] + counts["broken"],
        errors=counts["error"],
        skipped=counts["skipped"],
    )
    return Report(verdict.only({(o.check, o.subject) for o in asked}), summary)


def judged_as(report: Report) -> Kind:
    """What a run came to in one word, in no language."""
    return _verdict(report, catalogue(LANGUAGES[0]))[0]


def _because(report: Report, words: Catalogue) -> list[str]:
    seen, said = report.summary, []
    roots, errors = len(report.roots), len(report.errors)
    if seen.failed > roots > 0:
        said.append(words.say("report-because-bad", failed=seen.failed, count=roots))
    if seen.errors and errors:
        said.append(words.say("report-because-unknown", errors=seen.errors, count=errors))
    return said


def _verdict(report: Report, words: Catalogue) -> tuple[Kind, str]:
    counts, unseen = report.summary, len(report.errors)
    if report.roots and unseen:
        return "bad", words.say("report-verdict-wrong-unseen", count=len(report.roots), unseen=unseen)
    if report.roots:
        return "bad", words.say("report-verdict-wrong", count=len(report.roots))
    if unseen or counts.errors:
        return "unknown", words.say("report-verdict-unknown")
    if counts.failed:
        return "unknown", words.say("report-verdict-unexpected", count=counts.failed)
    if counts.passed and report.interrupted:
        return "unknown", words.say("report-verdict-interrupted", count=counts.passed)
    if counts.passed and counts.skipped:
        kind: Kind = "unknown" if report.evidence.target.no_packets else "good"
        return kind, words.say("report-verdict-partly", count=counts.passed, skipped=counts.skipped)
    if counts.passed:
        return "good", words.say("report-verdict-right", count=counts.passed)
    return "unknown", words.say("report-verdict-nothing")
