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
from typing import Any, NamedTuple

Line = tuple[str, int]


class Seen(NamedTuple):
    """One test: the seconds of processor it took, and the (file, line) it ran."""

    seconds: float
    lines: frozenset[Line]


class Nearest:
    """The tests by the lines they run. ``modules``: the file, without its ending, that each is in."""

    def __init__(self, tests: dict[int, Seen], modules: dict[int, str]) -> None:
        self._modules = modules
        self.seconds = {test: seen.seconds for test, seen in tests.items()}
        self._by_line: dict[Line, set[int]] = defaultdict(set)
        for test, seen in tests.items():
            for line in seen.lines:
                self._by_line[line].add(test)
        self._kills: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def of(self, path: str, lines: Iterable[int], function: str) -> list[int]:
        """The tests that run any of the lines: what has noticed changes of ``function``, then what bears the
        module's name, then the quick. Of the judgement nearly every test runs something.
        """
        own = f"test_{Path(path).stem}"
        running = {test for line in lines for test in self._by_line.get((path, line), ())}
        kills = self._kills[function]
        return sorted(
            running, key=lambda test: (-kills[test], self._modules[test] != own, self.seconds[test], test)
        )

    def running(self) -> dict[str, list[int]]:
        """The tests that run anything of a file, by file: the quick ones first."""
        found: dict[str, set[int]] = defaultdict(set)
        for (path, _), tests in self._by_line.items():
            found[path] |= tests
        return {path: sorted(tests, key=lambda test: self.seconds[test]) for path, tests in found.items()}

    def noticed(self, function: str, test: int) -> None:
        """That test has noticed a change of ``function``."""
        self._kills[function][test] += 1


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
