"""Points: what each area and each check is worth, what is required, and what being late costs."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from kthw.findings.registry import AREAS, BY_NAME
from kthw.grade.row import DOUBTED, Points, Share
from kthw.intended.cluster import BadNames
from kthw.observed import bounded_file

_MOST: Final = 1 << 20
_MOST_POINTS: Final = 1_000_000
_LEFT: Final = "leftovers"
_EXAMPLES: Final[Mapping[str, str]] = {
    "total": "total = 100",
    "partial": "partial = true",
    "required": 'required = ["one-running-instance", "routes"]',
    "without-required": "without-required = 0.5",
    "count": 'count = ["same-account"]',
    "areas": "[areas]: routes = 4",
    "checks": "[checks]: route-to-worker = 3",
    "late": "[late]: per-day = 0.1",
    "late.per-day": "[late]: per-day = 0.1",
    "late.most": "[late]: most = 0.5",
    "late.grace-hours": "[late]: grace-hours = 12",
}


class Scheme(Struct, frozen=True, kw_only=True):
    """``total``: what a whole lab earns. ``partial``: what holds for two workers of three earns so much.

    ``areas``, ``checks``: weights, 1 where none is said; a check's is its part of its area. ``required``:
    areas and checks without which at most the part ``without_required`` is earned. ``count``: which doubts
    count all the same. ``per_day``, ``most_late``: parts of what was earned, taken off for each day that was
    begun after ``grace_hours``.
    """

    total: float = 100.0
    partial: bool = True
    areas: dict[str, float] = {}
    checks: dict[str, float] = {}
    required: tuple[str, ...] = ()
    without_required: float = 0.0
    count: tuple[str, ...] = ()
    per_day: float = 0.0
    most_late: float = 1.0
    grace_hours: float = 0.0

    def points(self, shares: Sequence[Share], hours_late: float = 0.0) -> Points:
        """What these earn. An area of which nothing was asked is worth nothing to anybody."""
        by_check = self.by_check(shares)
        areas: dict[str, tuple[float, float]] = {}
        for each in shares:
            held, most = by_check.get(each.check, (0.0, 0.0))
            so_far = areas.get(each.area, (0.0, 0.0))
            if most:
                areas[each.area] = (so_far[0] + held, so_far[1] + most)
        before = sum(earned for earned, _ in areas.values())
        lacking = tuple(name for name in self.required if not _holds(shares, name))
        earned = min(before, self.total * self.without_required) if lacking else before
        days = self._days(hours_late)
        return Points(
            earned=round(earned * (1 - min(self.most_late, self.per_day * days)), 2),
            most=round(self.total, 2),
            before=round(before, 2),
            areas={area: (round(part, 2), round(most, 2)) for area, (part, most) in areas.items()},
            lacking=lacking,
            days=days,
        )

    def by_check(self, shares: Sequence[Share]) -> dict[str, tuple[float, float]]:
        """What each check earns, of what it is worth; those of which nothing was asked are not in it."""
        weights: dict[str, float] = {}
        for each in shares:
            if each.asked:
                weights[each.area] = weights.get(each.area, 0.0) + self.checks.get(each.check, 1.0)
        worth = {area: self.areas.get(area, 1.0) for area, weight in weights.items() if weight}
        all_worth = sum(worth.values())
        found: dict[str, tuple[float, float]] = {}
        for each in shares:
            if each.asked and worth.get(each.area):
                part = each.held / each.asked if self.partial else float(each.held == each.asked)
                most = self.total * worth[each.area] / all_worth
                most *= self.checks.get(each.check, 1.0) / weights[each.area]
                found[each.check] = (most * part, most)
        return found

    def _days(self, hours: float) -> int:
        over = hours - self.grace_hours
        return max(0, -int(-over // 24)) if over > 0 else 0


def _holds(shares: Sequence[Share], name: str) -> bool:
    """Whether a check, or all of an area, holds for everybody of whom it was asked."""
    return all(each.held == each.asked for each in shares if name in (each.check, each.area))


def read(file: str) -> Scheme:
    """The scheme in a file of TOML. Raises ``BadNames`` for whatever in it is none, and says where."""
    try:
        content = bounded_file.read(Path(file), _MOST)
    except (OSError, ValueError) as problem:
        raise BadNames(
            "grade-unread", value=file, detail=getattr(problem, "strerror", "") or str(problem)
        ) from problem
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise BadNames("grade-points-no-toml", value=file, detail="UTF-8") from problem
    except (ValueError, RecursionError) as problem:
        # What Python says of a number of thousands of digits goes on with advice for programmers.
        detail = str(problem).partition(": value has")[0]
        raise BadNames("grade-points-no-toml", value=file, detail=detail) from problem
    return _Reading(file, document).scheme()


def _weighs(scheme: Scheme) -> bool:
    """Whether anything earns a point; what is left after the last chapter only where it is named."""
    areas = {area: scheme.areas.get(area, float(area != _LEFT)) for area in AREAS}
    return any(areas[check.area] and scheme.checks.get(check.name, 1.0) for check in BY_NAME.values())


class _Reading:
    def __init__(self, file: str, document: Mapping[str, Any]) -> None:
        self._file = file
        self._document = document

    def scheme(self) -> Scheme:
        self._known(
            self._document,
            ("total", "partial", "required", "without-required", "count", "areas", "checks", "late"),
        )
        late = self._table(self._document, "late")
        self._known(late, ("per-day", "most", "grace-hours"))
        partial = self._document.get("partial", True)
        if not isinstance(partial, bool):
            self._refuse("partial")
        scheme = Scheme(
            total=self._number(self._document, "total", 100.0, _MOST_POINTS),
            partial=partial,
            areas=self._weights("areas", AREAS),
            checks=self._weights("checks", tuple(BY_NAME)),
            required=self._names("required", (*AREAS, *BY_NAME)),
            without_required=self._number(self._document, "without-required", 0.0, 1.0),
            count=self._names("count", tuple(sorted(DOUBTED))),
            per_day=self._number(late, "per-day", 0.0, 1.0, "late."),
            most_late=self._number(late, "most", 1.0, 1.0, "late."),
            grace_hours=self._number(late, "grace-hours", 0.0, 10_000.0, "late."),
        )
        if not round(scheme.total, 2):
            self._refuse("total")
        if not _weighs(scheme):
            raise BadNames("grade-points-nothing", value=self._file)
        return scheme

    def _weights(self, table: str, known: Sequence[str]) -> dict[str, float]:
        said = self._table(self._document, table)
        self._known(said, known)
        return {name: self._number(said, name, 1.0, _MOST_POINTS, f"{table}.") for name in said}

    def _names(self, key: str, known: Sequence[str]) -> tuple[str, ...]:
        said = self._document.get(key, [])
        if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
            self._refuse(key)
        self._known(dict.fromkeys(said), known)
        return tuple(said)

    def _table(self, within: Mapping[str, Any], key: str) -> dict[str, Any]:
        said = within.get(key, {})
        if not isinstance(said, dict):
            self._refuse(key)
        return dict(said)

    def _number(
        self, within: Mapping[str, Any], key: str, usual: float, most: float, above: str = ""
    ) -> float:
        said = within.get(key, usual)
        if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said <= most:
            self._refuse(f"{above}{key}")
        return float(said)

    def _known(self, said: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in said:
            if name not in known:
                raise BadNames("grade-points-unknown", value=self._file, name=name, known=", ".join(known))

    def _refuse(self, key: str) -> None:
        example = _EXAMPLES.get(key) or _EXAMPLES[key.partition(".")[0]]
        raise BadNames("grade-points-bad", value=self._file, name=key, example=example)
