"""The class as one page, and a page for each student; offline, without scripts, by Jinja2's templates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from kthw.findings.codes import CODES
from kthw.findings.registry import AREAS
from kthw.grade.asked import Asked
from kthw.grade.points import Scheme
from kthw.grade.row import Note, Row, Share, Told
from kthw.verdict.page import filled
from kthw.verdict.report import Report
from kthw.verdict.templating import style, template
from kthw.words.messages import Catalogue

FOLDER: Final = "students"
"""Where the students' pages are, beside the page of the class."""
_TO_TEACH: Final = 3
_THE_TEACHERS: Final = frozenset({"same-account", "same-lab", "other-name", "other-account"})
"""What is told to the teacher alone: it names others, or suspects."""


class Cause(Struct, frozen=True):
    """One code, who has it, and one of its findings to show what it is like."""

    code: str
    rows: tuple[Row, ...]
    shown: Told

    @property
    def count(self) -> int:
        return len(self.rows)


class Cell(Struct, frozen=True):
    """One student's area: ``state`` is ``good``, ``bad``, ``unseen`` or ``none``."""

    state: str
    said: str
    title: str


def causes(rows: Sequence[Row]) -> list[Cause]:
    """By how many have them; those of as many in the order of a packet's way."""
    having: dict[str, dict[str, Row]] = defaultdict(dict)
    shown: dict[str, Told] = {}
    for row in rows:
        for told in row.roots:
            having[told.code][row.key] = row
            shown.setdefault(told.code, told)
    found = [Cause(code, tuple(have.values()), shown[code]) for code, have in having.items()]
    return sorted(found, key=lambda each: (-each.count, CODES[each.code].stage, each.code))


def to_teach(found: Sequence[Cause]) -> list[Cause]:
    """The first few; a symptom without a cause teaches nothing, unless there is nothing else."""
    taught = [each for each in found if each.code != "pod-unreachable"] or list(found)
    return taught[:_TO_TEACH]


def areas(rows: Sequence[Row]) -> list[str]:
    """The areas of which anything was asked of anybody, in the order of the path."""
    there = {area for row in rows for area in row.areas}
    return [area for area in AREAS if area in there]


def cell(row: Row, area: str, words: Catalogue) -> Cell:
    """What came of an area, in a sign, and in words for whoever stays on it."""
    share = row.areas.get(area)
    if share is None:
        return Cell("none", "–", words.say("grade-cell-none"))
    title = words.say(
        "grade-cell", held=share.held, asked=share.asked, unseen=share.unseen, blocked=share.blocked
    )
    return Cell(_state(share), "✓" if share.held == share.asked else f"{share.held}/{share.asked}", title)


def _state(share: Share) -> str:
    if share.held == share.asked:
        return "good"
    wrong = share.asked - share.held - share.unseen - share.blocked
    return "unseen" if not wrong and not share.blocked else "bad"


def student(row: Row, report: Report, words: Catalogue, target: Sequence[str]) -> str:
    """One student's own page: their points, and all that their run came to, as its own page tells it."""
    return filled(
        "student.html.j2",
        report,
        words,
        target,
        row=row,
        number=words_number(words),
        cells=[(area, cell(row, area, words)) for area in areas([row])],
        notes=[note.said(words) for note in own(row)],
        class_style=style("class.css"),
    )


def own(row: Row) -> list[Note]:
    """What of it is told to the student, too."""
    return [note for note in row.notes if note.kind not in _THE_TEACHERS]


def the_class(rows: Sequence[Row], asked: Asked, scheme: Scheme, words: Catalogue, at: str) -> str:
    """The page of the class. ``at``: when it was made."""
    found = causes(rows)
    return template("class.html.j2").render(
        words=words,
        say=words.say,
        rows=rows,
        number=words_number(words),
        asked=asked,
        scheme=scheme,
        at=at,
        areas=areas(rows),
        cell=lambda row, area: cell(row, area, words),
        causes=found,
        to_teach=to_teach(found),
        counts=counts(rows),
        doubted=[row for row in rows if row.is_judged and not row.counts],
        whole={area: _whole(rows, area) for area in areas(rows)},
        link=lambda row: f"{FOLDER}/{quote(row.page)}",
        notes=lambda row: [note.said(words) for note in row.notes],
        style=style("class.css"),
    )


def _whole(rows: Sequence[Row], area: str) -> tuple[int, int]:
    """With how many all of an area holds, and of how many it was asked."""
    there = [row.areas[area] for row in rows if area in row.areas]
    return sum(share.held == share.asked for share in there), len(there)


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many are whole, in part, not looked at in part, doubted, unread, and not there."""
    missing = sum(any(note.kind == "missing" for note in row.notes) for row in rows)
    return {
        "all": len(rows),
        "whole": sum(row.is_whole for row in rows),
        "wrong": sum(row.counts and bool(row.roots) for row in rows),
        "unseen": sum(row.is_unseen for row in rows),
        "doubted": sum(row.is_judged and not row.counts for row in rows),
        "unread": sum(not row.is_judged for row in rows) - missing,
        "missing": missing,
    }


class _Number:
    """A number as a person of that language writes it: ``92.5``, ``92,5``."""

    def __init__(self, comma: bool) -> None:
        self._comma = comma

    def __call__(self, value: float) -> str:
        said = f"{value:.2f}".rstrip("0").rstrip(".")
        return said.replace(".", ",") if self._comma else said


def words_number(words: Catalogue) -> _Number:
    """How numbers are written in that language."""
    return _Number(words.language == "pt-BR")
