"""A run that is interrupted while it looks: closed, taken back, said in one sentence; whatever the signal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from kthw.errors import CouldNotLook
from kthw.provision.entry import Place
from kthw.provision.turns import turn
from kthw.words.messages import LANGUAGES, catalogue
from sandbox import folder
from tests.plugin.conftest import PROJECT, PYTEST, clean
from tests.provision.account import Account
from tests.provision.wire import Wire, carried, first, then

pytestmark = pytest.mark.slow

SUITE = "suites/routes"
_LOGGING_IN = re.compile(r"logging in to the workers … \d/3 \(([\d.]+) s\)")
TAKING_BACK = "taking back what this run created …"


@dataclass(frozen=True)
class Stopped:
    """How an interrupted run ended."""

    code: int
    lines: list[str]

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def last(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()][-2:]


@pytest.fixture
def account(aws_account: Account) -> Account:
    return aws_account.build()


@pytest.fixture
def on_an_account(account: Account, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A run that provisions and then waits in a login nobody answers, which never leaves this machine."""
    config = tmp_path / "ssh_config"
    config.write_text("Host *\n  ProxyCommand sleep 60\n")
    aws = ("--target", "aws", "--provision", "--ssh-config", str(config))
    with contextlib.ExitStack() as closing:
        yield lambda *more: closing.enter_context(_begun(tmp_path, *aws, *more, **account.environment))


