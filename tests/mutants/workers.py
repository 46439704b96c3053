"""Several processes at once, each trying one mutant after another."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.mutants import trying
from tests.mutants.nearest import Name, Nearest, Seen, bears
from tests.mutants.sources import Mutant, Source
from tests.mutants.trying import Outcome

Tried = Callable[[Mutant, Outcome], None]
Hear = Callable[..., None]


class Job(NamedTuple):
    """A mutant and where it comes from."""

    source: Source
    mutant: Mutant


class How(NamedTuple):
    """``processes`` at once; ``seconds`` of the processor for one mutant's tests, the nearest first."""

    processes: int
    seconds: float


class Order(NamedTuple):
    """The tests' names, the quick ones first; and the numbers of those that run a file, by file."""

    quick: list[str]
    running: dict[str, list[int]]

    @classmethod
    def found(cls, names: Sequence[str], nearest: Nearest) -> Order:
        """``names`` as ``nearest`` numbers them."""
        numbers = sorted(nearest.seconds, key=lambda test: nearest.seconds[test])
        place = {test: n for n, test in enumerate(numbers)}
        running = {path: [place[test] for test in tests] for path, tests in nearest.running().items()}
        return cls([names[test] for test in numbers], running)

    def of(self, path: str) -> dict[str, int]:
        """The place of each test where that file has changed: those that run it come before the others."""
        running = set(self.running.get(path, ()))
        return {name: n if n in running else len(self.quick) + n for n, name in enumerate(self.quick)}

    def named(self, module: str) -> list[str]:
        """The files of tests that bear the module's name."""
        files = dict.fromkeys(name.partition("::")[0] for name in self.quick)
        return [file for file in files if bears(Path(file).stem, module)]


class NotGreenError(Exception):
    """A test fails on the sources as they are: no mutant can be judged by it."""


def try_anew(
    jobs: Sequence[Job],
    options: Sequence[str],
    stages: Sequence[Sequence[str]],
    order: Order,
    how: How,
    tried: Tried,
) -> None:
    """Those that need an import of everything, from a process that has imported nothing of it.

    ``stages``: the paths of tests, a few before all of them; between come those that bear the name of the
    changed module. Raises ``NotGreenError``.
    """
    kills: dict[str, Counter[str]] = {job.source.file: Counter() for job in jobs}
    orders = {job.source.file: order.of(str(job.source.path)) for job in jobs}
    asked = {
        job.source.file: [
            [*options, *paths]
            for paths in (*stages[:-1], order.named(job.source.path.stem), *stages[-1:])
            if paths
        ]
        for job in jobs
    }

    def one(number: int) -> Outcome:
        source, mutant = jobs[number]
        file = source.file
        return trying.anew(asked[file], source, mutant, kills[file], orders[file], how.seconds)

    if jobs:
        source = jobs[0].source
        usual = trying.anew(asked[source.file], source, None, Counter(), orders[source.file], how.seconds)
        if usual.by or usual.timed_out:
            raise NotGreenError(usual.by or "what takes so long")
    for number, outcome in _each(one, len(jobs), how.processes):
        tried(jobs[number].mutant, outcome)


def try_standing(
    jobs: Sequence[Job],
    paths: frozenset[str],
    items: Sequence[pytest.Item],
    how: How,
    told: Callable[[int, int], None],
    tried: Tried,
) -> Order:
    """The others, from a process that has collected the tests: they are in the files of ``paths``.

    ``told``: how many tests of how many are measured.

    Raises ``NotGreenError``.
    """
    trying.forget()
    nearest = _nearest(paths, items, how.processes, told)

    def one(number: int) -> Outcome:
        source, mutant = jobs[number]
        return trying.standing(items, source, mutant, nearest, how.seconds)

    for number, outcome in _each(one, len(jobs), how.processes):
        tried(jobs[number].mutant, outcome)
    return Order.found([item.nodeid for item in items], nearest)


def _nearest(
    paths: frozenset[str], items: Sequence[pytest.Item], processes: int, told: Callable[[int, int], None]
) -> Nearest:
    seen: dict[int, Seen] = {}
    for test, found in _each(lambda test: trying.measured(items, test, paths), len(items), processes):
        if found is None:
            raise NotGreenError(items[test].nodeid)
        seen[test] = found
        told(len(seen), len(items))
    names = {n: Name(item.path.stem, item.nodeid.partition("[")[0]) for n, item in enumerate(items)}
    return Nearest(seen, names)


_work: Callable[[int], Any]


def _each(work: Callable[[int], Any], many: int, processes: int) -> Iterator[tuple[int, Any]]:
    """``(n, work(n))`` for every number below ``many``, as they come, from forks of this process."""
    if not many:
        return
    gc.freeze()  # what stands is nobody's garbage: its pages stay shared
    context = multiprocessing.get_context("fork")
    with context.Pool(min(processes, many), _start, (work,)) as pool:
        yield from pool.imap_unordered(_do, range(many))


def apart(work: Callable[[Hear], None], hear: Hear) -> None:
    """``work(say)`` in a fork of this process, so that what it imports stays there; ``hear`` what it says."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)

    def saying() -> None:
        receiving.close()
        work(lambda *said: sending.send(said))

    process = context.Process(target=saying)
    process.start()
    sending.close()
    with contextlib.suppress(EOFError):
        while True:
            hear(*receiving.recv())
    process.join()
    if process.exitcode:
        raise RuntimeError(f"the process that tries mutants ended with {process.exitcode}")


def _start(work: Callable[[int], Any]) -> None:
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends them
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 1)


def _do(number: int) -> tuple[int, Any]:
    return number, _work(number)
