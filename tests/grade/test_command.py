"""``python -m kthw.grade`` as it is typed: what it says, what it leaves, how it ends."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are no dependency of ours
from msgspec.structs import replace

from kthw.grade.__main__ import main
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.grade.made_class import of_student, report, zipped
from tests.in_process import Run, bare, running

PROJECT = Path(__file__).resolve().parents[2]
CLASSROOM = PROJECT / "docs" / "classroom"
BROKEN = FAULTS["worker stopped"][0]

SAY = catalogue("en").say
MADE = ".made-by-grade"
"""Which files of that folder are the command's own."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in an empty folder: its exit code, stdout, stderr."""
    bare(monkeypatch)
    monkeypatch.chdir(tmp_path)

    return running(main, capsys)


def test_all_that_holds_is_exit_code_0_and_its_files_are_named(run: Run) -> None:
    Path("ana.json").write_bytes(report(of_student(OK, 1)))
    code, out, err = run("ana.json", "--export", "ctrf", "--export", "junit,gradescope")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "1 student, 1 with all of it right"
    left = {str(file.relative_to("grades")) for file in Path("grades").rglob("*") if file.is_file()}
    assert left == {
        "class.html", "grades.csv", "ctrf.json", "junit.xml", "results.json",
        "students/ana.html", "students/ana.txt", f"students/{MADE}",
    }  # fmt: skip
    assert "grades/class.html" in out


def test_something_wrong_is_exit_code_1_and_what_was_not_looked_at_is_10(run: Run) -> None:
    Path("a.json").write_bytes(report(of_student(BROKEN, 1)))
    Path("b.json").write_bytes(report(of_student(replace(OK, nodes={}, probes=()), 2)))
    assert run("a.json")[0] == 1
    assert run("b.json")[0] == 10
    assert run("a.json", "b.json")[0] == 1
    Path("c.json").write_bytes(b"{}")
    assert run("c.json")[0] == 1


REFUSED = {
    "nothing": ((), "grade-nothing-named"),
    "what is not there": (("nowhere",), "grade-no-such"),
    "an empty folder": (("empty",), "grade-nothing"),
    "a roster that is not there": (("ana.json", "--roster", "nowhere.csv"), "grade-unread"),
    "points that are not there": (("ana.json", "--points", "nowhere.toml"), "grade-unread"),
    "no date": (("ana.json", "--due", "soon"), "grade-bad-date"),
    "no such export": (("ana.json", "--export", "xlsx"), "grade-bad-format"),
    "no such chapter": (("ana.json", "--after", "lunch"), "run-bad-chapter"),
    "no such network": (("ana.json", "--network", "magic"), "run-bad-network"),
    "no workers": (("ana.json", "--workers", "a,a"), "run-bad-workers"),
    "a student without a name": (("ana.json", "--student", " "), "run-bad-student"),
    "a folder that is a file": (("ana.json", "--out", "ana.json"), "grade-unwritten"),
}


@pytest.mark.parametrize(("arguments", "key"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_usage_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], key: str, language: str, run: Run
) -> None:
    Path("ana.json").write_bytes(report(of_student(OK, 1)))
    Path("empty").mkdir()
    code, out, err = run(*arguments, "--language", language)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    skeleton = re.escape(re.sub(r"\{[^}]*\}+", "\0", catalogue(language).phrases[key])).replace("\0", ".*")
    assert re.fullmatch(skeleton, err.strip()), err
    assert sorted(Path.cwd().iterdir()) == [Path.cwd() / "ana.json", Path.cwd() / "empty"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_option_that_is_misspelt_is_told_with_the_one_it_is_near_to(language: str, run: Run) -> None:
    code, _, err = run("x", "--rooster", "y", "--language", language)
    assert code == 2
    assert catalogue(language).say("command-near", typed="--rooster", near="--roster") in err


def test_nothing_steers_the_terminal_whatever_files_are_called(run: Run) -> None:
    Path("\x1b]0;owned\x07.json").write_bytes(b"{}")
    evil = replace(of_student(OK, 1), student="\x1b[2J\u202eEve", gathered_at="\x1b[31m")
    Path("report.json").write_bytes(report(evil))
    _, out, err = run(".", "--due", "2026-01-01")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u202e]", out + err)
    assert "\\x1b[2J\\u202eEve" in out


def test_a_second_run_leaves_no_page_of_the_first(run: Run) -> None:
    Path("ana.json").write_bytes(report(of_student(OK, 1)))
    Path("bo.json").write_bytes(report(of_student(OK, 2)))
    run("ana.json", "bo.json")
    (Path("grades") / "students" / "notes.txt").write_text("mine")
    run("bo.json")
    assert {file.name for file in Path("grades/students").iterdir()} == {
        "bo.html",
        "bo.txt",
        "notes.txt",
        MADE,
    }
    assert [file.name for file in Path("grades").iterdir() if file.name.startswith(".")] == []


def test_students_of_one_name_have_a_page_each(run: Run) -> None:
    for number in (1, 2):
        Path(f"Ana_{number}_assignsubmission_file_report.json").write_bytes(report(of_student(OK, number)))
    assert run(".")[0] == 0
    assert {file.name for file in Path("grades/students").glob("*.html")} == {"ana.html", "ana--2.html"}


