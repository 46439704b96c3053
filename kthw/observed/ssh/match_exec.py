"""The command of a ``Match exec`` in ssh_config: a program whose exit status decides about a block."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import Final

PATIENCE: Final = 5.0
"""Seconds it may take. OpenSSH waits for ever; a verdict on the other workers does not."""


def succeeds(command: str) -> bool:
    """Whether ``command`` ends with 0 under the user's shell, as OpenSSH runs it: no input, no output.

    Raises ``ValueError`` where it does not end in time, ``OSError`` where there is no such shell.
    """
    shell = os.environ.get("SHELL") or "/bin/sh"
    silent = subprocess.DEVNULL
    process = subprocess.Popen(
        [shell, "-c", command], stdin=silent, stdout=silent, stderr=silent, start_new_session=True
    )
    try:
        return process.wait(PATIENCE) == 0
    except subprocess.TimeoutExpired:
        raise ValueError(f"Match exec did not end in {PATIENCE:.0f} s: {command}") from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
