"""A VPC with two of the smallest machines, in whatever account: what beliefs are looked at in."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from kthw.intended import tutorial
from sandbox.beliefs import machine
from sandbox.beliefs.belongings import Belongings
from sandbox.beliefs.machine import Machine, NotSeenError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

__all__ = ["Lab", "NotSeenError"]

VPC: Final = "10.90.0.0/16"
SUBNET: Final = "10.90.1.0/24"
PODS: Final = ("10.200.0.0/24", "10.200.1.0/24")
TYPE: Final = "t3.nano"
USER: Final = "ubuntu"
_IMAGE: Final = (
    "resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
)
_NO_VERDICT: Final = (
    "AuthFailure", "ExpiredToken", "InternalError", "OptInRequired", "RequestExpired", "RequestLimitExceeded",
    "RequestTimeout", "ServiceUnavailable", "Throttling", "Unavailable", "UnauthorizedOperation",
)  # fmt: skip
"""Codes that tell of the one who asks, or of the moment, and not of what was asked."""
FROM_INSIDE: Final = [
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": VPC}, {"CidrIp": tutorial.POD_RANGE}]},
]
SSH: Final = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Lab:
    """Two machines in one subnet, whose source/dest checks are off, each with a pod. No route to any pod.

    ``config``: an ssh_config that leads to the machines, or empty. ``patience``: seconds that a change may
    take to be seen; ``pause``: seconds between two looks.
    """

    def __init__(self, ec2: EC2Client, mine: Belongings, config: str, patience: float, pause: float) -> None:
        self.ec2, self.mine, self.patience, self.pause = ec2, mine, patience, pause
        self.heard: list[dict[str, Any]] = []
        self._key = mine.folder / "key"
        options = ["-i", str(self._key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"]
        known = [
            "-o",
            f"UserKnownHostsFile={mine.folder / 'known_hosts'}",
            "-o",
            "StrictHostKeyChecking=accept-new",
        ]
        way = ["-F", config] if config else ["-F", "none", *known]
        self._ssh = ("ssh", *way, *options, "-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=5")
        self.vpc = self.subnet = self.table = self.gateway = self.group = ""
        self.a = self._machine(0)
        self.b = self._machine(1)

    def _machine(self, number: int) -> Machine:
        return Machine("", f"10.90.1.{10 + number}", PODS[number], USER, self._ssh, self.heard)

    def build(self) -> None:
        """All of it. Raises ``NotSeenError``, whatever fails; what was made is in ``mine``."""
        try:
            self._network()
            self._key_pair()
            for each in (self.a, self.b):
                self._launch(each)
            for each in (self.a, self.b):
                self.be(each, "running")
                each.wait(max(180.0, self.patience))
                each.make_pod()
                self.check(each, on=False)
        except (BotoCoreError, ClientError, OSError, subprocess.CalledProcessError) as problem:
            raise NotSeenError(str(problem)) from problem

    def _network(self) -> None:
        ec2, mine = self.ec2, self.mine
        made = ec2.create_vpc(CidrBlock=VPC, TagSpecifications=mine.tags("vpc"))
        self.vpc = mine.note("vpc", made["Vpc"]["VpcId"])
        ec2.get_waiter("vpc_available").wait(VpcIds=[self.vpc])
        subnet = ec2.create_subnet(VpcId=self.vpc, CidrBlock=SUBNET, TagSpecifications=mine.tags("subnet"))
        self.subnet = mine.note("subnet", subnet["Subnet"]["SubnetId"])
        self.gateway = self.new_gateway()
        ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        self.table = self.new_table()
        ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)
        ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=self.gateway)
        group = ec2.create_security_group(
            VpcId=self.vpc, GroupName="kthw-beliefs", Description="kthw-beliefs",
            TagSpecifications=mine.tags("security-group"),
        )  # fmt: skip
        self.group = mine.note("security-group", group["GroupId"])
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[SSH, *FROM_INSIDE])  # type: ignore[list-item] # plain

    def new_gateway(self) -> str:
        """An internet gateway that is attached to nothing."""
        made = self.ec2.create_internet_gateway(TagSpecifications=self.mine.tags("internet-gateway"))
        return self.mine.note("internet-gateway", made["InternetGateway"]["InternetGatewayId"])

    def new_table(self) -> str:
        made = self.ec2.create_route_table(VpcId=self.vpc, TagSpecifications=self.mine.tags("route-table"))
        return self.mine.note("route-table", made["RouteTable"]["RouteTableId"])

    def _key_pair(self) -> None:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "kthw-beliefs", "-f", str(self._key)],
            check=True, capture_output=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        made = self.ec2.import_key_pair(
            KeyName=self.mine.tag,
            PublicKeyMaterial=self._key.with_suffix(".pub").read_bytes(),
            TagSpecifications=self.mine.tags("key-pair"),
        )
        self.mine.note("key-pair", made["KeyPairId"])

    def _launch(self, one: Machine) -> None:
        interface: Any = {
            "DeviceIndex": 0, "SubnetId": self.subnet, "Groups": [self.group],
            "PrivateIpAddress": one.address, "AssociatePublicIpAddress": True, "DeleteOnTermination": True,
        }  # fmt: skip
        made = self.ec2.run_instances(
            ImageId=_IMAGE, InstanceType=TYPE, KeyName=self.mine.tag, MinCount=1, MaxCount=1,
            NetworkInterfaces=[interface],
            TagSpecifications=self.mine.tags("instance", "volume", "network-interface"),
        )  # fmt: skip
        one.id = self.mine.note("instance", made["Instances"][0]["InstanceId"])

    # --- what beliefs ask, and change

    def call(self, operation: str, **parameters: Any) -> Any:
        """The answer of an EC2 call, kept as evidence. Raises ``NotSeenError``."""
        try:
            return self._call(operation, parameters)
        except ClientError as problem:
            raise NotSeenError(str(problem)) from problem

    def code(self, operation: str, **parameters: Any) -> str:
        """The code with which AWS refuses the call, or ``accepted``. Raises ``NotSeenError``."""
        try:
            self._call(operation, parameters)
        except ClientError as problem:
            code = problem.response["Error"]["Code"]
            if code.startswith(_NO_VERDICT):
                raise NotSeenError(str(problem)) from problem
            return code
        return "accepted"

    def _call(self, operation: str, parameters: dict[str, Any]) -> Any:
        said: dict[str, Any] = {"call": operation, "with": parameters}
        self.heard.append(said)
        try:
            answer = getattr(self.ec2, operation)(**parameters)
        except ClientError as problem:
            error = problem.response["Error"]
            said["refused"] = f"{error['Code']}: {error['Message']}"
            raise
        except BotoCoreError as problem:
            raise NotSeenError(str(problem)) from problem
        said["answer"] = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
        return answer

    def until(self, wanted: str, look: Any) -> str:
        """What ``look`` says once that is ``wanted``, or its last word when patience ends."""
        return machine.until(wanted, look, self.patience, self.pause)

    def routes(self) -> list[dict[str, Any]]:
        """Of the table, in the order in which they are listed."""
        found: list[dict[str, Any]] = self.described()["Routes"]
        return found

    def described(self) -> dict[str, Any]:
        """The table."""
        answer: dict[str, Any] = self.call("describe_route_tables", RouteTableIds=[self.table])
        table: dict[str, Any] = answer["RouteTables"][0]
        return table

    def route_to(self, destination: str) -> dict[str, Any]:
        """One of them; empty where there is none."""
        return next((r for r in self.routes() if r.get("DestinationCidrBlock") == destination), {})

    def state_of(self, destination: str) -> str:
        """Of the route: ``active``, ``blackhole``, or ``none`` where there is no such route."""
        return str(self.route_to(destination).get("State", "none"))

    @contextlib.contextmanager
    def route(self, destination: str, **target: str) -> Iterator[None]:
        """A route while a ``with`` lasts."""
        self.call("create_route", RouteTableId=self.table, DestinationCidrBlock=destination, **target)
        try:
            yield
        finally:
            kept = str(IPv4Network(destination, strict=False))
            self.call("delete_route", RouteTableId=self.table, DestinationCidrBlock=kept)

    @contextlib.contextmanager
    def pod_routes(self) -> Iterator[None]:
        """Routes to both machines' pods, while a ``with`` lasts: the chapter, done."""
        with self.route(self.a.pods, InstanceId=self.a.id), self.route(self.b.pods, InstanceId=self.b.id):
            yield

    def check(self, one: Machine, *, on: bool) -> None:
        """Set its source/dest check."""
        self.call("modify_instance_attribute", InstanceId=one.id, SourceDestCheck={"Value": on})

    @contextlib.contextmanager
    def checked(self, one: Machine) -> Iterator[None]:
        """Its source/dest check is on, while a ``with`` lasts."""
        self.check(one, on=True)
        try:
            yield
        finally:
            self.check(one, on=False)

    def instance(self, one: Machine) -> dict[str, Any]:
        answer = self.call("describe_instances", InstanceIds=[one.id])
        found: dict[str, Any] = answer["Reservations"][0]["Instances"][0]
        return found

    def state(self, one: Machine) -> str:
        """Of the machine: ``running``, ``stopping``, …"""
        return str(self.instance(one)["State"]["Name"])

    def be(self, one: Machine, state: str) -> None:
        """Bring the machine into ``running``, ``stopped`` or ``terminated``. Raises ``NotSeenError``."""
        operation = {"running": "start", "stopped": "stop", "terminated": "terminate"}[state]
        deadline, asked = time.monotonic() + 300, False
        while (now := self.state(one)) != state:
            if not asked and now != "pending":
                self.call(f"{operation}_instances", InstanceIds=[one.id])
                asked = True
            if time.monotonic() > deadline:
                raise NotSeenError(f"{one.id} is {now}, and not {state}")
            time.sleep(self.pause)
            del self.heard[-1]  # of many looks at one state, the last is evidence
        one.public = self.instance(one).get("PublicIpAddress", "")
