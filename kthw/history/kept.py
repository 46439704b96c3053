"""Whole recordings beside the history: ``history/20261124T042300Z-812.json``, the oldest dropped."""

from __future__ import annotations

import contextlib
import os
import re
import time
from datetime import UTC
from pathlib import Path
from typing import Final

from kthw import whole_file
from kthw.words.moments import moment_of

FOLDER: Final = "history"
_OURS: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]{1,10}\.json")

_HALF: Final = re.compile(rf"\.{_OURS.pattern}(?:\.[0-9]{{1,10}})?")
_STALE_SECONDS: Final = 3600
"""Writing a recording takes seconds."""


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
    whole_file.write(folder / name, content)
    for each in folder.iterdir():
        if _HALF.fullmatch(each.name):
            _drop_stale(each)
    ours = sorted(each.name for each in folder.iterdir() if _OURS.fullmatch(each.name))
    for old in ours[: max(0, len(ours) - most)]:
        (folder / old).unlink(missing_ok=True)


def _drop_stale(half: Path) -> None:
    """What a killed run left half; one that is young may be a run's that is writing it just now."""
    with contextlib.suppress(FileNotFoundError):  # that run has finished it
        if time.time() - half.stat().st_mtime > _STALE_SECONDS:
            half.unlink()


def recording_of(reports: Path, name: str) -> Path | None:
    """Where the recording of a run is, if it was kept and is there still."""
    file = reports / FOLDER / name
    return file if name and file.is_file() else None
