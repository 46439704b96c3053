"""The nights of one lab: which runs are of it, what each day came to, and what changed from run to run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final, Literal, NamedTuple

from kthw.findings.registry import AREAS
from kthw.history.run import Run
from kthw.history.tracks import Track, tracks
from kthw.verdict.since import Stood

NIGHTS: Final = 60
_LEAST: Final = 14
WRONG_ACCOUNT: Final = "wrong-account"
Cell = Literal["bad", "flap", "unseen", "good", "none"]
_WORST: Final[tuple[Cell, ...]] = ("bad", "unseen", "good", "none")
_AS_CELL: Final = {"good": "good", "bad": "bad", "unknown": "unseen"}


class Phase(NamedTuple):
    """How long one phase took, in seconds: in the last run of each night (``None``: not at all)."""

    name: str
    seconds: tuple[float | None, ...]
    last: float | None
    usual: float
    longest: float


class Event(NamedTuple):
    """A run in which something was otherwise than in the one before.

    ``uncovered``: is there, and the run before could not look at it, or had too many causes to name all.
    """

    run: Run
    before: Run | None
    came: tuple[Stood, ...]
    went: tuple[Stood, ...]
    uncovered: tuple[Stood, ...]
    blind: bool
    """Whether it could not look at all, and the one before could."""


class Night(NamedTuple):
    """A day in this machine's time, and its runs."""

    day: date
    runs: tuple[int, ...]


class Nights:
    """``runs`` of one lab, the first first, never none; shown are ``count`` days up to the last run."""

    def __init__(self, runs: Sequence[Run], count: int = NIGHTS) -> None:
        self.runs = tuple(runs)
        self.last = self.runs[-1]
        self.moments = [run.moment for run in self.runs]
        end = self.moments[-1].date()
        self._begun = self.moments[0].date()
        count = min(count, max(_LEAST, (end - self._begun).days + 1))
        of_day: dict[date, list[int]] = {}
        for n, at in enumerate(self.moments):
            of_day.setdefault(at.date(), []).append(n)
        self.nights = tuple(
            Night(day, tuple(of_day.get(day, ())))
            for day in (end - timedelta(days=back) for back in reversed(range(count)))
        )
        self._first = self.nights[0].day
        every = tracks(self.runs)
        self.tracks = tuple(track for track in every if self._is_shown(track))
        self._every = every

    def _is_shown(self, track: Track) -> bool:
        return any(
            seen == "there" and at.date() >= self._first
            for seen, at in zip(track.seen, self.moments, strict=True)
        )

    @property
    def areas(self) -> tuple[str, ...]:
        """Those of which anything was asked, in the order of the path."""
        asked = {area for run in self.runs for area, share in run.areas.items() if share.state != "none"}
        return tuple(area for area in AREAS if area in asked)

    def verdict(self, night: Night) -> Cell:
        """The worst that any of its runs came to."""
        return _worst(_AS_CELL[self.runs[n].verdict] for n in night.runs)

    def of_area(self, area: str, night: Night) -> Cell:
        """The same of one area."""
        shares = (self.runs[n].areas.get(area) for n in night.runs)
        return _worst(share.state for share in shares if share)

    def of_track(self, track: Track, night: Night) -> Cell:
        """Whether it was there in any of its runs; if not, whether any could not look."""
        seen = {track.seen[n] for n in night.runs}
        if "there" in seen:
            return "flap" if any(track.flaps_at(self.moments[n]) for n in night.runs) else "bad"
        return "unseen" if "unseen" in seen else "good" if seen else "none"

    def count(self, cell: Cell) -> int:
        """How many of the nights since the first run came to that."""
        return sum(self.verdict(night) == cell for night in self.nights if night.day >= self._begun)

    @property
    def since(self) -> datetime:
        """Since which run it is as it is now: all holding, something wrong, or not looked at."""
        since = self.moments[-1]
        for run, at in zip(reversed(self.runs), reversed(self.moments), strict=True):
            if run.verdict != self.last.verdict:
                break
            since = at
        return since

    def events(self) -> list[Event]:
        """What changed within the shown nights, the latest first."""
        return [event for event in self.every_event() if event.run.moment.date() >= self._first]

    def every_event(self) -> list[Event]:
        """What changed in all runs, the latest first."""
        came: dict[int, list[Stood]] = {}
        went: dict[int, list[Stood]] = {}
        uncovered: dict[int, list[Stood]] = {}
        for track in self._every:
            for change in track.changes:
                hidden = change.run > 0 and track.seen[change.run - 1] == "unseen"
                which = went if not change.came else uncovered if hidden else came
                which.setdefault(change.run, []).append(track.stood)
        found = []
        for n, run in enumerate(self.runs):
            before = self.runs[n - 1] if n else None
            blind = run.verdict == "unknown" and (before is None or before.verdict != "unknown")
            new, gone, found_now = (tuple(each.get(n, ())) for each in (came, went, uncovered))
            event = Event(run, before, new, gone, found_now, blind)
            if event.came or event.went or event.uncovered or event.blind:
                found.append(event)
        return found[::-1]

    def whole(self) -> Phase:
        """How long the runs took in all; its name is empty."""
        seconds = tuple(
            self.runs[night.runs[-1]].figures.seconds if night.runs else None for night in self.nights
        )
        there = [each for each in seconds if each is not None]
        return Phase("", seconds, self.last.figures.seconds, median(there), max(there))

    def phases(self) -> list[Phase]:
        """In the order in which the last runs went through them."""
        of_nights = [self.runs[night.runs[-1]].phases if night.runs else {} for night in self.nights]
        names = dict.fromkeys(name for phases in reversed(of_nights) for name in phases)
        found = []
        for name in names:
            seconds = tuple(phases.get(name) for phases in of_nights)
            there = [each for each in seconds if each is not None]
            found.append(Phase(name, seconds, self.last.phases.get(name), median(there), max(there)))
        return found


def labs(runs: Iterable[Run]) -> list[list[Run]]:
    """The runs of each lab, in their order; the lab that was looked at last comes first.

    A run that never came to know its account (no credentials), or that met another than it was to, is a night
    of the lab with the same workers that was looked at before it, or else after.
    """
    known: dict[tuple[str, str, bool, str, str], list[Run]] = {}
    astray = []
    for run in runs:
        if run.target.account and all(error.code != WRONG_ACCOUNT for error in run.errors):
            known.setdefault(run.place, []).append(run)
        else:
            astray.append(run)
    for run in astray:
        alike = [each for each in known.values() if each[0].place[:2] == run.place[:2]]
        home = max(alike, key=lambda each: _nearness(each, run), default=None)
        if home is None:
            known[run.place] = [run]
        else:
            home.append(run)
    found = [sorted(each, key=lambda run: run.moment) for each in known.values()]
    return sorted(found, key=lambda each: each[-1].moment, reverse=True)


def _nearness(runs: Sequence[Run], run: Run) -> tuple[bool, float]:
    moment = run.moment
    before = [each.moment.timestamp() for each in runs if each.moment <= moment]
    return bool(before), max(before) if before else -runs[0].moment.timestamp()


def _worst(states: Iterable[str]) -> Cell:
    there = set(states)
    return next((each for each in _WORST if each in there), "none")
