"""The inventory holds the workers' network and nothing else, the same however AWS orders it."""

from __future__ import annotations

from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from tests.provision.account import THREE, Account


def test_inventory_shows_the_tutorials_network(aws_account: Account) -> None:
    seen = aws_account.build().look()
    assert [vpc.cidrs for vpc in seen.vpcs] == [("10.0.0.0/16",)]
    assert [subnet.cidr for subnet in seen.subnets] == ["10.0.1.0/24"]
    assert {table.id: table.main for table in seen.route_tables}[aws_account.table] is False
    assert sorted(table.main for table in seen.route_tables) == [False, True]
    assert [gateway.vpcs for gateway in seen.internet_gateways] == [(seen.vpcs[0].id,)]
    assert {acl.default for acl in seen.network_acls} == {True}
    workers = {i.name: i for i in seen.instances if i.user_data}
    assert sorted(workers) == ["worker-0", "worker-1", "worker-2"]
    worker = workers["worker-1"]
    assert worker.user_data
    assert worker.user_data.pairs == {"name": "worker-1", "pod-cidr": "10.200.1.0/24"}
    assert (worker.state, worker.address) == ("running", "10.0.1.21")
    assert worker.primary_interface
    assert worker.primary_interface.addresses == ("10.0.1.21",)
    assert worker.primary_interface.source_dest_check is False
    assert set(worker.primary_interface.security_groups) <= {group.id for group in seen.security_groups}


def test_machines_of_other_vpcs_are_left_out(aws_account: Account) -> None:
    before = aws_account.build().look()
    ec2 = aws_account.ec2
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.0.0/24")["Subnet"]["SubnetId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet)
    assert aws_account.look() == before


def test_internet_gateway_that_came_off_is_still_seen(aws_account: Account) -> None:
    """Its absence would say that it was never made."""
    seen = aws_account.build().look()
    gateway = seen.internet_gateways[0].id
    # AWS detaches none while public addresses are mapped, and a stopped machine has none.
    aws_account.ec2.stop_instances(InstanceIds=[instance.id for instance in seen.instances])
    aws_account.ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=seen.vpcs[0].id)
    assert [(g.id, g.vpcs) for g in aws_account.look().internet_gateways] == [(gateway, ())]


def test_running_worker_is_asked_and_its_terminated_namesake_is_not(aws_account: Account) -> None:
    aws_account.build()
    old = aws_account.instance("worker-0")
    new = aws_account.instance("controller-0")
    aws_account.ec2.terminate_instances(InstanceIds=[old])
    aws_account.ec2.create_tags(Resources=[new], Tags=[{"Key": "Name", "Value": "worker-0"}])
    reader = Reader(aws_account.target)
    inventory, errors = read_inventory(reader, THREE)
    named = {i.id: i for i in inventory.instances if i.name == "worker-0"}
    assert errors == ()
    assert named[old].state == "terminated"
    assert named[old].user_data is None
    assert named[new].user_data
    assert reader.calls <= 3 + 8


def test_name_that_two_running_machines_bear_costs_no_extra_call(aws_account: Account) -> None:
    aws_account.build()
    twin = aws_account.instance("controller-0")
    aws_account.ec2.create_tags(Resources=[twin], Tags=[{"Key": "Name", "Value": "worker-0"}])
    reader = Reader(aws_account.target)
    inventory, errors = read_inventory(reader, THREE)
    assert errors == ()
    assert [i.user_data for i in inventory.instances if i.name == "worker-0"] == [None, None]
    assert reader.calls <= 3 + 8
