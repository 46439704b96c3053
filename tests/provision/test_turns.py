"""Runs of one person on one machine work on a route table one at a time."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook
from kthw.provision.entry import Place
from kthw.provision.turns import Holder, turn
from tests.provision.account import ROOT

PLACE = Place(account="123456789012", region="us-east-1", endpoint="https://ec2.us-east-1.amazonaws.com")
_OTHER = """
import sys
from kthw.provision.entry import Place
from kthw.provision.turns import turn
place = Place(account=sys.argv[1], region="us-east-1", endpoint="https://ec2.us-east-1.amazonaws.com")
with turn(place, sys.argv[2:], waiting=print):
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own for the locks."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@contextmanager
def another_run(*tables: str, account: str = PLACE.account) -> Iterator[subprocess.Popen[str]]:
    """Another process whose turn it is."""
    process = subprocess.Popen(
        [sys.executable, "-c", _OTHER, account, *tables],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "mine\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def silent(_table: str, _holder: Holder) -> None:
    raise AssertionError("nobody is to be waited for")


def test_who_comes_second_waits_says_for_whom_and_goes_on_when_the_first_has_finished() -> None:
    said: list[tuple[str, Holder]] = []
    with another_run("rtb-1") as other:

        def waiting(table: str, holder: Holder) -> None:
            said.append((table, holder))
            threading.Thread(target=other.communicate).start()  # it reads to the end, and ends

        with turn(PLACE, ["rtb-0", "rtb-1"], waiting=waiting, patience=60):
            assert other.wait(30) == 0
    assert [(table, holder.pid) for table, holder in said] == [("rtb-1", other.pid)]


def test_who_has_waited_long_enough_is_told_who_is_in_the_way() -> None:
    with (
        another_run("rtb-1") as other,
        pytest.raises(CouldNotLook) as caught,
        turn(PLACE, ["rtb-1"], waiting=lambda *_: None, patience=0.3),
    ):
        pass
    assert caught.value.error.code == "route-table-busy"
    assert caught.value.error.facts["pid"] == str(other.pid)


def test_killed_run_is_in_nobodys_way() -> None:
    with another_run("rtb-1") as other:
        other.kill()
        other.wait()
        with turn(PLACE, ["rtb-1"], waiting=silent, patience=0):
            pass


def test_other_tables_and_other_accounts_are_in_nobodys_way() -> None:
    with (
        another_run("rtb-1"),
        another_run("rtb-2", account="999999999999"),
        turn(PLACE, ["rtb-2"], waiting=silent, patience=0),
    ):
        pass


def test_nothing_is_left_of_a_turn_and_its_folder_is_private(state: Path) -> None:
    with turn(PLACE, ["rtb-1", "rtb-2"], waiting=silent):
        (folder,) = state.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(lock.stat().st_mode) for lock in folder.iterdir()} == {0o600}
    assert list(folder.iterdir()) == []


def test_lock_with_nonsense_in_it_is_a_lock_all_the_same(state: Path) -> None:
    with another_run("rtb-1"):
        (lock,) = (state / "kthw").iterdir()
        lock.write_bytes(b"\xff" * 10_000)
        said: list[Holder] = []
        with (
            pytest.raises(CouldNotLook),
            turn(PLACE, ["rtb-1"], waiting=lambda _, holder: said.append(holder), patience=0),
        ):
            pass
        assert said == [Holder()]


def test_link_in_the_locks_place_is_not_followed(state: Path, tmp_path: Path) -> None:
    with turn(PLACE, ["rtb-1"], waiting=silent):
        (lock,) = (state / "kthw").iterdir()
    theirs = tmp_path / "theirs"
    theirs.write_text("precious")
    lock.symlink_to(theirs)
    with pytest.raises(CouldNotLook), turn(PLACE, ["rtb-1"], waiting=silent):
        pass
    assert theirs.read_text() == "precious"


def test_home_that_cannot_be_written_to_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with turn(PLACE, ["rtb-1"], waiting=silent):
        (folder,) = tmp_path.glob("kthw-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
