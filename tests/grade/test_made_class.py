"""A class of thirty, graded against a known table: both languages, some hostile, some empty."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.grade.made_class import CLASS, EXPECTED, made

PROJECT = Path(__file__).resolve().parents[2]


class Graded(NamedTuple):
    """What one run left, and what it said."""

    code: int
    out: str
    err: str
    folder: Path
    seconds: float

    @property
    def table(self) -> dict[str, dict[str, str]]:
        text = (self.folder / "grades.csv").read_text(encoding="utf-8-sig")
        return {
            line["student"].removeprefix("'"): line for line in csv.DictReader(io.StringIO(text, newline=""))
        }

    @property
    def page(self) -> str:
        return (self.folder / "class.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("class")
    roster = made(folder / "in")
    begun = time.monotonic()
    done = subprocess.run(
        [
            sys.executable, "-m", "kthw.grade", "in", "--roster", str(roster), "--due", "2026-03-02",
            "--export", "gradescope,ctrf,junit", "--out", "out", "--language", "en",
        ],
        cwd=folder, env={"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    return Graded(done.returncode, done.stdout, done.stderr, folder / "out", time.monotonic() - begun)


def test_the_class_is_thirty_and_has_all_that_it_should_have() -> None:
    assert len(CLASS) == 30
    assert {one.language for one in CLASS} == {"en", "pt-BR"}


def test_there_is_a_row_for_each_student_and_nobody_else(graded: Graded) -> None:
    assert (graded.code, graded.err) == (1, "")
    assert list(graded.table) == [one.name for one in CLASS]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_student_is_graded_as_the_table_says(name: str, graded: Graded) -> None:
    counts, codes, told = EXPECTED[name]
    line = graded.table[name]
    document = next(
        json.loads(file.read_text())
        for file in (graded.folder / "gradescope").iterdir()
        if json.loads(file.read_text())["output"].startswith(f"{name}\n")
    )
    assert line["counts"] == ("yes" if counts else "no"), line["told"]
    assert tuple(sorted(line["causes"].split())) == codes
    assert tuple(document["extra_data"]["told"]) == told
    if counts and not codes and not told:
        assert line["points"] == "100.0"
    elif counts:
        assert 0 < float(line["points"]) <= 100
    else:
        assert float(line["points"]) == 0
