"""The clusters that faults and variants happen in, and how one is built through the API."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kthw.intended import tutorial
from kthw.intended.cluster import AUTO, NODE_ROUTES
from sandbox.internet import LAPTOP

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A cluster with all its pod routes.

    ``pods`` and ``name`` by worker number (``pods`` where ``{}`` is). ``subnets``: the first has all workers
    but the last, which is in the last. ``tables``: ``one`` for all subnets, one for ``each``, or the ``main``
    one. With one for each, the last subnet has a network ACL of its own, too. ``by``: routes name the
    ``instance`` or its ``eni``. ``network``: the model that is asked for. ``routed``: whether the ``vpc`` has
    the pod routes, or the ``nodes`` by kernel routes, each to its neighbours in the first subnet.
    """

    vpc: str = tutorial.VPC_CIDR
    subnets: tuple[str, ...] = (tutorial.SUBNET_CIDR,)
    workers: int = 3
    name: str = "worker-{}"
    pods: str = "10.200.{}.0/24"
    step: int = 1
    controllers: int = 0
    tables: str = "one"
    by: str = "instance"
    masquerade: bool = True
    network: str = AUTO
    routed: str = "vpc"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.name.format(n) for n in range(self.workers))

    def address(self, number: int) -> str:
        subnet = self.subnets[-1] if number == self.workers - 1 else self.subnets[0]
        return str(IPv4Network(subnet)[tutorial.WORKER_FIRST_HOST + number])

    @property
    def typed(self) -> str:
        """What is typed on its nodes once they run."""
        lines = [] if self.masquerade else [BARE.format(worker) for worker in self.names]
        for number, worker in enumerate(self.names if self.routed == "nodes" else ()):
            hops = [
                f"sudo ip route add {self.pod_cidr(other)} via {self.address(other)}"
                for other in range(self.workers)
                if other != number
            ]
            lines += [f"ssh {worker} '{'; '.join(hops)}'"]
        return "\n".join(lines)

    def pod_cidr(self, number: int) -> str:
        return self.pods.format(number * self.step)

    @property
    def pod_range(self) -> str:
        """One CIDR around all pods: the tutorial's where it does."""
        whole = IPv4Network(tutorial.POD_RANGE)
        if not IPv4Network(self.pod_cidr(0)).subnet_of(whole):
            whole = IPv4Network(self.pod_cidr(0))
        while not all(IPv4Network(self.pod_cidr(n)).subnet_of(whole) for n in range(self.workers)):
            whole = whole.supernet()
        return str(whole)


STAGES: Final = {
    "tutorial": Stage(controllers=1),
    "two subnets": Stage(subnets=("10.0.1.0/24", "10.0.2.0/24"), tables="each"),
    "two subnets, one table": Stage(subnets=("10.0.1.0/24", "10.0.2.0/24")),
    "bare": Stage(masquerade=False),
    "two subnets, bare": Stage(subnets=("10.0.1.0/24", "10.0.2.0/24"), tables="each", masquerade=False),
    "main table": Stage(tables="main"),
    "main table, two subnets": Stage(subnets=("10.0.1.0/24", "10.0.2.0/24"), tables="main"),
    "by interface": Stage(by="eni"),
    "one worker": Stage(workers=1),
    "two workers": Stage(workers=2),
    "twelve workers": Stage(workers=12),
    "172.31": Stage(vpc="172.31.0.0/16", subnets=("172.31.16.0/20",), pods="172.20.{}.0/24"),
    "10.240": Stage(vpc="10.240.0.0/24", subnets=("10.240.0.0/24",)),
    "192.168": Stage(vpc="192.168.0.0/20", subnets=("192.168.4.0/22",), pods="10.244.{}.0/24"),
    "wide pods": Stage(pods="10.200.{}.0/20", step=16),
    "narrow pods": Stage(pods="10.200.0.{}/27", step=32),
    "node names": Stage(name="node{}"),
    "long names": Stage(name="ip-10-0-1-2{}.eu-west-1.compute.internal"),
    "node routes": Stage(workers=2, controllers=1, network=NODE_ROUTES, routed="nodes"),
    "node routes, by themselves": Stage(workers=2, routed="nodes"),
    "node routes, two subnets": Stage(
        workers=2, subnets=("10.0.1.0/24", "10.0.2.0/24"), tables="each", controllers=1, network=NODE_ROUTES
    ),
    "shared pods": Stage(pods="100.64.{}.0/24"),
}

