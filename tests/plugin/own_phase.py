"""A plugin for pytest runs by the tests: one process waits at one moment of OWN_PHASE to be interrupted.

``judging`` is inside a test, ``report`` before the reports are written. The process of OWN_VICTIM (``owner``,
or ``worker`` for an xdist worker) leaves its pid in the folder OWN_FOLDER, as ``at``, and goes on when ``go``
is there.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

_SECONDS = 20.0


def _wait_at(phase: str) -> None:
    asked = os.environ.get("OWN_PHASE"), os.environ.get("OWN_VICTIM")
    if asked != (phase, "worker" if "PYTEST_XDIST_WORKER" in os.environ else "owner"):
        return
    folder = Path(os.environ["OWN_FOLDER"])
    try:
        with (folder / "at.new").open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return  # another process of the kind, or another test, was first
    (folder / "at.new").rename(folder / "at")
    (folder / "at.new").touch()
    until = time.monotonic() + _SECONDS
    while not (folder / "go").exists() and time.monotonic() < until:
        time.sleep(0.01)


def pytest_runtest_call() -> None:
    _wait_at("judging")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    _wait_at("report")
