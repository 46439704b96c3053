"""The first and the following words with the agent, over a login shell that has its moods."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook, LookError
from tests.observed.local_channel import LocalChannel
from tests.observed.logins import PLACES

Login = Callable[..., LocalChannel]


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    """A login whose PATH has only what a test puts there: ``id``, ``sudo``, ``python3`` as shell scripts."""
    opened: list[LocalChannel] = []

    def make(*prefix: str, **programs: str) -> LocalChannel:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (folder / name).chmod(0o755)
        (folder / "sh").symlink_to("/bin/sh")
        opened.append(LocalChannel(*prefix, environment={"PATH": str(folder)}))
        return opened[-1]

    yield make
    for channel in opened:
        channel.hang_up(patience=0.2)


PYTHON = f'exec {sys.executable} "$@"'
USER = "echo 1000"
ROOT = "echo 0"


def start_error(channel: LocalChannel) -> LookError:
    with pytest.raises(CouldNotLook) as raised:
        channel.session().start(deadline=10)
    return raised.value.error


def test_root_needs_no_sudo(login: Login) -> None:
    """A login that is uid 0 already starts the agent where no sudo is installed."""
    session = login(id=ROOT, python3=PYTHON).session()
    session.start()
    assert session.request("facts", deadline=10, **PLACES)["hostname"] == socket.gethostname()


def test_anybody_else_goes_through_sudo_without_a_password(login: Login, tmp_path: Path) -> None:
    record = tmp_path / "said"
    sudo = f'echo "$1 $LC_ALL" > {record}; shift; exec "$@"'
    session = login(id=USER, python3=PYTHON, sudo=sudo).session()
    session.start()
    assert record.read_text() == "-n C\n"
    assert session.request("facts", deadline=10, **PLACES)["hostname"] == socket.gethostname()


def test_sudo_that_wants_a_password_is_sudo_denied(login: Login) -> None:
    error = start_error(login(id=USER, python3=PYTHON, sudo="echo sudo: a password is required >&2; exit 1"))
    assert error.code == "sudo-denied"
    assert error.detail == "sudo: a password is required"


def test_no_sudo_is_sudo_denied(login: Login) -> None:
    error = start_error(login(id=USER, python3=PYTHON))
    assert (error.code, error.variant) == ("sudo-denied", "no-sudo")


def test_no_python_is_python_missing(login: Login) -> None:
    assert start_error(login(id=USER, sudo='shift; exec "$@"')).code == "python-missing"


def test_python_that_only_root_lacks_is_python_missing(login: Login) -> None:
    sudo = "echo sudo: python3: command not found >&2; exit 1"
    assert start_error(login(id=USER, python3=PYTHON, sudo=sudo)).code == "python-missing"


def test_an_old_python_is_named(login: Login) -> None:
    error = start_error(login(id=ROOT, python3="echo 'kthw: python3 is 3.5.2' >&2; exit 1"))
    assert (error.code, error.facts["version"]) == ("python-missing", "3.5.2")
    assert error.facts["oldest"] == "3.6"


def test_what_start_up_files_print_is_passed_over(login: Login) -> None:
    shell = "/bin/sh"
    channel = login(
        shell,
        "-c",
        'echo Welcome; echo \'{"motd": 1}\'; exec "$@"',
        shell,
        id=ROOT,
        python3=PYTHON,
    )
    session = channel.session()
    session.start()
    assert session.request("facts", deadline=10, **PLACES)["hostname"]


def test_a_login_that_runs_nothing_is_an_authentication_failure(login: Login) -> None:
    """As on Ubuntu's images, whose root login only says whom to log in as."""
    said = 'Please login as the user "ubuntu" rather than the user "root".'
    error = start_error(login("/bin/sh", "-c", f"echo '{said}'; exit 142", id=ROOT))
    assert (error.code, error.variant) == ("ssh-auth-failed", "no-commands")
    assert error.detail == said


def test_a_start_that_hangs_ends_at_its_deadline(login: Login) -> None:
    session = login(id=ROOT, python3="exec /bin/sleep 30").session()
    began = time.monotonic()
    with pytest.raises(CouldNotLook) as raised:
        session.start(deadline=0.5)
    assert raised.value.error.code == "probe-timeout"
    assert time.monotonic() - began < 20


def test_a_flood_on_standard_error_blocks_nothing(login: Login) -> None:
    """More than both pipes and SSH's window hold."""
    flood = f"{sys.executable} -c 'import sys; sys.stderr.write(3000000 * chr(120))'; "
    session = login(id=ROOT, python3=flood + PYTHON).session()
    session.start(deadline=20)
    assert session.request("facts", deadline=20, **PLACES)["hostname"]


def test_the_agent_needs_nothing_but_the_standard_library_and_itself(login: Login) -> None:
    """Run without our packages anywhere on its path."""
    isolated = PYTHON.replace('"$@"', '-I -S "$@"')
    session = login(id=ROOT, python3=isolated).session()
    session.start()
    assert os.path.sep not in session.request("facts", deadline=10, **PLACES)["hostname"]
