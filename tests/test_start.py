"""Ctrl-C while a program of ours is still being loaded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("how", [("slow",), ("pytest", "-p", "slow", "suites/routes")], ids=" ".join)
def test_ctrl_c_during_imports_ends_it_without_a_word(how: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\npathlib.Path(__file__).with_name('on').touch()\ntime.sleep(60)\n"
    )
    started = subprocess.Popen(
        [sys.executable, "-P", "-m", "kthw.start", *how],
        cwd=PROJECT, env={**os.environ, "PYTHONPATH": f"{PROJECT}:{tmp_path}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (tmp_path / "on").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    started.send_signal(signal.SIGINT)
    assert started.communicate(timeout=20)[0] == ""
    assert started.returncode == -signal.SIGINT, "which a shell shows as 130"


@pytest.mark.parametrize("module", ["sandbox.__main__", "kthw.provision.__main__", "fixtures.selection"])
def test_a_program_that_is_loaded_says_so(module: str) -> None:
    file = PROJECT / f"{module.replace('.', '/')}.py"
    assert "\n    loaded()\n" in file.read_text(encoding="utf-8")


def test_once_it_is_loaded_ctrl_c_is_an_interruption_again() -> None:
    code = (
        "import signal\nfrom kthw.start import loaded\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "loaded()\nassert signal.getsignal(signal.SIGINT) is signal.default_int_handler\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nloaded()\n"
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)
