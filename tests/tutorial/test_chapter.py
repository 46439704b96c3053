"""The chapter's own loop, with the real AWS CLI, makes a cluster the suite finds right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.words.messages import catalogue
from sandbox.box import why_no_packets

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LOOP = Path(__file__).with_name("pod_network_routes.sh")
NO_PACKETS = why_no_packets(catalogue("en").say)
TABLE = (
    "ROUTE_TABLE_ID=$(aws ec2 describe-route-tables --filters Name=tag:Name,Values=kubernetes"
    " --output text --query 'RouteTables[].RouteTableId')"
)


@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_the_chapter_then_the_suite_is_green(tmp_path: Path) -> None:
    """The loop as printed, inside ``sandbox run``; then ``pytest suites/routes --target aws``: all pass."""
    script = (
        f"{TABLE}; . {LOOP}; exec python -m pytest suites/routes --target aws"
        f" --language en --reports {tmp_path} -p no:cacheprovider"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--", "bash", "-euc", script],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    printed = [line for line in done.stdout.splitlines() if line.startswith("10.0.1.2")]
    assert printed[:3] == [f"10.0.1.2{n} 10.200.{n}.0/24" for n in range(3)]
    assert done.stdout.count('"Return": true') == 3
    assert "skipped" not in done.stdout.splitlines()[-1]
