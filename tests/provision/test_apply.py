"""Applying creates what is missing, compares what is there, and replaces nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from kthw.errors import CouldNotLook
from kthw.observed.aws.reader import CallRefusedError
from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.rollback import rollback
from kthw.provision.writer import Writer
from tests.provision.account import THREE, Account
from tests.provision.wire import Deed, Wire, answered, carried, first, lost, refused, unanswered

ROUTES = [f"10.200.{index}.0/24" for index in range(3)]
PATIENCE = 1.5


class Lab:
    """The tutorial's cluster, somebody who may create routes in it over a wire, and a journal."""

    def __init__(self, account: Account, wire: Wire) -> None:
        self.account = account.build()
        self.wire = wire
        self.journal = Journal(account.directory / "reports" / "journal.jsonl")
        self.writer = Writer(Account.over(wire, account).target, account.id)
        self.intended = {
            destination: account.instance(name)
            for destination, name in zip(ROUTES, THREE.workers, strict=True)
        }

    def plan(self) -> tuple[ProvisionStep, ...]:
        return plan(self.account.look(), THREE)

    def steps(self, steps: tuple[ProvisionStep, ...] | None = None, **more: Any) -> tuple[ProvisionStep, ...]:
        return apply(self.writer, steps or self.plan(), self.journal, **more)

    def apply(self, steps: tuple[ProvisionStep, ...] | None = None, **more: Any) -> list[str]:
        return [step.outcome for step in self.steps(steps, **more)]

    def create_by_hand(self, destination: str, target: str = "") -> None:
        self.account.ec2.create_route(
            RouteTableId=self.account.table,
            DestinationCidrBlock=destination,
            InstanceId=target or self.intended[destination],
        )

    def rollback(self) -> list[tuple[str, str]]:
        return [(step.pod_cidr, step.outcome) for step in rollback(self.writer, self.journal)]

    @property
    def known(self) -> list[str]:
        """The routes that are known to be ours."""
        return [claim.entry.destination for claim in self.journal.open() if claim.known]


@pytest.fixture
def lab(aws_account: Account, wire: Wire) -> Lab:
    return Lab(aws_account, wire)


def test_every_missing_route_is_created_and_told_as_the_chapters_loop_tells_it(lab: Lab) -> None:
    said: list[str] = []
    assert lab.apply(say=said.append) == ["created"] * 3
    assert said == [f"10.0.1.2{n} 10.200.{n}.0/24 created" for n in range(3)]
    assert lab.account.pod_routes() == lab.intended
    assert lab.known == ROUTES


def test_applying_again_changes_nothing(lab: Lab) -> None:
    lab.apply()
    before = lab.journal.path.read_bytes()
    assert lab.apply() == ["exists"] * 3
    assert lab.account.pod_routes() == lab.intended
    assert lab.journal.path.read_bytes() == before


def test_wrong_target_is_told_and_never_replaced(lab: Lab) -> None:
    stranger = lab.account.instance("controller-0")
    lab.create_by_hand("10.200.1.0/24", stranger)
    steps = lab.steps()
    assert [step.outcome for step in steps] == ["created", "wrong-target", "created"]
    assert steps[1].command.startswith("aws ec2 replace-route ")
    assert lab.account.pod_routes() == {**lab.intended, "10.200.1.0/24": stranger}


def test_blackhole_is_told_and_never_replaced(lab: Lab) -> None:
    stranger = lab.account.instance("controller-0")
    lab.create_by_hand("10.200.1.0/24", stranger)
    lab.account.ec2.stop_instances(InstanceIds=[stranger])
    assert lab.apply() == ["created", "blackhole", "created"]
    assert lab.account.pod_routes()["10.200.1.0/24"] == stranger


def test_route_that_appeared_since_the_plan_is_compared_and_is_not_ours(lab: Lab) -> None:
    steps = lab.plan()
    lab.create_by_hand("10.200.0.0/24")
    lab.create_by_hand("10.200.1.0/24", lab.account.instance("controller-0"))
    assert lab.apply(steps) == ["exists", "wrong-target", "created"]
    assert lab.known == ["10.200.2.0/24"]


def test_route_that_vanished_since_the_plan_is_created(lab: Lab) -> None:
    """Another run, which was waited for, has taken back what it had created."""
    lab.create_by_hand("10.200.1.0/24")
    steps = lab.plan()
    lab.account.ec2.delete_route(RouteTableId=lab.account.table, DestinationCidrBlock="10.200.1.0/24")
    assert lab.apply(steps) == ["created"] * 3
    assert lab.known == ROUTES


def test_route_that_appears_between_the_look_and_the_request_is_not_ours(lab: Lab) -> None:
    lab.wire.on("CreateRoute", first(lambda: lab.create_by_hand("10.200.0.0/24")))
    assert lab.apply() == ["exists", "created", "created"]
    assert lab.known == ROUTES[1:]
    assert lab.rollback() == [(route, "deleted") for route in ROUTES[1:]]
    assert list(lab.account.pod_routes()) == ROUTES[:1]


