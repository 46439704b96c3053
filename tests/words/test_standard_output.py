"""Where standard output takes nothing, a command says so in one sentence, and ends in order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import PROJECT

COMMANDS = {
    "history": ("compare", "report.json", "report.json", "--out", "page.html"),
    "night": ("summary", "--report", "report.json"),
    "grade": ("report.json",),
    "provision": ("plan", "--lab", "lab.toml"),
}
UNWRITTEN = {"provision": (1, "provision-unwritten")}


def run(folder: Path, command: str, through: str, *more: str) -> subprocess.CompletedProcess[str]:
    """The command in a folder with a recording and a lab file, by a line of shell in which it is ``"$@"``."""
    write(healthy(), folder / "report.json")
    (folder / "lab.toml").write_text("workers = ['worker-0']\n")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LC_", "LANG", "KTHW_"))}
    typed = [sys.executable, "-P", "-m", "kthw.start", f"kthw.{command}", *COMMANDS[command], *more]
    return subprocess.run(
        ["sh", "-c", through, "sh", *typed],
        cwd=folder, env={**kept, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("out", [">/dev/full", ">&-"])
@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_takes_nothing_is_one_sentence(
    tmp_path: Path, command: str, out: str, language: str
) -> None:
    done = run(tmp_path, command, f'exec "$@" {out}', "--language", language)
    code, key = UNWRITTEN.get(command, (2, "command-unwritten"))
    before, _, after = catalogue(language).say(key, detail="…").partition("…")
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1)
    assert done.stderr.startswith(before)
    assert done.stderr.endswith(f"{after}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_where_nobody_can_be_told_the_exit_code_tells_it(tmp_path: Path, command: str) -> None:
    code, _ = UNWRITTEN.get(command, (2, ""))
    assert run(tmp_path, command, 'exec "$@" >&- 2>&-').returncode == code


@pytest.mark.parametrize("command", COMMANDS)
def test_help_that_nobody_can_read_is_no_complaint(tmp_path: Path, command: str) -> None:
    done = run(tmp_path, command, 'exec "$@" >&-', "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["history", "night", "grade", "provision"])
def test_a_complaint_that_nobody_can_read_keeps_its_exit_code(tmp_path: Path, command: str) -> None:
    assert run(tmp_path, command, 'exec "$@" 2>&-', "--nonsense").returncode == 2


def test_a_reader_who_has_enough_takes_no_exit_code_from_a_class(tmp_path: Path) -> None:
    whole = run(tmp_path, "grade", 'exec "$@"')
    done = run(tmp_path, "grade", '{ "$@"; echo $? >code; } | true')
    assert (done.stderr, (tmp_path / "code").read_text()) == ("", f"{whole.returncode}\n")
    assert (tmp_path / "grades" / "class.html").is_file()
