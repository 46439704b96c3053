"""What came of an exercise so far: kept in the sandbox's folder, where the shell's commands write it.

The score is of 100. Each fault has an equal part of it, got when a look finds it mended; each hint about it
costs a share of that part. What is revealed is worth nothing. All of it is kept by the machine of whoever
practises, who may write there what he likes: it is for comparing, and proves nothing. What does is the
recording beside it, which is judged again with ``--evidence``.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from sandbox.practice.asked import Level
from sandbox.practice.draw import Drawn, drawn
from sandbox.practice.pool import Exercise

SHARES: Final = (10, 20, 30)
"""What the hints about one fault cost, in turn, in hundredths of its part."""
_FILE: Final = "practice.json"
_LOCK: Final = "practice.lock"


class Session(msgspec.Struct, kw_only=True):
    """``hints``: how many were given about each fault. ``mended``: of each, whether a look found it so,
    before anything was revealed. ``solved``: a look found everything in order. ``seconds``: until the look
    that did, or the last one.
    """

    seed: int
    level: Level
    count: int
    language: str
    started: float
    hints: list[int] = []
    mended: list[bool] = []
    checks: int = 0
    revealed: bool = False
    solved: bool = False
    seconds: int = 0

    @classmethod
    def new(cls, seed: int, level: Level, count: int, language: str) -> Session:
        """One that begins now."""
        return cls(
            seed=seed,
            level=level,
            count=count,
            language=language,
            started=time.time(),
            hints=[0] * count,
            mended=[False] * count,
        )

    @property
    def drawn(self) -> Drawn:
        """Its lab and its faults."""
        return drawn(self.seed, self.level, self.count)

    @property
    def score(self) -> int:
        """From 0 to 100."""
        parts = (
            100 - sum(SHARES[:given]) for given, mended in zip(self.hints, self.mended, strict=True) if mended
        )
        return round(sum(parts) / self.count)

    @property
    def best(self) -> int:
        """The score if all that is left is mended, and no more hints are taken."""
        if self.revealed:
            return self.score
        return msgspec.structs.replace(self, mended=[True] * self.count).score

    def looked(self, codes: set[str], *, everything: bool, right: bool) -> None:
        """Note what a look found: the ``codes`` of what is wrong, whether it could see ``everything``, and
        whether all is ``right``.

        What a look did not see is not mended; nor is one thing by another that is wrong in its place.
        """
        self.solved = self.solved or right
        if not self.solved or not self.seconds:
            self.seconds = round(time.time() - self.started)
        exercises = self.drawn.exercises
        known = {code for exercise in exercises for code in exercise.data.codes}
        if self.revealed or not everything or codes - known:
            return
        for number, exercise in enumerate(exercises):
            self.mended[number] = self.mended[number] or not exercise.data.codes & codes

    def take_hint(self) -> tuple[Exercise, int, int] | None:
        """The fault that the next hint is about, its number from 1 and the hint's, which is paid for with it;
        ``None`` where all have been given.

        About one fault after another, those that are still there.
        """
        for number, exercise in enumerate(self.drawn.exercises):
            if not self.mended[number] and self.hints[number] < len(SHARES):
                self.hints[number] += 1
                return exercise, number + 1, self.hints[number]
        return None

    def result(self) -> dict[str, Any]:
        """As it is kept with the recording."""
        return {
            "seed": self.seed,
            "level": self.level,
            "faults": self.count,
            "hints": sum(self.hints),
            "checks": self.checks,
            "mended": sum(self.mended),
            "revealed": self.revealed,
            "solved": self.solved,
            "score": self.score,
            "seconds": self.seconds,
        }


def write(directory: Path, session: Session) -> None:
    """Keep it in the sandbox's ``directory``, whole or not at all. Raises ``OSError``."""
    fresh = directory / f".{_FILE}.new"
    fresh.touch(0o600)
    fresh.write_bytes(msgspec.json.encode(session))
    fresh.replace(directory / _FILE)


def read(directory: Path) -> Session:
    """What is kept there. Raises ``OSError`` where the sandbox has ended."""
    return msgspec.json.decode((directory / _FILE).read_bytes(), type=Session)


@contextlib.contextmanager
def kept(directory: Path) -> Iterator[Session]:
    """The session, written again at the end of a ``with``; two terminals take turns. Raises ``OSError``."""
    with (directory / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        session = read(directory)
        yield session
        write(directory, session)
