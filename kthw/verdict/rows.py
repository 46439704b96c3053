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

_OUTCOMES: Final = ("failed", "passed", "skipped", "error", "xfailed", "xpassed", "rerun")

Row = dict[str, Any]


def table_head(words: Catalogue) -> list[str]:
    """The head of the table."""
    return [_cell("heading", kind, words.say(f"report-column-{name}")) for kind, name in _COLUMNS]


def row_cells(cells: Sequence[str], sentence: str, worker: str, test: str) -> list[str]:
    """One row. ``cells`` are pytest-html's own: result, test id, duration, links.

    The result stays in English inside, since pytest-html sorts and filters by it; the page's style says it
    in the reader's language (``outcomes``).
    """
    outcome, took = (cells[n].partition(">")[2].partition("<")[0] for n in (0, 2))
    which = _cell("requirement", sentence, test)
    return [_cell("result", outcome), which, _cell("worker", worker), _cell("duration", took)]


def outcomes(words: Catalogue) -> dict[str, str]:
    """By the class that pytest-html gives to a row, what its result is called."""
    return {each: words.say(f"report-outcome-{each}") for each in _OUTCOMES}


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
    places = {sentence: n for n, sentence in enumerate(dict.fromkeys(key[2] for key in alike))}
    for (function, _, sentence, _), each in alike.items():
        if len(each) <= MOST_ALIKE:
            for test, row in each:
                written.setdefault(test, []).append(
                    _lean({**row, "log": _log([told.get(test, "")], row)}, places[sentence])
                )
        else:
            links = [told.get(test, "") for test, _ in each]
            row = {**_one(function, [row for _, row in each], words), "log": _log(links, each[0][1])}
            written.setdefault(function, []).append(_lean(row, places[sentence]))
    return written


def _lean(row: Row, place: int) -> Row:
    """Without what nobody misses: all this stands in an attribute, where each bracket is four letters and
    each quote five. HTML needs no end of a cell; the sentence is in its cell, and its ``place`` among the
    others is what pytest-html sorts by."""
    cells = [cell.removesuffix("</td>") for cell in row["resultsTableRow"]]
    kept = {key: value for key, value in row.items() if value or key not in ("extras", "log")}
    return {**kept, "testId": f"{place:04}", "resultsTableRow": cells}


def _log(links: Sequence[str], row: Row) -> str:
    """Each link once, in their order; else what pytest-html has, if that is anything."""
    lines = dict.fromkeys(line for each in links for line in each.splitlines())
    if lines:
        return "\n".join(lines)
    return "" if row["log"] == _NOTHING else str(row["log"])


def _one(function: str, rows: Sequence[Row], words: Catalogue) -> Row:
    first = rows[0]
    cells = list(first["resultsTableRow"])
    names = markup(", ".join(row["worker"] for row in rows))
    cells[1] = _cell("requirement", markup(first["testId"]), function)
    cells[2] = _cell("workers", words.say("report-workers", count=len(rows)), names)
    return {**first, "resultsTableRow": cells}
