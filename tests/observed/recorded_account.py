"""What AWS was recorded to answer, with ids, names and words of our own, and a reader that is answered so.

Every answer has the keys that the recording had, in the form in which botocore hands them on: what a shell
printed as a table, as tabulated text or as Terraform's state is what one of these calls answered.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Evidence
from kthw.target import Target
from tests.findings.clusters import healthy

Answer = dict[str, Any]

OWNER: Final = "210987654321"
VPC, SUBNET = "vpc-0ddddddddddddddd1", "subnet-09999999999999991"
TABLE, GATEWAY, GROUP = "rtb-0eeeeeeeeeeeeeee1", "igw-0fffffffffffffff1", "sg-07777777777777771"
LOCAL: Final = {
    "DestinationCidrBlock": "10.0.0.0/16",
    "GatewayId": "local",
    "Origin": "CreateRouteTable",
    "State": "active",
}


def by_instance(n: int, pods: str, **others: str) -> dict[str, str]:
    """A route made with an instance's id, as it is listed: with the owner, and the ENI that it means."""
    return {
        "DestinationCidrBlock": pods,
        "InstanceId": f"i-0aaaaaaaaaaaaaa0{n}",
        "InstanceOwnerId": OWNER,
        "NetworkInterfaceId": f"eni-0bbbbbbbbbbbbbb0{n}",
        "Origin": "CreateRoute",
        "State": "active",
        **others,
    }


def through(target: str, identifier: str, state: str = "active") -> dict[str, str]:
    return {
        "DestinationCidrBlock": "0.0.0.0/0",
        target: identifier,
        "Origin": "CreateRoute",
        "State": state,
    }


def association(table: str, **where: Any) -> Answer:
    return {
        **where,
        "RouteTableAssociationId": "rtbassoc-0ccccccccccccccc1",
        "RouteTableId": table,
        "AssociationState": {"State": "associated"},
    }


def table(identifier: str, associations: list[Any], *routes: dict[str, str]) -> Answer:
    return {
        "Associations": associations,
        "PropagatingVgws": [],
        "RouteTableId": identifier,
        "Routes": [LOCAL, *routes],
        "Tags": [],
        "VpcId": VPC,
        "OwnerId": OWNER,
    }


def rule(protocol: str, *cidrs: str, groups: Iterable[str] = (), **ports: int) -> Answer:
    """A permission as a group lists it: every kind of source, and ports only where the protocol has some."""
    return {
        "IpProtocol": protocol,
        **ports,
        "UserIdGroupPairs": [{"UserId": OWNER, "GroupId": group} for group in groups],
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs],
        "Ipv6Ranges": [],
        "PrefixListIds": [],
    }


def port(number: int, *cidrs: str, groups: Iterable[str] = ()) -> Answer:
    return rule("tcp", *cidrs, groups=groups, FromPort=number, ToPort=number)


def pings(*cidrs: str, groups: Iterable[str] = ()) -> Answer:
    return rule("icmp", *cidrs, groups=groups, FromPort=-1, ToPort=-1)


EVERYWHERE: Final = rule("-1", "0.0.0.0/0")


def group(identifier: str, ingress: list[Answer], egress: Iterable[Answer] = (EVERYWHERE,)) -> Answer:
    return {
        "Description": "nodes",
        "GroupName": f"ours-{identifier[-1]}",
        "IpPermissions": ingress,
        "OwnerId": OWNER,
        "GroupId": identifier,
        "IpPermissionsEgress": [*egress],
        "VpcId": VPC,
    }


def instance(n: int, name: str, *, check: bool = False, groups: Iterable[str] = (GROUP,)) -> Answer:
    """A running one at ``10.0.1.<20+n>``, of an image that asks for tokens at 169.254.169.254."""
    worn = [{"GroupId": each, "GroupName": f"ours-{each[-1]}"} for each in groups]
    address, public = f"10.0.1.{20 + n}", f"203.0.113.{20 + n}"
    reached = {"IpOwnerId": "amazon", "PublicDnsName": "", "PublicIp": public}
    interface = {
        "Association": reached,
        "Attachment": {"AttachmentId": f"eni-attach-0{n}", "DeviceIndex": 0, "Status": "attached"},
        "Description": "",
        "Groups": worn,
        "Ipv6Addresses": [],
        "MacAddress": f"02:00:00:00:00:0{n}",
        "NetworkInterfaceId": f"eni-0bbbbbbbbbbbbbb0{n}",
        "OwnerId": OWNER,
        "PrivateIpAddress": address,
        "PrivateIpAddresses": [{"Association": reached, "Primary": True, "PrivateIpAddress": address}],
        "SourceDestCheck": check,
        "Status": "in-use",
        "SubnetId": SUBNET,
        "VpcId": VPC,
        "InterfaceType": "interface",
    }
    return {
        "InstanceId": f"i-0aaaaaaaaaaaaaa0{n}",
        "ImageId": "ami-06666666666666661",
        "State": {"Code": 16, "Name": "running"},
        "InstanceType": "t3.micro",
        "KeyName": "ours",
        "Placement": {"AvailabilityZone": "sa-east-1a", "GroupName": "", "Tenancy": "default"},
        "PrivateIpAddress": address,
        "PublicIpAddress": public,
        "SubnetId": SUBNET,
        "VpcId": VPC,
        "NetworkInterfaces": [interface],
        "SecurityGroups": worn,
        "SourceDestCheck": check,
        "Tags": [{"Key": "Name", "Value": name}],
        "MetadataOptions": {
            "State": "applied",
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 2,
            "HttpEndpoint": "enabled",
            "InstanceMetadataTags": "disabled",
        },
    }


