"""Pages to show in a browser."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kthw.observed.recording import write
from tests.plugin.conftest import PROJECT, clean
from tests.verdict.shown import PAGES


def page_of(name: str, language: str, folder: Path) -> Path:
    """The page of that run, as a person gets it, in ``folder``."""
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
    return folder / "report.html"
