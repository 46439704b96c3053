"""What a whole run of pytest on a recording costs grows as the workers do: counted in steps, not in seconds.

``tests/verdict/test_steps.py`` has the judging and the writing alone; here it is with what pytest asks of us.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import wide
from tests.plugin.conftest import Run, asked
from tests.verdict.test_steps import SPARE, WORKERS, growth


@pytest.mark.slow
def test_steps_of_a_recorded_run_grow_as_the_workers_do(tmp_path: Path, judge: Run) -> None:
    """Some of its tests fail, some could not look, and the rest passes."""
    told = tmp_path / "steps"

    def cost(workers: int) -> tuple[int, int]:
        evidence = wide.nobody_logged_in(wide.without_routes(wide.cluster(workers, packets=False)))
        ran = judge(evidence, "-p", "tests.plugin.own_steps", OWN_STEPS=str(told))
        assert ran.junit["tests"] == asked(workers), ran.output
        assert ran.junit["failures"]
        assert ran.junit["errors"]
        lines, comparisons = map(int, told.read_text().split())
        return lines, comparisons

    lines, comparisons = zip(*map(cost, WORKERS), strict=True)
    for each in (lines, comparisons):
        assert growth(dict(zip(WORKERS, each, strict=True)).__getitem__, WORKERS) <= SPARE * growth(
            int, WORKERS
        )
