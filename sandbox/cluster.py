"""The tutorial's cluster, built through the EC2 API as a student builds it, without pod routes."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kthw.intended import tutorial
from sandbox.internet import LAPTOP

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import TagSpecificationTypeDef

_IMAGE: Final = "ami-785db401"
"""An Ubuntu image that moto knows; what a node runs does not depend on it."""


def build(ec2: EC2Client, workers: Sequence[str], key_file: Path) -> None:
    """Build it; the key pair's private half goes to ``key_file``.

    Three workers live in the tutorial's /24; for more than it holds, the subnet and the pod range
    are made as wide as they need to be.
    """
    subnet_cidr = _subnet_for(len(workers))
    vpc = ec2.create_vpc(CidrBlock=tutorial.VPC_CIDR)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=str(subnet_cidr))["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=tutorial.EVERYWHERE, GatewayId=gateway)
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": tutorial.NETWORK_NAME}])
    ec2.create_tags(
        Resources=[subnet, gateway, table], Tags=[{"Key": "Name", "Value": tutorial.RESOURCE_NAME}]
    )
    group = _security_group(ec2, vpc)
    key = ec2.create_key_pair(KeyName=tutorial.KEY_NAME)["KeyMaterial"]
    key_file.touch(mode=0o600)
    key_file.write_text(key)

    hosts = list(subnet_cidr.hosts())
    machines = [
        (name, hosts[tutorial.CONTROLLER_FIRST_HOST - 1 + index], f"{tutorial.NAME_KEY}={name}")
        for index, name in enumerate(tutorial.CONTROLLERS)
    ]
    for index, name in enumerate(workers):
        user_data = tutorial.user_data(name, str(pod_cidr(index)))
        machines.append((name, hosts[tutorial.WORKER_FIRST_HOST - 1 + index], user_data))
    for name, address, user_data in machines:
        _launch(ec2, subnet, group, name, str(address), user_data)


def pod_cidr(index: int) -> ipaddress.IPv4Network:
    """The pod CIDR of worker ``index``: 10.200.index.0/24; from the 257th on, 10.201.0.0/24 and so on."""
    first = ipaddress.IPv4Network(tutorial.POD_RANGE).network_address
    return ipaddress.IPv4Network((int(first) + 256 * index, 24))


def _subnet_for(workers: int) -> ipaddress.IPv4Network:
    subnet = ipaddress.IPv4Network(tutorial.SUBNET_CIDR)
    while tutorial.WORKER_FIRST_HOST + workers > subnet.num_addresses - 2:
        subnet = subnet.supernet()
    return subnet


def _security_group(ec2: EC2Client, vpc: str) -> str:
    group = ec2.create_security_group(
        GroupName=tutorial.RESOURCE_NAME, Description="Kubernetes security group", VpcId=vpc
    )["GroupId"]
    laptop = f"{LAPTOP}/32"
    for cidr in (tutorial.VPC_CIDR, tutorial.POD_RANGE):
        _allow(ec2, group, "-1", -1, cidr)
    for port in tutorial.PUBLIC_PORTS:
        _allow(ec2, group, "tcp", port, laptop)
    _allow(ec2, group, "icmp", -1, laptop)
    return group


def _allow(ec2: EC2Client, group: str, protocol: str, port: int, cidr: str) -> None:
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        ],
    )


def _launch(ec2: EC2Client, subnet: str, group: str, name: str, address: str, user_data: str) -> None:
    tags: TagSpecificationTypeDef = {"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}
    launched = ec2.run_instances(
        ImageId=_IMAGE,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        KeyName=tutorial.KEY_NAME,
        UserData=user_data,
        TagSpecifications=[tags],
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet,
                "Groups": [group],
                "PrivateIpAddress": address,
                "AssociatePublicIpAddress": True,
                "DeleteOnTermination": True,
            }
        ],
    )["Instances"][0]["InstanceId"]
    ec2.modify_instance_attribute(InstanceId=launched, SourceDestCheck={"Value": False})
