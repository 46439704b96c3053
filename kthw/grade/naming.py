"""Whose a file is, by what it is called: as learning platforms name what they give out, or as people do."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

_MOODLE: Final = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_.*)?")
"""``Ana Souza_12345_assignsubmission_file_report.json``, or a folder of that name without the last part."""
_CANVAS: Final = re.compile(r"(?P<name>[^_/]+)(?:_LATE)?_(?P<id>\d+)_(?P<submission>\d+)_.+", re.IGNORECASE)
"""``souzaana_12345_67890_report.json``; a late one says so after the name."""
_BLACKBOARD: Final = re.compile(r".+_(?P<name>[^_/]+)_attempt_(?P<id>\d{4}-\d\d-\d\d[\d-]*)(?:_.*)?")
"""``Lab 5_souza.ana_attempt_2026-03-01-10-00-00_report.json``."""
_FOLDER: Final = "reports"
"""Where a run leaves its recording."""
_ENDS: Final = re.compile(r"(?:\.json|\.zip|\.gz)+$", re.IGNORECASE)
_OF_A_RUN: Final = re.compile(r"(?:^|[\s_.-]+)report(?:[\s_.-]*\d+)?(?=$|[\s_.-])[\s_.-]*", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\W_]+")


class Submitter(Struct, frozen=True):
    """``name`` as it is shown, empty where the file's name says nothing; ``key``: the same for all of one's
    files. ``is_platforms``: a learning platform named the file, so it was handed in.
    """

    name: str
    key: str
    is_platforms: bool = False


class Naming:
    """What all files of a class have in common tells nobody apart: folders around, an assignment's name."""

    def __init__(self, names: Sequence[str]) -> None:
        folders = [tuple(name.split("/")[:-1]) for name in names]
        self._above = _alike(folders) if len(set(folders)) > 1 else 0
        tops = {parts[self._above] for parts in folders if len(parts) > self._above}
        shared = next(iter(tops))[: _alike(list(tops))] if len(tops) > 1 else ""
        self._assignment = shared[: shared.rfind("-") + 1]

    def submitter(self, name: str) -> Submitter:
        """Who handed in the file of that name."""
        parts = name.split("/")
        for part in parts:
            for platform in (_MOODLE, _CANVAS, _BLACKBOARD):
                found = platform.fullmatch(part)
                if found:
                    person = found["name"].strip()
                    number = "" if platform is _BLACKBOARD else found["id"]
                    return Submitter(person, f"{person}\0{number}", is_platforms=True)
        below = [part for part in parts[self._above : -1] if part != _FOLDER] + parts[-1:]
        if len(below) > 1:
            folder = below[0].removeprefix(self._assignment)
            return Submitter(folder, f"/{below[0]}")
        stem = _OF_A_RUN.sub(" ", _ENDS.sub("", below[0])).strip(" _.-")
        return Submitter(stem, f"/{below[0]}")


def _alike(each: Sequence[Sequence[str]]) -> int:
    """How many of the first elements are the same in all of them."""
    return sum(1 for _ in itertools.takewhile(lambda same: len(set(same)) == 1, zip(*each, strict=False)))


def words(text: str) -> tuple[str, ...]:
    """The words of a name, without case and accents: ``João d'Ávila`` → ``joao d avila``."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether these words stand in that order, one after another."""
    size = len(part)
    return size > 0 and any(tuple(whole[n : n + size]) == tuple(part) for n in range(len(whole) - size + 1))


def joined(name: Sequence[str]) -> Iterable[str]:
    """A name as Canvas writes it, in one word, the surname first; where that begins nobody says."""
    for n in range(len(name)):
        yield "".join((*name[n:], *name[:n]))
