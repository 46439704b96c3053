"""Mutants before the tests: each in a child process of its own, until the first test fails.

Two ways. What changes within a function is set at work in a process that has imported and collected
everything (`standing`): a few milliseconds, and only the tests that run its line. What changes what a module
is when it is imported needs an import of everything that knows it (`anew`): some seconds.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Final, NamedTuple

import pytest

from tests.mutants.forks import allow, in_a_child
from tests.mutants.nearest import Nearest, Seen, watching
from tests.mutants.sources import Mutant, Source

Say = Callable[[str], None]

_LEAST: Final = 3.0
_TIMES: Final = 20
"""A test may use the processor so many times longer than it did, and these seconds at least."""
_IMPORTING: Final = 60.0
_UNMEASURED: Final = 30.0
_ANEW: Final = 7
"""So many times longer is asked where it is not known which lines use what has changed."""
OPTIONS: Final = (
    "-qq", "-s", "-c", os.devnull, "--noconftest", "--import-mode=importlib", "--assert=plain", "--tb=native",
    *(f"-pno:{name}" for name in ("cacheprovider", "html", "metadata", "xdist", "faulthandler",
                                  "unraisableexception", "threadexception", "junitxml")),
)  # fmt: skip


class Outcome(NamedTuple):
    """``by``: the test that failed; empty where none did."""

    by: str
    timed_out: bool = False
    untested: bool = False


class Failing:
    """A plugin of pytest's: ``say`` hears of the first test that fails, or that cannot be collected."""

    def __init__(self, say: Say) -> None:
        self._say = say

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        report: pytest.TestReport = yield  # type: ignore[assignment]  # pluggy sends the result
        if report.failed:
            self._say(item.nodeid)
        return report  # type: ignore[return-value]  # as pluggy wants it

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._say(report.nodeid)


class Standing:
    """A plugin of pytest's that collects, and then runs what it is told instead of the tests in turn."""

    def __init__(self, work: Callable[[Sequence[pytest.Item]], None]) -> None:
        self._work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Failed("some tests cannot be collected")
        self._work(session.items)
        return True


class First:
    """A plugin of pytest's that runs first what was of most use, then as ``order`` has it, and stops after
    ``seconds``.
    """

    def __init__(self, kills: Counter[str], order: Mapping[str, int], seconds: float) -> None:
        self._kills, self._order, self._seconds = kills, order, seconds
        self.is_over = False

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        # What is left out stands among them here, and has no place: pytest takes it away afterwards.
        last = len(self._order)
        items.sort(key=lambda item: (-self._kills[item.nodeid], self._order.get(item.nodeid, 2 * last)))

    def pytest_runtestloop(self) -> None:
        self._seconds += time.process_time()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.process_time() > self._seconds:
            self.is_over = True
            raise item.session.Interrupted
        allow(_UNMEASURED)


def run(item: pytest.Item) -> None:
    """One collected test, with all that it needs and leaves."""
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def measured(items: Sequence[pytest.Item], test: int, paths: frozenset[str]) -> Seen | None:
    """What the test runs of the sources as they are; ``None`` where it fails."""
    failed: list[str] = []
    plugin = Failing(failed.append)
    manager = items[test].config.pluginmanager
    manager.register(plugin)
    try:
        with watching(paths) as seen:
            run(items[test])
    finally:
        manager.unregister(plugin)
    return None if failed else seen()


def standing(
    items: Sequence[pytest.Item], source: Source, mutant: Mutant, nearest: Nearest, seconds: float
) -> Outcome:
    """The mutant's fate, in a child of this process, which has imported and collected everything."""
    tests = nearest.of(str(source.path), mutant.lines, mutant.key.function)
    if not tests:
        return Outcome("", untested=True)
    numbers = {items[test].nodeid: test for test in tests}

    def orders() -> Iterator[Sequence[int]]:
        """The second is only made where the first has noticed nothing."""
        yield tests
        yield nearest.in_turn(str(source.path), tests)

    def work(say: Say) -> None:
        _set_at_work(source, mutant)
        items[0].config.pluginmanager.register(Failing(say))
        asked: set[int] = set()
        for order in orders():
            end = time.process_time() + seconds
            for test in order:
                if time.process_time() > end:
                    break
                if test not in asked:
                    asked.add(test)
                    allow(_LEAST + _TIMES * nearest.seconds[test])
                    run(items[test])

    ended = in_a_child(work)
    if ended.said:
        nearest.noticed(str(source.path), mutant.key.function, numbers[ended.said])
    return Outcome(ended.said, ended.timed_out)


