"""Whole recordings beside the history: ``history/20261124T042300Z-812.json``, the oldest dropped."""

from __future__ import annotations

import os
import re
from datetime import UTC
from pathlib import Path
from typing import Final

from kthw.words.moments import moment_of

FOLDER: Final = "history"
_OURS: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{1,10}\.json")


def name_of(at: str) -> str:
    """What the recording of this process' run is called; empty where ``at`` is no moment."""
    moment = moment_of(at)
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.json" if moment else ""


def keep(reports: Path, name: str, content: bytes, most: int) -> None:
    """Keep a recording under ``name``, and of all that are kept the newest ``most``. Raises ``OSError``.

    Files of other names in the folder are somebody else's.
    """
    folder = reports / FOLDER
    folder.mkdir(exist_ok=True)
    new = folder / f".{name}"
    try:
        new.write_bytes(content)
        new.replace(folder / name)
    finally:
        new.unlink(missing_ok=True)
    ours = sorted(each.name for each in folder.iterdir() if _OURS.fullmatch(each.name))
    for old in ours[: max(0, len(ours) - most)]:
        (folder / old).unlink(missing_ok=True)


def recording_of(reports: Path, name: str) -> Path | None:
    """Where the recording of a run is, if it was kept and is there still."""
    file = reports / FOLDER / name
    return file if name and file.is_file() else None
