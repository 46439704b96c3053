"""Applying creates what is missing, compares what is there, and replaces nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from kthw.errors import CouldNotLook
from kthw.observed.aws import CallRefusedError, Reader
from kthw.observed.evidence import ProvisionStep
from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.rollback import rollback
from kthw.provision.writer import Writer
from tests.provision.account import THREE, Account


class Lab:
    """The tutorial's cluster, somebody who may create routes in it, and a journal."""

    def __init__(self, account: Account) -> None:
        self.account = account.build()
        self.writer = Writer(account.target, account.id)
        self.journal = Journal(account.directory / "reports" / "journal.jsonl")
        self.intended = {
            f"10.200.{index}.0/24": account.instance(name) for index, name in enumerate(THREE.workers)
        }

    def plan(self) -> tuple[ProvisionStep, ...]:
        return plan(self.account.look(), THREE)

    def apply(self, steps: tuple[ProvisionStep, ...] | None = None, **more: Any) -> list[str]:
        return [s.outcome for s in apply(self.writer, steps or self.plan(), self.journal, **more)]

    def create_by_hand(self, destination: str, target: str) -> None:
        self.account.ec2.create_route(
            RouteTableId=self.account.table, DestinationCidrBlock=destination, InstanceId=target
        )


@pytest.fixture
def lab(aws_account: Account) -> Lab:
    return Lab(aws_account)


def test_every_missing_route_is_created_and_told_as_the_chapters_loop_tells_it(lab: Lab) -> None:
    said: list[str] = []
    assert lab.apply(say=said.append) == ["created"] * 3
    assert said == [f"10.0.1.2{n} 10.200.{n}.0/24 created" for n in range(3)]
    assert lab.account.pod_routes() == lab.intended


def test_applying_again_changes_nothing(lab: Lab) -> None:
    lab.apply()
    before = lab.journal.path.read_bytes()
    assert lab.apply() == ["exists"] * 3
    assert lab.account.pod_routes() == lab.intended
    assert lab.journal.path.read_bytes() == before


def test_wrong_target_is_told_and_never_replaced(lab: Lab) -> None:
    stranger = lab.account.instance("controller-0")
    lab.create_by_hand("10.200.1.0/24", stranger)
    steps = apply(lab.writer, lab.plan(), lab.journal)
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
    stranger = lab.account.instance("controller-0")
    lab.create_by_hand("10.200.0.0/24", lab.account.instance("worker-0"))
    lab.create_by_hand("10.200.1.0/24", stranger)
    assert lab.apply(steps) == ["exists", "wrong-target", "created"]
    assert [entry.destination for entry in lab.journal.open()] == ["10.200.2.0/24"]


def test_intent_is_in_the_journal_before_the_request_goes_out(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str]] = []

    def create(_writer: Writer, step: ProvisionStep) -> None:
        (entry,) = [e for e in lab.journal.open() if e.destination == step.pod_cidr]
        seen.append((entry.event, entry.target))

    monkeypatch.setattr(Writer, "create", create)
    lab.apply()
    assert seen == [("create-intended", instance) for instance in lab.intended.values()]


def test_nothing_is_created_when_the_journal_cannot_be_written(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CouldNotLook) as caught:
        apply(lab.writer, lab.plan(), Journal(tmp_path / "file" / "journal.jsonl"))
    assert caught.value.error.code == "journal-unusable"
    assert lab.account.pod_routes() == {}


