"""What judging costs as the cluster grows, and the exponent of its growth: 1 is linear in what there is.

``python -m benchmarks.judging [N …]`` (default 100 200 400 800; every pair failing: a quarter of each). The
seconds are of CPU time: judging, and everything that is written of it (``report.json`` and the page).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import msgspec

from benchmarks import wide
from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue

CASES: dict[str, Callable[[int], Evidence]] = {
    "AWS side, all well": lambda n: wide.cluster(n, packets=False),
    "no instance at all": lambda n: wide.without_instances(wide.cluster(n, packets=False)),
    "no route at all": lambda n: wide.without_routes(wide.cluster(n, packets=False)),
    "packets, all well": lambda n: wide.cluster(n // 4, packets=True),
    "every pair failing, for a reason": lambda n: wide.with_checks_on(wide.cluster(n // 4, packets=True)),
    "every pair failing, for none": lambda n: wide.with_every_pair_failing(
        wide.cluster(n // 4, packets=True)
    ),
}


def seconds(evidence: Evidence) -> tuple[float, float]:
    """CPU seconds of judging, and of writing."""
    words = catalogue("en")
    began = time.process_time()
    verdict = judge(evidence)
    judged = time.process_time()
    report = Report(verdict, Summary())
    msgspec.json.encode(report.document(words))
    page(report, words, ["target"])
    return judged - began, time.process_time() - judged


def main(counts: list[int]) -> None:
    """One row for each case."""
    print("| case | things | " + " | ".join(f"{n}: judge + write s" for n in counts) + " | exponent |")  # noqa: T201
    print("|---|---|" + "---|" * (len(counts) + 1))  # noqa: T201
    for name, make in CASES.items():
        cells, spent, sizes = [], [], []
        for count in counts:
            evidence = make(count)
            judging, writing = seconds(evidence)
            spent.append(judging + writing)
            sizes.append(len(evidence.probes) or count)
            cells.append(f"{judging:.2f} + {writing:.2f}")
        exponent = math.log(spent[-1] / spent[0]) / math.log(sizes[-1] / sizes[0])
        kind = "probes" if "pa" in name else "workers"
        print(f"| {name} | {kind} | {' | '.join(cells)} | {exponent:.2f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [100, 200, 400, 800])
