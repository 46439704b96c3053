"""The catalogue's terminal ends with whom it is for, on the slowest machine, too."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from sandbox.faults import terminal
from sandbox.faults.terminal import Terminal


def test_a_cli_that_does_not_end_in_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_END_SECONDS", 0.1)
    opened = object.__new__(Terminal)
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.PIPE
    ) as endless:
        monkeypatch.setattr(opened, "_cli", endless, raising=False)
        opened.close()
        assert endless.returncode == -signal.SIGKILL
