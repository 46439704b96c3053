"""The whole routes run, boot included, against the tutorial's own shell loop on the same endpoint.

``python -m benchmarks.against_the_loop [ROUNDS]``. Both are measured in turn, in one process, and the
ratio of the medians is what counts: seconds differ from machine to machine.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets

ROOT = Path(__file__).resolve().parent.parent
LOOP = ROOT / "tests" / "tutorial" / "pod_network_routes.sh"
TABLE = (
    "ROUTE_TABLE_ID=$(aws ec2 describe-route-tables --filters Name=tag:Name,Values=kubernetes"
    " --output text --query 'RouteTables[].RouteTableId')"
)


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Wall-clock time of a command that must succeed."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return time.monotonic() - began


def main(rounds: int) -> None:
    """Measure and print one Markdown table."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    plain = {**os.environ, "PATH": path}
    loop, checked, whole = [], [], []
    for _ in range(rounds):
        with start() as box, tempfile.TemporaryDirectory() as reports:
            inside = {**plain, **box.environment}
            suite = [sys.executable, "-m", "pytest", "suites/routes", "-q", "-p", "no:cacheprovider"]
            loop.append(seconds(["bash", "-euc", f"{TABLE}; . {LOOP}"], inside))
            checked.append(seconds([*suite, "--target", "aws", "--reports", reports], inside))
            whole.append(seconds([*suite, "--reports", reports], plain))
    floor = statistics.median(loop)
    print("| what | median s | of the loop |\n|---|---|---|")  # noqa: T201
    for what, measured in (
        ("the chapter's loop with the AWS CLI", loop),
        ("`pytest suites/routes --target aws` on the same endpoint", checked),
        ("`pytest suites/routes`: boot, provision, verify, throw away", whole),
    ):
        median = statistics.median(measured)
        print(f"| {what} | {median:.1f} | {median / floor:.2f} |")  # noqa: T201


if __name__ == "__main__":
    if reason := why_no_packets(catalogue("en").say):
        sys.exit(reason)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
