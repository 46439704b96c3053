"""When a run becomes a line of the history, and what it says of the run before."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.history.lines import FILE, read
from kthw.observed.recording import write
from kthw.words.messages import catalogue
from tests.findings.clusters import OK
from tests.plugin.conftest import Run
from tests.verdict.shown import two_faults

SUITE = "suites/routes"
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
}
"""Nobody listens there: a run ends at once, and is a night on which nobody could look."""
SAY = catalogue("en").say


def test_nights_of_an_account_are_remembered_unless_told_not_to(run_pytest: Run) -> None:
    run_pytest(SUITE, "--target", "aws", **NOWHERE)
    ran = run_pytest(SUITE, "--target", "aws", "-k", "route", **NOWHERE)
    run_pytest(SUITE, "--target", "aws", "--no-history", **NOWHERE)
    found = read(ran.reports / FILE)
    assert len(found.runs) == 2, ran.output
    one, other = found.runs
    assert one.verdict == other.verdict == "unknown"
    assert one.areas == other.areas, "-k makes no hole in a history"
    assert [error.code for error in one.errors]
    assert {"kthw-routes", "python", "pytest"} <= set(one.versions)
    assert one.figures.seconds > 0
    assert one.phases


@pytest.mark.slow
def test_a_sandbox_is_remembered_only_if_asked(run_pytest: Run) -> None:
    """Faults are tried out there: those are no nights."""
    ran = run_pytest(SUITE, "--no-provision")
    assert ran.document["target"]["kind"] == "sandbox", ran.output
    assert not (ran.reports / FILE).exists()
    run_pytest(SUITE, "--no-provision", "--history")
    (run,) = read(ran.reports / FILE).runs
    assert (run.target.kind, run.target.local, run.verdict) == ("sandbox", True, "bad")
    assert {"boot", "aws"} <= run.phases.keys()


def test_a_recording_that_is_judged_again_is_no_night(run_pytest: Run, tmp_path: Path) -> None:
    write(replace(OK, target=replace(OK.target, kind="aws")), tmp_path / "handed-in.json")
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "handed-in.json"))
    assert ran.code == 0
    assert not (ran.reports / FILE).exists()
    for option in ("--history", "--no-history"):
        refused = run_pytest(SUITE, "--evidence", str(tmp_path / "handed-in.json"), option)
        assert refused.code != 0
        assert SAY("run-evidence-looks-at-nothing", option=option) in refused.output


def test_as_many_recordings_as_asked_are_kept_and_the_lines_name_them(run_pytest: Run) -> None:
    for _ in range(3):
        ran = run_pytest(SUITE, "--target", "aws", "--keep", "2", **NOWHERE)
    kept = sorted(each.name for each in (ran.reports / "history").iterdir())
    named = [run.recording for run in read(ran.reports / FILE).runs]
    assert len(named) == 3
    assert kept == sorted(named)[-2:]
    assert json.loads((ran.reports / "history" / kept[0]).read_bytes())["schema"] == 1


@pytest.mark.parametrize("value", ["0", "all", "99999"])
def test_how_many_is_a_number(run_pytest: Run, value: str) -> None:
    ran = run_pytest(SUITE, "--target", "aws", f"--keep={value}", **NOWHERE)
    assert ran.code != 0
    assert SAY("history-bad-keep", value=value) in ran.output


def test_a_history_that_cannot_be_written_is_told_and_changes_no_exit_code(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--target", "aws", **NOWHERE)
    (ran.reports / FILE).unlink()
    os.mkfifo(ran.reports / FILE)
    again = run_pytest(SUITE, "--target", "aws", **NOWHERE)
    assert SAY("run-report-unwritten", value=ran.reports / FILE, detail="no regular file") in again.output
    assert (ran.code, again.code) == (10, 10)


def test_a_run_says_what_changed_since_the_one_before_in_its_folder(run_pytest: Run, tmp_path: Path) -> None:
    nights = (OK, two_faults(), OK, OK)
    told = []
    for n, evidence in enumerate(nights, 1):
        file = tmp_path / f"{n}.json"
        write(replace(evidence, gathered_at=f"2026-11-2{n}T04:23:00+00:00"), file)
        told.append(run_pytest(SUITE, "--evidence", str(file), TZ="<-03>3", COLUMNS="200"))
    first, broke, mended, still = told
    assert "Since the run before" not in first.output
    counts = SAY("since-counts", at="21 Nov 2026, 04:23 UTC", counts=SAY("since-new", count=2))
    assert counts in broke.output
    assert "New: route-missing (worker-1 · rtb-0a), forward-dropped (worker-" in broke.output
    assert (
        SAY("since-counts", at="22 Nov 2026, 04:23 UTC", counts=SAY("since-gone", count=2)) in mended.output
    )
    assert SAY("since-nothing", at="23 Nov 2026, 04:23 UTC") in still.output
    assert SAY("since-nothing", at="23 Nov 2026, 04:23 UTC") in still.page
    assert SAY("report-when", at="24 Nov 2026, 04:23 UTC") in still.page, "a page has one clock"
    assert still.document["since"]["at"] == "2026-11-23T04:23:00+00:00"


@pytest.mark.parametrize(
    "before",
    ["{", "[]", '{"schema": 1, "evidence": {"gathered_at": "2020-01-01T00:00:00Z"}}', '{"schema": 99}'],
)
def test_a_report_before_that_cannot_be_read_is_passed_over(
    run_pytest: Run, tmp_path: Path, before: str
) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.json").write_text(before)
    write(OK, tmp_path / "e.json")
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "e.json"))
    assert ran.code == 0, ran.output
    assert "since" not in ran.document
