"""States take a while, as on AWS: what a missing ``wait`` does and a waiter; and what may be too much."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.box import ec2_client
from sandbox.images import UBUNTU
from tests.sandbox.api_lab import Server

HARNESS = Path(__file__).with_name("api_harness.py")
ROOT = Path(__file__).parents[2]
DELAY = 3.0
LAUNCH: Any = {"ImageId": UBUNTU.id, "MinCount": 1, "MaxCount": 1}


@contextmanager
def serving(directory: Path, *habits: str) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, str(HARNESS), str(listener.fileno()), str(directory), *habits],
            pass_fds=[listener.fileno()],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        port = listener.getsockname()[1]
        try:
            yield Server(f"http://127.0.0.1:{port}", directory)
        finally:
            process.kill()
            process.wait()


class Slow:
    """A network in an account whose things take their time."""

    def __init__(self, server: Server) -> None:
        self.server, self.ec2 = server, server.client()
        ec2 = self.ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        self.gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.group = ec2.create_security_group(GroupName="k", Description="k", VpcId=self.vpc)["GroupId"]

    def run(self) -> str:
        made = self.ec2.run_instances(SubnetId=self.subnet, SecurityGroupIds=[self.group], **LAUNCH)
        return str(made["Instances"][0]["InstanceId"])

    def state(self, instance: str) -> str:
        found = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    def running(self, instance: str) -> bool:
        """On the data plane."""
        return self.server.state.instances[instance].running


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slow]:
    with serving(tmp_path_factory.mktemp("slow"), f"delay={DELAY}") as server:
        yield Slow(server)


def test_an_instance_is_pending_first_and_no_machine_yet(slow: Slow) -> None:
    worker = slow.run()
    assert (slow.state(worker), slow.running(worker)) == ("pending", False)
    slow.ec2.get_waiter("instance_running").wait(InstanceIds=[worker])
    assert (slow.state(worker), slow.running(worker)) == ("running", True)


def test_it_runs_in_the_end_though_nobody_asks(slow: Slow) -> None:
    worker, deadline = slow.run(), time.monotonic() + 20
    while not slow.running(worker):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert slow.state(worker) == "running"


def test_an_instance_that_stops_is_off_at_once_and_can_start_when_it_has_stopped(
    slow: Slow, api_refused: Callable[..., str]
) -> None:
    worker = slow.run()
    slow.ec2.get_waiter("instance_running").wait(InstanceIds=[worker])
    slow.ec2.stop_instances(InstanceIds=[worker])
    assert (slow.state(worker), slow.running(worker)) == ("stopping", False)
    assert api_refused(slow.ec2.start_instances, InstanceIds=[worker]) == "IncorrectInstanceState"
    slow.ec2.get_waiter("instance_stopped").wait(InstanceIds=[worker])
    assert slow.state(worker) == "stopped"
    slow.ec2.start_instances(InstanceIds=[worker])
    assert slow.state(worker) == "pending"


def test_what_an_instance_uses_is_in_use_until_it_is_gone(
    slow: Slow, api_refused: Callable[..., str]
) -> None:
    """The clean-up chapter without its ``wait``."""
    worker = slow.run()
    ended = slow.ec2.terminate_instances(InstanceIds=[worker])["TerminatingInstances"][0]
    assert (ended["CurrentState"]["Name"], ended["PreviousState"]["Name"]) == ("shutting-down", "pending")
    assert (slow.state(worker), slow.running(worker)) == ("shutting-down", False)
    assert api_refused(slow.ec2.delete_security_group, GroupId=slow.group) == "DependencyViolation"
    assert api_refused(slow.ec2.delete_subnet, SubnetId=slow.subnet) == "DependencyViolation"
    slow.ec2.get_waiter("instance_terminated").wait(InstanceIds=[worker])
    assert worker not in slow.server.state.instances


def test_an_elastic_address_is_for_what_runs(slow: Slow, api_refused: Callable[..., str]) -> None:
    worker, elastic = slow.run(), slow.ec2.allocate_address(Domain="vpc")["AllocationId"]
    where = {"AllocationId": elastic, "InstanceId": worker}
    assert api_refused(slow.ec2.associate_address, **where) == "InvalidInstanceID"
    slow.ec2.get_waiter("instance_running").wait(InstanceIds=[worker])
    assert slow.ec2.associate_address(**where)["AssociationId"]


def test_a_waiter_takes_no_longer_than_what_it_waits_for(slow: Slow) -> None:
    """botocore asks every 15 seconds."""
    worker, began = slow.run(), time.monotonic()
    slow.ec2.get_waiter("instance_running").wait(InstanceIds=[worker])
    assert time.monotonic() - began < 10


def test_for_the_builder_everything_happens_at_once(slow: Slow) -> None:
    ec2 = ec2_client(slow.server.endpoint)
    worker = ec2.run_instances(SubnetId=slow.subnet, **LAUNCH)["Instances"][0]["InstanceId"]
    assert (slow.state(worker), slow.running(worker)) == ("running", True)


def test_what_was_just_made_may_not_be_found_yet(tmp_path: Path, api_refused: Callable[..., str]) -> None:
    with serving(tmp_path, "lag=2") as server:
        ec2 = server.client()
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = time.monotonic()
        assert api_refused(ec2.describe_vpcs, VpcIds=[vpc]) == "InvalidVpcID.NotFound"
        assert api_refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.0/24") == "InvalidVpcID.NotFound"
        ec2.get_waiter("vpc_exists").wait(VpcIds=[vpc])
        assert time.monotonic() - made > 1.5
        assert ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["VpcId"] == vpc


def test_too_many_requests_and_too_much_of_a_thing_are_refused(
    tmp_path: Path, api_refused: Callable[..., str]
) -> None:
    with serving(tmp_path, "throttled=1", "quotas=1") as server:
        ec2 = server.client()
        for number in range(5):
            ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
            ec2.allocate_address(Domain="vpc")
        assert api_refused(ec2.create_vpc, CidrBlock="10.9.0.0/16") == "VpcLimitExceeded"
        assert api_refused(ec2.allocate_address, Domain="vpc") == "AddressLimitExceeded"
        told = set()
        for _ in range(20):
            with pytest.raises(ClientError) as caught:
                ec2.run_instances(ImageId="None", MinCount=1, MaxCount=1)
            told.add(caught.value.response["Error"]["Code"])
        assert told == {"InvalidAMIID.Malformed", "RequestLimitExceeded"}
