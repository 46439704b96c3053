"""After the login: what freezes, breaks or is stopped ends, and leaves nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, cast

import paramiko
import pytest

from kthw.errors import CouldNotLook
from kthw.observed.ssh import protocol
from kthw.observed.ssh.login import open_session
from tests.observed.logins import HERE, NO_SSHD, PATIENT, PLACES, hostname_over, open_
from tests.observed.private_sshd import (
    Middleman,
    Sshd,
    descendants,
)

pytestmark = NO_SSHD


def test_a_worker_that_freezes_ends_the_request_at_its_deadline(own_sshd: Callable[..., Sshd]) -> None:
    """The connection stays open and silent: only our own deadline notices."""
    server = own_sshd()
    session = open_(server.access())
    for line in descendants(server.process.pid):
        os.kill(int(line.split()[0]), signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as raised:
        session.request("facts", deadline=1, **PLACES)
    assert raised.value.error.code == "probe-timeout"
    assert time.monotonic() - began < 30
    session.close()


def test_a_connection_that_breaks_is_no_timeout(own_sshd: Callable[..., Sshd]) -> None:
    server = own_sshd()
    session = open_(server.access())
    for line in descendants(server.process.pid):
        os.kill(int(line.split()[0]), signal.SIGKILL)
    with pytest.raises(CouldNotLook) as raised:
        session.request("facts", deadline=60, **PLACES)
    assert (raised.value.error.code, raised.value.error.variant) == ("ssh-unreachable", "lost")
    session.close()


@pytest.mark.parametrize("met", [EOFError(), paramiko.SSHException("Key-exchange timed out")], ids=repr)
def test_whatever_a_connection_breaks_with_is_no_traceback(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, met: Exception
) -> None:
    """What the library's own thread met comes out of whoever sends next; by hand it is a race to see it."""

    def broken(*_: object) -> None:
        raise met

    session = open_(sshd.access())
    with monkeypatch.context() as patch:
        patch.setattr(paramiko.Transport, "_send_user_message", broken)
        with pytest.raises(CouldNotLook) as raised:
            session.request("facts", deadline=5, **PLACES)
        session.close()
    assert (raised.value.error.code, raised.value.error.variant) == ("ssh-unreachable", "lost")


def test_a_tunnel_through_a_broken_connection_closes() -> None:
    class Broken:
        def close(self) -> None:
            raise EOFError

    protocol.close(cast(Any, Broken()))


def test_a_closed_session_leaves_no_thread(sshd: Sshd) -> None:
    before = set(threading.enumerate())
    hostname_over(sshd.access())
    assert set(threading.enumerate()) <= before


def test_stop_ends_the_waiting_at_once(sshd: Sshd, middleman: Callable[..., Middleman]) -> None:
    done = threading.Event()
    port = middleman(lambda _, client: client if done.wait(120) else None).port
    halt = threading.Event()
    threading.Timer(0.3, halt.set).start()
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as raised:
        open_session(sshd.access(f"Port {port}"), "worker-1", HERE, deadlines=PATIENT, stop=halt)
    done.set()
    assert raised.value.error.variant == "interrupted"
    assert time.monotonic() - began < PATIENT.connect
