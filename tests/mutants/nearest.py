"""Which tests run which lines, and how long each takes: what is asked of a mutant, and in what order."""

from __future__ import annotations

import functools
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple

Line = tuple[str, int]
_OF_ITS_OWN: Final = 8
"""So many cases of a function are asked in a turn where its file bears the changed module's name."""


class Seen(NamedTuple):
    """One test: the seconds of processor it took, and the (file, line) it ran."""

    seconds: float
    lines: frozenset[Line]


class Name(NamedTuple):
    """Of a test: the file it is in, without its ending, and its function, whatever the case."""

    module: str
    function: str


def bears(tests: str, module: str) -> bool:
    """Whether that file of tests is named after the module, alone or with what of it is asked."""
    return f"{tests}_".startswith(f"test_{module}_")


class Nearest:
    """The tests by the lines they run. ``names``: of each, the file without its ending, and the function."""

    def __init__(self, tests: dict[int, Seen], names: dict[int, Name]) -> None:
        self._names = names
        self.seconds = {test: seen.seconds for test, seen in tests.items()}
        self._by_line: dict[Line, set[int]] = defaultdict(set)
        for test, seen in tests.items():
            for line in seen.lines:
                self._by_line[line].add(test)
        self._kills: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def of(self, path: str, lines: Iterable[int], function: str) -> list[int]:
        """The tests that run any of the lines: what has noticed changes of ``function``, then of its module,
        then what bears the module's name, then the quick. Of the judgement nearly every test runs something.
        """
        own = Path(path).stem
        kills, of_module = self._kills[function], self._kills[path]
        return sorted(
            {test for line in lines for test in self._by_line.get((path, line), ())},
            key=lambda test: (
                -kills[test], -of_module[test], not bears(self._names[test].module, own),
                self.seconds[test], test,
            ),
        )  # fmt: skip

    def in_turn(self, path: str, tests: Iterable[int]) -> list[int]:
        """``tests``, their functions taking turns: the hundred cases of one ask for the same. In a turn more
        are asked of what bears the module's name.
        """
        turns = self._turns(tests, Path(path).stem)
        return sorted(turns, key=lambda test: (turns[test], self.seconds[test], test))

    def _turns(self, tests: Iterable[int], own: str) -> dict[int, int]:
        so_far: dict[Name, int] = defaultdict(int)
        turns = {}
        for test in sorted(tests, key=lambda test: (self.seconds[test], test)):
            name = self._names[test]
            turns[test] = so_far[name] // (_OF_ITS_OWN if bears(name.module, own) else 1)
            so_far[name] += 1
        return turns

    def running(self) -> dict[str, list[int]]:
        """The tests that run anything of a file, by file: the quick ones first."""
        found: dict[str, set[int]] = defaultdict(set)
        for (path, _), tests in self._by_line.items():
            found[path] |= tests
        return {path: sorted(tests, key=lambda test: self.seconds[test]) for path, tests in found.items()}

    def noticed(self, path: str, function: str, test: int) -> None:
        """That test has noticed a change of ``function``, in that file."""
        self._kills[function][test] += 1
        self._kills[path][test] += 1


@contextmanager
def watching(paths: frozenset[str]) -> Iterator[Callable[[], Seen]]:
    """Within it, lines of the files are noted; what is yielded tells of them afterwards."""
    unseen: dict[CodeType, set[int]] = {}
    seconds = 0.0

    def within(frame: FrameType, event: str, _: Any) -> Any:
        left = unseen[frame.f_code]
        if event == "line":
            left.discard(frame.f_lineno)
        return within if left else None

    def calls(frame: FrameType, _event: str, _: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in paths:
            return None
        if code not in unseen:
            unseen[code] = set(_lines(code))
        return within if unseen[code] else None

    def seen() -> Seen:
        each = ((code.co_filename, n) for code, left in unseen.items() for n in _lines(code) if n not in left)
        return Seen(seconds, frozenset(each))

    before, started = sys.gettrace(), time.process_time()
    sys.settrace(calls)
    try:
        yield seen
    finally:
        sys.settrace(before)
        seconds = time.process_time() - started


@functools.cache
def _lines(code: CodeType) -> frozenset[int]:
    """Those that begin a step of it; its first is the ``def``, which runs elsewhere."""
    return frozenset(
        line for _, _, line in code.co_lines() if line and line != code.co_firstlineno
    ) or frozenset([code.co_firstlineno])
