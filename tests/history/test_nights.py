"""Three nights on a sandbox that stands for an account, with real nodes: a route is changed, and mended."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.history.lines import FILE, read
from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from tests.plugin.conftest import PROJECT, clean

NO_PACKETS = why_no_packets(catalogue("en").say)
SCRIPT = """
run() { python -P -m "$@"; }
night() { run pytest "$ROOT/suites/routes" --rootdir "$ROOT" -c "$ROOT/pytest.ini" -q -p no:cacheprovider \
    --target aws --keep 2 --reports . || echo "ended: $?"; }
leads_to() { aws ec2 replace-route --route-table-id "$table" --destination-cidr-block 10.200.1.0/24 \
    --instance-id "$(aws ec2 describe-instances --filters "Name=tag:Name,Values=$1" \
    --query 'Reservations[].Instances[].InstanceId' --output text)"; }
run kthw.provision apply --journal journal.jsonl
table=$(aws ec2 describe-route-tables --output text \
    --query "RouteTables[?Routes[?DestinationCidrBlock=='10.200.1.0/24']].RouteTableId")
night
leads_to worker-2
night
run kthw.history compare --reports . || echo "compared: $?"
leads_to worker-1
night
run kthw.history compare --reports . --language pt-BR
"""


@pytest.mark.slow
@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS or "")
def test_the_route_that_was_changed_is_named_with_where_it_leads_and_where_it_led(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sandbox", "run", "--", "bash", "-euc", f"cd {tmp_path}; {SCRIPT}"],
        cwd=PROJECT, env={**clean(os.environ), "ROOT": str(PROJECT), "PYTHONPATH": str(PROJECT)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    runs = read(tmp_path / FILE).runs
    assert [run.verdict for run in runs] == ["good", "bad", "good"], done.stdout[-3000:]
    assert all(run.target.local for run in runs), "it is never shown as an account"
    assert all({"aws", "ssh", "pods", "probes"} <= run.phases.keys() for run in runs)
    kept = {each.name for each in (tmp_path / "history").iterdir()}
    assert kept == {run.recording for run in runs[1:]}
    assert "compared: 1" in done.stdout
    said = " ".join(done.stdout.split())
    here, there = r"worker-1 \(i-\w+, 10\.0\.1\.21\)", r"worker-2 \(i-\w+, 10\.0\.1\.22\)"
    route = r"10\.200\.1\.0/24 in rtb-\w+"
    assert re.search(rf"- The route to {route} leads to {there}; before it led to {here}\. Page:", said)
    assert "New: route-wrong-target (worker-1" in said
    assert "Gone: route-wrong-target (worker-1" in said
    back = rf"- A rota para {route.replace(' in ', ' em ')} leva a {here}; antes levava a {there}\. Página:"
    assert re.search(back, said)
