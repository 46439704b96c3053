"""What a student is told, as text in their language: the points, what is wrong, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kthw.grade.pages import own, words_number
from kthw.grade.row import Row
from kthw.words.messages import Catalogue, catalogue

_MOST: Final = 10


def feedback(row: Row) -> str:
    """The whole text; ends with a line end."""
    words = catalogue(row.language)
    return "\n".join(_lines(row, words)) + "\n"


def _lines(row: Row, words: Catalogue) -> Iterator[str]:
    number = words_number(words)
    yield row.student
    if row.points and row.counts:
        most = words.say("grade-of", most=number(row.points.most))
        yield f"{number(row.points.earned)} {most}"
    for note in own(row):
        yield note.said(words)
    if row.is_judged and not row.counts:
        yield words.say("grade-uncounted")
    if row.points and row.points.lacking:
        yield words.say("grade-lacking", what=", ".join(row.points.lacking))
    if row.is_whole:
        yield words.say("grade-all-holds")
    if row.roots:
        yield from ("", words.say("report-wrong"))
    for number_of, told in enumerate(row.roots[:_MOST], start=1):
        yield from ("", f"{number_of}. {told.what} ({told.code})")
        if told.fix:
            yield words.say("report-fix")
            yield from (f"    {line}" for line in told.fix.splitlines())
    if len(row.roots) > _MOST:
        yield from ("", words.say("grade-more", count=len(row.roots) - _MOST))
    if row.errors:
        yield from ("", words.say("report-could-not-look"))
    yield from (f"- {told.what}" for told in row.errors[:_MOST])
