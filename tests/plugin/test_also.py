"""``--also``: machines that are no workers are asked for their kernel routes, and for nothing else."""

from __future__ import annotations

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from tests.plugin.conftest import Run

REFUSED = {
    "a worker": ("worker-1", "run-also-worker", {"value": "worker-1", "name": "worker-1"}),
    "too many": (
        "controller-[0-100]",
        "run-also-too-many",
        {"value": "controller-[0-100]", "count": "101", "most": "100"},
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("typed", "key", "facts"), REFUSED.values(), ids=REFUSED)
def test_what_it_cannot_mean_is_refused(
    run_pytest: Run, typed: str, key: str, facts: dict[str, str], language: str
) -> None:
    ran = run_pytest("suites/routes", "--also", typed, "--language", language)
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert catalogue(language).say(key, **facts) in " ".join(ran.output.split())


def test_a_complaint_names_the_option_that_was_typed(run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "--also", "3", "--language", "en")
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "--also 3" in ran.output


def test_each_of_them_is_asked_one_thing(run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "--also", "controller-0,jump", "--collect-only", "-q")
    asked = [line for line in ran.output.splitlines() if "[controller-0]" in line or "[jump]" in line]
    assert [line.rpartition("::")[2] for line in asked] == [
        "test_other_machines_lead_to_pods[controller-0]",
        "test_other_machines_lead_to_pods[jump]",
    ]