BARE: Final = "ssh {} 'sudo sed -i /ipMasq/s/true/false/ /etc/cni/net.d/10-bridge.conf'"
"""What a student types to switch masquerade off on a worker."""


def build(ec2: EC2Client, stage: Stage, key_file: Path) -> str:
    """Build it with its routes; the id of its VPC. The key pair is made with the first, for all."""
    if not key_file.exists():
        key_file.touch(mode=0o600)
        key_file.write_text(ec2.create_key_pair(KeyName=tutorial.KEY_NAME)["KeyMaterial"])
    vpc = ec2.create_vpc(CidrBlock=stage.vpc)["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=c)["Subnet"]["SubnetId"] for c in stage.subnets]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = _tables(ec2, stage, vpc, subnets)
    for table in tables:
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=tutorial.EVERYWHERE, GatewayId=gateway)
    group = _group(ec2, stage, vpc)
    for number in range(stage.controllers):
        address = str(IPv4Network(stage.subnets[0])[tutorial.CONTROLLER_FIRST_HOST + number])
        _launch(ec2, f"controller-{number}", f"name=controller-{number}", subnets[0], group, address)
    for number, name in enumerate(stage.names):
        last = number == stage.workers - 1
        subnet = len(subnets) - 1 if last else 0
        launched = _launch(
            ec2,
            name,
            tutorial.user_data(name, stage.pod_cidr(number)),
            subnets[subnet],
            group,
            stage.address(number),
        )
        eni = launched["NetworkInterfaces"][0]["NetworkInterfaceId"]
        target = {"NetworkInterfaceId": eni} if stage.by == "eni" else {"InstanceId": launched["InstanceId"]}
        for table in tables if stage.routed == "vpc" else ():
            ec2.create_route(RouteTableId=table, DestinationCidrBlock=stage.pod_cidr(number), **target)
    return vpc


def _tables(ec2: EC2Client, stage: Stage, vpc: str, subnets: list[str]) -> list[str]:
    inside: Any = [{"Name": "vpc-id", "Values": [vpc]}]
    if stage.tables == "main":
        return [ec2.describe_route_tables(Filters=inside)["RouteTables"][0]["RouteTableId"]]
    made: list[str] = []
    for subnet in subnets:
        if not made or stage.tables == "each":
            made.append(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        ec2.associate_route_table(RouteTableId=made[-1], SubnetId=subnet)
        if len(made) > 1:
            _acl(ec2, vpc, subnet)
    return made


def _acl(ec2: EC2Client, vpc: str, subnet: str) -> None:
    """A network ACL for that subnet alone, which lets everything pass."""
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=100,
            Protocol="-1",
            RuleAction="allow",
            Egress=egress,
            CidrBlock=tutorial.EVERYWHERE,
        )
    its: Any = [{"Name": "association.subnet-id", "Values": [subnet]}]
    associations = ec2.describe_network_acls(Filters=its)["NetworkAcls"][0]["Associations"]
    for association in associations:
        if association["SubnetId"] == subnet:
            ec2.replace_network_acl_association(
                AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
            )


def _group(ec2: EC2Client, stage: Stage, vpc: str) -> str:
    group = ec2.create_security_group(
        GroupName=tutorial.RESOURCE_NAME, Description="Kubernetes security group", VpcId=vpc
    )["GroupId"]
    laptop: Any = [{"CidrIp": f"{LAPTOP}/32"}]
    rules: Any = [
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": stage.vpc}]},
        {"IpProtocol": "-1", "IpRanges": [{"CidrIp": stage.pod_range}]},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": laptop},
        {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": laptop},
    ]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    return group


def _launch(ec2: EC2Client, name: str, user_data: str, subnet: str, group: str, address: str) -> Any:
    interface: Any = {
        "DeviceIndex": 0,
        "SubnetId": subnet,
        "Groups": [group],
        "PrivateIpAddress": address,
        "AssociatePublicIpAddress": True,
    }
    launched = ec2.run_instances(
        ImageId="ami-785db401",
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        KeyName=tutorial.KEY_NAME,
        UserData=user_data,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
        NetworkInterfaces=[interface],
    )["Instances"][0]
    ec2.modify_instance_attribute(InstanceId=launched["InstanceId"], SourceDestCheck={"Value": False})
    return launched
