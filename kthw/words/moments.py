"""A moment as a reader writes it: 27 Nov 2026, 01:43 UTC in English, 27/11/2026 01:43 UTC in Portuguese."""

from __future__ import annotations

from datetime import datetime

from kthw.words.messages import Catalogue


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
