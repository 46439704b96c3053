"""Every region works like the first: machines, packets, logins, names."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import labs
from sandbox.box import Sandbox, ec2_client, start
from sandbox.building import build
from sandbox.dressing import dress
from tests.sandbox.test_commands import NO_PACKETS

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)
LAB = labs.lab("tutorial").but(others=(), workers=2, routes="instance")
POD = "10.200.1.5"
_SERVE = f"""
import socket
server = socket.create_server(("{POD}", 8080))
while True: server.accept()[0].sendall(b"{{region}}")
"""
_ASK = f"""
import socket, time
for _ in range(50):
    try: print(socket.create_connection(("{POD}", 8080), 2).recv(99).decode()); break
    except OSError: time.sleep(0.1)
"""


@dataclass(frozen=True)
class There:
    """The lab of one region; ``machines``: what DescribeInstances says of each, in the order of launching."""

    box: Sandbox
    ec2: EC2Client
    key: Path
    machines: list[Any]

    def ssh(self, host: str, command: str) -> str:
        config = str(self.box.directory / "ssh_config")
        words = ["-F", config, "-i", str(self.key), "-o", "ConnectTimeout=10", f"ubuntu@{host}", command]
        done = subprocess.run(["ssh", *words], capture_output=True, text=True, check=False, timeout=30)
        return done.stdout.strip() or done.stderr


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[There]]:
    """The same lab, the same addresses in it, in two regions of one account; neither is the first."""
    found = []
    with start(empty=True) as box:
        for region in ("sa-east-1", "ap-northeast-1"):
            ec2, key = ec2_client(box.target.endpoint, region), tmp_path_factory.mktemp(region) / "key"
            built = build(ec2, LAB, LAB.names(), key)
            dress(ec2, LAB, built, box.directory)
            answered = ec2.describe_instances(InstanceIds=list(built))["Reservations"]
            machines = [each for reservation in answered for each in reservation["Instances"]]
            found.append(There(box, ec2, key, sorted(machines, key=lambda each: each["PrivateIpAddress"])))
        yield found


def test_a_machine_is_reached_by_its_address_and_by_its_name(regions: list[There]) -> None:
    """With the key of its own region, and no other's; it knows its name, its zone is of its region."""
    for there, other in (regions, reversed(regions)):
        machine, region = there.machines[0], there.ec2.meta.region_name
        name = machine["PublicDnsName"]
        assert name.endswith(f".{region}.compute.amazonaws.com")
        assert machine["Placement"]["AvailabilityZone"] == f"{region}a"
        said = "curl -s http://169.254.169.254/latest/meta-data/local-hostname"
        for host in (machine["PublicIpAddress"], name):
            assert (
                there.ssh(host, said)
                == machine["PrivateDnsName"]
                == f"ip-10-0-1-20.{region}.compute.internal"
            )
        assert "Permission denied" in There(there.box, there.ec2, other.key, []).ssh(name, "true")


def test_pod_routes_carry_packets_within_each_and_to_no_other(regions: list[There]) -> None:
    """The same pod address stands on a worker of each region: whoever asks gets its own region's."""
    for there in regions:
        first, second = (machine["PublicIpAddress"] for machine in there.machines)
        serve = f"python3 -c '{_SERVE.format(region=there.ec2.meta.region_name)}'"
        there.ssh(second, f"sudo ip addr add {POD}/32 dev lo; nohup {serve} >/dev/null 2>&1 &")
        assert there.ssh(first, f"python3 -c '{_ASK}'") == there.ec2.meta.region_name


def test_the_end_of_one_leaves_the_others_as_they_are(regions: list[There]) -> None:
    gone, left = regions
    gone.ec2.terminate_instances(InstanceIds=[each["InstanceId"] for each in gone.machines])
    assert "ip-10-0-1-20" in left.ssh(left.machines[0]["PublicIpAddress"], "hostname")
    assert gone.ec2.describe_vpcs()["Vpcs"] != left.ec2.describe_vpcs()["Vpcs"]
