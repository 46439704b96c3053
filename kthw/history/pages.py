"""The page of the nights, and the page of a comparison: one file each, offline, without a script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Final

from msgspec import Struct

from kthw.history.comparison import SIGNS, Comparison
from kthw.history.nights import Cell, Event, Night, Nights, Phase, labs
from kthw.history.noted import Change
from kthw.history.run import Run
from kthw.history.told import came, other_versions, place_told, side_told, state, went
from kthw.history.tracks import CHANGES, WITHIN, Track
from kthw.verdict.outcome import SIGNS as VERDICT_SIGNS
from kthw.verdict.since import KINDS
from kthw.verdict.templating import style, template
from kthw.words.messages import Catalogue
from kthw.words.moments import day_told, moment_here, month_told

_CELLS: Final[dict[Cell, str]] = {"bad": "✗", "flap": "≈", "unseen": "!", "good": "✓", "none": ""}
_ABSENT: Final = "·"
_MOST_LABS: Final = 8
_MOST_ROWS: Final = 60
_MOST_OPEN: Final = 8
_MOST_EVENTS: Final = 40
_NEEDS: Final = ("broken", "flapping", "hidden")
_STALE_DAYS: Final = 2

Between = Callable[[Run, Run], Sequence[Change]]
"""What changed in the network between two runs, as far as recordings of both are kept."""


class Square(Struct, frozen=True):
    """A cell of the grid: its look, its sign, and in words for whoever stays on it."""

    look: str
    sign: str
    title: str


class Row(Struct, frozen=True):
    """``label`` and ``about``: a code and its subject, or an area."""

    label: str
    about: str
    chip: str
    squares: tuple[Square, ...]


class Happened(Struct, frozen=True):
    """What a run told that the one before did not."""

    at: str
    look: str
    sentences: tuple[str, ...]
    changes: tuple[str, ...]


class Section(Struct, frozen=True, kw_only=True):
    """One lab, as the page shows it."""

    place: str
    kind: str
    local: bool
    said: str
    stale: str
    counts: tuple[tuple[str, str], ...]
    needs: tuple[tuple[Track, str], ...]
    past: tuple[tuple[Track, str], ...]
    months: tuple[tuple[str, int], ...]
    days: tuple[int, ...]
    whole: Row
    areas: tuple[Row, ...]
    causes: tuple[Row, ...]
    more_causes: int
    events: tuple[Happened, ...]
    more_events: int
    phases: tuple[tuple[str, Phase], ...]


def nights_page(runs: Sequence[Run], count: int, words: Catalogue, now: datetime, between: Between) -> str:
    """The last ``count`` nights of each lab. ``now``: when the page is made."""
    each_lab = labs(runs)
    shown = [_Made(Nights(each, count), words, now, between).section() for each in each_lab[:_MOST_LABS]]
    say = words.say
    return template("history.html.j2").render(
        words=words,
        say=say,
        style=style("report.css"),
        own_style=style("history.css"),
        made=say("history-made", at=moment_here(now.isoformat(), words), count=len(runs), nights=count),
        sections=shown,
        most=_MOST_OPEN,
        more_labs=max(0, len(each_lab) - _MOST_LABS),
        signs=VERDICT_SIGNS,
        rule=say("history-rule", changes=CHANGES, days=WITHIN.days),
        legend=[(look, _CELLS[look] or " ", say(f"history-cell-{look}")) for look in _CELLS]
        + [("absent", _ABSENT, say("history-cell-absent"))],
        seconds=lambda value: "–" if value is None else _seconds(value, words),
    )


def comparison_page(compared: Comparison, words: Catalogue) -> str:
    """Which two, which causes, what changed."""
    changed = None if compared.changes is None else [each.said(words) for each in compared.changes]
    return template("compare.html.j2").render(
        words=words,
        say=words.say,
        style=style("report.css"),
        own_style=style("history.css"),
        was=side_told(compared.was, words),
        now=side_told(compared.now, words),
        doubts=[words.say(doubt) for doubt in compared.doubts],
        causes=[(kind, SIGNS[kind], compared.causes.of(kind)) for kind in KINDS if compared.causes.of(kind)],
        changes=changed,
        heading=words.say(
            "history-changed",
            at=moment_here(compared.now.at, words),
            before=moment_here(compared.was.at, words),
        ),
    )


class _Made:
    def __init__(self, nights: Nights, words: Catalogue, now: datetime, between: Between) -> None:
        self._nights = nights
        self._words = words
        self._now = now
        self._between = between

    def section(self) -> Section:
        nights, words = self._nights, self._words
        kind = nights.last.verdict
        events = nights.events()
        looks: tuple[tuple[str, Cell], ...] = (
            ("good", "good"), ("bad", "bad"), ("unknown", "unseen"), ("skipped", "none"),
        )  # fmt: skip
        told = [(track, state(track, words)) for track in nights.tracks]
        return Section(
            place=place_told(nights.last, words),
            kind=kind,
            local=nights.last.target.local,
            said=words.say(
                f"history-now-{kind}",
                count=len(nights.last.causes) + nights.last.cut,
                since=day_told(nights.since.date(), words),
            ),
            stale=self._stale(),
            counts=tuple(
                (look, words.say(f"history-nights-{cell}", count=nights.count(cell)))
                for look, cell in looks
                if nights.count(cell)
            ),
            needs=tuple(each for each in told if each[0].state in _NEEDS),
            past=tuple(each for each in told if each[0].state not in _NEEDS),
            months=tuple(
                (f"{month_told(each[0].day, words)}", len(each))
                for each in (
                    list(of_month)
                    for _, of_month in groupby(
                        nights.nights, key=lambda night: (night.day.year, night.day.month)
                    )
                )
            ),
            days=tuple(night.day.day for night in nights.nights),
            whole=self._row(words.say("history-grid-all"), "", "", nights.verdict),
            areas=tuple(map(self._area, nights.areas)),
            causes=tuple(self._cause(track) for track in nights.tracks[:_MOST_ROWS]),
            more_causes=max(0, len(nights.tracks) - _MOST_ROWS),
            events=tuple(self._happened(event) for event in events[:_MOST_EVENTS]),
            more_events=max(0, len(events) - _MOST_EVENTS),
            phases=tuple((self._phase_name(phase.name), phase) for phase in self._phases()),
        )

    def _stale(self) -> str:
        days = (self._now - self._nights.moments[-1]).days
        return self._words.say("history-stale", days=days) if days >= _STALE_DAYS else ""

    def _row(
        self, label: str, about: str, chip: str, look: Callable[[Night], Cell], good: str = "good"
    ) -> Row:
        squares = []
        for night in self._nights.nights:
            cell = look(night)
            shown = good if cell == "good" else cell
            said = self._words.say(f"history-cell-{shown}")
            title = self._words.say("history-cell", day=day_told(night.day, self._words), said=said)
            squares.append(Square(shown, _ABSENT if shown == "absent" else _CELLS[cell], title))
        return Row(label, about, chip, tuple(squares))

    def _area(self, area: str) -> Row:
        return self._row(self._words.say(f"report-area-{area}"), "", "", partial(self._nights.of_area, area))

    def _cause(self, track: Track) -> Row:
        chip = self._words.say(f"history-chip-{track.state}")
        stood = track.stood
        return self._row(
            stood.code, stood.subject, chip, lambda night: self._nights.of_track(track, night), "absent"
        )

    def _happened(self, event: Event) -> Happened:
        words = self._words
        look = "bad" if event.came or event.uncovered else "unknown" if event.blind else "good"
        sentences = (came(event, words), went(event, words), other_versions(event, words))
        changes = self._between(event.before, event.run) if event.before else ()
        return Happened(
            moment_here(event.run.at, words),
            look,
            tuple(filter(None, sentences)),
            tuple(each.said(words) for each in changes),
        )

    def _phases(self) -> list[Phase]:
        return [self._nights.whole(), *self._nights.phases()]

    def _phase_name(self, name: str) -> str:
        key = f"run-phase-{name}" if name else "history-phase-whole"
        said = self._words.say(key)
        return name if said == key else said


def _seconds(value: float, words: Catalogue) -> str:
    said = f"{value:.1f}"
    return said.replace(".", ",") if words.language == "pt-BR" else said
