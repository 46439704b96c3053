"""A browser for the tests of this folder, and pages to show in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kthw.observed.recording import write
from tests.browser.chromium import INSTALL, PROGRAM, Chromium
from tests.plugin.conftest import PROJECT, clean
from tests.verdict.shown import PAGES

Made = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Started once."""
    if PROGRAM is None:
        pytest.skip(INSTALL)
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """``made(name, language)``: the page of that run, as a person gets it; each once."""
    known: dict[tuple[str, str], Path] = {}

    def make(name: str, language: str = "en") -> Path:
        if (name, language) not in known:
            folder = tmp_path_factory.mktemp(f"{name}-{language}")
            evidence, suite = PAGES[name]
            write(evidence(), folder / "evidence.json")
            subprocess.run(
                [
                    sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"suites/{suite}", "-q",
                    "--evidence", str(folder / "evidence.json"), "--reports", str(folder),
                    "--language", language,
                ],
                cwd=PROJECT, env=clean(os.environ), capture_output=True, timeout=300, check=False,
            )  # fmt: skip
            known[name, language] = folder / "report.html"
        return known[name, language]

    return make
