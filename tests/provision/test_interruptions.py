"""Whatever signal comes, and whenever: journal and account tell the truth, and rollback goes by it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import NamedTuple

import pytest

from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.rollback import rollback
from kthw.provision.undivided import undivided
from kthw.provision.writer import Writer
from tests.provision.account import THREE, Account
from tests.provision.interrupted import run

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.provision.interrupted"])
SOFT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class End(NamedTuple):
    """``left``: the workers whose routes are there then; ``back``: what a rollback makes of it."""

    left: str
    back: dict[str, str]


NOTHING = End("", {})
TWO_MADE = End("01", {"0": "deleted", "1": "deleted"})
ONE_MADE = End("0", {"0": "deleted"})
ONE_GONE = End("2", {"2": "deleted"})

# By phase: the end by a signal that can be put off, and by SIGKILL.
APPLYING: dict[str, tuple[End, End]] = {
    "plan": (NOTHING, NOTHING),
    "before create-intended": (TWO_MADE, ONE_MADE),
    "after create-intended": (TWO_MADE, End("0", {"0": "deleted", "1": "gone"})),
    "created": (TWO_MADE, End("01", {"0": "deleted", "1": "maybe"})),
    "after created": (TWO_MADE, TWO_MADE),
}
ROLLING_BACK: dict[str, tuple[End, End]] = {
    "before delete-intended": (ONE_GONE, End("12", {"1": "deleted", "2": "deleted"})),
    "after delete-intended": (ONE_GONE, End("12", {"1": "maybe", "2": "deleted"})),
    "deleted": (ONE_GONE, End("2", {"1": "gone", "2": "deleted"})),
    "after deleted": (ONE_GONE, ONE_GONE),
}
CASES = [
    pytest.param(action, phase, number, ends[number is signal.SIGKILL], id=f"{number.name}-{action}-{phase}")
    for action, phases in (("apply", APPLYING), ("rollback", ROLLING_BACK))
    for phase, ends in phases.items()
    for number in (*SOFT, signal.SIGKILL)
]


@pytest.mark.parametrize(("action", "phase", "number", "end"), CASES)
def test_only_what_is_known_is_taken_back_after_a_signal(
    action: str,
    phase: str,
    number: signal.Signals,
    end: End,
    aws_account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 0.1)
    account = aws_account.build()
    path = account.directory / "journal.jsonl"
    writer = Writer(account.target, account.id)
    if action == "rollback":
        apply(writer, plan(account.look(), THREE), Journal(path))
        # As if another process, which has ended, had done it: those of a run that goes on are left alone.
        path.write_bytes(path.read_bytes().replace(b'"started":"', b'"started":"not '))
    environment = {**account.environment, "XDG_STATE_HOME": str(account.directory / "state")}
    child = _PROCESSES.Process(target=run, args=(action, account.directory, phase, number, environment))
    child.start()
    child.join(120)
    said = (account.directory / "said").read_text()
    assert child.exitcode == (-number if number is signal.SIGKILL else 128 + number), said
    assert "Traceback" not in said
    assert {route.split(".")[2] for route in account.pod_routes()} == set(end.left)
    maybe = [worker for worker, outcome in end.back.items() if outcome == "maybe"]
    steps = rollback(writer, Journal(path))
    assert {step.worker[-1]: step.outcome for step in steps} == end.back
    assert {route.split(".")[2] for route in account.pod_routes()} == set(maybe)


def test_signal_is_put_off_until_the_line_is_written_and_comes_then() -> None:
    done = []

    def work() -> None:
        with undivided():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("line")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["line"]


def test_second_signal_is_not_put_off() -> None:
    done = []

    def work() -> None:
        with undivided():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            done.append("line")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == []


def test_handlers_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(number) for number in SOFT]
    with undivided():
        assert [signal.getsignal(number) for number in SOFT] != before
    assert [signal.getsignal(number) for number in SOFT] == before


def test_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with undivided():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_thread_that_may_handle_no_signals_works_all_the_same() -> None:
    done: list[str] = []

    def work() -> None:
        with undivided():
            done.append("line")

    other = threading.Thread(target=work)
    other.start()
    other.join()
    assert done == ["line"]
