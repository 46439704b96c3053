"""What judging costs as the cluster grows, and the exponent of its growth: 1 is linear in what there is.

``python -m benchmarks.judging [N …]`` (default 100 200 400 800; where packets are sent: a quarter of each).
The seconds are of CPU time: judging, and all that is written of it: terminal, page, ``report.json``, and the
texts of JUnit's file.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable
from typing import Final

from benchmarks import wide
from fixtures.summary import Summing
from kthw.findings.judging import Verdict, judge
from kthw.observed.evidence import Evidence
from kthw.observed.recording import as_json
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import Catalogue, catalogue

CASES: Final[dict[str, Callable[[int], Evidence]]] = {
    "AWS side, all well": lambda n: wide.cluster(n, packets=False),
    "no instance at all": lambda n: wide.without_instances(wide.cluster(n, packets=False)),
    "no route at all": lambda n: wide.without_routes(wide.cluster(n, packets=False)),
    "nobody could log in": lambda n: wide.nobody_logged_in(wide.cluster(n, packets=False)),
}
"""By name, the evidence of ``n`` workers."""
PACKETS: Final[dict[str, Callable[[int], Evidence]]] = {
    "packets, all well": lambda n: wide.cluster(n, packets=True),
    "every pair failing, checks on": lambda n: wide.with_checks_on(wide.cluster(n, packets=True)),
    "every pair failing, no route": lambda n: wide.with_every_pair_failing(
        wide.without_routes(wide.cluster(n, packets=True))
    ),
    "every pair failing, group closed": lambda n: wide.with_groups_closed(wide.cluster(n, packets=True)),
    "every pair failing, for no reason": lambda n: wide.with_every_pair_failing(
        wide.cluster(n, packets=True)
    ),
}
"""The same with what SSH brings: what there is grows with the pairs."""


class Lines:
    """What pytest's reporter is to the summary: it keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write_line(self, line: str, **_: bool) -> None:
        self.lines.append(line)

    def write_sep(self, _sep: str, title: str, **_: bool) -> None:
        self.lines.append(title)


def write(verdict: Verdict) -> None:
    """All that is told of it, and how a run tells it: each part is kept until it is a file's."""
    words = catalogue("en")
    report = Report(verdict, Summary())
    as_json(report.document(words))
    page(report, words, ["target"])
    summary(report, words)
    for outcome in verdict.outcomes:
        for finding in outcome.findings:
            words.finding(finding)
        if outcome.error:
            words.error(outcome.error)


def summary(report: Report, words: Catalogue) -> list[str]:
    """The end of a run on the terminal, where no test is told of."""
    written = Lines()
    Summing(written, words, report).tell({}, [])  # type: ignore[arg-type]  # two methods of it are used
    return written.lines


def seconds(evidence: Evidence) -> tuple[float, float]:
    """CPU seconds of judging, and of writing.

    As in a run, what was looked at is kept aside from the collections of garbage before it is judged, and
    the verdict before it is written.
    """
    gc.collect()
    gc.freeze()
    began = time.process_time()
    verdict = judge(evidence)
    judged = time.process_time()
    gc.freeze()
    written = time.process_time()
    write(verdict)
    wrote = time.process_time()
    gc.unfreeze()
    return judged - began, wrote - written


def main(counts: list[int]) -> None:
    """One row for each case."""
    print("| case | things | " + " | ".join(f"{n}: judge + write s" for n in counts) + " | exponent |")  # noqa: T201
    print("|---|---|" + "---|" * (len(counts) + 1))  # noqa: T201
    seconds(wide.cluster(4, packets=True))  # what is loaded and prepared once is no part of it
    for name, make in {**CASES, **PACKETS}.items():
        sizes = [count // 4 if name in PACKETS else count for count in counts]
        cells, spent = [], []
        for size in sizes:
            judging, writing = seconds(make(size))
            spent.append(judging + writing)
            cells.append(f"{judging:.2f} + {writing:.2f}")
        growth = math.log(sizes[-1] / sizes[0]) * (2 if name in PACKETS else 1)
        exponent = math.log(spent[-1] / spent[0]) / growth
        kind = "pairs" if name in PACKETS else "workers"
        print(f"| {name} | {kind} | {' | '.join(cells)} | {exponent:.2f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [100, 200, 400, 800])
