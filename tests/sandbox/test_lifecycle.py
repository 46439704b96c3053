"""A sandbox leaves nothing behind, however it ends, and several don't disturb each other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from kthw.words.messages import catalogue
from sandbox.box import ec2_client, why_no_packets
from sandbox.watch import PATIENCE

needs_packets = pytest.mark.skipif(
    bool(why_no_packets(catalogue("en").say)), reason=why_no_packets(catalogue("en").say)
)
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Up:
    """A ``python -m sandbox up`` and what it printed."""

    process: subprocess.Popen[str]
    exports: dict[str, str]

    @property
    def directory(self) -> Path:
        return Path(self.exports["KTHW_SSH_CONFIG"]).parent

    def child(self) -> int:
        """The one process the owner started: unshare."""
        return children(self.process.pid)[0]


def children(pid: int) -> list[int]:
    # A child is listed under the thread that made it.
    found: list[int] = []
    # It may end as we look, and its folder is gone from under glob.
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def descendants(pid: int) -> list[int]:
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not after {seconds} s"
        time.sleep(0.02)


@pytest.fixture
def boot() -> Iterator[Callable[..., Up]]:
    started: list[subprocess.Popen[str]] = []

    def one(*options: str) -> Up:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "up", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        exports = {}
        for line in process.stdout:
            if not line.startswith("export "):
                break
            name, _, value = line.removeprefix("export ").strip().partition("=")
            exports[name] = value
        return Up(process, exports)

    yield one
    for process in started:
        process.terminate()
        process.wait(20)


def mounts_and_namespaces() -> tuple[str, set[str]]:
    namespaces = {p.name for p in Path("/run/netns").glob("*")}
    return Path("/proc/self/mountinfo").read_text(), namespaces


def is_gone(up: Up, family: list[int]) -> Callable[[], bool]:
    return lambda: not any(alive(pid) for pid in family) and not up.directory.exists()


@needs_packets
@pytest.mark.parametrize("victim", ["owner", "unshare", "leader"])
def test_kill_9_leaves_nothing(boot: Callable[..., Up], victim: str) -> None:
    """``kill -9`` of the owner, of unshare or of the leader: no process, no namespace, no file stays."""
    before = mounts_and_namespaces()
    up = boot("--workers", "1")
    family = descendants(up.process.pid)
    assert len(family) > 5, "the leader, four nodes' sshd and their inits should be there to be killed"
    unshare = up.child()
    who = {"owner": up.process.pid, "unshare": unshare, "leader": children(unshare)[0]}[victim]
    os.kill(who, signal.SIGKILL)
    wait_until(is_gone(up, family), f"all {len(family)} processes and {up.directory} gone")
    up.process.wait(15)
    assert mounts_and_namespaces() == before


def test_the_folder_is_taken_away_when_nobody_writes_into_it_any_more(tmp_path: Path) -> None:
    """The owner dies while the API changes things: nothing is written after the folder went."""
    script = """
import os, sys, threading, time
from pathlib import Path
from sandbox import leader
reading, writing = os.pipe()
folder = Path(sys.argv[1])
with leader._WRITING:
    threading.Thread(target=leader._end_with, args=(reading, folder)).start()
    os.close(writing)
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        (folder / "ssh_config").write_text("half a file")
threading.Event().wait()
"""
    box = tmp_path / "home" / "kthw-sandbox-1"
    box.mkdir(parents=True)
    command = [sys.executable, "-c", script, str(box)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, "")
    assert not box.exists()


@needs_packets
def test_a_leader_that_is_stopped_costs_seconds(boot: Callable[..., Up]) -> None:
    """SIGSTOP to the sandbox's first process: a call that waits for it fails at once when it is given up."""
    up = boot("--empty")
    family = descendants(up.process.pid)
    os.kill(children(up.child())[0], signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(BotoCoreError):
        ec2_client(up.exports["AWS_ENDPOINT_URL"]).describe_vpcs()
    assert up.process.wait(15) == 1
    assert time.monotonic() - begun < 3 * PATIENCE
    wait_until(is_gone(up, family), f"all processes and {up.directory} gone")


@needs_packets
def test_ending_it_leaves_nothing(boot: Callable[..., Up]) -> None:
    """SIGTERM ends a sandbox in order: exit code 0, nothing stays."""
    up = boot("--workers", "1")
    family = descendants(up.process.pid)
    up.process.terminate()
    assert up.process.wait(15) == 0
    assert is_gone(up, family)()


@needs_packets
def test_the_owner_notices_the_end_of_its_sandbox(boot: Callable[..., Up]) -> None:
    """``sandbox up`` whose sandbox dies says so and exits with 1, instead of waiting for ever."""
    up = boot("--workers", "1")
    os.kill(up.child(), signal.SIGKILL)
    assert up.process.wait(15) == 1


@needs_packets
def test_two_sandboxes_do_not_disturb_each_other(boot: Callable[..., Up]) -> None:
    """Each has its own account, its own network and its own ssh_config; one's end is not the other's."""
    first, second = boot("--workers", "1"), boot("--workers", "2")

    def names(up: Up) -> set[str]:
        ec2 = ec2_client(up.exports["AWS_ENDPOINT_URL"])
        found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["worker-*"]}])
        return {t["Value"] for r in found["Reservations"] for i in r["Instances"] for t in i["Tags"]}

    assert (names(first), names(second)) == ({"worker-0"}, {"worker-0", "worker-1"})
    assert hostname(first) == hostname(second) == "ip-10-0-1-20"
    listed = subprocess.run(
        [sys.executable, "-m", "sandbox", "ssh", "worker-0"],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "KTHW_SSH_CONFIG": ""},
    )  # fmt: skip
    assert listed.returncode == 2
    for up in (first, second):
        assert f"KTHW_SSH_CONFIG={up.exports['KTHW_SSH_CONFIG']} ./run sandbox ssh worker-0" in listed.stderr
    first.process.terminate()
    first.process.wait(15)
    assert hostname(second) == "ip-10-0-1-20"


def hostname(up: Up) -> str:
    command = ["ssh", "-F", up.exports["KTHW_SSH_CONFIG"], "worker-0", "hostname"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()


def test_a_sandbox_leaves_no_directory(tmp_path: Path) -> None:
    """``sandbox run`` returns the command's exit code and removes its directory, packets or not."""
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "run",
        "--empty",
        "--",
        "sh",
        "-c",
        "echo $AWS_ENDPOINT_URL; exit 7",
    ]
    alone = {**os.environ, "TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("http://127.0.0.1:")
    assert not list(tmp_path.iterdir())
