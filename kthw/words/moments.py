"""A moment as its reader writes it.

Each says its zone: 27 Nov 2026, 01:43 UTC. A page or a screen has one clock: a report's is that of the
recording (``moment``); the history's, where nights are days, is this machine's (``moment_here``).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from kthw.foreign import printable
from kthw.words.messages import Catalogue

_MOST: Final = 40


def moment(at: str, words: Catalogue) -> str:
    """``at``: in ISO 8601, with its zone. What is none stays as it is, fit to be shown."""
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        return printable(at, _MOST)
    offset = when.strftime("%z")
    zone = "" if not offset else "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"
    day, year, time = f"{when:%d}", f"{when:%Y}", f"{when:%H:%M}"
    return words.say("moment", day=day, month=month_told(when, words), year=year, time=time, zone=zone)


def moment_of(text: str) -> datetime | None:
    """``text`` as a moment in this machine's time; ``None`` where it is none that says its zone."""
    try:
        said = datetime.fromisoformat(text)
        return said.astimezone() if said.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def moment_here(at: str, words: Catalogue) -> str:
    """The same in this machine's time, as the history counts its days."""
    here = moment_of(at)
    return moment(here.isoformat() if here else at, words)


def day_told(day: date, words: Catalogue) -> str:
    """``Tue 24 Nov 2026``."""
    weekday = words.say("moment-weekdays").split()[day.weekday()]
    return f"{weekday} {day.day} {month_told(day, words)} {day.year}"


def month_told(day: date, words: Catalogue) -> str:
    """``Nov``."""
    return words.say("moment-month-names").split()[day.month - 1]
