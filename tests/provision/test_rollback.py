"""Rolling back takes away what the journal says we created, as long as it is as we made it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from kthw.observed.aws import Reader
from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import apply
from kthw.provision.journal import Entry, Journal, Place
from kthw.provision.plan import plan
from kthw.provision.process import is_alive, started
from kthw.provision.rollback import elsewhere, rollback
from kthw.provision.writer import Writer
from tests.provision.account import ROOT, THREE, Account

# The command, but at its second route: {before} it is created, or after, {then}.
_INTERRUPTED = """
import os, signal, sys
from kthw.provision import __main__ as command
from kthw.provision.writer import Writer
create = Writer.create
def interrupted(writer, step):
    if step.worker == "worker-1":
        {before}
        print("now", flush=True)
        {then}
    create(writer, step)
Writer.create = interrupted
sys.exit(command.main(["apply", "--journal", sys.argv[1]]))
"""
_KILL = "os.kill(os.getpid(), signal.SIGKILL)"


class Lab:
    """The tutorial's cluster, and a journal that a run of the command writes."""

    def __init__(self, account: Account) -> None:
        self.account = account.build()
        self.path = account.directory / "journal.jsonl"
        self.writer = Writer(account.target, account.id)
        self.reader = Reader(account.target)

    def apply(self) -> Journal:
        """Apply as a run of our own."""
        journal = Journal(self.path)
        apply(self.writer, plan(self.account.look(), THREE), journal)
        return journal

    def rollback(self, run: str = "") -> dict[str, str]:
        """Roll back as a run of our own; worker → outcome."""
        steps = rollback(self.writer, self.reader, Journal(self.path), run=run)
        return {step.worker: step.outcome for step in steps}

    def start(self, before: str, then: str) -> subprocess.Popen[str]:
        """The command, in a process that does ``before`` and ``then`` at its second route."""
        return subprocess.Popen(
            [sys.executable, "-c", _INTERRUPTED.format(before=before, then=then), str(self.path)],
            env={**os.environ, **self.account.environment, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def repoint(self, destination: str, target: str) -> None:
        self.account.ec2.replace_route(
            RouteTableId=self.account.table, DestinationCidrBlock=destination, InstanceId=target
        )


@pytest.fixture
def lab(aws_account: Account) -> Lab:
    return Lab(aws_account)


def test_what_was_applied_is_taken_back_and_nothing_else(lab: Lab) -> None:
    mine = lab.account.instance("worker-1")
    lab.account.ec2.create_route(
        RouteTableId=lab.account.table, DestinationCidrBlock="10.200.1.0/24", InstanceId=mine
    )
    before = lab.account.look().route_tables
    lab.apply()
    assert lab.account.look().route_tables != before
    assert lab.rollback() == {"worker-0": "deleted", "worker-2": "deleted"}
    assert lab.account.look().route_tables == before


def test_rolling_back_twice_finds_nothing_the_second_time(lab: Lab) -> None:
    lab.apply()
    lab.rollback()
    assert lab.rollback() == {}


def test_what_was_taken_back_can_be_created_and_taken_back_again(lab: Lab) -> None:
    lab.apply()
    lab.rollback()
    lab.apply()
    assert len(lab.account.pod_routes()) == 3
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}


@pytest.mark.parametrize("before", ["create(writer, step)", "pass"], ids=["created", "not-created"])
def test_run_killed_between_intent_and_outcome_is_taken_back_exactly(lab: Lab, before: str) -> None:
    stranger = lab.account.instance("controller-0")
    lab.account.ec2.create_route(
        RouteTableId=lab.account.table, DestinationCidrBlock="10.200.9.0/24", InstanceId=stranger
    )
    with lab.start(before, _KILL) as process:
        process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL
    created = {"10.200.0.0/24", "10.200.1.0/24"} if before != "pass" else {"10.200.0.0/24"}
    assert set(lab.account.pod_routes()) == {*created, "10.200.9.0/24"}
    outcome = "deleted" if before != "pass" else "gone"
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": outcome}
    assert lab.account.pod_routes() == {"10.200.9.0/24": stranger}


def test_route_that_was_pointed_elsewhere_since_is_left(lab: Lab) -> None:
    lab.apply()
    stranger = lab.account.instance("controller-0")
    lab.repoint("10.200.1.0/24", stranger)
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "left", "worker-2": "deleted"}
    assert lab.account.pod_routes() == {"10.200.1.0/24": stranger}
    assert lab.rollback() == {}


