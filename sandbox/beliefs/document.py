"""What was found, as one JSON document and as lines for a person."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sandbox.beliefs.belief import Found

_MARKS: Final = {True: "✓", False: "✗", None: "?"}
_NOBODY: Final = "123456789012"
"""In every place of the account's number: whoever looked may hand the document on."""


def line(found: Found, say: Callable[..., str]) -> str:
    """A line of the table; below one that does not hold, what was expected and seen."""
    facts = {"expected": found.belief.expected, "observed": found.observed}
    said = f"{_MARKS[found.holds]} {say(f'belief-{found.belief.name}')}"
    if found.holds:
        return said
    return f"{said}\n    {say('beliefs-not-seen' if found.holds is None else 'beliefs-otherwise', **facts)}"


def write(
    path: Path, where: dict[str, str], found: Sequence[Found], left: Sequence[Any], seconds: float
) -> None:
    """One document of ``schema`` 1. Raises ``OSError``."""
    counted = [each.holds for each in found]
    document = {
        "schema": 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "target": where,
        "summary": {
            "hold": counted.count(True),
            "do not hold": counted.count(False),
            "could not look": counted.count(None),
            "seconds": round(seconds, 1),
        },
        "beliefs": [each.row for each in found],
        "left": [{"kind": kind, "id": identifier, "why": why} for kind, identifier, why in left],
    }
    text = json.dumps(document, indent=1, default=str, ensure_ascii=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(where["account"], _NOBODY) + "\n", encoding="utf-8")
