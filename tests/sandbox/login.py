"""Commands typed on a node of a sandbox, over the real ``ssh``."""

from __future__ import annotations

import subprocess

from sandbox.access import SSH_CONFIG
from sandbox.box import Sandbox


def login(box: Sandbox, name: str, command: str) -> subprocess.CompletedProcess[str]:
    """``command`` on the machine of that name, which lets one in within half a minute."""
    return subprocess.run(
        ["ssh", "-F", str(box.directory / SSH_CONFIG), "-o", "ConnectionAttempts=30", name, command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip


def typed(box: Sandbox, name: str, command: str) -> str:
    """What it prints; it has to succeed."""
    done = login(box, name, command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
