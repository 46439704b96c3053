"""Moments as a person of that language writes them, in this machine's time: ``Tue 24 Nov 2026 04:23``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from kthw.foreign import printable
from kthw.words.messages import Catalogue

_MOST: Final = 40


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
    weekday = words.say("since-weekdays").split()[day.weekday()]
    return f"{weekday} {day.day} {month_told(day, words)} {day.year}"


def month_told(day: date, words: Catalogue) -> str:
    """``Nov``."""
    return words.say("since-months").split()[day.month - 1]
