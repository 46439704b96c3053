"""The tables of the judgement as text, a line for each code and check: ``python -m tests.findings.tables``.

The command writes ``tables/`` anew; read what changed in it before committing it. What a code stops and whom
it concerns, what a check needs and reads: no case may meet each of them, and none is changed by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kthw.findings.check import Check
from kthw.findings.codes import CODES
from kthw.findings.registry import CHECKS

FOLDER: Final = Path(__file__).with_name("tables")


def codes() -> str:
    """In the order in which they are mended."""
    each = sorted(CODES.items(), key=lambda code: (code[1].stage, code[0]))
    return _lines(
        f"{about.stage.name}  {code}  stops {about.stops}  of {about.scope}" for code, about in each
    )


def checks() -> str:
    """In the order in which they are asked."""
    return _lines(map(_check, CHECKS))


def _check(check: Check) -> str:
    needs = ", ".join(map(_said, check.needs))
    reads, misled_by = (" ".join(sorted(each)) for each in (check.reads, check.misled_by))
    asked = f"{check.chapter}/{check.area}  {check.name}  of {_said(check.subjects)}  by {_said(check.judge)}"
    return f"{asked}  needs [{needs}]  reads [{reads}]  misled by [{misled_by}]"


def _said(thing: object) -> str:
    """A function's name; of one that another one made, that one's and with what."""
    name = getattr(thing, "__qualname__", None)
    if name is None:
        return str(thing)
    cells = getattr(thing, "__closure__", None) or ()
    made, _, within = name.partition(".<locals>")
    return f"{made}({', '.join(_said(cell.cell_contents) for cell in cells)})" if within else made


def _lines(each: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in each)


TABLES: Final = {"codes": codes, "checks": checks}


if __name__ == "__main__":
    for name, told in TABLES.items():
        (FOLDER / f"{name}.txt").write_text(told(), encoding="utf-8")
