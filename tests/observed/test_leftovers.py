"""What is left of a lab is read as the lab's, and what is others' is not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.observed.aws.leftovers import read_leftovers
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Leftover
from tests.provision.account import THREE, Account

INTENDED = replace(THREE, after="cleanup")


def left(account: Account) -> tuple[Leftover, ...]:
    seen, found, errors = read_leftovers(Reader(account.target), INTENDED)
    assert (seen, errors) == (account.id, ())
    return found


def kinds(account: Account) -> Counter[str]:
    return Counter(each.kind for each in left(account))


def named(account: Account, name: str, *ids: str) -> None:
    account.ec2.create_tags(Resources=list(ids), Tags=[{"Key": "Name", "Value": name}])


def elsewhere(account: Account) -> tuple[str, str]:
    """A VPC of somebody else's, with a subnet and a way to the internet."""
    vpc = account.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    gateway = account.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    account.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnet = account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.0.0/24")["Subnet"]["SubnetId"]
    named(account, "production", vpc)
    return vpc, subnet


def launched(account: Account, subnet: str, **more: Any) -> str:
    image = account.ec2.describe_images()["Images"][0]["ImageId"]
    answer = account.ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet, **more
    )
    return answer["Instances"][0]["InstanceId"]


def test_an_empty_account_has_nothing_left(aws_account: Account) -> None:
    assert left(aws_account) == ()


def test_the_whole_lab_is_left_where_nothing_was_cleaned_up(aws_account: Account) -> None:
    found = kinds(aws_account.build())
    assert found["instance"] == len(aws_account.look().instances)
    assert {kind: found[kind] for kind in ("vpc", "subnet", "route-table", "internet-gateway")} == {
        "vpc": 1, "subnet": 1, "route-table": 1, "internet-gateway": 1,
    }  # fmt: skip
    assert found["security-group"] == 1
    # Those that go with their instances are their instances'.
    assert found["network-interface"] == found["volume"] == 0


def test_what_is_others_is_not_told(aws_account: Account) -> None:
    before = left(aws_account.build())
    ec2 = aws_account.ec2
    vpc, subnet = elsewhere(aws_account)
    launched(aws_account, subnet)
    ec2.create_security_group(GroupName="web", Description="-", VpcId=vpc)
    ec2.create_route_table(VpcId=vpc)
    ec2.create_key_pair(KeyName="my own key")
    ec2.create_volume(Size=8, AvailabilityZone="us-east-1a")
    ec2.allocate_address(Domain="vpc")
    ec2.create_network_interface(SubnetId=subnet)
    assert left(aws_account) == before


def test_of_somebody_elses_vpc_what_bears_the_labs_names_is_told_and_no_more(aws_account: Account) -> None:
    vpc, subnet = elsewhere(aws_account)
    worker, other = launched(aws_account, subnet), launched(aws_account, subnet)
    named(aws_account, "worker-1", worker)
    named(aws_account, "database", other)
    group = aws_account.ec2.create_security_group(GroupName="kubernetes", Description="-", VpcId=vpc)[
        "GroupId"
    ]
    assert [(each.kind, each.id) for each in left(aws_account)] == [
        ("instance", worker),
        ("security-group", group),
    ]


def test_a_vpc_without_a_name_is_the_labs_where_all_its_subnets_are(aws_account: Account) -> None:
    ec2 = aws_account.ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    assert left(aws_account) == ()
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    named(aws_account, "kubernetes", subnet)
    assert [each.kind for each in left(aws_account)] == ["subnet", "vpc"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.2.0/24")
    assert [each.kind for each in left(aws_account)] == ["subnet"]


def test_what_hangs_on_a_machine_of_the_lab_is_the_labs(aws_account: Account) -> None:
    _, subnet = elsewhere(aws_account)
    worker = launched(aws_account, subnet)
    named(aws_account, "worker-0", worker)
    ec2 = aws_account.ec2
    volume = ec2.create_volume(Size=8, AvailabilityZone="us-east-1a")["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=worker, Device="/dev/sdh")
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=worker)
    assert [(each.kind, each.id, each.address) for each in left(aws_account)] == [
        ("elastic-ip", address["AllocationId"], address["PublicIp"]),
        ("instance", worker, ""),
        ("volume", volume, ""),
    ]


def test_of_groups_that_name_each_other_the_first_is_freed_by_the_rules_of_the_second(
    aws_account: Account,
) -> None:
    ec2 = aws_account.build().ec2
    (vpc,) = [each.id for each in left(aws_account) if each.kind == "vpc"]
    one, two = sorted(
        ec2.create_security_group(GroupName=name, Description="-", VpcId=vpc)["GroupId"] for name in "ab"
    )
    for group, other in ((one, two), (two, one)):
        pairs: Any = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=pairs)
    found = {each.id: each for each in left(aws_account)}
    assert [noun.split(":")[0] for noun in found[one].ingress] == [two]
    assert found[two].ingress == ()


def test_the_calls_do_not_grow_with_what_is_there(aws_account: Account) -> None:
    before = Reader(aws_account.target)
    read_leftovers(before, INTENDED)
    aws_account.build()
    after = Reader(aws_account.target)
    read_leftovers(after, INTENDED)
    assert after.calls == before.calls == 14


@pytest.mark.parametrize("gone", [True, False])
def test_a_terminated_instance_is_gone(aws_account: Account, gone: bool) -> None:
    worker = aws_account.build().instance("worker-0")
    if gone:
        aws_account.ec2.terminate_instances(InstanceIds=[worker])
    assert (worker in {each.id for each in left(aws_account)}) is not gone
