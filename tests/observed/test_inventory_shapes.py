"""EC2's shapes become the nouns of the evidence, in an order of our own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kthw.observed.aws import shapes
from kthw.observed.evidence import AclEntry, InternetGateway, NetworkInterface, Route, SecurityRule, Vpc

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import RouteTypeDef


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
            Route(destination="10.0.0.0/16", gateway="local", origin="CreateRouteTable"),
        ),
        (
            {"DestinationCidrBlock": "10.200.0.0/24", "InstanceId": "i-1", "NetworkInterfaceId": "eni-1"},
            Route(destination="10.200.0.0/24", instance="i-1", network_interface="eni-1"),
        ),
        (
            {"DestinationCidrBlock": "10.200.0.0/24", "NetworkInterfaceId": "eni-1", "State": "blackhole"},
            Route(destination="10.200.0.0/24", network_interface="eni-1", state="blackhole"),
        ),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"},
            Route(destination="0.0.0.0/0", other="nat-1"),
        ),
        (
            {"DestinationCidrBlock": "192.168.0.0/16", "VpcPeeringConnectionId": "pcx-1"},
            Route(destination="192.168.0.0/16", other="pcx-1"),
        ),
        (
            {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"},
            Route(destination="::/0", other="eigw-1", foreign=True),
        ),
        (
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
            Route(destination="pl-1", gateway="vpce-1", foreign=True),
        ),
    ],
)
def test_each_kind_of_route_names_its_one_target(seen: RouteTypeDef, expected: Route) -> None:
    assert shapes.route(seen) == expected


def test_route_tables_read_in_any_order_are_the_same() -> None:
    routes: list[RouteTypeDef] = [
        {"DestinationCidrBlock": "10.200.10.0/24", "InstanceId": "i-2"},
        {"DestinationCidrBlock": "10.200.9.0/24", "InstanceId": "i-1"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"},
        {"DestinationCidrBlock": "10.200.9.0/25", "InstanceId": "i-1"},
    ]
    forth = shapes.route_table({"RouteTableId": "rtb-1", "Routes": routes})
    back = shapes.route_table({"RouteTableId": "rtb-1", "Routes": routes[::-1]})
    assert forth == back
    assert [r.destination for r in forth.routes] == [
        "10.200.9.0/24",
        "10.200.9.0/25",
        "10.200.10.0/24",
        "pl-1",
    ]


def test_association_that_has_ended_does_not_count() -> None:
    table = shapes.route_table(
        {
            "RouteTableId": "rtb-1",
            "Associations": [
                {"Main": False, "SubnetId": "subnet-2", "AssociationState": {"State": "disassociated"}},
                {"Main": False, "SubnetId": "subnet-1", "AssociationState": {"State": "associated"}},
                {"Main": False, "GatewayId": "igw-1", "AssociationState": {"State": "associated"}},
                {"Main": True, "AssociationState": {"State": "disassociated"}},
            ],
        }
    )
    assert table.subnets == ("subnet-1",)
    assert not table.main


def test_vpc_lists_its_primary_block_first_and_no_block_that_left() -> None:
    vpc = shapes.vpc(
        {
            "VpcId": "vpc-1",
            "CidrBlock": "10.0.0.0/16",
            "CidrBlockAssociationSet": [
                {"CidrBlock": "10.9.0.0/16", "CidrBlockState": {"State": "disassociated"}},
                {"CidrBlock": "10.2.0.0/16", "CidrBlockState": {"State": "associated"}},
                {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
                {"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associated"}},
            ],
            "Tags": [{"Key": "Name", "Value": "kubernetes"}, {"Key": "x", "Value": "y"}],
        }
    )
    assert vpc == Vpc(id="vpc-1", cidrs=("10.0.0.0/16", "10.1.0.0/16", "10.2.0.0/16"), name="kubernetes")


def test_detached_internet_gateway_has_no_vpc() -> None:
    seen = shapes.internet_gateway(
        {"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "detached"}]}
    )
    assert seen == InternetGateway(id="igw-1")


def test_network_interface_has_its_primary_address_first() -> None:
    seen = shapes.network_interface(
        {
            "NetworkInterfaceId": "eni-1",
            "PrivateIpAddress": "10.0.1.20",
            "PrivateIpAddresses": [
                {"PrivateIpAddress": "10.0.1.101"},
                {"PrivateIpAddress": "10.0.1.20"},
                {"PrivateIpAddress": "10.0.1.99"},
            ],
            "SourceDestCheck": False,
            "Groups": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}],
            "Attachment": {"DeviceIndex": 1},
            "Association": {"PublicIp": "203.0.113.1"},
        }
    )
    assert seen == NetworkInterface(
        id="eni-1",
        subnet="",
        vpc="",
        addresses=("10.0.1.20", "10.0.1.99", "10.0.1.101"),
        public_address="203.0.113.1",
        source_dest_check=False,
        security_groups=("sg-1", "sg-2"),
        device_index=1,
    )


def test_security_group_keeps_ipv4_ranges_groups_and_prefix_lists_only() -> None:
    group = shapes.security_group(
        {
            "GroupId": "sg-1",
            "IpPermissions": [
                {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-2"}, {"GroupId": "sg-1"}]},
                {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
                {
                    "IpProtocol": "udp",
                    "FromPort": 53,
                    "ToPort": 53,
                    "PrefixListIds": [{"PrefixListId": "pl-1"}],
                },
            ],
        }
    )
    assert group.ingress == (
        SecurityRule(protocol="-1", groups=("sg-1", "sg-2")),
        SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",)),
        SecurityRule(protocol="udp", from_port=53, to_port=53, prefix_lists=("pl-1",)),
    )


def test_network_acl_entries_come_by_number_with_icmp_in_the_ports() -> None:
    acl = shapes.network_acl(
        {
            "NetworkAclId": "acl-1",
            "Entries": [
                {
                    "RuleNumber": 32767,
                    "Egress": False,
                    "RuleAction": "deny",
                    "Protocol": "-1",
                    "CidrBlock": "0.0.0.0/0",
                },
                {
                    "RuleNumber": 100,
                    "Egress": False,
                    "RuleAction": "allow",
                    "Protocol": "1",
                    "CidrBlock": "10.0.0.0/16",
                    "IcmpTypeCode": {"Type": 8, "Code": -1},
                },
                {
                    "RuleNumber": 90,
                    "Egress": False,
                    "RuleAction": "allow",
                    "Protocol": "6",
                    "CidrBlock": "10.0.0.0/16",
                    "PortRange": {"From": 22, "To": 23},
                },
                {
                    "RuleNumber": 101,
                    "Egress": False,
                    "RuleAction": "allow",
                    "Protocol": "-1",
                    "Ipv6CidrBlock": "::/0",
                },
            ],
        }
    )
    assert acl.entries == (
        AclEntry(
            number=90, egress=False, allow=True, protocol="6", cidr="10.0.0.0/16", from_port=22, to_port=23
        ),
        AclEntry(
            number=100, egress=False, allow=True, protocol="1", cidr="10.0.0.0/16", from_port=8, to_port=-1
        ),
        AclEntry(number=32767, egress=False, allow=False, protocol="-1", cidr="0.0.0.0/0"),
    )


_AT_ONCE = """
import importlib, sys, threading
import msgspec
from kthw.observed.aws import wire

sys.setswitchinterval(1e-6)
state = {"State": "associated"}
for _ in range(60):
    wire = importlib.reload(wire)
    vpc = {"CidrBlock": "10.0.0.0/16", "CidrBlockState": state}
    answers = {
        wire.Vpc: {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": [vpc]},
        wire.Subnet: {"SubnetId": "subnet-1", "Tags": [{"Key": "x"}]},
        wire.RouteTable: {"RouteTableId": "rtb-1", "Associations": [{"AssociationState": state}]},
    }
    begin = threading.Barrier(9)
    def read(kind):
        begin.wait()
        msgspec.convert(answers[kind], kind)
    threads = [threading.Thread(target=read, args=(kind,)) for kind in list(answers) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def test_several_threads_may_meet_a_shape_for_the_first_time_at_once() -> None:
    """Without preparation msgspec ends the process with a segmentation fault."""
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", _AT_ONCE], cwd=project, timeout=120, check=False)
    assert done.returncode == 0
