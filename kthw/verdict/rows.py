"""The table of tests in the HTML report, in pytest-html's form; what many workers share is one row.

pytest-html keeps a row as a dictionary: its cells as HTML, the values it sorts by, and the text that is
folded in below it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from kthw.verdict.templating import template
from kthw.words.messages import Catalogue

MOST_ALIKE: Final = 12
"""Rows that say the same of that many workers are written out; more are one row."""
_COLUMNS: Final = (("result", "result"), ("testId", "test"), ("worker", "worker"), ("duration", "duration"))

Row = dict[str, Any]


def table_head(words: Catalogue) -> list[str]:
    """The head of the table."""
    cells: Any = template("rows.html.j2").module
    return [str(cells.heading(kind, words.say(f"report-column-{name}"))) for kind, name in _COLUMNS]


def row_cells(words: Catalogue, cells: Sequence[str], sentence: str, worker: str, test: str) -> list[str]:
    """One row. ``cells`` are pytest-html's own: result, test id, duration, links.

    The result stays in English inside, since pytest-html sorts and filters by it.
    """
    made: Any = template("rows.html.j2").module
    outcome = cells[0].partition(">")[2].partition("<")[0]
    said = words.say(f"report-outcome-{outcome.lower()}")
    each = (made.result(outcome, said), made.requirement(sentence, test), made.worker(worker), cells[2])
    return [str(cell) for cell in each]


def folded(tests: Mapping[str, Sequence[Row]], words: Catalogue) -> dict[str, list[Row]]:
    """``tests``: the rows by node id. Those of one requirement that say the same are one row, if many.

    Nothing is lost by it: the names of the workers are in the row.
    """
    alike: dict[tuple[str, ...], list[tuple[str, Row]]] = {}
    for test, rows in tests.items():
        for row in rows:
            about = test.partition("[")[0] if row.get("worker") else test
            alike.setdefault((about, row["result"], row["testId"], row["log"]), []).append((test, row))
    written: dict[str, list[Row]] = {}
    for (function, *_), each in alike.items():
        if len(each) <= MOST_ALIKE:
            for test, row in each:
                written.setdefault(test, []).append(row)
        else:
            written.setdefault(function, []).append(_one([row for _, row in each], words))
    return written


def _one(rows: Sequence[Row], words: Catalogue) -> Row:
    made: Any = template("rows.html.j2").module
    first = rows[0]
    cells = list(first["resultsTableRow"])
    names = Markup(", ").join(Markup(row["worker"]) for row in rows)  # noqa: S704 -- escaped by ``row_cells``
    cells[2] = str(made.workers(words.say("report-workers", count=len(rows)), names))
    return {**first, "resultsTableRow": cells}
