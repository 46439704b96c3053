"""VPCs, subnets and internet gateways: an account with nothing in it, and what can go when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.state import State, Vpc
from tests.sandbox.api_lab import Lab, Server

Refused = Callable[..., str]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_there_is_no_default_vpc_until_someone_creates_one(api_server: Server, region: str) -> None:
    ec2 = api_server.client(region=region)
    filters = [{"Name": "is-default", "Values": ["true"]}]
    assert ec2.describe_vpcs(Filters=filters)["Vpcs"] == []


def test_another_region_starts_with_nothing_and_can_get_a_default_vpc(api_server: Server) -> None:
    ec2 = api_server.client(region="ap-south-1")
    for describe, key in (
        (ec2.describe_vpcs, "Vpcs"),
        (ec2.describe_subnets, "Subnets"),
        (ec2.describe_route_tables, "RouteTables"),
        (ec2.describe_security_groups, "SecurityGroups"),
        (ec2.describe_network_acls, "NetworkAcls"),
        (ec2.describe_internet_gateways, "InternetGateways"),
        (ec2.describe_instances, "Reservations"),
    ):
        assert describe()[key] == []
    ec2.create_default_vpc()
    launched = ec2.run_instances(ImageId="ami-0000000000002204a", MinCount=1, MaxCount=1)
    assert launched["Instances"][0]["VpcId"] == ec2.describe_vpcs()["Vpcs"][0]["VpcId"]


def test_a_change_in_any_region_hands_on_the_state_of_all(api_lab: Lab) -> None:
    """Each with its own names; one of them, or its end, takes nothing from the others."""
    other = api_lab.server.client(region="sa-east-1")
    vpc = other.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    there = api_lab.state.vpcs
    assert {name: there[name].region for name in there} == {api_lab.vpc: "us-east-1", vpc: "sa-east-1"}
    assert there[vpc].private_name("10.0.1.20") == "ip-10-0-1-20.sa-east-1.compute.internal"
    assert there[vpc].public_name("203.0.113.5") == "ec2-203-0-113-5.sa-east-1.compute.amazonaws.com"
    assert there[api_lab.vpc].private_name("10.0.1.20") == "ip-10-0-1-20.ec2.internal"
    assert there[api_lab.vpc].public_name("203.0.113.5") == "ec2-203-0-113-5.compute-1.amazonaws.com"
    other.delete_vpc(VpcId=vpc)
    assert set(api_lab.state.vpcs) == {api_lab.vpc}


def test_a_region_that_there_is_not_is_refused(api_server: Server, api_refused: Refused) -> None:
    assert api_refused(api_server.client(region="mars-1").describe_vpcs) == "InvalidParameterValue"


def test_a_subnet_is_in_a_zone_of_its_region(api_lab: Lab, api_refused: Refused) -> None:
    """The first unless another is named; one of another region is refused, with those that there are."""
    made = api_lab.ec2.create_subnet(
        VpcId=api_lab.vpc, CidrBlock="10.0.2.0/24", AvailabilityZone="us-east-1c"
    )
    assert made["Subnet"]["AvailabilityZone"] == "us-east-1c"
    wrong = {"VpcId": api_lab.vpc, "CidrBlock": "10.0.3.0/24", "AvailabilityZone": "sa-east-1a"}
    assert api_refused(api_lab.ec2.create_subnet, **wrong) == "InvalidParameterValue"


def test_a_vpc_reaches_the_state_with_its_gateway(api_lab: Lab) -> None:
    assert api_lab.state.vpcs[api_lab.vpc] == Vpc(api_lab.vpc, ("10.0.0.0/16",), api_lab.gateway)
    api_lab.ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=api_lab.vpc)
    assert api_lab.state.vpcs[api_lab.vpc].internet_gateway == ""


def test_a_vpc_has_one_internet_gateway_at_most(api_lab: Lab, api_refused: Refused) -> None:
    other = api_lab.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    attach = api_lab.ec2.attach_internet_gateway
    code = api_refused(attach, InternetGatewayId=other, VpcId=api_lab.vpc)
    assert code == "Resource.AlreadyAssociated"
    delete = api_lab.ec2.delete_internet_gateway
    assert api_refused(delete, InternetGatewayId=api_lab.gateway) == "DependencyViolation"
    delete(InternetGatewayId=other)


def test_blocks_of_networks_are_canonical_cidrs(api_lab: Lab, api_refused: Refused) -> None:
    vpc = api_lab.ec2.create_vpc(CidrBlock="10.77.3.4/16")["Vpc"]
    assert vpc["CidrBlock"] == "10.77.0.0/16"
    subnet = api_lab.ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.77.1.9/24")["Subnet"]
    assert subnet["CidrBlock"] == "10.77.1.0/24"
    assert api_lab.state.subnets[subnet["SubnetId"]].cidr == "10.77.1.0/24"
    assert api_refused(api_lab.ec2.create_vpc, CidrBlock="10.77.0.0") == "InvalidParameterValue"
    create = api_lab.ec2.create_subnet
    assert api_refused(create, VpcId=vpc["VpcId"], CidrBlock="net") == "InvalidParameterValue"


def test_a_subnet_gives_no_public_addresses_unless_told_to(api_lab: Lab) -> None:
    subnet = api_lab.ec2.describe_subnets(SubnetIds=[api_lab.subnet])["Subnets"][0]
    assert (subnet["MapPublicIpOnLaunch"], subnet["DefaultForAz"]) == (False, False)
    assert subnet["AvailableIpAddressCount"] == 251


def test_a_network_goes_from_the_inside_out(api_lab: Lab, api_refused: Refused) -> None:
    ec2, worker = api_lab.ec2, api_lab.run()
    vpc: Any = {"VpcId": api_lab.vpc}
    assert api_refused(ec2.delete_subnet, SubnetId=api_lab.subnet) == "DependencyViolation"
    assert api_refused(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.terminate_instances(InstanceIds=[worker])
    ec2.delete_subnet(SubnetId=api_lab.subnet)
    assert api_refused(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.delete_security_group(GroupId=api_lab.group)
    ec2.delete_route_table(RouteTableId=api_lab.table)
    assert api_refused(ec2.delete_vpc, **vpc) == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, **vpc)
    ec2.delete_vpc(**vpc)
    state: State = api_lab.state
    assert api_lab.vpc not in state.vpcs
    assert not [table for table in state.route_tables.values() if table.vpc == api_lab.vpc]
    assert not [group for group in state.security_groups.values() if group.vpc == api_lab.vpc]
    filters: Any = [{"Name": "vpc-id", "Values": [api_lab.vpc]}]
    assert ec2.describe_network_acls(Filters=filters)["NetworkAcls"] == []


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.1.0/24", "InvalidSubnet.Conflict"),
        ("10.0.0.0/16", "InvalidSubnet.Conflict"),
        ("10.1.0.0/24", "InvalidSubnet.Range"),
        ("10.0.2.0/29", "InvalidSubnet.Range"),
        ("10.0.0.0/8", "InvalidSubnet.Range"),
        ("10.0.2.0", "InvalidParameterValue"),
        ("fd00::/64", "InvalidParameterValue"),
        ("", "MissingParameter"),
    ],
)
def test_a_subnet_that_cannot_be_is_refused(
    api_lab: Lab, api_refused: Callable[..., str], cidr: str, code: str
) -> None:
    assert api_refused(api_lab.ec2.create_subnet, VpcId=api_lab.vpc, CidrBlock=cidr) == code


@pytest.mark.parametrize(
    ("cidr", "code"),
    [
        ("10.0.0.0/8", "InvalidVpc.Range"),
        ("10.0.0.0/29", "InvalidVpc.Range"),
        ("127.0.0.0/16", "InvalidVpc.Range"),
        ("224.0.0.0/16", "InvalidVpc.Range"),
        ("hello", "InvalidParameterValue"),
        ("", "MissingParameter"),
    ],
)
def test_a_range_no_vpc_can_have_is_refused(
    api_lab: Lab, api_refused: Callable[..., str], cidr: str, code: str
) -> None:
    assert api_refused(api_lab.ec2.create_vpc, CidrBlock=cidr) == code
    associate = api_lab.ec2.associate_vpc_cidr_block
    assert api_refused(associate, VpcId=api_lab.vpc, CidrBlock=cidr) == code


def test_a_further_block_conflicts_with_no_block_and_no_route(
    api_lab: Lab, api_refused: Callable[..., str]
) -> None:
    api_lab.add_route("10.200.1.0/24", GatewayId=api_lab.gateway)
    associate = api_lab.ec2.associate_vpc_cidr_block
    for cidr in ("10.0.0.0/16", "10.0.7.0/24", "10.200.0.0/16", "10.200.1.0/24"):
        assert api_refused(associate, VpcId=api_lab.vpc, CidrBlock=cidr) == "InvalidVpc.Range"
    block = associate(VpcId=api_lab.vpc, CidrBlock="10.1.0.0/16")["CidrBlockAssociation"]
    subnet = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    gone: Any = {"AssociationId": block["AssociationId"]}
    assert api_refused(api_lab.ec2.disassociate_vpc_cidr_block, **gone) == "DependencyViolation"
    api_lab.ec2.delete_subnet(SubnetId=subnet)
    api_lab.ec2.disassociate_vpc_cidr_block(**gone)
    assert api_lab.route("10.1.0.0/16") is None
