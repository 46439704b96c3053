"""Telling whether the process that wrote a journal entry still runs on this host."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def started(pid: int) -> str:
    """When process ``pid`` of this host started, as the system writes it; empty when there is none.

    A process id alone is used again by others; with its start it means one process. A dead process
    whose parent has not noticed yet (a zombie) is none.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _started_by_ps(pid)
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]


def is_alive(pid: int, since: str) -> bool:
    """Whether the process that was ``pid``, started at ``since``, still runs and is another than this one."""
    return pid != os.getpid() and bool(since) and started(pid) == since


def _started_by_ps(pid: int) -> str:
    """Where there is no ``/proc`` (macOS)."""
    if Path("/proc/self/stat").exists():
        return ""
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, start = asked.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else start.strip()
