"""``sandbox practice`` as a person lives through it, with a command in the place of the shell."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.practice.draw import drawn
from tests.sandbox.test_commands import NO_PACKETS, ROOT
from tests.sandbox.test_lifecycle import alive, descendants, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)]

SECONDS: Final = 400
PRINTED: Final = """
import json, os, pathlib
inside = pathlib.Path(os.environ["KTHW_SSH_CONFIG"]).parent
report = json.loads((inside / "practice/report.json").read_text())
fixes = dict.fromkeys(f["fix"] for f in report["findings"] if f["code"] != "pod-unreachable")
print("\\n".join(["set -e", *fixes]))
"""
"""What the suite printed as fixes, of the look that ``check`` took: pasted, each once."""
PASTE: Final = f"{sys.executable} -c '{PRINTED}' | bash -e"


def practice(
    tmp_path: Path, *options: str, script: str, language: str = "en_US.UTF-8"
) -> subprocess.CompletedProcess[str]:
    command = ["practice", *options, "--reports", str(tmp_path / "kept"), "--", "bash", "-c", script]
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *command],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS,
        env={**os.environ, "LC_ALL": language},
    )  # fmt: skip


def kept(tmp_path: Path) -> dict[str, Any]:
    """The one result that was kept."""
    (file,) = (tmp_path / "kept").iterdir()
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_a_fault_is_found_hinted_at_mended_and_counted(tmp_path: Path) -> None:
    """In Portuguese; the recording of the last look has the score, and a teacher judges it again."""
    script = f"check; echo =$?; hint; echo =$?; {PASTE}; check; echo =$?"
    done = practice(tmp_path, "--seed", "9", script=script, language="pt_BR.UTF-8")
    assert re.findall(r"^=(\d+)$", done.stdout, re.MULTILINE) == ["1", "0", "0"], done
    assert done.returncode == 0
    before, hint, after = re.split(r"^=\d+$", done.stdout, flags=re.MULTILINE)[:3]
    assert "Onde alguns não valem" in before
    assert "rotas:" in before
    assert "aws ec2" not in before
    assert "Dica 1 de 3 para a falha 1 de 1" in hint
    assert "Resolvido: 90 de 100 pontos" in after
    assert "Exercício 9, fácil." in done.stderr
    result = kept(tmp_path)["practice"]
    assert {key: result[key] for key in ("seed", "level", "faults", "hints", "score", "solved")} == {
        "seed": 9, "level": "easy", "faults": 1, "hints": 1, "score": 90, "solved": True,
    }  # fmt: skip
    (file,) = (tmp_path / "kept").iterdir()
    again = ["--evidence", str(file), "--lab", "none", "--reports", str(tmp_path / "again")]
    judged = subprocess.run(
        [sys.executable, "-m", "pytest", "suites/routes", "-q", *again],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout


def test_three_faults_of_two_tables_are_all_mended_by_what_the_suite_prints(tmp_path: Path) -> None:
    script = f"check; {PASTE}; check; echo =$?"
    done = practice(tmp_path, "--seed", "18", "--level", "hard", script=script)
    assert "=0" in done.stdout, done
    assert done.returncode == 0
    result = kept(tmp_path)["practice"]
    assert (result["faults"], result["mended"], result["score"]) == (3, 3, 100)


def test_what_is_revealed_is_the_suites_answer_and_no_points_come_after_it(tmp_path: Path) -> None:
    script = f"reveal; {PASTE}; check; echo =$?; hint"
    done = practice(tmp_path, "--seed", "21", script=script)
    (exercise,) = drawn(21, "easy", 1).exercises
    assert f"  {exercise.data.en}" in done.stdout, done
    assert "✗ source-dest-check-on" in done.stdout
    assert "--no-source-dest-check" in done.stdout
    assert "=0" in done.stdout
    assert done.stdout.splitlines()[-1] == "There is nothing to hint at any more."
    result = kept(tmp_path)["practice"]
    assert (result["revealed"], result["solved"], result["score"]) == (True, True, 0)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_cut_off_it_leaves_nothing_behind(tmp_path: Path, how: signal.Signals) -> None:
    """No process, no folder, and no result of what nobody looked at."""
    command = ["--seed", "9", "--reports", str(tmp_path / "kept")]
    script = 'echo "$KTHW_SSH_CONFIG"; exec sleep 600'
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "practice", *command, "--", "sh", "-c", script],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        directory = Path(process.stdout.readline().strip()).parent
        assert (directory / "practice.json").exists()
        wait_until(lambda: any(map(_is_sleep, descendants(process.pid))), "the shell's place taken", 60.0)
        family = descendants(process.pid)
        process.send_signal(how)
        if how == signal.SIGKILL:  # whatever runs in the shell's place is the terminal's to end
            os.kill(next(pid for pid in family if _is_sleep(pid)), signal.SIGKILL)
        _, said = process.communicate(timeout=SECONDS)
    assert "Traceback" not in said
    wait_until(lambda: not any(map(alive, family)) and not directory.exists(), "all gone", 60.0)
    assert not (tmp_path / "kept").exists()


def _is_sleep(pid: int) -> bool:
    with contextlib.suppress(OSError):  # it has ended
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00600\x00"
    return False


def test_a_command_that_there_is_not_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "practice", "--reports", str(tmp_path), "no-such-command"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 127
    assert "no-such-command could not be started" in done.stderr


def test_in_a_shell_ctrl_c_ends_a_check_and_not_the_exercise(tmp_path: Path) -> None:
    """And the last look, at the end, makes up for the check that never was."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(ROOT)
        os.environ.update(LC_ALL="en_US.UTF-8", SHELL="/bin/bash", HOME=str(tmp_path))
        command = ["practice", "--seed", "9", "--reports", str(tmp_path / "kept")]
        os.execv(sys.executable, [sys.executable, "-m", "sandbox", *command])  # noqa: S606 -- in a terminal
    try:
        said = _until(terminal, "", "(sandbox) ")
        os.write(terminal, b"check\n")
        said = _until(terminal, said, "checking: ")
        os.write(terminal, b"\x03")
        said = _until(terminal, said, "There is no verdict", "(sandbox) ")
        os.write(terminal, b"exit\n")
        said = _until(terminal, said, "requirements hold.", "Exercise 9: 0 of 100 points", "thrown away.")
    finally:
        os.kill(pid, signal.SIGHUP)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(terminal)
    assert "Traceback" not in said
    assert status in (1, 130, -signal.SIGHUP)
    assert kept(tmp_path)["practice"]["solved"] is False


def _until(terminal: int, said: str, *marks: str) -> str:
    """What the terminal has shown when each of ``marks`` has come, after what it had ``said``."""
    deadline, fresh = time.monotonic() + SECONDS, ""
    left = list(marks)
    while left:
        assert time.monotonic() < deadline, f"no {left[0]!r} in:\n{said}{fresh}"
        if select.select([terminal], [], [], 0.5)[0]:
            fresh += os.read(terminal, 65536).decode(errors="replace")
        while left and left[0] in fresh.replace("\r\n", " "):
            left.pop(0)
    return said + fresh
