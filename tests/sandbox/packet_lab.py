"""A sandbox whose packets are watched: bare sockets on its nodes over the real ``ssh``.

So nothing of ``kthw`` vouches for what it builds on. Worker-1 answers for ``POD``, an address of its pod
CIDR, on its loopback interface.
"""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any

from sandbox.box import Sandbox, ec2_client

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

POD = "10.200.1.5"
FROM_VPC = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
FROM_PODS = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.200.0.0/16"}]}
SSH_RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.10/32"}]}


class Lab:
    """One sandbox, its EC2 client and its ids by name."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.ec2: EC2Client = ec2_client(box.target.endpoint)
        self.table = self._tagged("describe_route_tables", "RouteTables", "RouteTableId")
        self.group = self._tagged("describe_security_groups", "SecurityGroups", "GroupId", "group-name")
        self.subnet = self._tagged("describe_subnets", "Subnets", "SubnetId")
        self.vpc: str = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]

    def _tagged(self, call: str, kind: str, key: str, by: str = "tag:Name") -> str:
        found: Any = getattr(self.ec2, call)(Filters=[{"Name": by, "Values": ["kubernetes"]}])
        return str(found[kind][0][key])

    def instance(self, name: str) -> Any:
        filters: Any = [
            {"Name": "tag:Name", "Values": [name]},
            {"Name": "instance-state-name", "Values": ["running", "stopped"]},
        ]
        return self.ec2.describe_instances(Filters=filters)["Reservations"][0]["Instances"][0]

    def id(self, name: str) -> str:
        return str(self.instance(name)["InstanceId"])

    def ssh(self, name: str, command: str) -> subprocess.CompletedProcess[str]:
        config = str(self.box.directory / "ssh_config")
        options = ["-o", "ConnectTimeout=3"]
        return subprocess.run(
            ["ssh", "-F", config, *options, name, command],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip

    def reaches(self, source: str, address: str, *, bind: str = "", port: int = 22) -> bool:
        """Whether a TCP connection from the node to the address succeeds within a second."""
        program = f"import socket; socket.create_connection(({address!r}, {port}), 1, ({bind!r}, 0))"
        done = self.ssh(source, f'python3 -c "{program}" 2>/dev/null && echo yes || echo no')
        assert done.returncode == 0, f"could not ask {source}: {done.stderr}"
        return done.stdout.strip() == "yes"

    def route(self, cidr: str, name: str) -> None:
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=cidr, InstanceId=self.id(name))

    def unroute(self, cidr: str) -> None:
        self.ec2.delete_route(RouteTableId=self.table, DestinationCidrBlock=cidr)

    def wait_for_ssh(self, name: str) -> None:
        deadline = time.monotonic() + 15
        while (done := self.ssh(name, "true")).returncode:
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.05)

    def answer_for_a_pod(self) -> None:
        done = self.ssh("worker-1", f"sudo ip addr replace {POD}/32 dev lo")
        assert done.returncode == 0, done.stderr

    def revoke(self, rule: Any) -> None:
        self.ec2.revoke_security_group_ingress(GroupId=self.group, IpPermissions=[rule])

    def allow(self, rule: Any) -> None:
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[rule])

    def launch(self, name: str, subnet: str, address: str) -> str:
        """A fourth machine; its instance id, once its sshd listens."""
        interface: Any = {
            "DeviceIndex": 0, "SubnetId": subnet, "Groups": [self.group],
            "PrivateIpAddress": address, "AssociatePublicIpAddress": True, "DeleteOnTermination": True,
        }  # fmt: skip
        launched = self.ec2.run_instances(
            InstanceType="t3.micro", ImageId="ami-0000000000002204a", MinCount=1, MaxCount=1,
            KeyName="kubernetes",
            NetworkInterfaces=[interface],
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
        )["Instances"][0]["InstanceId"]  # fmt: skip
        self.wait_for_ssh(name)
        return launched
