"""Packets through a load balancer: to a target that answers, from the laptop and from a node."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from kthw.words.messages import catalogue
from sandbox.access import DIAL_SOCKET
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.dial import connection

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = [pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS), pytest.mark.slow]
SERVER = "nohup python3 -m http.server 6443 --directory /usr >/dev/null 2>&1 & echo started"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start(["worker-0"]) as box:
        yield box


def elb(box: Sandbox) -> Any:
    return boto3.client(
        "elbv2",
        endpoint_url=box.target.endpoint,
        region_name="us-east-1",
        aws_access_key_id="sandbox",
        aws_secret_access_key="sandbox",  # noqa: S106 -- the sandbox's API takes any
    )


def ssh(box: Sandbox, name: str, command: str) -> str:
    config = str(box.directory / "ssh_config")
    done = subprocess.run(
        ["ssh", "-F", config, name, command], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout


def eventually(found: Callable[[], object], wanted: object) -> None:
    deadline = time.monotonic() + 30
    while (seen := found()) != wanted:
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)


def status(box: Sandbox, address: str) -> bytes:
    """The first line that a web server behind that address answers the laptop."""
    try:
        with connection(str(box.directory / DIAL_SOCKET), address, "443") as asking:
            asking.settimeout(10)
            asking.sendall(b"HEAD /share/ HTTP/1.0\r\n\r\n")
            return asking.recv(64).split(b"\r\n")[0]
    except OSError:
        return b""


def test_connections_reach_a_target_that_answers_and_health_says_which_does(box: Sandbox) -> None:
    ec2, balancing = ec2_client(box.target.endpoint), elb(box)
    subnet = ec2.describe_subnets()["Subnets"][0]
    (made,) = balancing.create_load_balancer(
        Name="other", Type="network", Scheme="internet-facing", Subnets=[subnet["SubnetId"]]
    )["LoadBalancers"]
    (group,) = balancing.create_target_group(
        Name="other", Protocol="TCP", Port=6443, VpcId=subnet["VpcId"], TargetType="ip"
    )["TargetGroups"]
    which = {"TargetGroupArn": group["TargetGroupArn"]}
    balancing.register_targets(**which, Targets=[{"Id": f"10.0.1.1{n}"} for n in range(3)])
    balancing.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="TCP",
        Port=443,
        DefaultActions=[{"Type": "forward", **which}],
    )
    described: Any = [{"Name": "description", "Values": ["ELB net/other/*"]}]
    (eni,) = ec2.describe_network_interfaces(Filters=described)["NetworkInterfaces"]
    public = eni["Association"]["PublicIp"]

    def health() -> dict[str, str]:
        told = balancing.describe_target_health(**which)["TargetHealthDescriptions"]
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in told}

    eventually(health, {f"10.0.1.1{n}": "unhealthy" for n in range(3)})
    assert status(box, public) == b""
    assert ssh(box, "controller-1", SERVER) == "started\n"
    eventually(health, {"10.0.1.10": "unhealthy", "10.0.1.11": "healthy", "10.0.1.12": "unhealthy"})
    assert {status(box, public) for _ in range(4)} == {b"HTTP/1.0 200 OK"}
    inside = f"curl -sI -m 10 http://{eni['PrivateIpAddress']}:443/share/ | head -1 | tr -d '\\r'"
    assert ssh(box, "worker-0", inside) == "HTTP/1.0 200 OK\n"
    balancing.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert status(box, public) == b""
