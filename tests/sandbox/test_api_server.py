"""The endpoint itself: one writer at a time, changes handed on, errors in EC2's shape, real clients."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.api_lab import IMAGE, Lab, Server

Refused = Callable[..., str]
AWS = Path(sys.executable).with_name("aws")
POD = "10.200.0.0/24"


def _aws(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_PAGER": "",
    }
    return subprocess.run([AWS, *words], env=environment, capture_output=True, text=True, check=False)


def _post(server: Server, body: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(server.endpoint).netloc, timeout=10)
    scope = "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": scope}
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.fixture
def broken(api_server: Server) -> Iterator[str]:
    """Reconciling fails, with this text, as long as the test runs."""
    flag = api_server.directory / "broken"
    flag.write_text("no such <namespace>")
    yield "no such <namespace>"
    flag.unlink(missing_ok=True)


def test_sts_says_which_account_this_is(api_server: Server) -> None:
    identity = api_server.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"].startswith("arn:aws:")


def test_every_change_is_handed_on_before_its_answer_and_reads_are_not(api_lab: Lab) -> None:
    before = api_lab.server.calls
    worker = api_lab.run()
    assert api_lab.server.calls == before + 1
    assert worker in api_lab.state.instances
    api_lab.ec2.describe_instances()
    api_lab.ec2.describe_route_tables()
    assert api_lab.server.calls == before + 1


def test_a_refused_change_is_not_handed_on(api_lab: Lab, api_refused: Refused) -> None:
    before = api_lab.server.calls
    delete: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": POD}
    assert api_refused(api_lab.ec2.delete_route, **delete) == "InvalidRoute.NotFound"
    assert api_lab.server.calls == before


def test_a_data_plane_that_fails_is_an_internal_error_by_name(api_lab: Lab, broken: str) -> None:
    with pytest.raises(ClientError) as caught:
        api_lab.ec2.create_route(
            RouteTableId=api_lab.table, DestinationCidrBlock=POD, GatewayId=api_lab.gateway
        )
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert answer["Error"]["Code"] == "InternalError"
    assert answer["Error"]["Message"] == f"OSError: {broken}"
    said = (api_lab.server.directory / "stderr").read_text().splitlines()
    assert any(broken in line and "OSError" in line for line in said)
    assert not any("Traceback" in line for line in said)


def test_what_the_data_plane_owes_it_is_asked_for_after_any_next_call(
    api_lab: Lab, api_refused: Refused, broken: str
) -> None:
    """A read or a refused change heals too, and is answered as ever; then reads cost nothing again."""
    with pytest.raises(ClientError, match=broken):
        api_lab.add_route(POD, GatewayId=api_lab.gateway)
    calls = api_lab.server.calls
    api_lab.ec2.describe_vpcs()
    assert api_lab.server.calls == calls + 1
    (api_lab.server.directory / "broken").unlink()
    again: Any = {"DestinationCidrBlock": POD, "GatewayId": api_lab.gateway, "RouteTableId": api_lab.table}
    assert api_refused(api_lab.ec2.create_route, **again) == "RouteAlreadyExists"
    assert api_lab.server.calls == calls + 2
    api_lab.ec2.describe_vpcs()
    assert api_lab.server.calls == calls + 2
    assert api_lab.state_route(POD).kind == "igw"


def test_the_api_goes_on_after_a_failure(api_lab: Lab) -> None:
    assert api_lab.run() in api_lab.state.instances


def test_requests_are_not_logged(api_lab: Lab) -> None:
    api_lab.ec2.describe_vpcs()
    assert "POST" not in (api_lab.server.directory / "stderr").read_text()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("Action=MakeCoffee&Version=2016-11-15", "InvalidAction"),
        (
            "Action=CreateVpnConnectionRoute&Version=2016-11-15&DestinationCidrBlock=1.0.0.0/8"
            "&VpnConnectionId=vpn-1",
            "UnsupportedOperation",
        ),
        ("Action=DescribeRouteTables&Version=2016-11-15&MaxResults=five", "InvalidParameterValue"),
        ("Action=ImportKeyPair&Version=2016-11-15&KeyName=k&PublicKeyMaterial=a", "InvalidParameterValue"),
        ("Action=TerminateInstances&Version=2016-11-15", "MissingParameter"),
        ("Action=DescribeRouteTables&Version=2016-11-15&Filter.1.Value.1=x", "InvalidParameterValue"),
    ],
)
def test_a_request_nobody_understands_is_refused_in_xml(api_server: Server, body: str, code: str) -> None:
    status, text = _post(api_server, body)
    assert (status, text.count(f"<Code>{code}</Code>")) == (400, 1)


def test_a_path_that_is_not_there_is_answered_in_xml(api_server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(api_server.endpoint).netloc, timeout=10)
    connection.request("GET", "/nowhere/at/all?x=1", headers={"Host": "ec2.us-east-1.amazonaws.com"})
    answer = connection.getresponse()
    assert answer.status >= 400
    assert answer.read().startswith(b"<?xml")
    connection.close()


def test_a_connection_is_kept_alive_for_the_next_request(api_server: Server) -> None:
    connection = http.client.HTTPConnection(urlsplit(api_server.endpoint).netloc, timeout=10)
    scope = "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": scope}
    used = set()
    for _ in range(3):
        connection.request("POST", "/", "Action=DescribeVpcs&Version=2016-11-15", headers)
        used.add(connection.sock.getsockname())
        answer = connection.getresponse()
        assert (answer.status, b"DescribeVpcsResponse" in answer.read()) == (200, True)
    assert len(used) == 1
    connection.close()


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(api_lab: Lab) -> None:
    mutations = api_lab.mutations()
    state, calls = api_lab.state, api_lab.server.calls
    answers = Counter[Any]()
    for name, parameters in mutations.items():
        with pytest.raises(ClientError) as caught:
            getattr(api_lab.ec2, name)(**parameters, DryRun=True)
        answer = caught.value.response
        answers[(answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])] += 1
    assert answers == {("DryRunOperation", 412): len(mutations)}
    assert api_lab.server.calls == calls
    api_lab.ec2.create_tags(Resources=[api_lab.vpc], Tags=[{"Key": "Name", "Value": "wet"}])
    assert api_lab.state == state


def test_a_dry_run_of_a_read_is_a_dry_run_too(api_lab: Lab, api_refused: Refused) -> None:
    assert api_refused(api_lab.ec2.describe_route_tables, DryRun=True) == "DryRunOperation"


def test_of_many_equal_routes_at_once_exactly_one_is_made(api_lab: Lab) -> None:
    target = {"GatewayId": api_lab.gateway}
    destinations = [f"10.200.{number}.0/24" for number in range(8)]

    def create(destination: str) -> tuple[str, str]:
        try:
            api_lab.add_route(destination, **target)
        except ClientError as error:
            return destination, str(error.response["Error"]["Code"])
        return destination, "made"

    with ThreadPoolExecutor(16) as pool:
        answers = Counter(pool.map(create, destinations * 16))
    assert answers == {
        **{(destination, "made"): 1 for destination in destinations},
        **{(destination, "RouteAlreadyExists"): 15 for destination in destinations},
    }
    assert {route.destination for route in api_lab.state.route_tables[api_lab.table].routes} == {
        "10.0.0.0/16",
        *destinations,
    }


def test_reads_and_writes_at_once_never_fail(api_lab: Lab) -> None:
    worker = api_lab.run()

    def work(number: int) -> None:
        destination = f"10.201.{number}.0/24"
        api_lab.add_route(destination, InstanceId=worker)
        api_lab.ec2.describe_route_tables()
        api_lab.ec2.describe_instances()
        api_lab.ec2.create_tags(Resources=[worker], Tags=[{"Key": f"k{number}", "Value": "v"}])
        api_lab.ec2.delete_route(RouteTableId=api_lab.table, DestinationCidrBlock=destination)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(api_lab.instance(worker)["Tags"]) == 16


def test_the_tutorials_commands_work_with_the_real_aws_command(api_lab: Lab) -> None:
    launched = _aws(
        api_lab.server,
        "ec2", "run-instances", "--image-id", IMAGE, "--count", "1", "--instance-type", "t3.micro",
        "--associate-public-ip-address", "--private-ip-address", "10.0.1.20",
        "--security-group-ids", api_lab.group, "--subnet-id", api_lab.subnet,
        "--user-data", f"name=worker-0|pod-cidr={POD}",
        "--output", "text", "--query", "Instances[].InstanceId",
    )  # fmt: skip
    assert launched.stderr == ""
    worker = launched.stdout.strip()
    where = ("--route-table-id", api_lab.table, "--destination-cidr-block", POD)
    created = _aws(api_lab.server, "ec2", "create-route", *where, "--instance-id", worker)
    assert (created.returncode, '"Return": true' in created.stdout) == (0, True)
    assert api_lab.route(POD)["InstanceId"] == worker
    assert api_lab.state.instances[worker].user_data == f"name=worker-0|pod-cidr={POD}".encode()
    assert api_lab.state_eni(worker).public[0][0] == "10.0.1.20"
    assert api_lab.state_eni(worker).security_groups == (api_lab.group,)
    again = _aws(api_lab.server, "ec2", "create-route", *where, "--instance-id", worker)
    assert again.returncode != 0
    assert "(RouteAlreadyExists)" in again.stderr
    lost = _aws(
        api_lab.server, "ec2", "create-route", "--route-table-id", "", *where[2:], "--instance-id", worker
    )
    assert "(MissingParameter)" in lost.stderr
    assert "routeTableId" in lost.stderr
