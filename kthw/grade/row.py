"""One student's row: what was handed in, what was told of it, and what came of the judgement; no evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from kthw.errors import LookError
from kthw.words.messages import Catalogue

DOUBTED: Final = frozenset(
    (
        "ambiguous", "altered", "other-lab", "other-account", "other-name", "same-account", "same-lab",
        "no-account", "undated", "old", "fault",
    )
)  # fmt: skip
"""It was judged, and is not counted before the teacher has said so (``count`` in ``points.toml``)."""


class Note(Struct, frozen=True):
    """One thing to be told of a hand-in. ``facts`` fill its words, ``variant`` chooses among them.

    ``error``: why a recording could not be read, which has words of its own.
    """

    kind: str
    variant: str = ""
    facts: dict[str, str] = {}
    error: LookError | None = None

    def said(self, words: Catalogue) -> str:
        """It, in a sentence or two."""
        if self.error:
            return words.error(self.error).what
        return words.say(f"grade-note-{self.kind}{'-' if self.variant else ''}{self.variant}", **self.facts)


class Told(Struct, frozen=True):
    """A cause. ``area``, ``chapter`` and ``check``: of the check that tells it.

    ``what`` and ``fix`` are in the student's language, ``example`` (the same as ``what``) and ``why`` in the
    teacher's.
    """

    code: str
    subject: str
    area: str
    chapter: str
    check: str
    what: str
    fix: str = ""
    example: str = ""
    why: str = ""


class Share(Struct, frozen=True):
    """What came of one check: of how many subjects it was ``asked`` where that made sense, of how many it
    ``held``, and of how many it could not be ``seen``, or was not reached for another fault.
    """

    check: str
    area: str
    asked: int
    held: int
    unseen: int = 0
    blocked: int = 0


class Points(Struct, frozen=True):
    """``earned`` of ``most``, after what is taken off; ``before``: without that; ``areas``: the same by area.

    ``lacking``: what is required and does not hold; ``days``: late, that were counted.
    """

    earned: float
    most: float
    before: float
    areas: dict[str, tuple[float, float]]
    lacking: tuple[str, ...] = ()
    days: int = 0


class Row(Struct, frozen=True, kw_only=True):
    """``student``: as they are called; ``key``: the same for all files of one. ``language``: their own.

    ``page``: the file of their page, within the folder of pages, or empty. ``stem``: what all their files are
    called, without what comes after the dot.
    ``lab``: what tells this lab from all others, by which a copy is known. ``account`` is empty where no
    account was looked at.
    """

    student: str
    key: str
    language: str
    file: str = ""
    listed: bool = True
    at: str = ""
    account: str = ""
    where: str = ""
    lab: str = ""
    notes: tuple[Note, ...] = ()
    shares: tuple[Share, ...] = ()
    roots: tuple[Told, ...] = ()
    errors: tuple[Told, ...] = ()
    points: Points | None = None
    counts: bool = False
    page: str = ""
    stem: str = ""

    @property
    def is_judged(self) -> bool:
        """Whether anything of it was judged."""
        return bool(self.shares)

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked holds, and it counts."""
        return self.counts and all(share.held == share.asked for share in self.shares) and not self.roots

    @property
    def is_unseen(self) -> bool:
        """Whether nothing wrong was seen, and something could not be looked at."""
        return self.counts and not self.roots and not self.is_whole

    @property
    def areas(self) -> Mapping[str, Share]:
        """By area, what came of all its checks together; areas of which nothing was asked are not in it."""
        areas: dict[str, Share] = {}
        for each in self.shares:
            so_far = areas.get(each.area, Share("", each.area, 0, 0))
            areas[each.area] = Share(
                "",
                each.area,
                so_far.asked + each.asked,
                so_far.held + each.held,
                so_far.unseen + each.unseen,
                so_far.blocked + each.blocked,
            )
        return {area: share for area, share in areas.items() if share.asked}
