"""Who is in the class: a CSV with a line a student, which says how to know their hand-in."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from kthw.foreign import printable
from kthw.grade.naming import joined, within, words
from kthw.intended.cluster import BadNames
from kthw.observed import bounded_file
from kthw.words.messages import LANGUAGES

_MOST: Final = 5_000_000
_MOST_STUDENTS: Final = 20_000
_LONGEST: Final = 100
_COLUMNS: Final[Mapping[str, str]] = {
    "name": "name", "nome": "name",
    "file": "file", "arquivo": "file", "login": "file",
    "account": "account", "conta": "account",
    "student": "student", "aluno": "student", "aluna": "student",
    "language": "language", "idioma": "language",
    "role": "role", "papel": "role",
    "region": "region", "regiao": "region",
    "externalid": "external_id",
}  # fmt: skip
"""What a column may be called; others are passed over."""
_ACCOUNT: Final = re.compile(r"[0-9]{1,12}")
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
"""As AssumeRole takes it."""


class Student(Struct, frozen=True, kw_only=True):
    """One line. ``file``: what their file's name has in it; ``student``: what they give to ``--student``.

    ``role``, ``external_id`` and ``region``: how their account is looked at, by ``--accounts``.
    """

    name: str
    file: str = ""
    account: str = ""
    student: str = ""
    language: str = ""
    role: str = ""
    external_id: str = ""
    region: str = ""


class Roster:
    """The class, and how each of it is known."""

    def __init__(self, students: Sequence[Student] = ()) -> None:
        self.students = tuple(students)
        self._parts: dict[str, list[tuple[tuple[str, ...], Student]]] = {}
        self._by_account: dict[str, list[Student]] = {}
        self._by_said: dict[tuple[str, ...], list[Student]] = {}
        for student in students:
            if student.account:
                self._by_account.setdefault(student.account, []).append(student)
            for said in {words(student.student) or words(student.name), words(student.name)}:
                self._by_said.setdefault(said, []).append(student)
            for part in _parts(student):
                self._parts.setdefault(part[0], []).append((part, student))

    def by_file(self, name: str) -> list[Student]:
        """Those whose file may be called that: whose part of it is longest; several where nobody can know."""
        there = words(name)
        near = [each for word in set(there) for each in self._parts.get(word, ())]
        fitting = [(len("".join(part)), student) for part, student in near if within(part, there)]
        most = max((fit for fit, _ in fitting), default=0)
        return list(dict.fromkeys(student for fit, student in fitting if fit == most))

    def by_account(self, account: str) -> list[Student]:
        """Those whose AWS account it is."""
        return self._by_account.get(account, []) if account else []

    def by_said(self, said: str) -> list[Student]:
        """Those who are called what was given to ``--student``."""
        return self._by_said.get(words(said), []) if said else []


def _parts(student: Student) -> Iterator[tuple[str, ...]]:
    """What the name of their file has in it, as words: any of these."""
    said = words(student.file)
    if said:
        yield said
        return
    name = words(student.name)
    yield name
    if len(name) > 1:
        yield from ((each,) for each in joined(name))


def read(file: str) -> Roster:
    """The roster in a CSV with a head, commas or semicolons between, UTF-8 or what a spreadsheet wrote.

    Raises ``BadNames`` with the place in the file.
    """
    try:
        data = bounded_file.read(Path(file), _MOST)
    except (OSError, ValueError) as problem:
        raise BadNames(
            "grade-unread", value=file, detail=getattr(problem, "strerror", "") or str(problem)
        ) from problem
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    students: list[Student] = []
    known: dict[str, int] = {}
    for line, said in _lines(text, file):
        student = _student(said, file, line)
        if student.name in known:
            raise _at(file, line, "grade-roster-twice", name=student.name, other=str(known[student.name]))
        known[student.name] = line
        students.append(student)
    if not students or len(students) > _MOST_STUDENTS:
        raise BadNames(
            "grade-roster-empty" if not students else "grade-too-many", value=file, most=str(_MOST_STUDENTS)
        )
    return Roster(students)


def _lines(text: str, file: str) -> Iterator[tuple[int, dict[str, str]]]:
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count))
    columns: list[str] = []
    try:
        for cells in reader:
            if not columns:
                columns = [_COLUMNS.get("".join(words(cell)), "") for cell in cells]
                if "name" not in columns:
                    raise _at(file, 1, "grade-roster-no-name", found=", ".join(cells))
            elif any(cell.strip() for cell in cells):
                said = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
                yield reader.line_num, said
    except csv.Error as problem:
        raise _at(file, reader.line_num, "grade-roster-no-csv", detail=str(problem)) from problem


def _student(said: Mapping[str, str], file: str, line: int) -> Student:
    name, account, language = (said.get(column, "") for column in ("name", "account", "language"))
    if not name or not words(name):
        raise _at(file, line, "grade-roster-nameless")
    account = re.sub(r"[\s-]", "", account)
    if account and not _ACCOUNT.fullmatch(account):
        raise _at(file, line, "grade-roster-account", value=account)
    if language and language not in LANGUAGES:
        raise _at(file, line, "grade-roster-language", value=language, known=", ".join(LANGUAGES))
    external_id = said.get("external_id", "")
    if external_id and not _EXTERNAL_ID.fullmatch(external_id):
        raise _at(file, line, "grade-accounts-external-id", value=external_id)
    return Student(
        name=printable(name, _LONGEST),
        file=said.get("file", ""),
        account=account.zfill(12) if account else "",  # a spreadsheet takes the noughts before it away
        student=said.get("student", ""),
        language=language,
        role=said.get("role", ""),
        external_id=external_id,
        region=said.get("region", ""),
    )


def _at(file: str, line: int, key: str, **facts: str) -> BadNames:
    problem = BadNames(key, **facts)
    problem.place = f"{file}:{line}"
    return problem