def test_intent_is_in_the_journal_before_the_request_goes_out(lab: Lab) -> None:
    seen: list[tuple[str, str, bool]] = []

    def look() -> None:
        claim = lab.journal.open()[-1]
        seen.append((claim.entry.event, claim.entry.target, claim.known))

    lab.wire.on("CreateRoute", always=first(look))
    lab.apply()
    assert seen == [("create-intended", instance, False) for instance in lab.intended.values()]


def test_nothing_is_created_when_the_journal_cannot_be_written(lab: Lab) -> None:
    (lab.account.directory / "file").touch()
    with pytest.raises(CouldNotLook) as caught:
        apply(lab.writer, lab.plan(), Journal(lab.account.directory / "file" / "journal.jsonl"))
    assert caught.value.error.code == "journal-unusable"
    assert lab.account.pod_routes() == {}


def test_route_that_was_made_when_the_journal_could_take_no_more_is_told(lab: Lab) -> None:
    said: list[str] = []
    lab.wire.on("CreateRoute", first(lambda: _make_a_folder_of(lab.journal)))
    with pytest.raises(CouldNotLook):
        lab.steps(say=said.append, line=lambda step: f"{step.outcome} {step.command}")
    delete = f"--route-table-id {lab.account.table} --destination-cidr-block {ROUTES[0]}"
    assert said == [f"unsure aws ec2 delete-route {delete}"]


_BROKEN_DOWN = b"<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>"
UNKNOWN: dict[str, Deed] = {
    "the connection breaks": unanswered,
    "EC2 breaks down": answered(500, _BROKEN_DOWN),
    "a proxy answers": answered(502, b"<html>Bad Gateway</html>"),
    "a proxy refuses": answered(407, b"<html>Who are you?</html>"),
    "the answer is no answer": answered(200, b"\x00<"),
    "the answer is empty": answered(200, b""),
    "the answer says neither yes nor no": answered(200, b"<CreateRouteResponse></CreateRouteResponse>"),
}  # fmt: skip


@pytest.mark.parametrize("deed", UNKNOWN.values(), ids=UNKNOWN)
def test_route_that_is_there_though_no_yes_came_may_be_ours_and_is_not_taken_back(
    lab: Lab, deed: Deed
) -> None:
    lab.wire.on("CreateRoute", deed)
    steps = lab.steps()
    assert [step.outcome for step in steps] == ["unsure", "created", "created"]
    assert steps[0].command == (
        f"aws ec2 delete-route --route-table-id {lab.account.table} --destination-cidr-block {ROUTES[0]}"
    )
    assert lab.known == ROUTES[1:]
    assert lab.rollback() == [(ROUTES[0], "maybe"), (ROUTES[1], "deleted"), (ROUTES[2], "deleted")]
    assert list(lab.account.pod_routes()) == ROUTES[:1]


