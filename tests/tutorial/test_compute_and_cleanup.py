"""The chapters before and after all others, with the real AWS CLI: they work, and nothing is left."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest

from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets
from sandbox.faults.terminal import Terminal
from sandbox.habits import Habits

pytestmark = pytest.mark.slow
STORY = Path(__file__).with_name("compute_and_cleanup.sh")
NO_PACKETS = why_no_packets(catalogue("en").say)
REFUSED = """MissingParameter InvalidAMIID.Malformed InvalidInstanceID.NotFound DependencyViolation
    DependencyViolation DependencyViolation ResourceInUse DependencyViolation"""


@pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
def test_a_lab_is_made_and_taken_away_and_who_forgets_a_step_is_told_as_on_aws(tmp_path: Path) -> None:
    """The delay is one that a slow machine types faster than."""
    with start(empty=True, habits=Habits(delay=8.0, quotas=True)) as box:
        with contextlib.closing(Terminal(box)) as terminal:
            done = subprocess.run(
                ["bash", str(STORY)], cwd=tmp_path, env=terminal.environment,
                capture_output=True, text=True, check=False, timeout=400,
            )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "sshd" not in below(box.leader.pid), "a node still runs"
        assert "Host 1" not in (box.directory / "ssh_config").read_text().replace("Host *", "")
    said = done.stdout.splitlines()
    assert [line.split()[1] for line in said if line.startswith("refused: ")] == REFUSED.split()
    assert "controller-0\t10.0.1.10\trunning" in said
    assert "worker-0\t10.0.1.20\trunning" in said
    assert said.count("50\t/dev/sda1") == 2
    assert {"ip-10-0-1-10", "ip-10-0-1-20"} <= set(said)
    left = {line.split()[1]: line.split()[2] for line in said if line.startswith("left: ")}
    assert len(left) == 7
    assert set(left.values()) == {"0"}


def below(process: int) -> set[str]:
    """The names of all processes that descend from that one."""
    found = {Path(f"/proc/{process}/comm").read_text().strip()}
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found |= below(int(child))
    return found
