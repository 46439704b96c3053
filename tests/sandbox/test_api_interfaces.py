"""Network interfaces: source/dest check, groups, addresses, attachment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.api_lab import IMAGE, Lab

Refused = Callable[..., str]


def _eni(lab: Lab, eni: str) -> Any:
    return lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]


def test_the_source_dest_check_is_one_setting_seen_from_both_sides(api_lab: Lab) -> None:
    worker = api_lab.run()
    eni = api_lab.eni_of(worker)

    def seen() -> tuple[Any, ...]:
        described = api_lab.instance(worker)
        attribute = api_lab.ec2.describe_instance_attribute(InstanceId=worker, Attribute="sourceDestCheck")
        return (
            described["SourceDestCheck"],
            described["NetworkInterfaces"][0]["SourceDestCheck"],
            _eni(api_lab, eni)["SourceDestCheck"],
            attribute["SourceDestCheck"]["Value"],
            api_lab.state.enis[eni].source_dest_check,
        )

    assert seen() == (True,) * 5
    api_lab.ec2.modify_instance_attribute(InstanceId=worker, SourceDestCheck={"Value": False})
    assert seen() == (False,) * 5
    api_lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": True})
    assert seen() == (True,) * 5
    api_lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
    assert seen() == (False,) * 5
    api_lab.ec2.modify_instance_attribute(InstanceId=worker, Attribute="sourceDestCheck", Value="true")
    assert seen() == (True,) * 5


def test_with_two_interfaces_the_check_is_set_on_the_interface(api_lab: Lab, api_refused: Refused) -> None:
    worker = api_lab.run()
    second, _ = api_lab.second_eni(worker)
    modify = api_lab.ec2.modify_instance_attribute
    code = api_refused(modify, InstanceId=worker, SourceDestCheck={"Value": False})
    assert code == "InvalidInstanceID"
    assert api_refused(modify, InstanceId=worker, Groups=[api_lab.group]) == "InvalidInstanceID"
    api_lab.ec2.modify_network_interface_attribute(
        NetworkInterfaceId=second, SourceDestCheck={"Value": False}
    )
    assert api_lab.state_eni(worker, 0).source_dest_check
    assert not api_lab.state_eni(worker, 1).source_dest_check


def test_the_groups_are_one_setting_seen_from_both_sides(api_lab: Lab) -> None:
    worker = api_lab.run(SecurityGroupIds=[api_lab.group])
    eni = api_lab.eni_of(worker)
    second = api_lab.ec2.create_security_group(GroupName="b", Description="b", VpcId=api_lab.vpc)["GroupId"]

    def seen() -> list[list[str]]:
        instance = api_lab.instance(worker)
        return [
            [group["GroupId"] for group in instance["SecurityGroups"]],
            [group["GroupId"] for group in instance["NetworkInterfaces"][0]["Groups"]],
            [group["GroupId"] for group in _eni(api_lab, eni)["Groups"]],
            list(api_lab.state.enis[eni].security_groups),
        ]

    assert seen() == [[api_lab.group]] * 4
    api_lab.ec2.modify_instance_attribute(InstanceId=worker, Groups=[second])
    assert seen() == [[second]] * 4
    api_lab.ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[api_lab.group])
    assert seen() == [[api_lab.group]] * 4


def test_without_a_group_an_instance_has_the_default_one(api_lab: Lab) -> None:
    groups = api_lab.instance(api_lab.run())["SecurityGroups"]
    assert [group["GroupName"] for group in groups] == ["default"]


def test_an_unknown_or_foreign_group_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    worker, unknown = api_lab.run(), "sg-0123456789abcdef0"
    vpc, _ = api_lab.other_vpc()
    foreign = api_lab.ec2.create_security_group(GroupName="f", Description="f", VpcId=vpc)["GroupId"]
    modify = api_lab.ec2.modify_instance_attribute
    create = api_lab.ec2.create_network_interface
    assert api_refused(modify, InstanceId=worker, Groups=[unknown]) == "InvalidGroup.NotFound"
    assert api_refused(create, SubnetId=api_lab.subnet, Groups=[unknown]) == "InvalidGroup.NotFound"
    assert api_refused(create, SubnetId=api_lab.subnet, Groups=[foreign]) == "InvalidParameter"


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.0.1.3", "InvalidParameterValue"),
        ("10.0.1.255", "InvalidParameterValue"),
        ("10.0.2.9", "InvalidParameterValue"),
        ("10.0.1", "InvalidParameterValue"),
        ("10.0.1.20", "InvalidIPAddress.InUse"),
    ],
)
def test_an_address_that_cannot_be_had_is_refused(
    api_lab: Lab, api_refused: Refused, address: str, code: str
) -> None:
    api_lab.run(PrivateIpAddress="10.0.1.20")
    create = api_lab.ec2.create_network_interface
    assert api_refused(create, SubnetId=api_lab.subnet, PrivateIpAddress=address) == code
    eni = create(SubnetId=api_lab.subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assign = api_lab.ec2.assign_private_ip_addresses
    assert api_refused(assign, NetworkInterfaceId=eni, PrivateIpAddresses=[address]) == code


def test_addresses_are_handed_out_once(api_lab: Lab) -> None:
    subnet = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.2.0/28")["Subnet"]["SubnetId"]
    enis = [api_lab.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"] for _ in range(11)]
    assert len({eni["PrivateIpAddress"] for eni in enis}) == 11


def test_a_full_subnet_says_so(api_lab: Lab, api_refused: Refused) -> None:
    subnet = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.2.0/28")["Subnet"]["SubnetId"]
    create = api_lab.ec2.create_network_interface
    create(SubnetId=subnet, SecondaryPrivateIpAddressCount=10)
    assert api_refused(create, SubnetId=subnet) == "InsufficientFreeAddressesInSubnet"


def test_secondary_addresses_reach_the_state_after_the_primary(api_lab: Lab, api_refused: Refused) -> None:
    worker = api_lab.run(PrivateIpAddress="10.0.1.20")
    eni = api_lab.eni_of(worker)
    api_lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.8"])
    api_lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=1)
    assert api_lab.state.enis[eni].addresses == ("10.0.1.20", "10.0.1.8", "10.0.1.4")
    unassign = api_lab.ec2.unassign_private_ip_addresses
    unassign(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.8"])
    assert api_lab.state.enis[eni].addresses == ("10.0.1.20", "10.0.1.4")
    code = api_refused(unassign, NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.20"])
    assert code == "InvalidParameterValue"


def test_an_interface_comes_and_goes_with_its_attachment(api_lab: Lab) -> None:
    worker = api_lab.run()
    eni, attachment = api_lab.second_eni(worker, PrivateIpAddress="10.0.1.77")
    assert api_lab.state_eni(worker, 1).addresses == ("10.0.1.77",)
    api_lab.ec2.detach_network_interface(AttachmentId=attachment)
    assert eni not in api_lab.state.enis


def test_attaching_and_detaching_what_cannot_be_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    worker, other = api_lab.run(), api_lab.run()
    eni, _ = api_lab.second_eni(worker)
    attach = api_lab.ec2.attach_network_interface
    code = api_refused(attach, NetworkInterfaceId=eni, InstanceId=other, DeviceIndex=1)
    assert code == "InvalidNetworkInterface.InUse"
    code = api_refused(api_lab.ec2.delete_network_interface, NetworkInterfaceId=eni)
    assert code == "InvalidNetworkInterface.InUse"
    free = api_lab.ec2.create_network_interface(SubnetId=api_lab.subnet)["NetworkInterface"]
    where = {"NetworkInterfaceId": free["NetworkInterfaceId"]}
    assert api_refused(attach, **where, InstanceId=worker, DeviceIndex=1) == "InvalidParameterValue"
    _, subnet = api_lab.other_vpc()
    stranger = api_lab.run(SubnetId=subnet)
    assert api_refused(attach, **where, InstanceId=stranger, DeviceIndex=1) == "InvalidParameterCombination"
    primary = api_lab.instance(worker)["NetworkInterfaces"][0]["Attachment"]["AttachmentId"]
    code = api_refused(api_lab.ec2.detach_network_interface, AttachmentId=primary)
    assert code == "OperationNotPermitted"


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [
        ("attachment.instance-id", "i-*", 2),
        ("attachment.device-index", "0", 1),
        ("attachment.status", "detached", 0),
        ("private-ip-address", "10.0.1.2?", 1),
        ("addresses.private-ip-address", "10.0.1.21", 1),
        ("group-name", "default", 2),
        ("source-dest-check", "true", 2),
        ("status", "in-use", 2),
        ("association.public-ip", "*", 0),
        ("mac-address", "*", 2),
    ],
)
def test_interfaces_are_found_by_filter(api_lab: Lab, name: str, value: str, count: int) -> None:
    worker = api_lab.run(PrivateIpAddress="10.0.1.20")
    api_lab.ec2.assign_private_ip_addresses(
        NetworkInterfaceId=api_lab.eni_of(worker), PrivateIpAddresses=["10.0.1.21"]
    )
    api_lab.second_eni(worker)
    filters: Any = [{"Name": "vpc-id", "Values": [api_lab.vpc]}, {"Name": name, "Values": [value]}]
    assert len(api_lab.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]) == count


def test_interfaces_come_in_pages(api_lab: Lab) -> None:
    for _ in range(7):
        api_lab.ec2.create_network_interface(SubnetId=api_lab.subnet)
    filters: Any = [{"Name": "vpc-id", "Values": [api_lab.vpc]}]
    pages = api_lab.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=filters, PaginationConfig={"PageSize": 5}
    )
    assert [len(page["NetworkInterfaces"]) for page in pages] == [5, 2]


def test_addresses_are_assigned_all_or_none(api_lab: Lab, api_refused: Refused) -> None:
    subnet = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.2.0/28")["Subnet"]["SubnetId"]
    eni = api_lab.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    assign = api_lab.ec2.assign_private_ip_addresses
    both: Any = {"PrivateIpAddresses": ["10.0.2.9"], "SecondaryPrivateIpAddressCount": 2}
    assert api_refused(assign, NetworkInterfaceId=eni, **both) == "InvalidParameterCombination"
    code = api_refused(assign, NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=20)
    assert code == "InsufficientFreeAddressesInSubnet"
    assert len(_eni(api_lab, eni)["PrivateIpAddresses"]) == 1
    assign(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.2.9", "10.0.2.9"])
    assert [a["PrivateIpAddress"] for a in _eni(api_lab, eni)["PrivateIpAddresses"]] == [
        "10.0.2.4",
        "10.0.2.9",
    ]
    unassign = api_lab.ec2.unassign_private_ip_addresses
    code = api_refused(unassign, NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.2.10"])
    assert code == "InvalidParameterValue"


@pytest.mark.parametrize("index", [-1, 32, 2**31 - 1])
def test_a_device_index_no_machine_has_is_refused(api_lab: Lab, api_refused: Refused, index: int) -> None:
    worker = api_lab.run()
    made = api_lab.ec2.create_network_interface(SubnetId=api_lab.subnet)["NetworkInterface"]
    where: Any = {"NetworkInterfaceId": made["NetworkInterfaceId"], "DeviceIndex": index}
    attach = api_lab.ec2.attach_network_interface
    assert api_refused(attach, InstanceId=worker, **where) == "InvalidParameterValue"
    specs: Any = [{"DeviceIndex": at, "SubnetId": api_lab.subnet} for at in (0, index)]
    launch: Any = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "NetworkInterfaces": specs}
    assert api_refused(api_lab.ec2.run_instances, **launch) == "InvalidParameterValue"
