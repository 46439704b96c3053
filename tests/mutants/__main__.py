"""`./run mutants [PATH …]`: what could be changed without a test's noticing. See docs/mutants.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.mutants import equivalent, trying, workers
from tests.mutants.again import Again
from tests.mutants.figures import Results, table, write
from tests.mutants.sources import Mutant, Source, sources
from tests.mutants.trying import OPTIONS, Outcome, Standing
from tests.mutants.workers import Hear, How, Job, NotGreenError, Order

JUDGEMENT: Final = ("kthw/findings", "kthw/network")
NEAREST: Final = ("tests/findings", "tests/verdict")
ELSEWHERE: Final = (
    "tests/findings/test_faults.py::test_without_any_one_check_some_fault_goes_unreported",
    "tests/findings/test_faults.py::test_every_code_is_reached_by_some_fault",
    "tests/findings/test_foundation.py::test_the_judgement_does_no_io",
)
"""Tests of the catalogue of faults and of the source's text: dear, and they notice what the others do."""
FIRST: Final = "tests/findings/test_golden.py"
"""What notices most, and is collected quickly."""
DOCS: Final = Path("docs/mutants.md")
_EVERY: Final = 5.0
"""Seconds between two lines of progress where nobody watches."""


class Progress:
    """``phase … n/of``: a line that grows on a terminal, a line now and then elsewhere."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, phase: str, done: int, of: int) -> None:
        now, watched = time.monotonic(), sys.stderr.isatty()
        if done < of and now - self._last < (0.1 if watched else _EVERY):
            return
        self._last = now
        end = "\r" if watched and done < of else "\n"
        print(f"{phase} … {done}/{of}", end=end, file=sys.stderr, flush=True)  # noqa: T201 -- a command's output


class Run:
    """One run over some sources. ``again``: which mutants of them, and who hears of those that survive."""

    def __init__(
        self, found: Sequence[Source], results: Results, tests: Sequence[str], how: How, again: Again
    ) -> None:
        self._results, self._tests, self._how, self._again = results, tests, how, again
        self._all = [
            Job(source, mutant) for source in found for mutant in source.mutants if mutant.key in again
        ]
        self._progress = Progress()
        self.failed = ""

    def go(self) -> None:
        """Try them all; ``failed`` says what kept it from that."""
        root = Path.cwd()
        with tempfile.TemporaryDirectory() as temporary:
            # Not --basetemp: each child would empty it, with what the others' tests have in it.
            os.environ["PYTEST_DEBUG_TEMPROOT"] = temporary
            options = [f"--rootdir={root}", *(f"--deselect={test}" for test in ELSEWHERE)]
            arguments = [*options, *self._tests]
            first = [FIRST if self._tests == NEAREST else self._tests[0]]
            self._progress("collecting the tests", 0, 1)
            self.failed = trying.load_what_is_not_ours(arguments, root)
            if self.failed:
                return
            self._order = Order([], {})
            workers.apart(lambda say: self._stand(arguments, say), self._hear)
            if not self.failed:
                jobs = [job for job in self._all if not job.mutant.live]
                stages = (first, self._tests)
                try:
                    workers.try_anew(jobs, options, stages, self._order, self._how, self._tried)
                except NotGreenError as test:
                    self.failed = f"fails on the sources as they are: {test}"

    def _stand(self, arguments: Sequence[str], say: Hear) -> None:
        """In a process of its own: it imports the program, and what is tried afterwards must not have."""
        numbers = [n for n, job in enumerate(self._all) if job.mutant.live]
        by_key = {self._all[n].mutant.key: n for n in numbers}
        failed = ""

        def work(items: Sequence[pytest.Item]) -> None:
            nonlocal failed
            try:
                order = workers.try_standing(
                    [self._all[n] for n in numbers],
                    frozenset(str(job.source.path) for job in self._all),
                    items,
                    self._how,
                    lambda done, of: say("measured", done, of),
                    lambda mutant, outcome: say("tried", by_key[mutant.key], outcome),
                )
                say("order", order)
            except NotGreenError as test:
                failed = f"fails on the sources as they are: {test}"

        status = pytest.main([*OPTIONS, *arguments], plugins=[Standing(work)])
        if failed or status:
            say("failed", failed or f"pytest ended with {int(status)}")

    def _hear(self, word: str, *said: Any) -> None:
        match word, said:
            case "measured", (done, of):
                self._progress("which test runs which line", done, of)
            case "tried", (number, outcome):
                self._tried(self._all[number].mutant, outcome)
            case "order", (order,):
                self._order = order
            case "failed", (why,):
                self.failed = why

    def _tried(self, mutant: Mutant, outcome: Outcome) -> None:
        self._results.add(mutant, outcome)
        if self._results.survives(mutant):
            self._again.survived(mutant.key)
            # Whoever waits for an hour can begin with it.
            print(f"unnoticed: {mutant}: {mutant.key.change}", file=sys.stderr)  # noqa: T201 -- a command's output
        left = self._results.unnoticed
        self._progress(f"mutants ({left} unnoticed)", len(self._results.outcomes), len(self._all))


def main(arguments: Sequence[str]) -> int:
    """0: each mutant is noticed, or listed as equivalent; 1: not so; 2: misused, or it could not be tried."""
    options = _options(arguments)
    root = Path.cwd()
    found = sources([Path(path) for path in options.paths], root)
    listed = equivalent.equivalents(options.equivalent)
    files = {source.file for source in found}
    results = Results(listed)
    started = time.monotonic()
    with Again(options.unnoticed) as again:
        run = Run(found, results, options.tests, How(options.processes, options.seconds), again)
        run.go()
        if run.failed:
            _say(f"mutants: {run.failed}")
            return 2
        again.done()
    keys = {mutant.key for source in found for mutant in source.mutants}
    stale = equivalent.stale(listed, keys, files)
    by_name = {source.file: source for source in found}
    for mutant in results.surviving:
        untested = " (no test runs it)" if results.outcomes[mutant.key][1].untested else ""
        _say(f"{mutant}{untested}\n{by_name[mutant.key.file].diff(mutant)}")
    for mutant, outcome in results.refuted:
        _say(
            f"{mutant}\n  is listed as equivalent, and noticed by {outcome.by or 'the clock'}: "
            f"{mutant.key.change}"
        )
    for key in stale:
        _say(
            f"{key.file}  {key.function}\n  is listed as equivalent, and is no mutant: "
            f"{key.line}: {key.change}"
        )
    took = f"{(time.monotonic() - started) / 60:.0f} minutes with {options.processes} processes"
    _say(f"{table(results.by_file())}\n{took}")
    if options.write_docs:
        part = "what it left, tried again" if again.of_what_was_left else "the whole run"
        write(DOCS, part, f"{took}.\n\n{table(results.by_file())}")
    return 1 if results.surviving or results.refuted or stale else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run mutants", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", default=JUDGEMENT, metavar="PATH", help="files and folders to change"
    )
    parser.add_argument(
        "--tests", nargs="+", default=NEAREST, metavar="PATH", help="the tests that should notice"
    )
    parser.add_argument(
        "--equivalent", type=Path, default=equivalent.FILE, metavar="FILE", help="the list of them"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--seconds", type=float, default=3.0, help="of the processor for one mutant's tests")
    parser.add_argument(
        "--unnoticed",
        type=Path,
        metavar="FILE",
        help="keep what no test notices in FILE; where it is there, only what it names is tried again",
    )
    parser.add_argument("--write-docs", action="store_true", help=f"write the figures into {DOCS}")
    options = parser.parse_args(arguments)
    missing = [
        path for path in (*options.paths, *options.tests, options.equivalent) if not Path(path).exists()
    ]
    if missing:
        parser.error(f"there is no {missing[0]}")
    if options.unnoticed and not options.unnoticed.parent.is_dir():
        parser.error(f"there is no folder for {options.unnoticed}")
    if options.write_docs and tuple(options.paths) != JUDGEMENT:
        parser.error("the docs hold the figures of whole runs: --write-docs without PATH")
    return options


def _say(text: str) -> None:
    print(text)  # noqa: T201 -- a command's output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
