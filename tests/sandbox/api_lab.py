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

from sandbox.images import UBUNTU
from sandbox.state import Eni, Route, State

IMAGE = UBUNTU.id


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
        with urllib.request.urlopen(f"{self.endpoint}/moto-api/reset", data=b"", timeout=60):  # noqa: S310 -- our own
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

    def mutations(self) -> dict[str, dict[str, Any]]:
        """A call of each kind that changes something, with parameters that work."""
        worker = self.run()
        eni = self.eni_of(worker)
        self.add_route("10.200.0.0/24", InstanceId=worker)
        permission = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
        association = self.ec2.associate_route_table(RouteTableId=self.table, SubnetId=self.subnet)[
            "AssociationId"
        ]
        where = {"RouteTableId": self.table, "DestinationCidrBlock": "10.200.0.0/24"}
        return {
            "create_route": {**where, "DestinationCidrBlock": "10.201.0.0/24", "InstanceId": worker},
            "replace_route": {**where, "GatewayId": self.gateway},
            "delete_route": where,
            "create_route_table": {"VpcId": self.vpc},
            "delete_route_table": {"RouteTableId": self.table},
            "associate_route_table": {"RouteTableId": self.table, "SubnetId": self.subnet},
            "disassociate_route_table": {"AssociationId": association},
            "replace_route_table_association": {"AssociationId": association, "RouteTableId": self.table},
            "create_vpc": {"CidrBlock": "10.3.0.0/16"},
            "delete_vpc": {"VpcId": self.vpc},
            "create_subnet": {"VpcId": self.vpc, "CidrBlock": "10.0.9.0/24"},
            "delete_subnet": {"SubnetId": self.subnet},
            "create_internet_gateway": {},
            "detach_internet_gateway": {"InternetGatewayId": self.gateway, "VpcId": self.vpc},
            "create_security_group": {"GroupName": "g", "Description": "g", "VpcId": self.vpc},
            "authorize_security_group_ingress": {"GroupId": self.group, "IpPermissions": permission},
            "delete_security_group": {"GroupId": self.group},
            "create_network_acl": {"VpcId": self.vpc},
            "run_instances": {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": self.subnet},
            "stop_instances": {"InstanceIds": [worker]},
            "start_instances": {"InstanceIds": [worker]},
            "terminate_instances": {"InstanceIds": [worker]},
            "modify_instance_attribute": {"InstanceId": worker, "SourceDestCheck": {"Value": False}},
            "create_network_interface": {"SubnetId": self.subnet},
            "modify_network_interface_attribute": {
                "NetworkInterfaceId": eni,
                "SourceDestCheck": {"Value": False},
            },
            "delete_network_interface": {"NetworkInterfaceId": eni},
            "allocate_address": {},
            "create_key_pair": {"KeyName": f"dry-{self.vpc}"},
            "create_tags": {"Resources": [worker], "Tags": [{"Key": "Name", "Value": "dry"}]},
        }
