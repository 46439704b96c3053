"""The HTML report above its table of tests: the verdict, where to start, the network, each cause once.

Pure: a ``Report`` and a catalogue in, HTML out, by ``templates/page.html.j2``. It works offline, prints, and
without JavaScript says the same; ``templates/page.js`` copies commands and shows the way of a pair.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kthw.errors import LookError
from kthw.verdict.causes import Block, causes, is_much, missed, start
from kthw.verdict.drawing import MOST_DRAWN, drawing
from kthw.verdict.glossary import glossary
from kthw.verdict.marks import marks
from kthw.verdict.outcome import outcome
from kthw.verdict.report import Report, Root
from kthw.verdict.rows import outcomes
from kthw.verdict.templating import markup, style, template
from kthw.verdict.ways import ways
from kthw.words.messages import Catalogue
from kthw.words.moments import moment

_MOST_PAIRS: Final = 12
_MOST_TOLD: Final = 4
_TOLD_SECONDS: Final = 0.1
_TRANSLATED: Final = {
    ".filter": "report-filter",
    "#show_all_details": "report-unfold",
    "#hide_all_details": "report-fold",
    "#environment-header h2": "report-environment",
}
"""By selector, what pytest-html says in English."""


class _Consequences(NamedTuple):
    """``parted``: pairs of workers that are kept apart; ``brings``: what mending it does, in sentences."""

    parted: int
    brings: list[str]
    lines: list[str]


def page(report: Report, words: Catalogue, target: Sequence[str]) -> str:
    """All that comes before the table of tests. ``target``: the lines that name what was looked at."""
    translation = {selector: words.say(key) for selector, key in _TRANSLATED.items()}
    more = {"script": style("page.js"), "translation": translation, "outcomes": outcomes(words)}
    return filled("page.html.j2", report, words, target, **more)


def filled(name: str, report: Report, words: Catalogue, target: Sequence[str], **more: object) -> str:
    """A template that includes ``run.html.j2``, with all that this needs.

    ``more`` without a ``script``: a page without one, on which nothing can be chosen.
    """
    wrong, unseen = causes(report, words), missed(report, words)
    marked = marks(wrong, unseen)
    begin = start(wrong, unseen)
    needed: dict[str, object] = {
        "report": report,
        "words": words,
        "say": words.say,
        "target": target,
        "style": style("report.css"),
        "verdict": outcome(report, words),
        "when": moment(report.evidence.gathered_at, words),
        "cost": _cost(report, words),
        "phases": _phases(report, words),
        "wrong": wrong,
        "unseen": unseen,
        "begin": begin,
        "begins_with": "cause" if begin in wrong else "unseen",
        "drawing": markup(drawing(report.verdict, words, marked)),
        "ways": ways(report, marked, words) if "script" in more else None,
        "drawn": len(report.evidence.intended.workers) <= MOST_DRAWN,
        "much": is_much(report),
        "terms": glossary(_told(wrong, unseen, words), words),
        "consequences": functools.partial(_consequences, report=report, words=words),
        "most_pairs": _MOST_PAIRS,
    }
    return template(name).render({**needed, **more})


def references(report: Report, tests: Mapping[tuple[str, str], str], words: Catalogue) -> dict[str, str]:
    """By node id, of those that did not pass: links to where the page tells why. ``tests``: by check and
    subject, the node id."""
    marked = marks(causes(report, words), missed(report, words))
    found = {}
    for each in report.verdict.outcomes:
        links = marked.of(each)
        test = tests.get((each.check, each.subject))
        if links and test:
            found[test] = str(template("rows.html.j2").module.references(links))  # type: ignore[attr-defined]  # a macro
    return found


def _consequences(block: Block[Root], report: Report, words: Catalogue) -> _Consequences:
    roots = [each.cause for each in block.causes]
    first = ((root, pair) for root in roots for pair in root.pairs)
    lines = []
    most = _MOST_PAIRS // 2 if is_much(report) else _MOST_PAIRS
    for root, pair in itertools.islice(first, most):
        came = report.traced(root, pair, words)
        lines += [words.probe(pair), *([f"    {came}"] if came else [])]
    more = sum(len(root.pairs) for root in roots) - most
    if more > 0:
        lines.append(words.say("report-more-pairs", count=more))
    told = block.causes[:_MOST_TOLD]
    brings = [sentence for each in told for sentence in report.promised(each.cause, words)]
    parted = len({(pair.source, pair.destination) for root in roots for pair in root.pairs})
    return _Consequences(parted, brings, lines)


def _told(wrong: Sequence[Block[Root]], unseen: Sequence[Block[LookError]], words: Catalogue) -> str:
    """What the page says, as far as it may need explaining: of each block once, and in the drawing."""
    drawn = ("report-gateway", "report-subnet", "report-route-table", "glossary-pod-cidr")
    labels = [words.say(each) for each in drawn]
    said = [*(each.first.words for each in wrong), *(each.first.words for each in unseen)]
    return "\n".join([*labels, *(part for each in said for part in (each.what, each.why, each.fix))])


def _cost(report: Report, words: Catalogue) -> str:
    counts = report.summary
    return words.say(
        "report-cost", calls=counts.aws_calls, sessions=counts.ssh_sessions, seconds=f"{counts.seconds:.1f}"
    )


def _phases(report: Report, words: Catalogue) -> str:
    """How long each phase of the look took; nothing for a recorded run, and of what took no time."""
    told = [
        words.say("report-phase", phase=words.say(f"run-phase-{phase}"), seconds=f"{seconds:.1f}")
        for phase, seconds in report.phases
        if seconds >= _TOLD_SECONDS
    ]
    return words.say("report-phases", phases=" · ".join(told)) if told else ""
