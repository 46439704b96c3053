"""How large a report is, and how soon a browser shows it: ``python -m benchmarks.pages`` (needs chromium).

The first paint is the browser's own measure of it (``first-contentful-paint``), from the start of the
navigation, of a file on this machine; the median of five.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from kthw.observed.recording import write
from tests.browser.chromium import Chromium
from tests.plugin.conftest import PROJECT, clean
from tests.verdict.shown import PAGES

TIMES = 5
PAINT = """new Promise(done => new PerformanceObserver(seen => {
  const paint = seen.getEntriesByName('first-contentful-paint')[0];
  if (paint) done(paint.startTime);
}).observe({ type: 'paint', buffered: true }))"""
MEASURED = (
    "healthy", "worst", "fifty", "fifty-in-part", "two-hundred", "thousand", "thousand-without-routes",
)  # fmt: skip


def page(name: str, folder: Path) -> Path:
    """The report of that run, as a person gets it."""
    evidence, suite = PAGES[name]
    write(evidence(), folder / f"{name}.json")
    subprocess.run(
        [
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"suites/{suite}", "-q",
            "--evidence", str(folder / f"{name}.json"), "--reports", str(folder / name), "--language", "en",
        ],
        cwd=PROJECT, env=clean(os.environ), capture_output=True, timeout=600, check=False,
    )  # fmt: skip
    return folder / name / "report.html"


def main() -> None:
    """One row for each run."""
    print("| report | KB | first paint, ms |\n|---|---|---|")  # noqa: T201
    with tempfile.TemporaryDirectory() as made, Chromium(Path(made, "profile")) as browser:
        for name in MEASURED:
            file = page(name, Path(made))
            paints = []
            for _ in range(TIMES):
                browser.open(file)
                paints.append(browser.run(PAINT))
            size = f"{file.stat().st_size / 1000:.0f}"
            print(f"| {name} | {size} | {statistics.median(paints):.0f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
