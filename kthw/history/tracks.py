"""One cause over the runs of a lab: when it was there, when it was gone, and whether it flaps.

The rule: a cause **flaps** where it came or went at least ``CHANGES`` times within ``WITHIN``. What comes,
stays and goes is broken, then mended, however often that happens further apart. Runs that could not look
count as neither: they change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from kthw.findings.codes import CODES
from kthw.history.run import Run
from kthw.verdict.since import Standing, Stood

CHANGES: Final = 4
WITHIN: Final = timedelta(days=7)
Seen = Literal["there", "gone", "unseen"]
State = Literal["broken", "flapping", "hidden", "quiet", "mended"]
STATES: Final[tuple[State, ...]] = ("broken", "flapping", "hidden", "quiet", "mended")
"""What a cause is by now, what needs somebody first. ``hidden``: it was there, and the last run could not
look; ``quiet``: it flaps, and is not there at the moment."""


class Change(NamedTuple):
    """The ``run``-th run saw that it came, or went."""

    run: int
    at: datetime
    came: bool


class Track:
    """``stood``: the cause as it was last told. ``seen``: what each run says of it, in the runs' order."""

    def __init__(self, stood: Stood, seen: Sequence[Seen], moments: Sequence[datetime]) -> None:
        self.stood = stood
        self.seen = tuple(seen)
        self._moments = moments
        self.changes = tuple(self._changes())
        self._stretches = tuple(self._flapped())

    def _changes(self) -> list[Change]:
        found, before = [], ""
        for n, (each, at) in enumerate(zip(self.seen, self._moments, strict=True)):
            if each == "unseen":
                continue
            if each == "there" and before != "there":
                found.append(Change(n, at, came=True))
            elif each == "gone" and before == "there":
                found.append(Change(n, at, came=False))
            before = each
        return found

    def _flapped(self) -> list[tuple[datetime, datetime]]:
        """From when to when it flapped, the first first."""
        found: list[tuple[datetime, datetime]] = []
        for n in range(CHANGES - 1, len(self.changes)):
            first, last = self.changes[n - CHANGES + 1].at, self.changes[n].at
            if last - first > WITHIN:
                continue
            if found and first <= found[-1][1]:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        return found

    @property
    def flapped(self) -> tuple[tuple[datetime, datetime], ...]:
        return self._stretches

    def flaps_at(self, moment: datetime) -> bool:
        """Whether it flapped around then."""
        return any(first <= moment <= last for first, last in self._stretches)

    @property
    def nights(self) -> int:
        """On how many days it was there."""
        days = {at.date() for each, at in zip(self.seen, self._moments, strict=True) if each == "there"}
        return len(days)

    @property
    def state(self) -> State:
        """What it is by the last run."""
        lately = self._stretches and self._moments[-1] - self._stretches[-1][1] <= WITHIN
        there = self.changes[-1].came
        if there and self.seen[-1] == "unseen":
            return "hidden"
        if lately:
            return "flapping" if there else "quiet"
        return "broken" if there else "mended"

    @property
    def since(self) -> datetime:
        """Since when it is what it is: it came, it went, or it began to flap."""
        if self.state in ("flapping", "quiet"):
            return self._stretches[-1][0]
        return self.changes[-1].at


def tracks(runs: Sequence[Run]) -> list[Track]:
    """Every cause of these runs of one lab, by its state, then in the order of a packet's way."""
    standings = [run.standing for run in runs]
    ids_last = not any(standing.private for standing in standings)
    moments = [run.moment for run in runs]
    there = [{each.known_by(ids_last=ids_last): each for each in standing.causes} for standing in standings]
    last: dict[tuple[str, str], Stood] = {}
    for each in there:
        last.update(each)
    found = [
        Track(
            stood,
            [_seen(key, stood, run, standing) for run, standing in zip(there, standings, strict=True)],
            moments,
        )
        for key, stood in last.items()
    ]
    return sorted(found, key=_order)


def _seen(
    key: tuple[str, str], stood: Stood, causes: dict[tuple[str, str], Stood], standing: Standing
) -> Seen:
    if key in causes:
        return "there"
    return "gone" if standing.would_tell(stood) else "unseen"


def _order(track: Track) -> tuple[int, int, str]:
    code = track.stood.code
    stage = int(CODES[code].stage) if code in CODES else len(CODES)
    return STATES.index(track.state), stage, code
