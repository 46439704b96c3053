"""The mutants that no test can notice, each with the argument why."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path

from tests.mutants.sources import Key

FILE = Path(__file__).with_name("equivalent.toml")


def equivalents(file: Path) -> dict[Key, str]:
    """The arguments by mutant. Raises ``ValueError`` for an entry that lacks one, or stands there twice."""
    found: dict[Key, str] = {}
    for entry in tomllib.loads(file.read_text(encoding="utf-8")).get("equivalent", []):
        key = Key(entry["file"], entry["function"], entry["line"], entry["change"])
        if not entry["why"].strip() or key in found:
            raise ValueError(f"{file}: no argument, or told twice: {key}")
        found[key] = entry["why"]
    return found


def stale(listed: Collection[Key], mutants: Collection[Key], files: Collection[str]) -> list[Key]:
    """Those of the list that are no mutants of these files any more."""
    known = set(mutants)
    return [key for key in listed if key.file in files and key not in known]
