"""What judging and writing cost grows no faster than what there is: counted in steps, not in seconds.

A step is a line of Python that is run, ours or a library's: a loop over all workers for each of them shows,
on whatever machine and however busy it is. (What C code goes through in one call does not.)
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import pytest
from msgspec.structs import replace

from benchmarks import wide
from benchmarks.judging import CASES, PACKETS, write
from kthw.findings.judging import judge
from kthw.findings.promise import promises
from kthw.observed.evidence import Evidence

WORKERS: Final = (13, 26, 52)
OF_PAIRS: Final = (13, 18, 25)
"""Workers, with about twice as many pairs each time; more workers than are drawn one by one."""
SPARE: Final = 1.05


def steps(work: Callable[[], object]) -> int:
    """How many lines of Python ``work`` runs."""
    count = 0

    def local(_frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    before = sys.gettrace()
    sys.settrace(lambda *_: local)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def judged_and_written(evidence: Evidence) -> int:
    return steps(lambda: write(judge(evidence)))


@pytest.fixture(scope="module", autouse=True)
def _prepared() -> None:
    """What is read, compiled and remembered once is no part of the growth."""
    for make in (*CASES.values(), *PACKETS.values()):
        write(judge(make(OF_PAIRS[0])))


def growth(cost: Callable[[int], int], sizes: tuple[int, int, int]) -> float:
    """How many times as much the second doubling adds as the first; what is there anyhow is in neither."""
    few, twice, four_times = map(cost, sizes)
    return (four_times - twice) / (twice - few)


@pytest.mark.parametrize("case", CASES)
def test_steps_grow_as_the_workers_do(case: str) -> None:
    assert growth(lambda n: judged_and_written(CASES[case](n)), WORKERS) <= SPARE * growth(int, WORKERS)


@pytest.mark.parametrize("case", PACKETS)
def test_steps_grow_as_the_pairs_do(case: str) -> None:
    pairs = growth(lambda n: n * n, OF_PAIRS)
    assert growth(lambda n: judged_and_written(PACKETS[case](n)), OF_PAIRS) <= SPARE * pairs


def test_trying_fixes_that_need_each_other_grows_as_the_pairs_do() -> None:
    """Of no two pairs the same is in the way: a route, and the forwarding of both nodes."""

    def tried(count: int) -> int:
        evidence = wide.with_every_pair_failing(wide.without_routes(wide.cluster(count, packets=True)))
        nodes = {worker: replace(node, ip_forward=False) for worker, node in evidence.nodes.items()}
        verdict = judge(replace(evidence, nodes=nodes))
        assert verdict.network is not None
        assert len(verdict.promises) == 2 * count
        network, findings = verdict.network, verdict.findings
        return steps(lambda: promises(network, findings))

    assert growth(tried, OF_PAIRS) <= SPARE * growth(lambda n: n * n, OF_PAIRS)


def test_a_loop_over_all_for_each_shows() -> None:
    """Else the counting could not fail: over all workers for each of them, or for each pair."""

    def counted(*many: int) -> int:
        return steps(lambda: [None for each in itertools.product(*map(range, many)) if each])

    assert growth(lambda n: counted(n), WORKERS) <= SPARE * growth(int, WORKERS)
    assert growth(lambda n: counted(n, n), WORKERS) > SPARE * growth(int, WORKERS)
    assert growth(lambda n: counted(n, n, n), OF_PAIRS) > SPARE * growth(lambda n: n * n, OF_PAIRS)