def test_route_that_somebody_deleted_is_gone(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 0.1)
    lab.apply()
    lab.account.ec2.delete_route(RouteTableId=lab.account.table, DestinationCidrBlock="10.200.1.0/24")
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "gone", "worker-2": "deleted"}


def test_route_that_became_a_blackhole_is_still_taken_back(lab: Lab) -> None:
    lab.apply()
    lab.account.ec2.stop_instances(InstanceIds=[lab.account.instance("worker-1")])
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}


def test_deletion_that_is_refused_does_not_stop_the_others_and_is_tried_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.apply()
    delete = Writer.delete

    def refuse_one(writer: Writer, step: ProvisionStep) -> None:
        if step.worker == "worker-1":
            step = msgspec.structs.replace(step, route_table="rtb-00000000000000000")
        delete(writer, step)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "delete", refuse_one)
        assert lab.rollback() == {"worker-0": "deleted", "worker-1": "failed", "worker-2": "deleted"}
    assert lab.rollback() == {"worker-1": "deleted"}
    assert lab.account.pod_routes() == {}


def test_routes_of_a_run_that_still_goes_on_are_left_until_it_has_ended(lab: Lab) -> None:
    with lab.start("create(writer, step)", "sys.stdin.read()") as process:
        assert process.stdout
        assert any(line == "now\n" for line in process.stdout)
        assert lab.rollback() == {"worker-0": "running", "worker-1": "running"}
        assert len(lab.account.pod_routes()) == 2
        process.kill()
        process.wait()
        assert lab.rollback() == {"worker-0": "deleted", "worker-1": "deleted"}
    assert lab.account.pod_routes() == {}


def test_one_run_can_be_taken_back_alone(lab: Lab) -> None:
    first = lab.apply()
    lab.repoint("10.200.0.0/24", lab.account.instance("controller-0"))
    lab.account.ec2.delete_route(RouteTableId=lab.account.table, DestinationCidrBlock="10.200.1.0/24")
    second = lab.apply()
    assert lab.rollback(second.run) == {"worker-1": "deleted"}
    assert lab.rollback(first.run) == {"worker-0": "left", "worker-2": "deleted"}


def test_routes_of_another_account_are_left_alone_and_counted(lab: Lab, aws_endpoint: str) -> None:
    other = Lab(Account(aws_endpoint, lab.account.directory))
    lab.apply()
    other.apply()
    assert elsewhere(lab.writer, Journal(lab.path)) == 3
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}
    assert len(other.account.pod_routes()) == 3


def test_entry_cut_off_by_a_kill_spoils_neither_the_others_nor_the_next(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    place = Place(account="1", region="r", endpoint="e")
    steps = [
        ProvisionStep(worker=f"worker-{n}", outcome="create", pod_cidr=f"10.200.{n}.0/24", target="i-1")
        for n in range(3)
    ]
    journal.record("created", steps[0], place)
    journal.record("create-intended", steps[1], place)
    journal.path.write_bytes(journal.path.read_bytes()[:-40])
    journal.record("created", steps[2], place)
    assert [entry.worker for entry in journal.open()] == ["worker-0", "worker-2"]


def test_later_run_that_created_the_same_route_owns_it(tmp_path: Path) -> None:
    """The earlier run must not take it away under the later one's feet."""
    place = Place(account="1", region="r", endpoint="e")
    step = ProvisionStep(worker="worker-0", outcome="create", pod_cidr="10.200.0.0/24", target="i-1")
    first, second = Journal(tmp_path / "journal.jsonl"), Journal(tmp_path / "journal.jsonl")
    first.record("created", step, place)
    second.record("create-intended", step, place)
    assert [entry.run for entry in first.open()] == [second.run]
    second.record("create-refused", step, place)
    assert [entry.run for entry in first.open()] == [first.run]
    second.record("deleted", step, place)
    assert first.open() == []


def test_journal_holds_one_json_document_per_line(lab: Lab) -> None:
    run = lab.apply().run
    entries = [msgspec.json.decode(line, type=Entry) for line in lab.path.read_bytes().splitlines()]
    assert [entry.event for entry in entries] == ["create-intended", "created"] * 3
    assert {entry.run for entry in entries} == {run}
    assert {entry.place.account for entry in entries} == {lab.account.id}


def test_process_is_alive_only_while_it_is_the_same_one() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        since = started(process.pid)
        assert is_alive(process.pid, since)
        assert not is_alive(process.pid, "another start")
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(process.pid, since), "a zombie is not alive"
    assert not is_alive(process.pid, since)
    assert not is_alive(os.getpid(), started(os.getpid())), "our own runs are ours to take back"
