"""``history.jsonl``: written by runs side by side, one whole line each, and read though some line is bad.

A line is written with one ``write`` to a file opened for appending, under a lock that the kernel drops with
the process. What a killed run left half is ended before the next line, and costs its own line only.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from kthw import whole_file
from kthw.foreign import printable
from kthw.history.run import Run, decoded, encoded
from kthw.observed import bounded_file

FILE: Final = "history.jsonl"
MOST_BYTES: Final = 8_000_000
"""Where it would become larger, the older half is dropped: years of nights of a few workers."""
MOST_READ: Final = 64_000_000
_MOST_SHOWN: Final = 120
_AHEAD: Final = timedelta(days=1)
"""How far clocks may be apart. A line of later than that would hide all those before it."""


class BadLine(NamedTuple):
    """A line that is none of ours, by its number, and what is wrong with it."""

    number: int
    detail: str


class Read(NamedTuple):
    """``runs`` by when they looked, the first first."""

    runs: tuple[Run, ...]
    bad: tuple[BadLine, ...]


def append(file: Path, run: Run) -> None:
    """Add a line. Raises ``OSError``; then the file is as it was."""
    descriptor = _locked(file)
    try:
        size = os.fstat(descriptor).st_size
        begun = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        line = b"\n" * begun + encoded(run) + b"\n"
        if size + len(line) > MOST_BYTES:
            _replaced(file, descriptor, line.lstrip(b"\n"))
            return
        written = os.write(descriptor, line)
        if written < len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
    finally:
        os.close(descriptor)


def join(file: Path, runs: Iterable[Run]) -> int:
    """Add those of ``runs`` that are not there yet, in their order; how many. Raises ``OSError``."""
    there = {encoded(run) for run in read(file).runs} if file.exists() else set()
    joined = 0
    for run in runs:
        line = encoded(run)
        if line not in there:
            append(file, run)
            there.add(line)
            joined += 1
    return joined


def read(file: Path, most: int = MOST_READ, now: datetime | None = None) -> Read:
    """All that is in it, each run once, of at most ``most`` bytes.

    Raises ``OSError`` where it cannot be read or is too large.
    """
    runs: dict[bytes, Run] = {}
    bad = []
    latest = (now or datetime.now().astimezone()) + _AHEAD
    for number, line in enumerate(bounded_file.read(file, most).split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            run = decoded(line)
            if run.moment > latest:
                bad.append(BadLine(number, f"at: {run.at}, which is still to come"))
                continue
            runs.setdefault(line.strip(), run)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            bad.append(BadLine(number, printable(str(problem), _MOST_SHOWN)))
    return Read(tuple(sorted(runs.values(), key=lambda run: run.moment)), tuple(bad))


def _locked(file: Path) -> int:
    """The file opened for appending, made if need be, and locked: the one that bears the name by then."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    while True:
        descriptor = os.open(file, flags, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "no regular file", str(file))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Whoever had the lock may have put a shorter file in its place meanwhile.
            if file.exists() and os.path.samestat(file.stat(), os.fstat(descriptor)):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _replaced(file: Path, descriptor: int, line: bytes) -> None:
    """The newer half of the lines and one more, in the place of the file, whole or not at all."""
    with open(descriptor, "rb", closefd=False) as opened:
        opened.seek(0)
        kept = opened.read(MOST_READ)[-MOST_BYTES // 2 :].partition(b"\n")[2]
    if kept and not kept.endswith(b"\n"):
        kept += b"\n"
    whole_file.write(file, kept + line)
