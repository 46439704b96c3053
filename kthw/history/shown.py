"""The history and a comparison on a terminal, from 60 columns up."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

from kthw.history.comparison import SIGNS, Comparison
from kthw.history.nights import Event, Nights, labs
from kthw.history.run import Run
from kthw.history.told import came, place_told, side_told, state_told, verdict_told, went
from kthw.verdict.outcome import SIGNS as VERDICT_SIGNS
from kthw.verdict.since import KINDS, Stood
from kthw.words.messages import Catalogue
from kthw.words.moments import moment_here
from kthw.words.pasting import one_line

_LEAST: Final = 60
_MOST: Final = 110
_MOST_CAUSES: Final = 20


class Shown:
    """Lines of text, for a terminal of so many columns."""

    def __init__(self, words: Catalogue, columns: int) -> None:
        self._words = words
        self._width = max(_LEAST, min(columns, _MOST))

    def history(self, runs: Sequence[Run], last: int) -> Iterator[str]:
        """The last runs of each lab, the latest first, each by its number; then how its causes stand."""
        number = {id(run): len(runs) - n for n, run in enumerate(runs)}
        for of_lab in labs(runs):
            nights = Nights(of_lab)
            yield from self._wrapped(place_told(nights.last, self._words))
            events = {id(event.run): event for event in nights.every_event()}
            for run in reversed(of_lab[-last:]):
                yield from self._run(run, number[id(run)], events.get(id(run)))
            more = len(of_lab) - last
            if more > 0:
                yield from self._wrapped(self._words.say("history-more-runs", count=more), "      ")
            if nights.tracks:
                yield ""
            for track in nights.tracks[:_MOST_CAUSES]:
                yield from self._wrapped(state_told(track, self._words), "  ", "    ")
            more = len(nights.tracks) - _MOST_CAUSES
            if more > 0:
                yield from self._wrapped(self._words.say("history-more-causes", count=more), "  ")
            yield ""

    def _run(self, run: Run, number: int, event: Event | None) -> Iterator[str]:
        verdict = f"{VERDICT_SIGNS[run.verdict]} {verdict_told(run, self._words)}"
        at = moment_here(run.at, self._words)
        line = f"{number:>4}  {at}  {verdict}"
        took = f"  {run.figures.seconds:.1f} s"
        yield from self._wrapped(line + took if len(line + took) <= self._width else line, after="      ")
        for said in (came(event, self._words), went(event, self._words)) if event else ():
            if said:
                yield from self._wrapped(said, "      ", "        ")

    def comparison(self, compared: Comparison) -> Iterator[str]:
        """Which two, which causes, what changed."""
        say = self._words.say
        yield from self._wrapped(say("history-was", which=side_told(compared.was, self._words)), "", "  ")
        yield from self._wrapped(say("history-now", which=side_told(compared.now, self._words)), "", "  ")
        for doubt in compared.doubts:
            yield from self._wrapped(say(doubt), "! ", "  ")
        yield ""
        for kind in KINDS:
            causes = compared.causes.of(kind)
            if causes:
                yield f"{SIGNS[kind]} {say(f'history-causes-{kind}')} ({len(causes)})"
                yield from self._causes(causes)
        if not any(map(compared.causes.of, KINDS)):
            yield from self._wrapped(say("history-no-causes"))
        yield ""
        if compared.changes is None:
            yield from self._wrapped(say("history-no-recording"))
            return
        if not compared.changes:
            yield from self._wrapped(say("history-no-changes"))
            return
        at = moment_here(compared.now.at, self._words)
        before = moment_here(compared.was.at, self._words)
        yield from self._wrapped(say("history-changed", at=at, before=before))
        for each in compared.changes:
            yield from self._wrapped(each.said(self._words), "- ", "  ")

    def _causes(self, causes: Sequence[Stood]) -> Iterator[str]:
        for each in causes:
            yield from self._wrapped(f"{each.code} · {one_line(each.subject)}", "    ", "      ")

    def _wrapped(self, text: str, first: str = "", after: str = "") -> Iterator[str]:
        yield from textwrap.wrap(
            text,
            self._width,
            initial_indent=first,
            subsequent_indent=after or first,
            break_long_words=False,
            break_on_hyphens=False,
        )
