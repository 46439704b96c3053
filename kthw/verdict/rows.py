"""The table of tests in the HTML report, in pytest-html's form; what many workers share is one row.

pytest-html keeps a row as a dictionary: its cells as HTML, the values it sorts by, and the text that is
folded in below it.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kthw.verdict.templating import markup, template
from kthw.words.messages import Catalogue

MOST_ALIKE: Final = 1
"""Rows that say the same of that many workers are written out; more are one row."""
_NOTHING: Final = "No log output captured."
"""What pytest-html writes below a row that has nothing to say."""
_COLUMNS: Final = (("result", "result"), ("testId", "test"), ("worker", "worker"), ("duration", "duration"))

Row = dict[str, Any]


def table_head(words: Catalogue) -> list[str]:
    """The head of the table."""
    return [_cell("heading", kind, words.say(f"report-column-{name}")) for kind, name in _COLUMNS]


def row_cells(words: Catalogue, cells: Sequence[str], sentence: str, worker: str, test: str) -> list[str]:
    """One row. ``cells`` are pytest-html's own: result, test id, duration, links.

    The result stays in English inside, since pytest-html sorts and filters by it.
    """
    outcome = cells[0].partition(">")[2].partition("<")[0]
    said = words.say(f"report-outcome-{outcome.lower()}")
    first = _cell("result", outcome, said)
    return [first, _cell("requirement", sentence, test), _cell("worker", worker), cells[2]]


@functools.lru_cache(maxsize=4096)
def _cell(kind: str, *said: str) -> str:
    return str(getattr(template("rows.html.j2").module, kind)(*said))


def folded(
    tests: Mapping[str, Sequence[Row]], words: Catalogue, told: Mapping[str, str] | None = None
) -> dict[str, list[Row]]:
    """``tests``: the rows by node id. Those of one requirement that say the same are one row, if many.

    ``told``: by node id, links to where the page tells all about it: they stand below the row, and not the
    same words once more. Nothing is lost by it: the names of the workers are in the row, too.
    """
    told = told or {}
    alike: dict[tuple[str, ...], list[tuple[str, Row]]] = {}
    for test, rows in tests.items():
        for row in rows:
            about = test.partition("[")[0] if row.get("worker") else test
            said = "" if test in told else row["log"]
            alike.setdefault((about, row["result"], row["testId"], said), []).append((test, row))
    written: dict[str, list[Row]] = {}
    for (function, *_), each in alike.items():
        if len(each) <= MOST_ALIKE:
            for test, row in each:
                written.setdefault(test, []).append({**row, "log": _log([told.get(test, "")], row)})
        else:
            links = [told.get(test, "") for test, _ in each]
            row = {**_one([row for _, row in each], words), "log": _log(links, each[0][1])}
            written.setdefault(function, []).append(row)
    return written


def _log(links: Sequence[str], row: Row) -> str:
    """Each link once, in their order; else what pytest-html has, if that is anything."""
    lines = dict.fromkeys(line for each in links for line in each.splitlines())
    if lines:
        return "\n".join(lines)
    return "" if row["log"] == _NOTHING else str(row["log"])


def _one(rows: Sequence[Row], words: Catalogue) -> Row:
    first = rows[0]
    cells = list(first["resultsTableRow"])
    names = markup(", ".join(row["worker"] for row in rows))
    cells[2] = _cell("workers", words.say("report-workers", count=len(rows)), names)
    return {**first, "resultsTableRow": cells}
