"""``--student NAME``: whose run it is, and in which language, is kept in the recording."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from kthw.observed.recording import read, write
from tests.findings.clusters import healthy
from tests.plugin.conftest import Run

SUITE = "suites/routes"
NOWHERE = "http://127.0.0.1:9"
"""Nobody listens there: a run ends at once, and what it was told is in its report all the same."""


def test_the_name_and_the_language_of_a_run_are_kept_in_its_recording(run_pytest: Run) -> None:
    ran = run_pytest(
        SUITE, "--target", "aws", "--student", "João d'Ávila", "--language", "pt-BR",
        AWS_ENDPOINT_URL=NOWHERE, AWS_REGION="us-east-1", AWS_CONFIG_FILE="/dev/null",
    )  # fmt: skip
    evidence = read(ran.reports / "report.json")
    assert (evidence.student, evidence.language) == ("João d'Ávila", "pt-BR"), ran.output


def test_who_judges_a_recording_again_leaves_the_name_in_it(run_pytest: Run, tmp_path: Path) -> None:
    write(replace(healthy(), student="Ana", language="pt-BR"), tmp_path / "e.json")
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "e.json"), "--language", "en")
    assert ran.document["evidence"]["student"] == "Ana"
    assert ran.document["evidence"]["language"] == "pt-BR"
