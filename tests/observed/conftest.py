"""What the tests of the way in share."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kthw.observed.ssh import config
from tests.observed.private_sshd import Middleman, Sshd, descendants, start, stop
from tests.observed.two_nodes import Lab, TwoNodes


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, so that the configuration of whoever runs this counts for nothing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(config, "SYSTEM", tmp_path / "none")
    (tmp_path / ".ssh").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    server = start(tmp_path_factory.mktemp("sshd"))
    yield server
    stop(server.process)


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Starts servers for one test alone, and ends them however it ends."""
    servers: list[Sshd] = []

    def begin(*options: str) -> Sshd:
        servers.append(start(tmp_path / f"sshd{len(servers)}", *options))
        return servers[-1]

    yield begin
    for server in servers:
        for line in descendants(server.process.pid):
            with contextlib.suppress(ProcessLookupError):  # it may end between our look and our kill
                os.kill(int(line.split()[0]), signal.SIGKILL)
        stop(server.process)


@pytest.fixture
def middleman() -> Iterator[Callable[[Callable[[int, socket.socket], None]], Middleman]]:
    opened: list[Middleman] = []

    def make(treat: Callable[[int, socket.socket], None]) -> Middleman:
        opened.append(Middleman(treat))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[TwoNodes]:
    lab = TwoNodes(tmp_path)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two nodes with a pod each, 10.200.0.2 and 10.200.1.2, for tests that put things right again."""
    made = TwoNodes(tmp_path_factory.mktemp("nodes"))
    sessions = made.session(0), made.session(1)
    for number, session in enumerate(sessions):
        made.make_pod(session, number)
    yield Lab(made, *sessions)
    made.close()
