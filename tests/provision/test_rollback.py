"""Rolling back takes away what the journal says we created, as long as it is as we made it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.process import is_alive, started
from kthw.provision.rollback import elsewhere, rollback
from kthw.provision.writer import Writer
from tests.provision.account import THREE, Account
from tests.provision.wire import Carry, Deed, Wire, carried, first, lost, refused, then, unanswered

ROUTES = [f"10.200.{index}.0/24" for index in range(3)]


class Lab:
    """The tutorial's cluster, and a journal that runs write who reach it over a wire."""

    def __init__(self, account: Account, wire: Wire) -> None:
        self.account = account.build()
        self.wire = wire
        self.path = account.directory / "journal.jsonl"
        self.writer = Writer(Account.over(wire, account).target, account.id)

    def apply(self) -> Journal:
        """Apply as a run of our own."""
        journal = Journal(self.path)
        apply(self.writer, plan(self.account.look(), THREE), journal)
        return journal

    def steps(self, run: str = "", patience: float = 60) -> tuple[ProvisionStep, ...]:
        """Roll back as a run of our own."""
        return rollback(self.writer, Journal(self.path), run=run, patience=patience)

    def rollback(self, run: str = "") -> dict[str, str]:
        """Roll back as a run of our own; worker → outcome."""
        return {step.worker: step.outcome for step in self.steps(run)}

    def create_by_hand(self, destination: str, name: str) -> None:
        self.account.ec2.create_route(
            RouteTableId=self.account.table,
            DestinationCidrBlock=destination,
            InstanceId=self.account.instance(name),
        )

    def delete_by_hand(self, destination: str) -> None:
        self.account.ec2.delete_route(RouteTableId=self.account.table, DestinationCidrBlock=destination)

    def repoint(self, destination: str, target: str) -> None:
        self.account.ec2.replace_route(
            RouteTableId=self.account.table, DestinationCidrBlock=destination, InstanceId=target
        )

    def cut_journal(self, event: str, *, keep: bool) -> None:
        """As a run leaves it that is killed at its first ``event``: before that line, or after it."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        at = next(n for n, line in enumerate(lines) if json.loads(line)["event"] == event)
        self.path.write_bytes(b"".join(lines[: at + keep]))


@pytest.fixture
def lab(aws_account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Lab:
    # Nothing settles here: a route that is not listed is not there.
    monkeypatch.setattr("kthw.provision.rollback._SETTLING_SECONDS", 0.1)
    return Lab(aws_account, wire)


def test_what_was_applied_is_taken_back_and_nothing_else(lab: Lab) -> None:
    lab.create_by_hand(ROUTES[1], "worker-1")
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


def test_route_made_by_hand_after_a_run_that_was_killed_before_its_request_is_left(lab: Lab) -> None:
    """The journal then has the intent only, as those of older versions may have."""
    lab.apply()
    lab.cut_journal("create-intended", keep=True)
    for route in ROUTES:
        lab.delete_by_hand(route)
    lab.create_by_hand(ROUTES[0], "worker-0")
    steps = lab.steps()
    assert [(step.worker, step.outcome) for step in steps] == [("worker-0", "maybe")]
    assert steps[0].command == (
        f"aws ec2 delete-route --route-table-id {lab.account.table} --destination-cidr-block {ROUTES[0]}"
    )
    assert list(lab.account.pod_routes()) == [ROUTES[0]]
    assert lab.rollback() == {"worker-0": "maybe"}, "and is told until it is gone"
    lab.delete_by_hand(ROUTES[0])
    assert lab.rollback() == {"worker-0": "gone"}
    assert lab.rollback() == {}


def test_route_made_by_hand_after_a_rollback_that_was_killed_at_its_request_is_left(lab: Lab) -> None:
    lab.apply()
    lab.rollback()
    lab.cut_journal("delete-intended", keep=True)
    lab.create_by_hand(ROUTES[0], "worker-0")
    assert lab.rollback() == {"worker-0": "maybe", "worker-1": "gone", "worker-2": "gone"}
    assert list(lab.account.pod_routes()) == [ROUTES[0]]


def test_route_made_by_hand_where_a_later_run_found_none_is_left(lab: Lab) -> None:
    """Ours had been deleted by somebody, and whoever came before the later run's request made the new one."""
    lab.apply()
    lab.delete_by_hand(ROUTES[0])
    lab.wire.on("CreateRoute", first(lambda: lab.create_by_hand(ROUTES[0], "worker-0")))
    lab.apply()
    assert lab.rollback() == {"worker-0": "maybe", "worker-1": "deleted", "worker-2": "deleted"}
    assert list(lab.account.pod_routes()) == [ROUTES[0]]