def anew(
    stages: Sequence[Sequence[str]],
    source: Source,
    mutant: Mutant | None,
    kills: Counter[str],
    order: Mapping[str, int],
    seconds: float,
) -> Outcome:
    """The mutant's fate, in a child of this process, which has imported nothing of the program.

    ``stages``: what pytest is asked to run, the little that is soon collected first; ``order``: the place
    of each test. Without a ``mutant``: that of the source as it is.
    """

    def work(say: Say) -> None:
        allow(_IMPORTING)
        if mutant:
            sys.meta_path.insert(0, _Changed(source, source.mutated(mutant)))
        for tests in stages:
            first = First(kills, order, _ANEW * seconds)
            status = pytest.main([*OPTIONS, *tests], plugins=[Failing(say), first])
            if status and not first.is_over:
                # No test failed, or somebody would have said so: that is no fault of the change.
                raise RuntimeError(f"{mutant}: pytest ended with {int(status)}")

    ended = in_a_child(work)
    if ended.said:
        kills[ended.said] += 1
    return Outcome(ended.said, ended.timed_out)


def load_what_is_not_ours(arguments: Sequence[str], root: Path) -> str:
    """Import what the tests need from outside ``root``, so that no child has to; or say what is wrong."""

    def work(say: Say) -> None:
        before = set(sys.modules)

        def tell(_: Sequence[pytest.Item]) -> None:
            say(json.dumps([name for name in set(sys.modules) - before if not _is_ours(name, root)]))

        status = pytest.main(
            [*OPTIONS, *arguments], plugins=[Failing(lambda who: say(f"!{who}")), Standing(tell)]
        )
        say(f"!pytest ended with {int(status)}")

    said = in_a_child(work).said
    if said.startswith("!"):
        return said[1:]
    for name in json.loads(said):
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    return ""


def forget() -> None:
    """Empty the caches of functions: what is in them was found by the program as it is."""
    for module in list(sys.modules.values()):
        for value in list(vars(module).values()) if isinstance(module, ModuleType) else ():
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()


def _is_ours(name: str, root: Path) -> bool:
    file = getattr(sys.modules[name], "__file__", None)
    paths = [file] if file else list(getattr(sys.modules[name], "__path__", ()))
    return any(Path(path).is_relative_to(root) and "site-packages" not in path for path in paths)


class _Changed(importlib.abc.MetaPathFinder):
    """The changed module where it is imported."""

    def __init__(self, source: Source, code: CodeType) -> None:
        self._source, self._code = source, code

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self._source.name:
            return None
        loader = _Loader(name, str(self._source.path))
        loader.code = self._code
        return importlib.util.spec_from_file_location(name, self._source.path, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    code: CodeType

    def get_code(self, _name: str) -> CodeType:
        return self.code


def _set_at_work(source: Source, mutant: Mutant) -> None:
    """Give the living function the changed code: whoever holds it, holds the mutant."""
    function = _function(sys.modules[source.name], mutant.live)
    function.__code__ = _code_of(source.mutated(mutant), mutant.live, function.__code__.co_firstlineno)


def _function(module: ModuleType, name: str) -> FunctionType:
    found: object = module
    for part in name.split("."):
        found = vars(found)[part]
    while not isinstance(found, FunctionType):
        held = (getattr(found, name, None) for name in ("fget", "func", "__func__", "__wrapped__"))
        found = next(each for each in held if each is not None)
    return found


def _code_of(code: CodeType, name: str, line: int) -> CodeType:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if (constant.co_qualname, constant.co_firstlineno) == (name, line):
                return constant
            if name.startswith(f"{constant.co_qualname}."):
                return _code_of(constant, name, line)
    raise LookupError(name)
