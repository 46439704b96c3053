"""The files that grading leaves: the class page, students' pages and texts, tables for other programs."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from kthw import whole_file
from kthw.grade import exports, pages
from kthw.grade.feedback import feedback
from kthw.grade.judged import Class
from kthw.grade.naming import words as name_words
from kthw.grade.row import Row
from kthw.intended.cluster import BadNames
from kthw.observed import bounded_file
from kthw.words.messages import Catalogue

PAGE: Final = "class.html"
TABLE: Final = "grades.csv"
_AT_ITS_TOP: Final = (PAGE, TABLE, "ctrf.json", "junit.xml", "results.json")
_LONGEST_NAME: Final = 60
_OURS: Final = re.compile(r"[a-z0-9-]{1,80}\.(?:html|txt)")
_MADE: Final = ".made-by-grade"
_MOST_LISTED: Final = 10_000_000


class Output:
    """A folder. Pages are written into one within, and take the place of older ones when all is done.

    ``read_from``: what the class is judged by, which nothing is written over.
    """

    def __init__(self, folder: Path, read_from: Iterable[Path] = ()) -> None:
        self._folder = folder
        self._read_from = tuple(read_from)
        self.pages = folder / f".{pages.FOLDER}-{os.getpid()}"

    def begin(self) -> None:
        """Make the folders. Raises ``OSError``, and ``BadNames`` before anything is written over."""
        self._spare(self._folder / name for name in _AT_ITS_TOP)
        self.pages.mkdir(parents=True)

    def discard(self) -> None:
        """Take away what was not finished."""
        shutil.rmtree(self.pages, ignore_errors=True)

    def write(
        self, rows: Sequence[Row], group: Class, formats: Collection[str], words: Catalogue
    ) -> list[Path]:
        """Write it all; return what a person may want to open. Raises ``OSError``."""
        named = _named(rows)
        self._students(rows, named)
        at = datetime.now().astimezone().isoformat(sep=" ", timespec="minutes")
        written = [
            self._file(PAGE, pages.the_class(named, group.asked, group.scheme, words, at)),
            self._file(TABLE, "\ufeff" + exports.table(named, words)),
        ]
        if "ctrf" in formats:
            written.append(self._json("ctrf.json", exports.ctrf(named, int(time.time() * 1000))))
        if "junit" in formats:
            written.append(self._file("junit.xml", exports.junit(named).decode()))
        if "gradescope" in formats:
            written.append(self._gradescope(named, group))
        return written

    def _gradescope(self, named: Sequence[Row], group: Class) -> Path:
        """One student's ``results.json``, or a folder of several, each under their name."""
        if len(named) == 1:
            return self._json("results.json", exports.gradescope(named[0], group.scheme))
        folder = self._folder / "gradescope"
        folder.mkdir(exist_ok=True)
        for row in named:
            self._json(f"gradescope/{row.stem}.json", exports.gradescope(row, group.scheme))
        return folder

    def _students(self, before: Sequence[Row], named: Sequence[Row]) -> None:
        kept: set[str] = set()
        for old, row in zip(before, named, strict=True):
            if old.page:
                (self.pages / old.page).rename(self.pages / row.page)
                kept.add(row.page)
            (self.pages / f"{row.stem}.txt").write_text(feedback(row), encoding="utf-8", newline="\n")
            kept.add(f"{row.stem}.txt")
        for file in self.pages.iterdir():  # of hand-ins that another one of the same student replaced
            if file.name not in kept:
                file.unlink()
        place = self._folder / pages.FOLDER
        place.mkdir(exist_ok=True)
        self._spare(place / name for name in (*kept, *_made(place)))
        for name in _made(place):
            (place / name).unlink(missing_ok=True)
        for file in self.pages.iterdir():
            file.replace(place / file.name)
        self._file(f"{pages.FOLDER}/{_MADE}", "".join(f"{name}\n" for name in sorted(kept)))
        self.pages.rmdir()

    def _json(self, name: str, document: dict[str, Any]) -> Path:
        return self._file(name, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    @cached_property
    def _inputs(self) -> frozenset[tuple[int, int] | None]:
        return frozenset(map(whole_file.identity, self._read_from))

    def _spare(self, paths: Iterable[Path]) -> None:
        for path in paths:
            there = whole_file.identity(path)
            if there and there in self._inputs:
                raise BadNames("grade-over-itself", value=str(path))

    def _file(self, name: str, text: str) -> Path:
        path = self._folder / name
        self._spare([path])
        whole_file.write(path, text.encode("utf-8", "backslashreplace"))
        return path


def _made(folder: Path) -> list[str]:
    """The files that an earlier run left there; what somebody else laid beside them is not ours to delete."""
    try:
        listed = bounded_file.read(folder / _MADE, _MOST_LISTED).decode("ascii", "replace")
    except OSError:
        return []
    return [name for name in listed.splitlines() if _OURS.fullmatch(name)]


def _named(rows: Sequence[Row]) -> list[Row]:
    """With a file name of their own, after their name: nothing of it but letters and digits."""
    taken: dict[str, int] = {}
    named = []
    for row in rows:
        plain = (
            "-".join(name_words(row.student)).encode("ascii", "ignore").decode()[:_LONGEST_NAME].strip("-")
        )
        stem = plain or "student"
        taken[stem] = taken.get(stem, 0) + 1
        unique = stem if taken[stem] == 1 else f"{stem}--{taken[stem]}"
        named.append(replace(row, stem=unique, page=f"{unique}.html" if row.page else ""))
    return named