@pytest.mark.parametrize("end", ["left", "gone"])
def test_each_route_is_looked_at_again_right_before_it_is_deleted(lab: Lab, end: str) -> None:
    stranger = lab.account.instance("controller-0")

    def meanwhile() -> None:
        if end == "left":
            lab.repoint(ROUTES[0], stranger)
        else:
            lab.delete_by_hand(ROUTES[0])

    lab.apply()
    lab.wire.on("DescribeRouteTables", then(meanwhile))
    assert lab.rollback() == {"worker-0": end, "worker-1": "deleted", "worker-2": "deleted"}
    assert lab.account.pod_routes() == ({ROUTES[0]: stranger} if end == "left" else {})


def test_route_that_now_leads_to_another_interface_of_the_same_worker_is_left(lab: Lab) -> None:
    lab.apply()
    ec2, worker = lab.account.ec2, lab.account.instance("worker-0")
    second = ec2.create_network_interface(SubnetId=lab.account.look().subnets[0].id)["NetworkInterface"]
    eni = second["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=worker, DeviceIndex=1)
    ec2.replace_route(RouteTableId=lab.account.table, DestinationCidrBlock=ROUTES[0], NetworkInterfaceId=eni)
    assert lab.rollback() == {"worker-0": "left", "worker-1": "deleted", "worker-2": "deleted"}
    assert list(lab.account.pod_routes()) == [ROUTES[0]]


DELETED_IN_THE_END: dict[str, Deed] = {
    "throttled": refused("RequestLimitExceeded", status=503),
    "broken down": refused("InternalError", status=500),
    "lost on the way": lost,
    "done and not answered": unanswered,
}


@pytest.mark.parametrize("deed", DELETED_IN_THE_END.values(), ids=DELETED_IN_THE_END)
def test_deletion_is_tried_again_after_another_look(lab: Lab, deed: Deed) -> None:
    lab.apply()
    lab.wire.on("DeleteRoute", deed)
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}
    assert lab.rollback() == {}


def test_route_made_by_hand_while_a_deletion_is_tried_again_is_left(lab: Lab) -> None:
    stranger = lab.account.instance("controller-0")

    def deleted_and_made_anew(carry: Carry) -> None:
        carry()
        lab.create_by_hand(ROUTES[0], "controller-0")

    lab.apply()
    lab.wire.on("DeleteRoute", deleted_and_made_anew)
    assert lab.rollback() == {"worker-0": "left", "worker-1": "deleted", "worker-2": "deleted"}
    assert lab.account.pod_routes() == {ROUTES[0]: stranger}


def test_waiting_for_deletions_has_one_limit_for_all_routes_together(lab: Lab) -> None:
    lab.apply()
    lab.wire.on("DeleteRoute", always=refused("RequestLimitExceeded", "later", status=503))
    steps = lab.steps(patience=0.2)
    assert [step.outcome for step in steps] == ["failed", "not-tried", "not-tried"]
    assert steps[0].detail == "RequestLimitExceeded: later"
    lab.wire.on("DeleteRoute")
    assert set(lab.rollback().values()) == {"deleted"}, "a refused deletion takes nothing from what is known"


def test_route_that_was_pointed_elsewhere_since_is_left(lab: Lab) -> None:
    lab.apply()
    stranger = lab.account.instance("controller-0")
    lab.repoint("10.200.1.0/24", stranger)
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "left", "worker-2": "deleted"}
    assert lab.account.pod_routes() == {"10.200.1.0/24": stranger}
    assert lab.rollback() == {}


def test_route_that_somebody_deleted_is_gone(lab: Lab) -> None:
    lab.apply()
    lab.delete_by_hand(ROUTES[1])
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "gone", "worker-2": "deleted"}


def test_route_that_became_a_blackhole_is_still_taken_back(lab: Lab) -> None:
    lab.apply()
    lab.account.ec2.stop_instances(InstanceIds=[lab.account.instance("worker-1")])
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}


def test_deletion_that_is_refused_does_not_stop_the_others_and_is_tried_again(lab: Lab) -> None:
    lab.apply()
    lab.wire.on("DeleteRoute", carried, refused("UnauthorizedOperation", status=403))
    assert lab.rollback() == {"worker-0": "deleted", "worker-1": "failed", "worker-2": "deleted"}
    assert lab.rollback() == {"worker-1": "deleted"}
    assert lab.account.pod_routes() == {}


def test_one_run_can_be_taken_back_alone(lab: Lab) -> None:
    first = lab.apply()
    lab.repoint("10.200.0.0/24", lab.account.instance("controller-0"))
    lab.delete_by_hand(ROUTES[1])
    second = lab.apply()
    assert lab.rollback(second.run) == {"worker-1": "deleted"}
    assert lab.rollback(first.run) == {"worker-0": "left", "worker-2": "deleted"}


def test_routes_of_another_account_are_left_alone_and_counted(lab: Lab, aws_endpoint: str) -> None:
    other = Lab(Account(aws_endpoint, lab.account.directory), lab.wire)
    lab.apply()
    other.apply()
    assert elsewhere(lab.writer, Journal(lab.path)) == 3
    assert set(lab.rollback().values()) == {"deleted"}
    assert lab.account.pod_routes() == {}
    assert len(other.account.pod_routes()) == 3


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