def test_route_that_was_made_though_no_answer_came_is_ours(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    _after(monkeypatch, ConnectionClosedError(endpoint_url="http://x"))
    assert lab.apply() == ["created"] * 3
    assert len(lab.journal.open()) == 3


def test_route_that_was_made_by_an_earlier_attempt_of_ours_is_ours(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """botocore sends a request again when the connection breaks; the second one finds the first's route."""
    _after(monkeypatch, _refusal("RouteAlreadyExists", retries=1))
    assert lab.apply() == ["created"] * 3
    assert len(lab.journal.open()) == 3


def test_request_that_never_arrived_has_failed_and_nothing_is_left_to_take_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, EndpointConnectionError(endpoint_url="http://x"))
    assert lab.apply() == ["failed"] * 3
    steps = rollback(lab.writer, Reader(lab.account.target), lab.journal)
    assert [step.outcome for step in steps] == ["gone"] * 3
    assert lab.journal.open() == []


def test_refusal_is_told_in_awss_words_and_does_not_stop_the_others(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Writer.create

    def refuse_one(writer: Writer, step: ProvisionStep) -> None:
        if step.worker == "worker-1":
            raise _refusal("RouteLimitExceeded", "The maximum number of routes has been reached")
        create(writer, step)

    monkeypatch.setattr(Writer, "create", refuse_one)
    steps = apply(lab.writer, lab.plan(), lab.journal)
    assert [step.outcome for step in steps] == ["created", "failed", "created"]
    assert steps[1].detail == "RouteLimitExceeded: The maximum number of routes has been reached"
    assert {entry.worker for entry in lab.journal.open()} == {"worker-0", "worker-2"}


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "RequestLimitExceeded"])
def test_refusal_that_passes_is_waited_out(lab: Lab, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    create, refusals = Writer.create, [_refusal(code)]

    def refuse_once(writer: Writer, step: ProvisionStep) -> None:
        if refusals:
            raise refusals.pop()
        create(writer, step)

    monkeypatch.setattr(Writer, "create", refuse_once)
    assert lab.apply() == ["created"] * 3
    assert lab.account.pod_routes() == lab.intended


def test_refusal_that_does_not_pass_is_given_up_after_a_while(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead(monkeypatch, _refusal("IncorrectInstanceState", "not ready"))
    steps = apply(lab.writer, lab.plan(), lab.journal, patience=0.1)
    assert [(s.outcome, s.detail) for s in steps] == [("failed", "IncorrectInstanceState: not ready")] * 3


def test_worker_with_two_interfaces_is_routed_by_its_primary_one(lab: Lab) -> None:
    ec2, worker = lab.account.ec2, lab.account.instance("worker-1")
    subnet = lab.account.look().subnets[0].id
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=worker, DeviceIndex=1)
    steps = apply(lab.writer, lab.plan(), lab.journal)
    assert [step.outcome for step in steps] == ["created"] * 3
    assert steps[1].target.startswith("eni-")
    assert steps[1].target != second
    assert lab.apply() == ["exists"] * 3


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("replace_route", {"RouteTableId": "rtb-0", "DestinationCidrBlock": "0.0.0.0/0"}),
        ("create_route_table", {"VpcId": "vpc-0"}),
        ("delete_route_table", {"RouteTableId": "rtb-0"}),
        ("terminate_instances", {"InstanceIds": ["i-0"]}),
        ("get_password_data", {"InstanceId": "i-0"}),
    ],
)
def test_writer_can_do_nothing_but_create_and_delete_routes(
    aws_account: Account, operation: str, parameters: dict[str, Any]
) -> None:
    writer = Writer(aws_account.target, aws_account.id)
    with pytest.raises(CallRefusedError):
        getattr(writer.ec2, operation)(**parameters)


def _refusal(code: str, message: str = "", retries: int = 0) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RetryAttempts": retries},
    }
    return ClientError(response, "CreateRoute")


def _instead(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Creating sends nothing and fails."""
    monkeypatch.setattr(Writer, "create", _raising(lambda *_: None, problem))


def _after(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    """Creating creates, and fails all the same."""
    monkeypatch.setattr(Writer, "create", _raising(Writer.create, problem))


def _raising(
    first: Callable[[Writer, ProvisionStep], None], problem: Exception
) -> Callable[[Writer, ProvisionStep], None]:
    def create(writer: Writer, step: ProvisionStep) -> None:
        first(writer, step)
        raise problem

    return create
