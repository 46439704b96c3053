"""One API server for all of these tests, and an account of its own for each of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_ec2 import EC2Client

from tests.sandbox.api_lab import Lab, Server

_ROOT = Path(__file__).parents[2]
_HARNESS = Path(__file__).with_name("api_harness.py")


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("api")
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [sys.executable, str(_HARNESS), str(listener.fileno()), str(directory)],
            pass_fds=[listener.fileno()],
            env=environment,
            stderr=(directory / "stderr").open("wb"),
        )
        port = listener.getsockname()[1]
    yield Server(f"http://127.0.0.1:{port}", directory)
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def api_ec2(api_server: Server) -> EC2Client:
    client: EC2Client = api_server.client()
    return client


@pytest.fixture
def api_lab(api_server: Server, api_ec2: EC2Client) -> Lab:
    """The only thing in the account."""
    api_server.forget()
    ec2 = api_ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="kubernetes", Description="nodes", VpcId=vpc)["GroupId"]
    return Lab(api_server, ec2, vpc, subnet, gateway, table, group)


@pytest.fixture(scope="session")
def api_refused() -> Callable[..., str]:
    """``api_refused(call, **parameters)``: the error code the call is refused with, HTTP 4xx."""

    def refused(call: Callable[..., Any], **parameters: Any) -> str:
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        answer = caught.value.response
        assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500
        assert "<" not in answer["Error"]["Message"]
        return str(answer["Error"]["Code"])

    return refused
