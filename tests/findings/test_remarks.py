"""What is worth a word: how it is told of many workers."""

from __future__ import annotations

import pytest

from kthw.findings.judging import judge
from tests.findings.changed_aws import with_user_data
from tests.findings.clusters import healthy


@pytest.mark.parametrize(
    ("count", "option"),
    [
        (2, "worker-0=10.200.0.0/24,worker-1=10.200.1.0/24"),
        (12, ",".join(f"worker-{n}=10.200.{n}.0/24" for n in range(12))),
        (13, "worker-0=10.200.0.0/24,…"),
    ],
)
def test_the_option_that_would_say_what_is_assumed_is_written_out_for_a_dozen(
    count: int, option: str
) -> None:
    evidence = healthy(count)
    for worker in evidence.intended.workers:
        evidence = with_user_data(evidence, worker)
    assert [remark.facts["option"] for remark in judge(evidence).remarks] == [option] * count
