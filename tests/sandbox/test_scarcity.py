"""Where something runs out, or is closed: one sentence, an exit code that says so, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import shell
from sandbox.box import start
from tests.sandbox.test_commands import NO_PACKETS, ROOT

needs_packets = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small file system")
_FULL = """
mount -t tmpfs -o size=16k tmpfs "$0" && head -c {taken} /dev/zero >"$0/taken" || exit 99
"$@"
code=$?
rm "$0/taken"
ls -A "$0" >"$0.left"
exit "$code"
"""


def run(*arguments: str, through: str = 'exec "$@"', **environment: str) -> subprocess.CompletedProcess[str]:
    """``python -m sandbox ARGUMENTS``, started by the shell that ``through`` is told to."""
    command = ["sh", "-c", through, "sh", sys.executable, "-m", "sandbox", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": "", "LC_ALL": "C.UTF-8", **environment},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


@as_root
@needs_packets
@pytest.mark.parametrize("taken", [4096, 8192, 16384], ids=lambda taken: f"{16384 - taken} left")
def test_a_full_temporary_folder_is_one_sentence(tmp_path: Path, taken: int) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["unshare", "--mount", "sh", "-c", _FULL.format(taken=taken), str(place)]
    done = subprocess.run(
        [*mounted, sys.executable, "-m", "sandbox", "run", "--workers", "1", "--", "true"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "TMPDIR": str(place), "XDG_RUNTIME_DIR": ""},
    )  # fmt: skip
    # Python itself looks for another place where not one byte can be written.
    assert done.returncode == (0 if taken == 16384 else 2), done.stderr
    assert "Traceback" not in done.stderr
    assert Path(f"{place}.left").read_text() == ""
    if done.returncode:
        assert "No space left on device" in done.stderr.splitlines()[0]


@pytest.mark.parametrize("out", [">/dev/full", ">&-", ">&- <&-"])
def test_an_output_nobody_can_read_is_one_sentence(tmp_path: Path, out: str) -> None:
    done = run("up", "--empty", through=f'exec "$@" {out}', TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("I cannot write to standard output")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_has_gone_is_one_sentence(tmp_path: Path) -> None:
    through = f'{{ "$@"; echo $? >"{tmp_path}/code"; }} | true'
    done = run("up", "--empty", through=through, TMPDIR=str(tmp_path))
    assert done.stderr.startswith("I cannot write to standard output")
    assert (tmp_path / "code").read_text() == "1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["code"]


@needs_packets
def test_a_command_is_run_though_all_we_were_given_is_closed(tmp_path: Path) -> None:
    """No pipe of ours is in the place of the command's standard input, output or error."""
    script = f"ssh worker-0 hostname >{tmp_path}/said; echo never read || exit 9"
    done = run("run", "--workers", "1", "--", "sh", "-c", script, through='exec "$@" <&- >&- 2>&-')
    assert done.returncode == 9
    assert (tmp_path / "said").read_text() == "ip-10-0-1-20\n"


@needs_packets
@pytest.mark.parametrize("most", [6, 10, 16, 20])
def test_too_few_file_descriptors_are_one_sentence(tmp_path: Path, most: int) -> None:
    through = f'ulimit -n {most}; exec "$@"'
    done = run("run", "--workers", "1", "--", "true", through=through, TMPDIR=str(tmp_path))
    assert done.returncode == 2
    # Which of its threads finds none left is chance; what Python then says is not always the kernel's words.
    assert done.stderr.startswith("The sandbox could not be started")
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@needs_packets
def test_a_current_folder_that_is_gone_is_no_reason_to_stop(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    through = f'export PYTHONPATH="$PWD"; mkdir {gone}; cd {gone}; rmdir {gone}; exec "$@"'
    done = run("run", "--workers", "1", "--", "ssh", "worker-0", "hostname", through=through)
    assert (done.stdout, done.returncode) == ("ip-10-0-1-20\n", 0)


def test_where_no_packets_flow_ssh_says_why_and_dials_nobody() -> None:
    with start((), empty=True, no_packets="Packets need Linux.") as box:
        inside = shell.dressed(["ssh", "ubuntu@203.0.113.1"], box.directory, os.environ, box.environment)
        done = subprocess.run(
            inside.command, env=inside.environment, capture_output=True, text=True, check=False, timeout=20
        )
    assert done.returncode == 255
    assert "203.0.113.1: Packets need Linux." in done.stderr