def aged(made: Answer, eni: str) -> Answer:
    """The instance as years ago: its ENI has an id of eight digits, and what came later is absent."""
    (interface,) = made["NetworkInterfaces"]
    newer = ("MetadataOptions", "InterfaceType")
    kept = {key: value for key, value in interface.items() if key not in newer}
    old = {**kept, "NetworkInterfaceId": eni}
    return {**{key: value for key, value in made.items() if key not in newer}, "NetworkInterfaces": [old]}


def account(instances: list[Answer], tables: list[Answer], groups: list[Answer]) -> dict[str, Answer]:
    """What the calls answer of one VPC with one subnet."""
    tags = [{"Key": "Name", "Value": "ours"}]
    block = {"AssociationId": "vpc-cidr-assoc-05555555555555551", "CidrBlock": "10.0.0.0/16"}
    vpc = {
        "CidrBlock": "10.0.0.0/16",
        "DhcpOptionsId": "dopt-04444444444444441",
        "State": "available",
        "VpcId": VPC,
        "OwnerId": OWNER,
        "InstanceTenancy": "default",
        "CidrBlockAssociationSet": [{**block, "CidrBlockState": {"State": "associated"}}],
        "IsDefault": False,
        "Tags": tags,
    }
    subnet = {
        "AvailabilityZone": "sa-east-1a",
        "AvailableIpAddressCount": 251 - len(instances),
        "CidrBlock": "10.0.1.0/24",
        "SubnetId": SUBNET,
        "VpcId": VPC,
        "Tags": tags,
    }
    entries = [
        {
            "CidrBlock": "0.0.0.0/0", "Egress": egress, "Protocol": "-1",
            "RuleAction": action, "RuleNumber": number,
        }
        for egress in (True, False)
        for number, action in ((100, "allow"), (32767, "deny"))
    ]  # fmt: skip
    acl = {
        "Associations": [
            {"NetworkAclAssociationId": "aclassoc-01", "NetworkAclId": "acl-01", "SubnetId": SUBNET}
        ],
        "Entries": entries,
        "IsDefault": True,
        "NetworkAclId": "acl-01",
        "VpcId": VPC,
    }
    attached = {"Attachments": [{"State": "available", "VpcId": VPC}], "InternetGatewayId": GATEWAY}
    main = table("rtb-0eeeeeeeeeeeeeee0", [association("rtb-0eeeeeeeeeeeeeee0", Main=True)])
    return {
        "GetCallerIdentity": {"UserId": "A", "Account": OWNER, "Arn": f"arn:aws:iam::{OWNER}:user/ours"},
        "DescribeInstances": {"Reservations": [{"Instances": [each]} for each in instances]},
        "DescribeVpcs": {"Vpcs": [vpc]},
        "DescribeSubnets": {"Subnets": [subnet]},
        "DescribeRouteTables": {"RouteTables": [main, *tables]},
        "DescribeInternetGateways": {"InternetGateways": [attached]},
        "DescribeSecurityGroups": {"SecurityGroups": groups},
        "DescribeNetworkAcls": {"NetworkAcls": [acl]},
    }


def ruling(*routes: dict[str, str]) -> Answer:
    """The table of the subnet, with an exit to the internet."""
    where = association(TABLE, Main=False, SubnetId=SUBNET)
    return table(TABLE, [where], *routes, through("GatewayId", GATEWAY))


def read(
    answers: Mapping[str, Answer],
    intended: Intended,
    user_data: Mapping[str, str],
    nodes: Evidence | None = None,
) -> Evidence:
    """The evidence of a run to which AWS answers so; ``user_data`` by the instance's id.

    ``nodes``: evidence whose nodes and packets are this run's too; without it no worker was logged in to.
    """
    target = Target(kind="sandbox", endpoint="http://127.0.0.1:9", region="sa-east-1", credentials=("a", "b"))
    reader = Reader(target)

    def answer(model: Any, params: Any, **_event: Any) -> tuple[Any, Answer]:
        parsed = answers.get(model.name)
        if parsed is None:
            asked = params["body"]["InstanceId"]
            text = user_data.get(asked, "")
            said = {"Value": base64.b64encode(text.encode()).decode()} if text else {}
            parsed = {"InstanceId": asked, "UserData": said}
        return SimpleNamespace(status_code=200), {**parsed, "ResponseMetadata": {"HTTPStatusCode": 200}}

    for client in (reader.ec2, reader.sts):
        client.meta.events.register("before-call", answer)  # type: ignore[arg-type] # what it returns counts
    inventory, errors = read_inventory(reader, intended)
    assert errors == ()
    usual = nodes or replace(healthy(1), nodes={}, probes=())
    return replace(usual, intended=intended, inventory=inventory)
