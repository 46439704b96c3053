"""AWS accounts to test against: empty, one for each test, at the sandbox's API and over HTTP."""

from __future__ import annotations

import base64
import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kthw.intended.cluster import Intended
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader, session_for
from kthw.observed.evidence import Inventory, Route
from kthw.target import Target
from sandbox import labs
from sandbox.building import build
from tests.provision.wire import Wire

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
THREE = Intended(workers=("worker-0", "worker-1", "worker-2"))
Run = Callable[..., tuple[int, str, str]]
"""The command on a test's account: exit code, stdout, stderr."""
_SERVER = """
import socket, sys
from sandbox.api.server import serve
serve(socket.socket(fileno=int(sys.argv[1])), lambda state: None)
"""
_NUMBERS = itertools.count(100_000_000_000 + os.getpid() * 1000)


class Account:
    """An empty account of its own, ``id``, with the keys ``key`` and ``secret``.

    The API tells accounts apart by who assumed a role in them, as AWS does.
    """

    def __init__(self, endpoint: str, directory: Path) -> None:
        self.endpoint = endpoint
        self.directory = directory
        self.id = str(next(_NUMBERS))
        anybody = Target(kind="sandbox", endpoint=endpoint, region=REGION, credentials=("any", "any"))
        sts = session_for(anybody).client("sts", endpoint_url=endpoint)
        role = sts.assume_role(RoleArn=f"arn:aws:iam::{self.id}:role/tests", RoleSessionName="tests")
        self.key = role["Credentials"]["AccessKeyId"]
        self.secret = role["Credentials"]["SecretAccessKey"]

    @classmethod
    def over(cls, wire: Wire, account: Account) -> Account:
        """``account`` itself, by way of a wire."""
        same = cls.__new__(cls)
        same.__dict__ = {**account.__dict__, "endpoint": wire.endpoint}
        same.__dict__.pop("ec2", None)
        return same

    @property
    def target(self) -> Target:
        """The account as a target with credentials of its own."""
        return Target(
            kind="sandbox", endpoint=self.endpoint, region=REGION, credentials=(self.key, self.secret)
        )

    @property
    def environment(self) -> dict[str, str]:
        """What makes boto3's own chain find this account and nothing of the user's."""
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def ec2(self) -> EC2Client:
        """A client that may do anything: a student's hands."""
        return session_for(self.target).client("ec2", endpoint_url=self.endpoint)

    def build(self, intended: Intended = THREE) -> Account:
        """The tutorial's network and machines, without pod routes."""
        build(self.ec2, labs.lab(labs.TUTORIAL), intended.workers, self.directory / f"{self.key}.id_rsa")
        return self

    @cached_property
    def table(self) -> str:
        """The id of the route table that rules the workers' subnet."""
        tables = self.ec2.describe_route_tables()["RouteTables"]
        return next(t["RouteTableId"] for t in tables if any("SubnetId" in a for a in t["Associations"]))

    def instance(self, name: str) -> str:
        """The id of the instance with that Name tag, terminated or not."""
        named = self.ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": [name]}])
        return named["Reservations"][0]["Instances"][0]["InstanceId"]

    def set_user_data(self, name: str, text: str) -> None:
        """Give an instance other user data, as only a stopped one can be given."""
        self.ec2.stop_instances(InstanceIds=[self.instance(name)])
        value = base64.b64encode(text.encode()).decode()
        self.ec2.modify_instance_attribute(InstanceId=self.instance(name), Attribute="userData", Value=value)
        self.ec2.start_instances(InstanceIds=[self.instance(name)])

    def look(self, intended: Intended = THREE) -> Inventory:
        """The inventory, as the reader reads it."""
        inventory, errors = read_inventory(Reader(self.target), intended)
        assert errors == ()
        return inventory

    def pod_routes(self) -> dict[str, str]:
        """Destination → target of the pod routes in ``table``, as they are now."""
        found = next(t for t in self.look().route_tables if t.id == self.table).routes
        return {route.destination: route.target for route in found if _is_pod_route(route)}


def _is_pod_route(route: Route) -> bool:
    return route.destination.startswith("10.200.")


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The URL of the sandbox's API, served by a process of its own on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(listener.fileno())],
            pass_fds=[listener.fileno()],
            cwd=ROOT,
        )
        host, port = listener.getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def wire(aws_endpoint: str) -> Iterator[Wire]:
    """A way to the sandbox's API on which things can go wrong."""
    with Wire(aws_endpoint).open() as opened:
        yield opened


@pytest.fixture
def aws_account(aws_endpoint: str, tmp_path: Path) -> Account:
    """An empty account; ``build()`` puts the tutorial's network into it."""
    return Account(aws_endpoint, tmp_path)
