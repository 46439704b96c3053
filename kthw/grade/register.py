"""The class as a whole: a row a student, also for who handed in nothing, and what two have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, unread
from kthw.grade.naming import Naming, Submitter
from kthw.grade.roster import Student
from kthw.grade.row import DOUBTED, Note, Row
from kthw.grade.side_by_side import Task

_MOST_NAMED: Final = 3


def tasks(handed: Sequence[HandIn], group: Class, student: str = "") -> tuple[list[Task], list[Row]]:
    """What is to be judged, and the rows of those who handed in something, but no recording.

    Of one student's files only those count that are called like a recording, if any is. ``student``: who all
    of it is of, where that was said.
    """
    naming = Naming([each.name for each in handed])
    by_key: dict[str, list[tuple[HandIn, Submitter]]] = defaultdict(list)
    for each in handed:
        submitter = Submitter(student, f"={student}") if student else naming.submitter(each.name)
        by_key[submitter.key].append((each, submitter))
    chosen: list[tuple[HandIn, Submitter]] = []
    empty: list[Row] = []
    for files in by_key.values():
        candidates = [pair for pair in files if pair[0].is_report] or [
            pair for pair in files if pair[0].is_candidate or pair[0].bad
        ]
        if candidates:
            chosen += candidates
        else:
            handed_in, submitter = files[0]
            row = unread(handed_in, submitter, group, Note("bad", "none"))
            if student or submitter.is_platforms or (row.listed and group.roster.students):
                empty.append(row)  # or it is a file that lay there, of nobody
    return [(number, *pair) for number, pair in enumerate(chosen)], empty


def settled(rows: Iterable[Row], group: Class) -> list[Row]:
    """One row a student: of several hand-ins the one that counts, with what was told of it and of others."""
    by_student: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_student[row.key].append(row)
    settled_rows = [_one(each) for each in by_student.values()]
    absent = (student for student in group.roster.students if f"@{student.name}" not in by_student)
    settled_rows += [_missing(student, group) for student in absent]
    settled_rows = _alike(_alike(settled_rows, "same-account", lambda row: row.account), "same-lab", _copied)
    order = {f"@{student.name}": number for number, student in enumerate(group.roster.students)}
    settled_rows.sort(key=lambda row: (order.get(row.key, len(order)), row.student.casefold(), row.key))
    doubts = DOUBTED - set(group.scheme.count)
    return [
        replace(row, counts=row.is_judged and not any(note.kind in doubts for note in row.notes))
        for row in settled_rows
    ]


def _one(rows: Sequence[Row]) -> Row:
    """The last one that was recorded in time and can be judged; if there is none, the last."""
    if len(rows) == 1:
        return rows[0]

    def worth(row: Row) -> tuple[bool, bool, bool, float]:
        kinds = {note.kind for note in row.notes}
        return row.is_judged, not kinds & DOUBTED, "late" not in kinds, _recorded(row)

    best = max(rows, key=worth)
    facts = {"count": str(len(rows)), "file": best.file}
    return replace(best, notes=(*best.notes, Note("several", "", facts)))


def _recorded(row: Row) -> float:
    try:
        return datetime.fromisoformat(row.at).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _missing(student: Student, group: Class) -> Row:
    language = student.language or group.asked.language
    return Row(student=student.name, key=f"@{student.name}", language=language, notes=(Note("missing"),))


def _alike(rows: Sequence[Row], kind: str, of: Callable[[Row], str]) -> list[Row]:
    """With a word at each of those who have something in common that no two should."""
    sharing: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if of(row):
            sharing[of(row)].append(row)
    return [
        replace(row, notes=(*row.notes, Note(kind, "", {"what": of(row), "others": _others(row, shared)})))
        if len(shared := sharing.get(of(row), [])) > 1
        else row
        for row in rows
    ]


def _copied(row: Row) -> str:
    """Its lab, where another one with the same is not told by their account already."""
    return "" if any(note.kind == "same-account" for note in row.notes) else row.lab


def _others(row: Row, rows: Sequence[Row]) -> str:
    names = [other.student for other in rows if other.key != row.key]
    more = f", … ({len(names)})" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
