"""What grading a class costs: seconds and memory by the number of students, and the exponent of the growth.

``python -m benchmarks.grading [N …]`` (default 30 250 500 1000). The hand-ins are the recordings of
``tests/recordings`` and the evidence of ``tests/findings``, each with an account and instances of its own;
the command is run as a person runs it, with the table and every page written. ``peak MB`` is of its largest
process.
"""

from __future__ import annotations

import gzip
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from kthw.observed.evidence import Evidence
from kthw.observed.recording import read
from tests.findings.faults import FAULTS, HEALTHY
from tests.grade.made_class import of_student, report

PROJECT: Final = Path(__file__).resolve().parents[1]
RECORDINGS: Final = PROJECT / "tests" / "recordings"


def evidence() -> list[Evidence]:
    """Three workers each, as a class has them; what needs another lab than the tutorial's is left out."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("healthy", "three-faults"):
            path = Path(folder) / name
            path.write_bytes(gzip.decompress((RECORDINGS / f"{name}.json.gz").read_bytes()))
            found.append(read(path))
    cases = [*(case for case, _ in FAULTS.values()), *HEALTHY.values()]
    names = ("worker-0", "worker-1", "worker-2")
    return [*found, *(case for case in cases if case.intended.workers == names and case.inventory)]


def hand_in(folder: Path, students: int, cases: list[Evidence]) -> None:
    """As Canvas names what it gives out."""
    for number in range(students):
        mine = of_student(cases[number % len(cases)], number, language=("en", "pt-BR")[number % 2])
        (folder / f"student{number}_{number}_{number}_report.json").write_bytes(report(mine))


def graded(folder: Path) -> tuple[float, float, float]:
    """Seconds of the clock, seconds of CPU, and MB of the largest process, of one run of the command."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "kthw.grade", str(folder), "--out", str(folder.parent / "out")]
    measured = [sys.executable, "-c", _MEASURED, *command]
    done = subprocess.run(
        measured, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, float(done.stdout.splitlines()[-1]) / 1024


_MEASURED: Final = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
if done.returncode not in (0, 1, 10): sys.exit(done.returncode)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main(sizes: list[int]) -> None:
    """Print the table."""
    cases = evidence()
    sys.stdout.write(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {len(cases)} different hand-ins\n\n"
    )
    sys.stdout.write("| students | s | CPU s | CPU s a student | peak MB |\n|---|---|---|---|---|\n")
    costs = []
    for students in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "in"
            folder.mkdir()
            hand_in(folder, students, cases)
            seconds, cpu, peak = graded(folder)
        costs.append(cpu)
        row = f"| {students} | {seconds:.1f} | {cpu:.1f} | {cpu / students:.3f} | {peak:.0f} |\n"
        sys.stdout.write(row)
        sys.stdout.flush()
    if len(sizes) > 1:
        growth = math.log(costs[-1] / costs[0]) / math.log(sizes[-1] / sizes[0])
        sys.stdout.write(f"\nexponent {growth:.2f}, load {os.getloadavg()[0]:.1f}\n")


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [30, 250, 500, 1000])
