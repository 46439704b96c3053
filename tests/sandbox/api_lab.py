"""A running API, and the tutorial's network on it: what the API's tests talk to."""

from __future__ import annotations

import pickle
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from mypy_boto3_ec2 import EC2Client

from sandbox.state import Eni, Route, State

IMAGE = "ami-0123456789abcdef0"


@dataclass
class Server:
    """A running API: where it is, and what it handed on last."""

    endpoint: str
    directory: Path

    def client(self, service: str = "ec2", region: str = "us-east-1") -> Any:
        """A boto3 client that takes the first answer for the last."""
        return boto3.client(
            service,  # type: ignore[call-overload] # any service's name, not one literal
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 -- the sandbox's API takes any
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=20),
        )

    def forget(self) -> None:
        """Back to an account with nothing in it: moto's own way, which no client of ours uses."""
        with urllib.request.urlopen(f"{self.endpoint}/moto-api/reset", data=b"", timeout=10):  # noqa: S310 -- our own
            pass

    @property
    def state(self) -> State:
        found: State = pickle.loads((self.directory / "state").read_bytes())  # noqa: S301 -- we wrote it
        return found

    @property
    def calls(self) -> int:
        return int((self.directory / "calls").read_text())


@dataclass
class Lab:
    """The tutorial's network in a VPC of its own: one subnet, its own table, an internet gateway."""

    server: Server
    ec2: EC2Client
    vpc: str
    subnet: str
    gateway: str
    table: str
    group: str

    @property
    def state(self) -> State:
        return self.server.state

    def run(self, **parameters: Any) -> str:
        """The id of a new instance in the subnet."""
        if "NetworkInterfaces" not in parameters:
            parameters = {"SubnetId": self.subnet, **parameters}
        launched = self.ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, **parameters)
        return launched["Instances"][0]["InstanceId"]

    def instance(self, instance_id: str) -> Any:
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def eni_of(self, instance_id: str) -> str:
        eni: str = self.instance(instance_id)["NetworkInterfaces"][0]["NetworkInterfaceId"]
        return eni

    def second_eni(self, instance_id: str, **parameters: Any) -> tuple[str, str]:
        """(id, attachment id) of one more interface on the instance."""
        eni = self.ec2.create_network_interface(SubnetId=self.subnet, **parameters)["NetworkInterface"][
            "NetworkInterfaceId"
        ]
        attached = self.ec2.attach_network_interface(
            NetworkInterfaceId=eni, InstanceId=instance_id, DeviceIndex=1
        )
        return eni, attached["AttachmentId"]

    def add_route(self, destination: str, **target: Any) -> None:
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=destination, **target)

    def route(self, destination: str, table: str = "") -> Any:
        """The route as DescribeRouteTables answers it, or None."""
        found = self.ec2.describe_route_tables(RouteTableIds=[table or self.table])["RouteTables"][0][
            "Routes"
        ]
        return next((route for route in found if route.get("DestinationCidrBlock") == destination), None)

    def state_route(self, destination: str) -> Route:
        routes = self.state.route_tables[self.table].routes
        return next(route for route in routes if route.destination == destination)

    def state_eni(self, instance_id: str, index: int = 0) -> Eni:
        return next(
            eni for eni in self.state.enis.values() if eni.instance == instance_id and eni.index == index
        )

    def other_vpc(self, cidr: str = "10.9.0.0/16") -> tuple[str, str]:
        """(VPC, subnet) of a second network."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        return vpc, self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]
