"""The last chapter: what the suite finds left is deleted by the commands it prints, and then nothing is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kthw.findings.cleanup import KINDS
from kthw.words.messages import catalogue
from sandbox.box import why_no_packets

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
NO_PACKETS = why_no_packets(catalogue("en").say)
SUITE = "python -m pytest suites/cleanup --target aws --language en -p no:cacheprovider --reports"
PASTE = 'import json,sys; print("\\n".join(each["fix"] for each in json.load(open(sys.argv[1]))["findings"]))'
MADE = """
SUBNET=$(aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text \\
  --filters Name=tag:Name,Values=kubernetes)
VPC=$(aws ec2 describe-subnets --query 'Subnets[0].VpcId' --output text --subnet-ids $SUBNET)
aws ec2 create-volume --size 8 --availability-zone us-east-1a \\
  --tag-specifications 'ResourceType=volume,Tags=[{Key=Name,Value=worker-0}]' >/dev/null
aws ec2 allocate-address --domain vpc \\
  --tag-specifications 'ResourceType=elastic-ip,Tags=[{Key=Name,Value=kubernetes}]' >/dev/null
aws ec2 create-network-interface --subnet-id $SUBNET >/dev/null
aws ec2 create-nat-gateway --subnet-id $SUBNET --connectivity-type private >/dev/null
A=$(aws ec2 create-security-group --group-name a --description a --vpc-id $VPC --query GroupId --output text)
B=$(aws ec2 create-security-group --group-name b --description b --vpc-id $VPC --query GroupId --output text)
aws ec2 authorize-security-group-ingress --group-id $A --protocol all --source-group $B >/dev/null
aws ec2 authorize-security-group-ingress --group-id $B --protocol all --source-group $A >/dev/null
"""
"""What a person makes beside the tutorial's own, and forgets."""


@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_what_is_left_is_deleted_by_pasting_what_is_printed(tmp_path: Path) -> None:
    """All that a whole lab leaves, and what was forgotten beside it: pasted in the order of the report."""
    before, after = tmp_path / "before", tmp_path / "after"
    script = f"""
{MADE}
{SUITE} {before} >{tmp_path}/told.txt && exit 90
python -c '{PASTE}' {before}/report.json >{tmp_path}/paste.sh
bash -euxo pipefail {tmp_path}/paste.sh
exec {SUITE} {after}
"""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "run", "--", "bash", "-uc", script],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    told = json.loads((before / "report.json").read_text(encoding="utf-8"))
    left = json.loads((after / "report.json").read_text(encoding="utf-8"))
    kinds = {each["code"].removesuffix("-left") for each in told["findings"]}
    assert kinds == set(KINDS)
    assert told["errors"] == []
    assert (left["findings"], left["errors"], left["evidence"]["leftovers"]) == ([], [], [])
    assert left["summary"]["passed"] == len(KINDS)
