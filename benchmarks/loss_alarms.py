"""How often a loss of packets is told, with real packets: of so many runs in one sandbox, for each share.

``python -m benchmarks.loss_alarms [HOW ...]``, each ``SHARE:NODES:RUNS`` (``20:1:50``: a rule of nftables on
one node drops 20 % of what it forwards at random, looked at 50 times). Without: as in docs/benchmarks.md. A
run is all that is done on the nodes, from logging in to the last packet, and the verdict on it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from typing import Final

from msgspec.structs import replace

from benchmarks.costs import route_all
from kthw.findings.judging import judge
from kthw.intended.cluster import Intended, worker_names
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.observed.pods import look_into_nodes
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, start, why_no_packets

WORKERS: Final = worker_names("worker-[0-2]")
ASKED: Final = ("0:3:200", "1:3:200", "20:1:50", "5:3:50", "30:1:50", "30:3:50")
TOLD: Final = ("packets-lost", "pod-unreachable", "packets-too-big")
_RULE: Final = """
add table inet lossy
add chain inet lossy forward {{ type filter hook forward priority 0; }}
add rule inet lossy forward numgen random mod 100 < {share} drop
"""
_NO_RULE: Final = "add table inet lossy; delete table inet lossy"


def on(box: Sandbox, worker: str, rules: str) -> None:
    """Give a worker's nftables ``rules``."""
    assert box.target.ssh  # noqa: S101 -- for the type checker: a sandbox has one
    command = ["ssh", "-F", str(box.target.ssh.config), worker, "sudo nft -f -"]
    subprocess.run(command, input=rules, text=True, check=True, capture_output=True)


def looked(box: Sandbox, before: Evidence) -> tuple[Evidence, float]:
    """All that the nodes and their packets tell now, with what AWS told ``before``; seconds."""
    assert before.inventory  # noqa: S101 -- as above
    began = time.monotonic()
    seen = look_into_nodes(box.target, before.inventory, before.intended)
    took = time.monotonic() - began
    return replace(before, nodes=seen.nodes, probes=seen.probes, traces=seen.traces, errors=seen.errors), took


def told_of(evidence: Evidence) -> set[str]:
    """The codes of what is found; ``other`` besides where one of them is not to be found in any such run."""
    verdict = judge(evidence)
    codes = {finding.code for finding in verdict.findings}
    return codes | {"other"} if codes - {*TOLD} or verdict.errors else codes


def measure(box: Sandbox, before: Evidence, share: int, nodes: int, runs: int) -> None:
    """Print one Markdown row."""
    for worker in WORKERS[:nodes] if share else ():
        on(box, worker, _RULE.format(share=share))
    told: Counter[str] = Counter()
    seconds = []
    for _ in range(runs):
        evidence, took = looked(box, before)
        told.update(told_of(evidence))
        seconds.append(took)
    for worker in WORKERS:
        on(box, worker, _NO_RULE)
    cells = " | ".join(f"{told[code]}" for code in (*TOLD, "other"))
    middle = sorted(seconds)[runs // 2]
    print(f"| {share} % | {nodes} | {runs} | {cells} | {middle:.1f} | {max(seconds):.1f} |", flush=True)  # noqa: T201


def main(asked: list[str]) -> None:
    """One row for each of them."""
    print("| lost at a node | nodes | runs | " + " | ".join((*TOLD, "other")) + " | median s | longest s |")  # noqa: T201
    print("|---|---|---|" + "---|" * (len(TOLD) + 3))  # noqa: T201
    with start(WORKERS) as box:
        route_all(box.target.endpoint, WORKERS)
        before = gather(box.target, Intended(workers=WORKERS))
        for each in asked:
            share, nodes, runs = map(int, each.split(":"))
            measure(box, before, share, nodes, runs)


if __name__ == "__main__":
    if reason := why_no_packets(catalogue("en").say):
        sys.exit(reason)
    main(sys.argv[1:] or list(ASKED))
