"""Which faults a seed means: the same on every machine and with every Python.

A fault's place is a digest of the seed and its name, and not what a generator of random numbers yields,
which no version of Python promises. So one that is added to the pool changes only those seeds that draw it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec

from sandbox.practice.asked import Level
from sandbox.practice.pool import EXERCISES, ONE_TABLE, TWO_TABLES, Exercise, Side

_IN_TURN: Final[tuple[Side, ...]] = ("nodes", "routes", "filters")
"""Of the hard level: one of each side."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """``stage``: the lab they happen in (``sandbox.faults.stages``)."""

    stage: str
    exercises: tuple[Exercise, ...]


def drawn(seed: int, level: Level, count: int) -> Drawn:
    """The faults, ``count`` of them: those of a smaller count, and more. ``count``: to ``MOST_FAULTS``."""
    stage = ONE_TABLE
    if level == "hard":
        stage = min((ONE_TABLE, TWO_TABLES), key=lambda name: _place(seed, level, name))
    left = [
        exercise
        for exercise in sorted(EXERCISES, key=lambda each: _place(seed, level, each.fault))
        if stage in exercise.stages and (exercise.easy or level == "hard")
    ]
    chosen: list[Exercise] = []
    for turn in range(count):
        side = _IN_TURN[turn % len(_IN_TURN)] if level == "hard" else ""
        chosen.append(next(each for each in left if side in ("", each.side) and is_apart(each, chosen)))
    return Drawn(stage=stage, exercises=tuple(chosen))


def is_apart(exercise: Exercise, others: Iterable[Exercise]) -> bool:
    """Whether it changes other things than those do, and is told by other codes."""
    return not any(
        set(exercise.touches) & set(other.touches) or exercise.data.codes & other.data.codes
        for other in others
    )


def _place(seed: int, level: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{level}\n{name}".encode()).digest()
