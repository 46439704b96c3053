"""The top of the HTML report: where we looked, what is wrong, what mends it, and a drawing of the network.

Pure: a ``Report`` and a catalogue in, HTML out. It works offline and prints. Everything that was
observed is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib import resources

from kthw.errors import LookError
from kthw.verdict.drawing import drawing
from kthw.verdict.markup import escaped
from kthw.verdict.report import Report, Root
from kthw.words.messages import Catalogue
from kthw.words.pasting import one_line

_MOST_PAIRS = 12
_WORDS = re.compile(r"(\s+)")
_BREAKABLE, _LONGEST_WHOLE = "-/", 60


def page(report: Report, words: Catalogue, target: Sequence[str]) -> str:
    """All that comes before the table of tests. ``target``: the lines that name what was looked at."""
    style = resources.files("kthw.verdict").joinpath("report.css").read_text(encoding="utf-8")
    roots = report.roots
    parts = [
        f"<style>{style}</style>",
        f'<p class="kthw-when">{escaped(words.say("report-when", at=report.evidence.gathered_at))}</p>',
        _target(target, local=report.is_local),
        _verdict(report, roots, words),
        *([_findings(report, roots, words)] if roots else []),
        *([_errors(report.errors, words)] if report.errors else []),
        _figure(report, words),
        f'<h2 class="kthw-tests">{escaped(words.say("report-tests"))}</h2>',
        f"<script>{_translation(words)}</script>",
    ]
    return f'<div class="kthw" lang="{words.language}">{"".join(parts)}</div>'


def table_head(words: Catalogue) -> list[str]:
    """The head of the table of tests, in pytest-html's form."""
    columns = (("result", "result"), ("testId", "test"), ("worker", "worker"), ("duration", "duration"))
    return [
        f'<th class="sortable" data-column-type="{kind}">{escaped(words.say(f"report-column-{name}"))}</th>'
        for kind, name in columns
    ]


def row_cells(words: Catalogue, cells: Sequence[str], sentence: str, worker: str, test: str) -> list[str]:
    """One row. ``cells`` are pytest-html's own: result, test id, duration, links.

    The result stays in English inside, since pytest-html sorts and filters by it.
    """
    outcome = cells[0].partition(">")[2].partition("<")[0]
    said = escaped(words.say(f"report-outcome-{outcome.lower()}"))
    return [
        f'<td class="col-result" data-said="{said}">{escaped(outcome)}</td>',
        f'<td class="col-testId" title="{escaped(test)}">{escaped(sentence)}</td>',
        f'<td class="col-worker">{escaped(worker)}</td>',
        cells[2],
    ]


def _target(lines: Sequence[str], *, local: bool) -> str:
    first, *rest = lines
    note = "".join(f"<p>{escaped(line)}</p>" for line in rest)
    kind = "sandbox" if local else "aws"
    return f'<div class="kthw-target kthw-{kind}"><p><strong>{escaped(first)}</strong></p>{note}</div>'


def _verdict(report: Report, roots: Sequence[Root], words: Catalogue) -> str:
    counts = report.summary
    if roots:
        kind, said = "bad", words.say("report-verdict-wrong", count=len(roots))
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
    sign = {"bad": "✗", "unknown": "!", "good": "✓"}[kind]
    cost = words.say(
        "report-cost", calls=counts.aws_calls, sessions=counts.ssh_sessions, seconds=f"{counts.seconds:.1f}"
    )
    return (
        f'<div class="kthw-verdict kthw-{kind}"><span class="kthw-sign" aria-hidden="true">{sign}</span>'
        f'<p>{escaped(said)}</p><p class="kthw-cost">{escaped(cost)}</p></div>'
    )


def _findings(report: Report, roots: Sequence[Root], words: Catalogue) -> str:
    items = "".join(_finding(report, root, words) for root in roots)
    return f'<h2>{escaped(words.say("report-wrong"))}</h2><ol class="kthw-findings">{items}</ol>'


