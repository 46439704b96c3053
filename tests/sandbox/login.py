"""Commands typed on a node of a sandbox, over the real ``ssh``."""

from __future__ import annotations

import subprocess
import time
from typing import Final

from sandbox.access import SSH_CONFIG
from sandbox.box import Sandbox

_SECONDS: Final = 30.0
_NO_LOGIN: Final = 255


def login(box: Sandbox, name: str, command: str) -> subprocess.CompletedProcess[str]:
    """``command`` on the machine of that name, which lets one in within half a minute."""
    deadline = time.monotonic() + _SECONDS
    while True:
        done = subprocess.run(
            ["ssh", "-F", str(box.directory / SSH_CONFIG), name, command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=90,
        )  # fmt: skip
        if done.returncode != _NO_LOGIN or time.monotonic() > deadline:
            return done
        time.sleep(0.1)


def typed(box: Sandbox, name: str, command: str) -> str:
    """What it prints; it has to succeed."""
    done = login(box, name, command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
