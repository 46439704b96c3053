"""The fault catalogue as a page: ``python -m tests.faults.page [RESULTS]`` writes it in both languages.

The tables come from the data alone; the figures from the results file of a full run (``KTHW_FAULT_RESULTS``),
and stay as they are where none is given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from kthw.findings.codes import CODES
from kthw.findings.finding import Finding
from kthw.words.messages import Catalogue, catalogue
from sandbox.faults.catalogue import FAULTS, HEALTHY, PAIRS
from sandbox.faults.fault import Fault, Healthy, Told
from tests.faults import page_words, results
from tests.faults.page_words import Page

FIGURES: Final = ("<!-- figures -->", "<!-- end of figures -->")
_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def path_of(page: Page) -> Path:
    return _DOCS / page.file


def written(page: Page, figures: str) -> str:
    """The whole page, with those figures between their marks."""
    words = catalogue(page.language)
    sections = (_section(page, words, code) for code in CODES)
    template = Path(__file__).with_name(page.template).read_text(encoding="utf-8")
    for mark, text in {
        FIGURES[0]: "\n".join((FIGURES[0], figures, FIGURES[1])),
        "<!-- faults -->": "\n\n".join(section for section in sections if section),
        "<!-- pairs -->": _pairs(page),
        "<!-- healthy -->": "\n".join(f"- {_in(page, variant)}" for variant in HEALTHY),
    }.items():
        template = template.replace(mark, text)
    return template


def figures_in(text: str) -> str:
    """What stands between the marks of a page."""
    return text.partition(FIGURES[0])[2].partition(FIGURES[1])[0].strip()


def figures(page: Page, ran: Sequence[results.Result]) -> str:
    """The table of figures: injected, caught, caught under the right codes, false alarms, mended."""
    rows = [_line(page.figures), _line("---" for _ in page.figures)]
    for kind, label in page.kinds.items():
        its = [result for result in ran if result.kind == kind]
        caught, exact = sum(r.caught for r in its), sum(r.exact for r in its)
        mendable = [result for result in its if result.by_command]
        mended = f"{sum(r.mended for r in mendable)} / {len(mendable)}"
        told = ("–", "–", caught, "–") if kind == "healthy" else (caught, exact, "–", mended)
        rows.append(_line((label, len(its), *told)))
    measured = page.measured.format(
        packets=f"{sum(r.packets for r in ran):,}".replace(",", page.thousands),
        cases=len(ran),
        agreed=sum(r.agreed for r in ran),
        minutes=f"{sum(r.seconds for r in ran) / 60:.0f}",
    )
    return "\n".join([*rows, "", measured])


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _in(page: Page, each: Fault | Healthy) -> str:
    return each.en if page.language == "en" else each.pt


def _section(page: Page, words: Catalogue, code: str) -> str:
    """The faults whose first finding has that code, and under them what is printed for them."""
    faults = [fault for fault in FAULTS if Told.of(fault.expected[0]).code == code]
    if not faults:
        return ""
    fixes: dict[str, int] = {}
    rows = [_line(page.table), _line("---" for _ in page.table)]
    for fault in faults:
        seen = [words.finding(_finding(told)) for told in _told(fault)]
        numbers = [fixes.setdefault(each.fix, len(fixes) + 1) for each in seen if not fault.restores]
        mended = ", ".join(f"**{number}**" for number in dict.fromkeys(numbers)) or page.by_hand
        what = "<br>".join(dict.fromkeys(_cell(each.what) for each in seen))
        rows.append(_line((_cell(_in(page, fault)), what, mended)))
    printed = [f"**{number}**\n\n```sh\n{fix}\n```" for fix, number in fixes.items()]
    return "\n\n".join([f"### `{code}`", "\n".join(rows), *printed])


def _told(fault: Fault) -> Iterable[Told]:
    """What a fault yields, once for each situation and not for each worker."""
    return {(told.code, told.variant): told for told in map(Told.of, fault.expected)}.values()


def _finding(told: Told) -> Finding:
    """One without facts, whose words then show the names of what they are filled with."""
    return Finding(
        code=told.code,
        worker="WORKER",
        subject="SUBJECT",
        expected="EXPECTED",
        observed="OBSERVED",
        near_miss="NEAR_MISS",
        variant=told.variant,
    )


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def _pairs(page: Page) -> str:
    named = {fault.name: _in(page, fault) for fault in FAULTS}
    lines = []
    for pair in PAIRS:
        one, other = pair.name.split(" + ")
        codes = ", ".join(f"`{code}`" for code in CODES if code in pair.codes)
        lines.append(f"- {named[one]} {named[other]} → {codes}")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    ran = results.read(Path(arguments[0])) if arguments else []
    cases: list[Fault | Healthy] = [*FAULTS, *PAIRS, *HEALTHY]
    problem = results.why_no_whole_run(ran, [case.name for case in cases])
    if arguments and problem:
        sys.exit(f"{arguments[0]}: {problem}")
    for page in page_words.PAGES:
        path = path_of(page)
        told = figures(page, ran) if arguments else figures_in(path.read_text(encoding="utf-8"))
        path.write_text(written(page, told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