def test_a_student_s_page_is_in_their_language_and_the_class_s_in_the_teacher_s(run: Run) -> None:
    Path("ana.json").write_bytes(report(of_student(BROKEN, 1, language="pt-BR")))
    run("ana.json", "--language", "en")
    page, own = (
        Path("grades", name).read_text(encoding="utf-8") for name in ("class.html", "students/ana.html")
    )
    assert '<html lang="en">' in page
    assert "is not running; it is stopped" in page
    assert '<html lang="pt-BR">' in own
    assert "O que está errado" in own
    assert "<script" not in own
    assert "de 100 pontos" in Path("grades/students/ana.txt").read_text(encoding="utf-8")


def test_a_lab_file_says_what_was_asked(run: Run) -> None:
    Path("ana.json").write_bytes(report(of_student(OK, 1)))
    Path("lab.toml").write_text('workers = ["k8s-0", "k8s-1"]\nlanguage = "pt-BR"\n')
    code, out, _ = run("ana.json", "--lab", "lab.toml")
    assert code == 1
    assert "k8s-0, k8s-1" in out
    assert "outro laboratório" in out
    Path("lab.toml").write_text('workers = ["tag:Role=worker"]\nexpect-workers = 3\n')
    assert run("ana.json", "--lab", "lab.toml")[0] == 0


def test_all_that_is_named_may_be_of_one_student(run: Run) -> None:
    Path("in/reports").mkdir(parents=True)
    Path("in/reports/report.json").write_bytes(report(of_student(OK, 1)))
    Path("in/package.json").write_bytes(b"{}")
    Path("in/essay.pdf").write_bytes(b"%PDF")
    assert run("in", "--student", "Ana")[1].startswith("1 student, 1 with all of it right")
    Path("in/reports/report.json").unlink()
    Path("in/package.json").unlink()
    code, out, _ = run("in", "--student", "Ana")
    assert code == 1
    assert catalogue("en").say("grade-note-bad-none") in out


def test_the_workflow_for_github_classroom_is_yaml_and_runs_what_there_is() -> None:
    workflow = yaml.safe_load((CLASSROOM / "github-classroom.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["grade"]["steps"]
    assert workflow["permissions"] == {"contents": "read"}
    (command,) = [step["run"] for step in steps if "run grade" in step.get("run", "")]
    assert set(re.findall(r"--[a-z-]+", command)) == {"--student", "--export", "--out"}
    # What somebody else may have chosen is never put into a command by GitHub itself.
    assert not any("${{" in step.get("run", "") for step in steps)


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_for_gradescope_are_clean_to_shellcheck(name: str) -> None:
    done = subprocess.run(
        ["shellcheck", CLASSROOM / "gradescope" / name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert os.access(CLASSROOM / "gradescope" / name, os.X_OK)


@pytest.mark.parametrize("handed", ["report", "zip", "nothing of ours"])
def test_gradescope_s_script_leaves_the_results_it_is_to_leave(handed: str, tmp_path: Path) -> None:
    """In folders as Gradescope lays them out; ``./run`` is this Python, where all is set up."""
    suite, submission = tmp_path / "source" / "suite", tmp_path / "submission"
    suite.mkdir(parents=True)
    submission.mkdir()
    (suite / "run").write_text(
        f'#!/bin/sh\ncommand=$1\nshift\nexec "{sys.executable}" -m "kthw.$command" "$@"\n'
    )
    (suite / "run").chmod(0o755)
    (tmp_path / "source" / "points.toml").write_text("total = 10\n")
    recording = report(of_student(OK, 1))
    if handed == "report":
        (submission / "report.json").write_bytes(recording)
    elif handed == "zip":
        (submission / "mine.zip").write_bytes(zipped(("reports/report.json", recording)))
    else:
        (submission / "essay.pdf").write_bytes(b"%PDF")
    done = subprocess.run(
        [CLASSROOM / "gradescope" / "run_autograder"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "AUTOGRADER": str(tmp_path), "PYTHONPATH": str(PROJECT)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results" / "results.json").read_text(encoding="utf-8"))
    assert results["score"] == (0 if handed == "nothing of ours" else 10)


@pytest.mark.parametrize(
    ("file", "option"),
    [("grades.csv", "--roster"), ("results.json", "--points"), ("students/ana.txt", "--roster")],
)
@pytest.mark.parametrize("out", [".", "linked"])
def test_what_a_class_is_judged_by_is_not_written_over(run: Run, file: str, option: str, out: str) -> None:
    Path("students").mkdir()
    Path("linked").symlink_to(".")
    Path("ana.json").write_bytes(report(of_student(OK, 1)))
    mine = "total = 10\n" if option == "--points" else "name\nAna\n"
    Path(file).write_text(mine)
    code, _, err = run("ana.json", option, file, "--out", out, "--export", "gradescope")
    assert (code, err) == (2, f"{SAY('grade-over-itself', value=str(Path(out, file)))}\n")
    assert Path(file).read_text() == mine
    assert not [path for path in Path().iterdir() if path.name.startswith(".students")]


def test_a_hand_in_is_not_written_over(run: Run) -> None:
    Path("results.json").write_bytes(report(of_student(OK, 1)))
    before = Path("results.json").read_bytes()
    assert run("results.json", "--out", ".", "--export", "gradescope")[0] == 2
    assert Path("results.json").read_bytes() == before
