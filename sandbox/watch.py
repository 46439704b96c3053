"""Seeing to it that a sandbox whose leader was stopped (SIGSTOP) costs seconds.

Its API holds the connections of whoever calls and answers none of them: each call would wait for its whole
read time-out, and be tried again. Killed, the kernel closes them, and every caller hears of it at once.
"""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from typing import Final

PATIENCE: Final = 5.0
"""Seconds that a leader may be stopped."""
_LOOK_SECONDS: Final = 0.5


class Watch:
    """Kills the sandbox of ``process`` (its ``unshare``, or the leader itself) when its leader is stopped.

    ``given_up``: that this has happened. A debugger that holds the leader is no reason.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._over = threading.Event()
        self.given_up = False
        threading.Thread(target=self._look, name="watch", daemon=True).start()

    def end(self) -> None:
        """Look no longer."""
        self._over.set()

    def _look(self) -> None:
        since = 0.0
        while not self._over.wait(_LOOK_SECONDS) and self._process.poll() is None:
            now = time.monotonic()
            since = (since or now) if _is_stopped(self._process.pid) else 0.0
            if since and now - since > PATIENCE:
                self.given_up = True
                self._process.kill()


def _is_stopped(pid: int) -> bool:
    """Whether the process, or a child of its, is stopped. Where there is no /proc: no."""
    try:
        tasks = Path(f"/proc/{pid}/task").glob("*/children")
        pids = [str(pid), *(child for task in tasks for child in task.read_text().split())]
        return any(_state(one) == "T" for one in pids)
    except OSError:
        return False


def _state(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
