"""The table of tests: what many workers share is one row, and none of their names is lost."""

from __future__ import annotations

from html import escape

import pytest

from kthw.verdict.rows import MOST_ALIKE, Row, folded, row_cells
from kthw.words.messages import LANGUAGES, catalogue

ENGLISH = catalogue("en")
WICKED = '<img src=x onerror="alert(1)">'


def row(number: int, *, outcome: str = "Passed", log: str = "", worker: str = "") -> dict[str, list[Row]]:
    """By node id, one row as pytest-html keeps it."""
    name, test = worker or f"worker-{number}", f"suites/test_a.py::test_b[{worker or number}]"
    own = [f'<td class="col-result">{outcome}</td>', "", '<td class="col-duration">1 ms</td>', ""]
    cells = row_cells(own, "It holds.", name, test)
    values = {"result": outcome, "testId": "It holds.", "worker": escape(name), "duration": "1 ms"}
    return {test: [{**values, "extras": [], "log": log, "resultsTableRow": cells}]}


def rows(*each: dict[str, list[Row]]) -> list[Row]:
    tests = {test: rows for one in each for test, rows in one.items()}
    return [row for rows in folded(tests, ENGLISH).values() for row in rows]


def test_what_few_workers_share_is_a_row_each() -> None:
    each = [row(n) for n in range(MOST_ALIKE)]
    for found, (one,) in zip(rows(*each), (rows for tests in each for rows in tests.values()), strict=True):
        assert [f"{cell}</td>" for cell in found["resultsTableRow"]] == one["resultsTableRow"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_many_workers_share_is_one_row_with_all_their_names(language: str) -> None:
    tests = {test: rows for n in range(1000) for test, rows in row(n).items()}
    ((one,),) = folded(tests, catalogue(language)).values()
    cell = one["resultsTableRow"][2]
    assert catalogue(language).say("report-workers", count=1000) in cell
    assert cell.partition("</summary>")[2].partition("</details>")[0].split(", ") == [
        f"worker-{n}" for n in range(1000)
    ]
    assert len(str(one)) < 20_000


def test_what_differs_in_outcome_or_in_words_is_not_folded_together() -> None:
    passed = [row(n) for n in range(20)]
    failed = [row(20 + n, outcome="Failed", log="the table") for n in range(20)]
    others = [row(40 + n, outcome="Failed", log=f"its own: {n}") for n in range(20)]
    found = rows(*passed, *failed, *others)
    assert [one["result"] for one in found] == ["Passed", "Failed", *["Failed"] * 20]


def test_a_hostile_name_stays_escaped_among_the_others() -> None:
    (one,) = rows(*(row(n) for n in range(20)), row(20, worker=WICKED))
    assert WICKED not in str(one["resultsTableRow"])
    assert escape(WICKED) in one["resultsTableRow"][2]
