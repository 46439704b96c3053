"""Running the plugin as a person does: pytest as a program, on recorded evidence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kthw.findings.check import Need, every_worker
from kthw.findings.registry import CHECKS
from kthw.observed.evidence import Evidence
from kthw.observed.recording import write

PROJECT = Path(__file__).resolve().parents[2]
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "tests.plugin.own_journal")
NOT_ALL_SEEN = 10
"""The promised exit code where nothing is wrong as far as could be looked, and not everything could be."""
_MINE = ("AWS_", "KTHW_", "LC_", "LANG", "PYTEST_", "PYTHONUNBUFFERED")


@dataclass(frozen=True)
class Ran:
    """One run: its exit code, what it printed, and where its reports and its journal are."""

    code: int
    output: str
    reports: Path
    journal: Path

    @property
    def lines(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.strip()]

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads((self.reports / "report.json").read_bytes()))

    @property
    def codes(self) -> list[str]:
        return [finding["code"] for finding in self.document["findings"]]

    @property
    def page(self) -> str:
        return (self.reports / "report.html").read_text(encoding="utf-8")

    @property
    def junit(self) -> dict[str, int]:
        suite = ElementTree.parse(self.reports / "junit.xml").getroot()[0]  # noqa: S314 -- our own file
        return {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}


Run = Callable[..., Ran]


@pytest.fixture
def run_pytest(tmp_path: Path) -> Run:
    """``run_pytest(*arguments, **environment)``: pytest in the project, its reports and journal apart.

    ``project``: another copy of it; ``through``: a command that runs the command it is given.
    """

    def run(
        *arguments: str,
        reports: bool = True,
        project: Path = PROJECT,
        through: Sequence[str] = (),
        **environment: str,
    ) -> Ran:
        directory, journal = tmp_path / "reports", tmp_path / "journal.jsonl"
        apart = ["--reports", str(directory)] if reports else []
        done = subprocess.run(
            [*through, *PYTEST, *arguments, *apart],
            cwd=project, env={**clean(), "OWN_JOURNAL": str(journal), **environment},
            capture_output=True, encoding=environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0],
            timeout=120, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout + done.stderr, directory, journal)

    return run


@pytest.fixture
def judge(tmp_path: Path, run_pytest: Run) -> Run:
    """``judge(evidence, *arguments)``: the routes suite on that evidence, recorded."""

    def run(evidence: Evidence, *arguments: str, **environment: str) -> Ran:
        file = tmp_path / "evidence.json"
        write(evidence, file)
        return run_pytest("suites/routes", "--evidence", str(file), *arguments, **environment)

    return run


def clean(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment without anything that would change what a run looks at or says."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_MINE)}
    return {**kept, "KTHW_LAB": "none"}


def asked(workers: int = 3, *, needing: Need | None = None, chapter: str = "", area: str = "") -> int:
    """How many tests ask that many workers, whose number nobody expects: one for each check of each worker
    (with that need, brought by that chapter, in that area)."""
    checks = [
        check
        for check in CHECKS
        if check.subjects is every_worker
        and (needing is None or needing in check.needs)
        and chapter in ("", check.chapter)
        and area in ("", check.area)
    ]
    return len(checks) * workers
