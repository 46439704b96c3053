"""Logging in to a private sshd, as the tests of the way in do it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.observed.ssh.login import Deadlines, open_session
from kthw.observed.ssh.session import Session
from kthw.target import SshAccess
from tests.observed.private_sshd import descendants

NO_SSHD = pytest.mark.skipif(not Path("/usr/sbin/sshd").exists(), reason="openssh-server is not installed")
PATIENT = Deadlines(connect=30.0, login=30.0, total=60.0)
"""For whoever is to get an answer, however busy this machine is."""
SHORT = Deadlines(connect=2.0, login=4.0, total=4.0)
"""For whoever is to get none."""
HERE = "127.0.0.1"
PLACES = {"configs": "/nonexistent", "plugins": "/nonexistent"}


def open_(access: SshAccess, deadlines: Deadlines = PATIENT, address: str = HERE) -> Session:
    return open_session(access, "worker-1", address, deadlines=deadlines)


def hostname_over(access: SshAccess) -> str:
    session = open_(access)
    try:
        return str(session.request("facts", deadline=30, **PLACES)["hostname"])
    finally:
        session.close()


def error_of(access: SshAccess, deadlines: Deadlines = PATIENT, address: str = HERE) -> LookError:
    with pytest.raises(CouldNotLook) as raised:
        open_(access, deadlines, address).close()
    return raised.value.error


def left_behind(before: set[str], besides: str = "", seconds: float = 10.0) -> set[str]:
    """The processes that are still there when the time is up, ``besides`` those with that in their line.

    A server that listens tells in its own line how many it is talking to.
    """
    until = time.monotonic() + seconds
    while left := {line for line in descendants() - before if not besides or besides not in line}:
        if time.monotonic() > until:
            return left
        time.sleep(0.02)
    return set()
