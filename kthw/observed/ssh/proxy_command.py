"""A ProxyCommand of OpenSSH's: a program whose input and output are the connection.

paramiko has one of its own, which leaves the program running and cannot be waited for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from typing import Final

_PATIENCE: Final = 1.0
"""Seconds between asking the program to end and making it."""


class ProxyCommand:
    """``command`` runs under ``sh``, in a process group of its own; ``socket`` is our end of it."""

    def __init__(self, command: str) -> None:
        """Start it. Raises ``OSError``."""
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 -- closed in close()
        self.socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._complaints,
                start_new_session=True,
            )

    def ended(self, patience: float = 0.5) -> int | None:
        """What the program ended with, or ``None`` if it still runs after ``patience`` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(patience)
        return None

    def complaint(self) -> str:
        """The end of what it wrote to its standard error, on one line; at most 300 characters."""
        descriptor = self._complaints.fileno()
        # Not seek(): the program writes through the same file offset.
        end = os.pread(descriptor, 2000, max(0, os.fstat(descriptor).st_size - 2000))
        return " ".join(end.decode(errors="replace").split())[-300:]

    def close(self) -> None:
        """End the program and everything it started, and wait for it."""
        self.socket.close()
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._complaints.close()

    def _signal(self, number: signal.Signals) -> None:
        # A member that is another user's (sudo) refuses; it sees the end of its input instead.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