@contextlib.contextmanager
def _begun(directory: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    own = {"OWN_JOURNAL": str(directory / "journal.jsonl"), "XDG_STATE_HOME": str(directory / "state")}
    process = subprocess.Popen(
        [*PYTEST, SUITE, "--reports", str(directory / "reports"), *arguments],
        cwd=PROJECT,
        env={**clean(), **own, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    too_late = threading.Timer(60, process.kill)
    too_late.start()
    try:
        yield process
    finally:
        too_late.cancel()
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def stopped(
    process: subprocess.Popen[str], at: Callable[[str], object], number: signal.Signals, *then: signal.Signals
) -> Stopped:
    """Send the signal at the first line for which ``at`` is true, and ``then`` as routes are taken back."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if at(line):
            process.send_signal(number)
            break
    for line in process.stdout:
        said.append(line)
        if line.startswith(TAKING_BACK):
            for more in then:
                process.send_signal(more)
            then = ()
    return Stopped(process.wait(), said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_while_looking_takes_back_what_was_provisioned(
    number: signal.Signals, account: Account, on_an_account: Callable[..., subprocess.Popen[str]]
) -> None:
    there: list[int] = []

    def logging_in(line: str) -> bool:
        if _LOGGING_IN.match(line):
            there.append(len(account.pod_routes()))
        return bool(there)

    run = stopped(on_an_account(), logging_in, number)
    assert there == [3], run.output
    assert account.pod_routes() == {}
    assert run.code == pytest.ExitCode.INTERRUPTED
    assert "taken back from" in run.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_while_aws_is_asked_for_a_route_leaves_none(
    number: signal.Signals, account: Account, tmp_path: Path, wire: Wire
) -> None:
    """What AWS then answers is still heard, so that the route is known to be ours and taken back."""
    asked: list[int] = []

    def in_the_middle() -> None:
        process.send_signal(number)
        asked.append(len(account.pod_routes()))

    wire.on("CreateRoute", carried, then(in_the_middle))
    over = {**account.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    with _begun(tmp_path, "--target", "aws", "--provision", **over) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        assert process.wait() == pytest.ExitCode.INTERRUPTED, said
    assert asked == [2]
    assert account.pod_routes() == {}
    assert said.count("taken back from") == 2
    assert wire.sent.count("CreateRoute") == 2


def test_a_run_waits_for_its_turn_and_keeps_it_until_it_has_taken_back_its_own(
    account: Account, tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a second run would find the first's routes, make none, and then see them vanish."""
    place = Place(account=account.id, region="us-east-1", endpoint=wire.endpoint)
    over = {**account.environment, "AWS_ENDPOINT_URL": wire.endpoint}
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    kept: list[bool] = []

    def ask_for_a_turn() -> None:
        try:
            with turn(place, [account.table], waiting=lambda *_: None, patience=0):
                kept.append(False)
        except CouldNotLook:
            kept.append(True)

    wire.on("DeleteRoute", always=first(ask_for_a_turn))
    mine = contextlib.ExitStack()
    mine.enter_context(turn(place, [account.table], waiting=lambda *_: None))
    later = ("--target", "aws", "--provision", "--after", "machines")
    with mine, _begun(tmp_path, *later, **over) as run:
        assert run.stdout is not None
        waits = f"Another run of mine on this machine (process {os.getpid()}, since "
        assert any(line.startswith(waits) and account.table in line for line in run.stdout)
        assert account.pod_routes() == {}
        mine.close()
        said = run.stdout.read()
        assert run.wait() == pytest.ExitCode.OK, said
    assert said.count("created in") == said.count("taken back from") == 3
    assert kept == [True] * 3
    assert account.pod_routes() == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_interrupted_look_ends_with_one_sentence_and_the_target(
    language: str, account: Account, on_an_account: Callable[..., subprocess.Popen[str]]
) -> None:
    say = catalogue(language).say
    phase = say("run-phase-ssh")
    run = stopped(on_an_account("--language", language), lambda line: line.startswith(phase), signal.SIGINT)
    *_, said, target, tells_nothing = (line.rstrip() for line in run.lines if line.strip())
    assert said == say("run-interrupted")
    assert account.id in target
    assert account.endpoint in target
    assert tells_nothing == say("run-local-tells-nothing")
    for noise in ("Traceback", "KeyboardInterrupt", "!!!", "Exit:"):
        assert noise not in run.output


def test_no_signal_stops_the_taking_back(
    account: Account, on_an_account: Callable[..., subprocess.Popen[str]]
) -> None:
    def and_one_is_already_gone(line: str) -> bool:
        # The rollback looks for a route so young for seconds: time enough for the signals to come.
        if not _LOGGING_IN.match(line):
            return False
        account.ec2.delete_route(RouteTableId=account.table, DestinationCidrBlock="10.200.0.0/24")
        return True

    more = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    run = stopped(on_an_account(), and_one_is_already_gone, signal.SIGINT, *more)
    assert account.pod_routes() == {}, run.output
    assert run.code == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in run.output


def test_routes_that_are_kept_are_said_to_be_there_still(
    account: Account, on_an_account: Callable[..., subprocess.Popen[str]]
) -> None:
    run = stopped(on_an_account("--keep-routes"), _LOGGING_IN.match, signal.SIGINT)
    assert len(account.pod_routes()) == 3
    assert any(line.rstrip().endswith("./run provision rollback") for line in run.lines[-4:])


def test_a_signal_before_anything_is_up_leaves_no_sandbox(tmp_path: Path) -> None:
    with _begun(tmp_path, TMPDIR=str(tmp_path), XDG_RUNTIME_DIR="") as process:
        run = stopped(process, lambda line: line.startswith("booting the sandbox"), signal.SIGTERM)
    assert run.code == pytest.ExitCode.INTERRUPTED
    assert run.last[1].startswith("This was a sandbox")
    assert "Traceback" not in run.output
    assert not list(tmp_path.rglob(f"{folder.PREFIX}*"))


def test_a_signal_a_process_was_started_to_ignore_stays_ignored(
    account: Account, on_an_account: Callable[..., subprocess.Popen[str]]
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = on_an_account()
    finally:
        signal.signal(signal.SIGHUP, before)
    seen: list[str] = []

    def the_second_time(line: str) -> bool:
        if _LOGGING_IN.match(line):
            seen.append(line)
            os.kill(process.pid, signal.SIGHUP)
        return len(seen) == 2

    run = stopped(process, the_second_time, signal.SIGINT)
    assert len(seen) == 2, run.output
    assert account.pod_routes() == {}


def test_while_it_waits_there_is_news(on_an_account: Callable[..., subprocess.Popen[str]]) -> None:
    seconds = [0.0]

    def the_third_time(line: str) -> bool:
        seconds.extend(float(said) for said in _LOGGING_IN.findall(line))
        return len(seconds) == 4

    stopped(on_an_account(), the_third_time, signal.SIGINT)
    # Silence is never long; a loaded machine may be late by a little.
    assert max(later - sooner for sooner, later in pairwise(seconds)) < 2.5
