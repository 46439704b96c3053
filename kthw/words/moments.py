"""A moment as its reader writes it.

``moment`` is in the zone it was recorded in, which it says: 27 Nov 2026, 01:43 UTC; the others are in this
machine's time: Tue 24 Nov 2026 04:23.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from kthw.foreign import printable
from kthw.words.messages import Catalogue

_MOST: Final = 40


def moment(at: str, words: Catalogue) -> str:
    """``at``: in ISO 8601, with its zone. What is none stays as it is: a recording may say anything."""
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        return at
    offset = when.strftime("%z")
    zone = "" if not offset else "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"
    months = words.say("moment-months").split()
    day, year, time = f"{when:%d}", f"{when:%Y}", f"{when:%H:%M}"
    return words.say("moment", day=day, month=months[when.month - 1], year=year, time=time, zone=zone)


def moment_of(text: str) -> datetime | None:
    """``text`` as a moment in this machine's time; ``None`` where it is none that says its zone."""
    try:
        said = datetime.fromisoformat(text)
        return said.astimezone() if said.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None


def moment_told(text: str, words: Catalogue) -> str:
    """``Tue 24 Nov 2026 04:23``; what is no moment stays as it is."""
    at = moment_of(text)
    return f"{day_told(at.date(), words)} {at:%H:%M}" if at else printable(text, _MOST)


def day_told(day: date, words: Catalogue) -> str:
    """``Tue 24 Nov 2026``."""
    weekday = words.say("moment-weekdays").split()[day.weekday()]
    return f"{weekday} {day.day} {month_told(day, words)} {day.year}"


def month_told(day: date, words: Catalogue) -> str:
    """``Nov``."""
    return words.say("moment-month-names").split()[day.month - 1]
