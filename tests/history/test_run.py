"""A run's line of the history, of whatever was found."""

from __future__ import annotations

import pytest

from kthw.findings.judging import judge
from kthw.history.run import decoded, encoded, run_of
from tests.findings.golden import CASES


@pytest.mark.parametrize("module", CASES)
def test_whatever_is_found_becomes_a_line_that_can_be_read_again(module: str) -> None:
    """Its word is of the same mind as its causes, or reading would refuse it."""
    for evidence in CASES[module].values():
        run = run_of(judge(evidence))
        assert decoded(encoded(run)) == run
