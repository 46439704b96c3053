"""The top of the HTML report: where we looked, what is wrong, what mends it, and a drawing of the network.

Pure: a ``Report`` and a catalogue in, HTML out, by ``templates/page.html.j2``. It works offline and prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kthw.verdict.drawing import drawing
from kthw.verdict.report import Report
from kthw.verdict.templating import markup, style, template
from kthw.words.messages import Catalogue

_MOST_PAIRS: Final = 12
_SIGNS: Final = {"bad": "✗", "unknown": "!", "good": "✓"}
_TRANSLATED: Final = {
    ".filter": "report-filter",
    "#show_all_details": "report-unfold",
    "#hide_all_details": "report-fold",
    "#environment-header h2": "report-environment",
}
"""By selector, what pytest-html says in English."""


def page(report: Report, words: Catalogue, target: Sequence[str]) -> str:
    """All that comes before the table of tests. ``target``: the lines that name what was looked at."""
    translation = {selector: words.say(key) for selector, key in _TRANSLATED.items()}
    return filled("page.html.j2", report, words, target, translation=translation)


def filled(name: str, report: Report, words: Catalogue, target: Sequence[str], **more: object) -> str:
    """A template that includes ``run.html.j2``, with all that this needs."""
    return template(name).render(
        report=report,
        words=words,
        say=words.say,
        target=target,
        style=style("report.css"),
        verdict=_verdict(report, words),
        drawing=markup(drawing(report.verdict, words)),
        most_pairs=_MOST_PAIRS,
        **more,
    )


class _Verdict(msgspec.Struct, frozen=True):
    kind: str
    said: str
    cost: str

    @property
    def sign(self) -> str:
        return _SIGNS[self.kind]


def _verdict(report: Report, words: Catalogue) -> _Verdict:
    counts = report.summary
    if report.roots:
        kind, said = "bad", words.say("report-verdict-wrong", count=len(report.roots))
    elif report.errors or counts.errors:
        kind, said = "unknown", words.say("report-verdict-unknown")
    elif counts.failed:
        kind, said = "unknown", words.say("report-verdict-unexpected", count=counts.failed)
    elif counts.passed and report.interrupted:
        kind, said = "unknown", words.say("report-verdict-interrupted", count=counts.passed)
    elif counts.passed and counts.skipped:
        kind = "unknown" if report.evidence.target.no_packets else "good"
        said = words.say("report-verdict-partly", count=counts.passed, skipped=counts.skipped)
    elif counts.passed:
        kind, said = "good", words.say("report-verdict-right", count=counts.passed)
    else:
        kind, said = "unknown", words.say("report-verdict-nothing")
    cost = words.say(
        "report-cost", calls=counts.aws_calls, sessions=counts.ssh_sessions, seconds=f"{counts.seconds:.1f}"
    )
    return _Verdict(kind, said, cost)
