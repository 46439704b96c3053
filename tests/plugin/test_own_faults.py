"""What is nobody's cluster's fault: a file that cannot be collected, a full disk, a killed run."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from kthw.findings import needs
from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import PROJECT, Run, asked

SUITE = "suites/routes"
_KILLER = """
import os, signal

def pytest_runtest_logreport(report):
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def recording(tmp_path: Path) -> str:
    write(healthy(), tmp_path / "evidence.json")
    return str(tmp_path / "evidence.json")


@pytest.fixture
def broken_project(tmp_path: Path) -> Path:
    """A copy of the project in which one suite file cannot be imported."""
    project = tmp_path / "project"
    for folder in ("fixtures", "kthw", "suites"):
        shutil.copytree(PROJECT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("conftest.py", "pytest.ini", "tests/plugin/own_journal.py"):
        (project / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / file, project / file)
    (project / SUITE / "test_broken.py").write_text("from kthw.findings import no_such_module\n")
    return project


@pytest.mark.parametrize("spread", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_file_that_cannot_be_collected_is_told_in_full_and_once(
    spread: tuple[str, ...], broken_project: Path, recording: str, run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, "--evidence", recording, *spread, project=broken_project)
    assert ran.code not in (0, 4, 5)
    said = ran.output.split("A fault of this program, not of your cluster (1)")[1]
    assert "suites/routes/test_broken.py" in said
    assert said.count("cannot import name 'no_such_module'") == 1
    assert "INTERNALERROR" not in ran.output


_ASKS_NOBODY = """
def test_nobody_knows(confirm: Confirm) -> None:
    confirm("no-such-check")


def test_no_route_holds(confirm: Confirm) -> None:
    confirm({}["x"])
"""


def test_a_sentence_that_is_itself_wrong_is_told_briefly_and_costs_no_other(
    broken_project: Path, recording: str, run_pytest: Run
) -> None:
    (broken_project / SUITE / "test_broken.py").unlink()
    suite = broken_project / SUITE / "test_routes.py"
    suite.write_text(suite.read_text(encoding="utf-8") + _ASKS_NOBODY)
    ran = run_pytest(f"{SUITE}/test_routes.py", "--evidence", recording, project=broken_project)
    assert ran.code == 1
    said = ran.output.split("A fault of this program, not of your cluster (6)")[1]
    assert "'no-such-check' is no check of kthw/findings/registry.py" in said
    assert "in test_no_route_holds" in said
    assert "KeyError: 'x'" in said
    assert "pluggy" not in said
    assert "fixtures/judging.py" not in said
    assert ran.junit["failures"] == 6
    assert ran.document["summary"]["passed"] == asked(area="routes")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_full_disk_is_one_sentence_and_no_success(language: str, recording: str, run_pytest: Run) -> None:
    # A shell's limit on the size of files, in blocks, stands in for the disk.
    limited = ("sh", "-c", 'ulimit -f 1 && exec "$@"', "sh")
    ran = run_pytest(SUITE, "--evidence", recording, "--language", language, through=limited)
    assert ran.code == 1
    reports = str(ran.reports)
    sentence = catalogue(language).say("run-report-unwritten", value=reports, detail="File too large")
    assert sentence in ran.output
    assert catalogue(language).say("report-right", count=asked(), areas="").strip(": ") in ran.output
    assert "Traceback" not in ran.output
    assert "INTERNALERROR" not in ran.output


def test_a_report_that_cannot_be_written_leaves_the_one_before(recording: str, run_pytest: Run) -> None:
    before = run_pytest(SUITE, "--evidence", recording).document
    limited = ("sh", "-c", 'ulimit -f 1 && exec "$@"', "sh")
    after = run_pytest(SUITE, "--evidence", recording, through=limited)
    assert after.document == before
    assert sorted(path.name for path in after.reports.iterdir()) == [
        "junit.xml",
        "report.html",
        "report.json",
    ]


def test_a_junit_file_on_a_full_disk_is_the_same_sentence(recording: str, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--evidence", recording, "--junit-xml=/dev/full")
    assert ran.code == 1
    assert "could not be written (No space left on device)" in ran.output
    assert "Traceback" not in ran.output
    assert ran.document["summary"]["failed"] == 0


def test_a_killed_run_leaves_no_evidence_lying_around(
    tmp_path: Path, recording: str, run_pytest: Run
) -> None:
    (tmp_path / "killer.py").write_text(_KILLER)
    (tmp_path / "tmp").mkdir()
    ran = run_pytest(
        SUITE, "--evidence", recording, "-n", "2", "-p", "killer",
        PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path / "tmp"),
    )  # fmt: skip
    assert ran.code == -signal.SIGKILL, ran.output
    assert not list((tmp_path / "tmp").glob("kthw-*"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_single_worker_has_no_mesh_to_pass(language: str, recording: str, run_pytest: Run) -> None:
    one = ("--workers", "worker-0", "--language", language)
    meshed = asked(1, needing=needs.other_workers)
    ran = run_pytest(f"{SUITE}/test_pods.py", "--evidence", recording, *one)
    assert ran.code == 0, ran.output
    assert ran.document["summary"]["skipped"] == meshed
    assert f"{meshed} × {catalogue(language).say('run-skip-no-other-worker')}" in ran.output
