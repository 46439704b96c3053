"""The HTML report above its table of tests: the verdict, where to start, the network, each cause once.

Pure: a ``Report`` and a catalogue in, HTML out, by ``templates/page.html.j2``. It works offline, prints, and
without JavaScript says the same; ``templates/page.js`` copies commands and shows the way of a pair.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final, NamedTuple

from kthw.verdict.causes import Block, causes, is_much, missed, start
from kthw.verdict.drawing import MOST_DRAWN, drawing
from kthw.verdict.marks import marks
from kthw.verdict.outcome import outcome
from kthw.verdict.report import Report, Root
from kthw.verdict.templating import markup, template
from kthw.verdict.ways import ways
from kthw.words.messages import Catalogue

_MOST_PAIRS: Final = 12
_MOST_TOLD: Final = 4
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
    wrong, unseen = causes(report, words), missed(report, words)
    marked = marks(wrong, unseen)
    few = len(report.evidence.intended.workers) <= MOST_DRAWN
    begin = start(wrong, unseen)
    return template("page.html.j2").render(
        report=report,
        words=words,
        say=words.say,
        target=target,
        style=markup(_text("report.css")),
        script=markup(_text("page.js")),
        verdict=outcome(report, words),
        cost=_cost(report, words),
        wrong=wrong,
        unseen=unseen,
        begin=begin,
        begins_with="cause" if begin in wrong else "unseen",
        drawing=markup(drawing(report.verdict, words, marked)),
        ways=ways(report, marked, words) if few else None,
        much=is_much(report),
        consequences=functools.partial(_consequences, report=report, words=words),
        translation={selector: words.say(key) for selector, key in _TRANSLATED.items()},
        most_pairs=_MOST_PAIRS,
    )


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


def _text(name: str) -> str:
    return resources.files("kthw.verdict").joinpath(f"templates/{name}").read_text(encoding="utf-8")


def _consequences(block: Block[Root], report: Report, words: Catalogue) -> _Consequences:
    pairs = [(each.cause, pair) for each in block.causes for pair in each.cause.pairs]
    lines = []
    for root, pair in pairs[:_MOST_PAIRS]:
        came = report.traced(root, pair, words)
        lines += [words.probe(pair), *([f"    {came}"] if came else [])]
    if len(pairs) > _MOST_PAIRS:
        lines.append(words.say("report-more-pairs", count=len(pairs) - _MOST_PAIRS))
    told = block.causes[:_MOST_TOLD]
    brings = [sentence for each in told for sentence in report.promised(each.cause, words)]
    parted = len({(pair.source, pair.destination) for _, pair in pairs})
    return _Consequences(parted, brings, lines)


def _cost(report: Report, words: Catalogue) -> str:
    counts = report.summary
    return words.say(
        "report-cost", calls=counts.aws_calls, sessions=counts.ssh_sessions, seconds=f"{counts.seconds:.1f}"
    )