def test_route_whose_request_timed_out_may_be_ours(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kthw.observed.aws.reader._READ_SECONDS", 1)
    lab.writer = Writer(Account.over(lab.wire, lab.account).target, lab.account.id)
    lab.wire.on("CreateRoute", _slow)
    assert lab.apply() == ["unsure", "created", "created"]
    assert lab.known == ROUTES[1:]


@pytest.mark.parametrize("deed", [lost, refused("InternalError", status=500)], ids=["lost", "broken-down"])
def test_request_that_was_not_carried_out_is_sent_again_and_the_route_is_ours(lab: Lab, deed: Deed) -> None:
    lab.wire.on("CreateRoute", deed)
    assert lab.apply() == ["created"] * 3
    assert lab.known == ROUTES
    assert lab.wire.sent.count("CreateRoute") == 4


def test_botocore_sends_no_request_to_write_a_second_time(lab: Lab) -> None:
    """It would not tell what became of the first."""
    lab.wire.on("CreateRoute", always=lost)
    lab.apply(patience=0.1)
    assert lab.wire.sent.count("CreateRoute") == 1


@pytest.mark.parametrize(
    "deed", [lost, refused("RequestLimitExceeded", status=503)], ids=["lost", "throttled"]
)
@pytest.mark.parametrize("target", ["worker-0", "controller-0"])
def test_route_that_somebody_makes_before_we_try_again_is_not_taken_for_ours(
    lab: Lab, deed: Deed, target: str
) -> None:
    def and_somebody_makes_it(carry: Any) -> Any:
        lab.create_by_hand("10.200.0.0/24", lab.account.instance(target))
        return deed(carry)

    lab.wire.on("CreateRoute", and_somebody_makes_it)
    outcomes = lab.apply()
    same = "unsure" if deed is lost else "exists"
    assert outcomes == [same if target == "worker-0" else "wrong-target", "created", "created"]
    assert lab.known == ROUTES[1:]
    lab.rollback()
    assert list(lab.account.pod_routes()) == ROUTES[:1]


def test_refused_route_that_is_then_made_by_hand_is_not_touched_by_rollback(lab: Lab) -> None:
    lab.wire.on("CreateRoute", always=refused("UnauthorizedOperation", "not you", status=403))
    assert lab.apply() == ["failed"] * 3
    for route in ROUTES:
        lab.create_by_hand(route)
    assert lab.rollback() == []
    assert lab.account.pod_routes() == lab.intended


def test_endpoint_without_a_connection_is_given_up_and_nothing_is_left_to_take_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsent(*_: object) -> bool:
        raise EndpointConnectionError(endpoint_url="http://x")

    monkeypatch.setattr(Writer, "create", unsent)
    outcomes = lab.apply(patience=PATIENCE)
    assert set(outcomes) <= {"failed", "gave-up", "not-tried"}
    assert lab.journal.open() == []


def test_refusal_is_told_in_awss_words_and_does_not_stop_the_others(lab: Lab) -> None:
    full = "The maximum number of routes has been reached"
    lab.wire.on("CreateRoute", carried, refused("RouteLimitExceeded", full))
    steps = lab.steps()
    assert [step.outcome for step in steps] == ["created", "failed", "created"]
    assert steps[1].detail == f"RouteLimitExceeded: {full}"
    assert steps[1].command.startswith("aws ec2 create-route ")
    assert lab.known == [ROUTES[0], ROUTES[2]]
    assert len(lab.journal.open()) == 2


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "RequestLimitExceeded"])
def test_refusal_that_passes_is_waited_out(lab: Lab, code: str) -> None:
    lab.wire.on("CreateRoute", refused(code))
    assert lab.apply() == ["created"] * 3
    assert lab.account.pod_routes() == lab.intended
    assert lab.known == ROUTES


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "RequestLimitExceeded", "InternalError"])
def test_waiting_has_one_limit_for_all_routes_together(
    lab: Lab, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, sleep = [0.0], time.sleep

    def counted(seconds: float) -> None:
        waited.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", counted)
    status = 500 if code == "InternalError" else 400
    lab.wire.on("CreateRoute", always=refused(code, "later", status=status))
    steps = lab.steps(patience=PATIENCE)
    assert sum(waited) <= PATIENCE
    assert {step.outcome for step in steps} <= {"gave-up", "not-tried"}
    assert steps[0].detail == f"{code}: later"
    assert all(step.command.startswith("aws ec2 create-route ") for step in steps)


def test_worker_that_is_not_ready_keeps_no_other_waiting(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    requests_before_waiting: list[int] = []
    sleep = time.sleep

    def noted(seconds: float) -> None:
        requests_before_waiting.append(lab.wire.sent.count("CreateRoute"))
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", noted)
    not_ready = refused("IncorrectInstanceState")
    lab.wire.on("CreateRoute", not_ready, carried, carried, always=not_ready)
    assert lab.apply(patience=PATIENCE, say=said.append) == ["gave-up", "created", "created"]
    assert [line.split()[-1] for line in said] == ["created", "created", "gave-up"]
    assert requests_before_waiting[0] == 3


def test_worker_with_two_interfaces_is_routed_by_its_primary_one(lab: Lab) -> None:
    ec2, worker = lab.account.ec2, lab.account.instance("worker-1")
    subnet = lab.account.look().subnets[0].id
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=worker, DeviceIndex=1)
    steps = lab.steps()
    assert [step.outcome for step in steps] == ["created"] * 3
    assert steps[1].target.startswith("eni-")
    assert steps[1].target != second
    assert lab.apply() == ["exists"] * 3
    assert lab.rollback() == [(route, "deleted") for route in ROUTES]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("associate_route_table", {"RouteTableId": "rtb-0", "SubnetId": "subnet-0"}),
        ("create_route_table", {"VpcId": "vpc-0"}),
        ("delete_route_table", {"RouteTableId": "rtb-0"}),
        ("terminate_instances", {"InstanceIds": ["i-0"]}),
        ("get_password_data", {"InstanceId": "i-0"}),
    ],
)
def test_writer_can_do_nothing_but_create_replace_and_delete_routes(
    aws_account: Account, operation: str, parameters: dict[str, Any]
) -> None:
    writer = Writer(aws_account.target, aws_account.id)
    with pytest.raises(CallRefusedError):
        getattr(writer.ec2, operation)(**parameters)


def _slow(carry: Callable[[], Any]) -> None:
    carry()
    time.sleep(1.5)  # longer than the client waits


def _make_a_folder_of(journal: Journal) -> None:
    journal.path.unlink()
    journal.path.mkdir()
