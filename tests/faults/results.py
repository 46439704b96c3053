"""What a run of the catalogue found: one JSON line per case, in the file named by ``KTHW_FAULT_RESULTS``."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import msgspec

VARIABLE: Final = "KTHW_FAULT_RESULTS"


class Result(msgspec.Struct, kw_only=True):
    """``kind``: ``fault``, ``pair`` or ``healthy``. ``found``: what was said, each ``code worker``.

    ``caught``: something was said; ``exact``: just what was expected. ``mended``: the printed commands alone
    put it right. ``packets``: measured between workers, ``agreed``: every one had the predicted fate.
    ``promised``: pairs of which was said what a fix does to them, ``broken``: those that came otherwise.
    """

    name: str
    kind: str
    expected: list[str] = []
    found: list[str] = []
    exact: bool = False
    mended: bool = False
    by_command: bool = True
    rounds: int = 0
    packets: int = 0
    agreed: bool = False
    promised: int = 0
    broken: list[str] = []
    seconds: float = 0.0

    @property
    def caught(self) -> bool:
        return bool(self.found)


def write(result: Result) -> None:
    """Append it, in one write, where the variable says; nothing where it is not set."""
    name = os.environ.get(VARIABLE)
    if name:
        with Path(name).open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(result) + b"\n")


def read(path: Path) -> list[Result]:
    """All results in the file, in the order they came in."""
    return [msgspec.json.decode(line, type=Result) for line in path.read_bytes().splitlines()]


def why_no_whole_run(ran: Sequence[Result], cases: Collection[str]) -> str:
    """Why these are not the results of one run of all ``cases``; empty when they are.

    A case that was run again after it failed must not stand for the run in which it failed.
    """
    names = Counter(result.name for result in ran)
    again = [name for name, times in names.items() if times > 1]
    if again:
        return f"more than one result for {again[0]!r}: this is not one run"
    differing = sorted(set(cases) ^ set(names))
    return (
        f"{len(differing)} cases differ, such as {differing[0]!r}: this is not a whole run"
        if differing
        else ""
    )