def _finding(report: Report, root: Root, words: Catalogue) -> str:
    finding, said = root.finding, words.finding(root.finding)
    facts = "".join(
        f"<dt>{escaped(label)}</dt><dd>{escaped(value)}</dd>" for label, value in words.compared(finding)
    )
    return (
        f"<li><h3>{_whole(said.what)}</h3>"
        f'<p class="kthw-code"><code>{finding.code}</code> {escaped(one_line(finding.subject))}</p>'
        f"{_paragraph(said.why)}<dl>{facts}</dl>{_paragraph(_surprise(root, words))}"
        f"{_fix(said.fix, words)}{_pairs(report, root, words)}</li>"
    )


def _surprise(root: Root, words: Catalogue) -> str:
    if not root.passed:
        return ""
    return words.say("report-surprise", count=len(root.passed), pair=words.probe(root.passed[0]))


def _pairs(report: Report, root: Root, words: Catalogue) -> str:
    pairs = root.pairs
    if not pairs:
        return ""
    lines = []
    for pair in pairs[:_MOST_PAIRS]:
        came = report.traced(root, pair, words)
        lines += [words.probe(pair), *([f"    {came}"] if came else [])]
    more = len(pairs) - _MOST_PAIRS
    rest = [words.say("report-more-pairs", count=more)] if more > 0 else []
    summary = f"{words.say('report-pairs')} ({len(pairs)})"
    listed = f"<summary>{escaped(summary)}</summary><pre>{escaped(chr(10).join([*lines, *rest]))}</pre>"
    return f'<details class="kthw-pairs">{listed}</details>'


def _errors(errors: Sequence[LookError], words: Catalogue) -> str:
    items = []
    for error in errors:
        said = words.error(error)
        label, value = escaped(words.say("report-detail")), escaped(one_line(error.detail))
        detail = f"<dl><dt>{label}</dt><dd>{value}</dd></dl>"
        items.append(
            f"<li><h3>{_whole(said.what)}</h3>"
            f'<p class="kthw-code"><code>{error.code}</code> {escaped(one_line(error.subject))}</p>'
            f"{_paragraph(said.why)}{detail if error.detail else ''}{_fix(said.fix, words)}</li>"
        )
    title = escaped(words.say("report-could-not-look"))
    return f'<h2>{title}</h2><ol class="kthw-findings kthw-errors">{"".join(items)}</ol>'


def _fix(fix: str, words: Catalogue) -> str:
    if not fix:
        return ""
    title = escaped(words.say("report-fix"))
    return f'<p class="kthw-mend">{title}</p><pre class="kthw-fix">{_whole(fix)}</pre>'


def _paragraph(text: str) -> str:
    return f"<p>{_whole(text)}</p>" if text else ""


def _whole(text: str) -> str:
    """Escaped, and with no line broken inside an id, an option or a CIDR."""
    return "".join(_whole_word(word) for word in _WORDS.split(text))


def _whole_word(word: str) -> str:
    breaks = len(word) <= _LONGEST_WHOLE and any(sign in word for sign in _BREAKABLE)
    return f'<span class="kthw-whole">{escaped(word)}</span>' if breaks else escaped(word)


def _figure(report: Report, words: Catalogue) -> str:
    svg = drawing(report.verdict, words)
    if not svg:
        return ""
    title = escaped(words.say("report-drawing"))
    return f'<h2>{title}</h2><figure class="kthw-drawing">{svg}</figure>'


def _translation(words: Catalogue) -> str:
    """pytest-html's own words, in the chosen language, put in place once the page is there."""
    selectors = {
        ".filter": "report-filter",
        "#show_all_details": "report-unfold",
        "#hide_all_details": "report-fold",
        "#environment-header h2": "report-environment",
    }
    said = {selector: words.say(key) for selector, key in selectors.items()}
    table = json.dumps(said).replace("<", "\\u003c")
    return (
        f"document.documentElement.lang={json.dumps(words.language)};"
        "document.addEventListener('DOMContentLoaded',()=>{"
        f"for(const [where,said] of Object.entries({table}))"
        "{const found=document.querySelector('p'+where)||document.querySelector(where);"
        "if(found)found.textContent=said}"
        # pytest-html writes a comma after each outcome, those there are none of being hidden.
        "for(const said of document.querySelectorAll('.filters span'))"
        "said.textContent=said.textContent.replace(/,$/,'')})"
    )
