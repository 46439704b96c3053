"""The end of six runs as the terminal shows it: ``python -m tests.verdict.transcripts`` writes them anew.

The files are in ``golden/``, in both languages, 60 and 100 columns wide; read what changed in them before
committing it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from fixtures.judging import WORKER, as_text, properties, reason
from fixtures.sentences import asking
from fixtures.summary import AnyReport, Summing
from kthw.findings.judging import Outcome, Verdict, judge
from kthw.findings.registry import CHECKS
from kthw.intended.tutorial import CLEANUP
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, Catalogue, catalogue
from tests.verdict.shown import RUNS

FOLDER: Final = Path(__file__).with_name("golden")
WIDTHS: Final = (60, 100)
FILES: Final = ("reports/report.html", "reports/junit.xml", "reports/report.json")
_WHICH: Final = {"passed": "passed", "failed": "failed", "error": "errors", "skipped": "skipped"}


class Paper:
    """What pytest's terminal is to a summary, without colours."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []

    def write_line(self, text: str, **_: bool) -> None:
        self.lines.append(text.rstrip())

    def write_sep(self, sep: str, title: str, **_: bool) -> None:
        self.lines.append(f" {title} ".center(self.width, sep))


@functools.cache
def judged(name: str) -> Verdict:
    """The verdict on that run, by the checks of the suite that judges it."""
    make, suite = RUNS[name]
    return judge(make(), [check for check in CHECKS if (check.chapter == CLEANUP) is (suite == "cleanup")])


@functools.cache
def reported(name: str) -> Report:
    """What there is to tell of that run, but for how long it took."""
    verdict = judged(name)
    count = dict.fromkeys(_WHICH.values(), 0)
    for outcome in verdict.outcomes:
        count[_WHICH[outcome.status]] += 1
    return Report(verdict, Summary(seconds=1.5, **count))


def transcript(name: str, language: str, width: int) -> str:
    """From the first line after the tests to the reports' names."""
    words, paper = catalogue(language), Paper(width)
    terminal: Any = paper
    told: dict[str, list[AnyReport]] = {}
    for which, report in _reports(judged(name), words):
        told.setdefault(which, []).append(report)
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(width)
    try:
        Summing(terminal, words, reported(name)).tell(told, FILES)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join([*paper.lines, ""])


def file_of(name: str, language: str, width: int) -> Path:
    return FOLDER / f"{name}.{language}.{width}.txt"


def _reports(verdict: Verdict, words: Catalogue) -> Iterator[tuple[str, AnyReport]]:
    """As pytest's hooks would bring them."""
    for outcome in verdict.outcomes:
        about = [*properties(outcome), (WORKER, outcome.subject)]
        report = pytest.TestReport(
            nodeid=f"suites/routes/{asking(outcome.check)}[{outcome.subject}]",
            location=("", 0, ""),
            keywords={},
            outcome="skipped" if outcome.skip else "passed" if outcome.status == "passed" else "failed",
            longrepr=_longrepr(outcome, words),
            when="call",
            user_properties=about,
        )
        yield _WHICH[outcome.status], report


def _longrepr(outcome: Outcome, words: Catalogue) -> Any:
    if outcome.skip:
        return ("", 0, f"Skipped: {reason(words, outcome.skip, outcome.subject)}")
    return "\n\n".join(as_text(words.finding(finding)) for finding in outcome.findings) or None


def write() -> None:
    """The files, as the terminal is now."""
    FOLDER.mkdir(exist_ok=True)
    for name in RUNS:
        for language in LANGUAGES:
            for width in WIDTHS:
                file_of(name, language, width).write_text(transcript(name, language, width), encoding="utf-8")


if __name__ == "__main__":
    write()
