"""Instances: launching, stopping, starting, terminating, finding them again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.api_lab import IMAGE, Lab

Refused = Callable[..., str]
UNKNOWN = "i-0123456789abcdef0"


def _found(lab: Lab, name: str, *values: str) -> set[str]:
    filters: Any = [{"Name": name, "Values": list(values)}]
    pages = lab.ec2.get_paginator("describe_instances").paginate(Filters=filters)
    return {i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]}


def _name(lab: Lab, instance: str, name: str) -> None:
    lab.ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": name}])


def test_a_stopped_instance_stays_in_the_state_and_is_not_running(api_lab: Lab) -> None:
    worker = api_lab.run(PrivateIpAddress="10.0.1.20")
    eni = api_lab.eni_of(worker)
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    assert not api_lab.state.instances[worker].running
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    api_lab.ec2.start_instances(InstanceIds=[worker])
    assert api_lab.state.instances[worker].running
    assert (api_lab.eni_of(worker), api_lab.instance(worker)["PrivateIpAddress"]) == (eni, "10.0.1.20")


def test_a_terminated_instance_stays_listed_without_its_network(api_lab: Lab) -> None:
    worker = api_lab.run()
    _name(api_lab, worker, "worker-0")
    eni = api_lab.eni_of(worker)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    listed = api_lab.instance(worker)
    assert listed["State"] == {"Code": 48, "Name": "terminated"}
    assert listed["Tags"] == [{"Key": "Name", "Value": "worker-0"}]
    assert listed["NetworkInterfaces"] == []
    assert {"PrivateIpAddress", "PublicIpAddress", "SubnetId", "VpcId"}.isdisjoint(listed)
    assert worker not in api_lab.state.instances
    assert eni not in api_lab.state.enis
    assert api_lab.ec2.terminate_instances(InstanceIds=[worker])["TerminatingInstances"]


def test_a_terminated_instance_frees_its_address_and_its_interface(
    api_lab: Lab, api_refused: Refused
) -> None:
    worker = api_lab.run(PrivateIpAddress="10.0.1.20")
    eni = api_lab.eni_of(worker)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    code = api_refused(api_lab.ec2.describe_network_interfaces, NetworkInterfaceIds=[eni])
    assert code == "InvalidNetworkInterfaceID.NotFound"
    again = api_lab.run(PrivateIpAddress="10.0.1.20")
    assert api_lab.instance(again)["PrivateIpAddress"] == "10.0.1.20"


def test_an_interface_attached_later_outlives_the_instance_unless_asked_otherwise(api_lab: Lab) -> None:
    worker = api_lab.run()
    eni, attachment = api_lab.second_eni(worker)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    kept = api_lab.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]
    assert kept["Status"] == "available"
    worker = api_lab.run()
    attachment = api_lab.ec2.attach_network_interface(
        NetworkInterfaceId=eni, InstanceId=worker, DeviceIndex=1
    )["AttachmentId"]
    api_lab.ec2.modify_network_interface_attribute(
        NetworkInterfaceId=eni, Attachment={"AttachmentId": attachment, "DeleteOnTermination": True}
    )
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    assert not api_lab.ec2.describe_network_interfaces(
        Filters=[{"Name": "network-interface-id", "Values": [eni]}]
    )["NetworkInterfaces"]


def test_a_terminated_instance_cannot_be_brought_back(api_lab: Lab, api_refused: Refused) -> None:
    worker, running = api_lab.run(), api_lab.run()
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    ec2 = api_lab.ec2
    for call in (ec2.start_instances, ec2.stop_instances, ec2.reboot_instances):
        assert api_refused(call, InstanceIds=[running, worker]) == "IncorrectInstanceState"
    assert api_lab.instance(running)["State"]["Name"] == "running"
    check: Any = {"InstanceId": worker, "SourceDestCheck": {"Value": False}}
    assert api_refused(ec2.modify_instance_attribute, **check) == "IncorrectInstanceState"


def test_an_unknown_instance_is_refused_by_name(api_lab: Lab, api_refused: Refused) -> None:
    ec2 = api_lab.ec2
    for call in (ec2.describe_instances, ec2.start_instances, ec2.stop_instances, ec2.terminate_instances):
        assert api_refused(call, InstanceIds=[UNKNOWN]) == "InvalidInstanceID.NotFound"
        assert api_refused(call, InstanceIds=["i-nonsense"]) == "InvalidInstanceID.Malformed"


def test_an_instance_asked_for_twice_is_answered_once(api_lab: Lab) -> None:
    worker = api_lab.run()
    reservations = api_lab.ec2.describe_instances(InstanceIds=[worker, worker])["Reservations"]
    assert [i["InstanceId"] for r in reservations for i in r["Instances"]] == [worker]
    stopped = api_lab.ec2.stop_instances(InstanceIds=[worker, worker])["StoppingInstances"]
    assert len(stopped) == 1


def test_instances_are_found_by_filter(api_lab: Lab) -> None:
    worker, other = api_lab.run(PrivateIpAddress="10.0.1.20"), api_lab.run()
    _name(api_lab, worker, "worker-[0]")
    api_lab.ec2.stop_instances(InstanceIds=[other])
    here = _found(api_lab, "network-interface.vpc-id", api_lab.vpc)
    assert here == {worker, other}
    assert _found(api_lab, "instance-state-code", "80") & here == {other}
    assert _found(api_lab, "network-interface.network-interface-id", api_lab.eni_of(worker)) == {worker}
    assert _found(api_lab, "network-interface.addresses.private-ip-address", "10.0.1.2?") & here == {worker}
    assert _found(api_lab, "network-interface.source-dest-check", "true") >= here
    assert _found(api_lab, "private-ip-address", "10.0.1.2*") & here == {worker}
    assert _found(api_lab, "tag:Name", "worker-*") & here == {worker}
    assert _found(api_lab, "tag:Name", "worker-[0]") & here == {worker}
    assert _found(api_lab, "tag:Name", "WORKER-*") & here == set()
    assert _found(api_lab, "tag-key", "Name") & here == {worker}
    assert _found(api_lab, "tag-value", "worker-?0?") & here == {worker}


def test_an_unknown_filter_on_instances_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    api_lab.run()
    filters = [{"Name": "colour", "Values": ["red"]}]
    code = api_refused(api_lab.ec2.describe_instances, Filters=filters)
    assert code == "InvalidParameterValue"


def test_instances_come_whole_or_in_pages(api_lab: Lab, api_refused: Refused) -> None:
    workers = {api_lab.run() for _ in range(6)}
    filters: Any = [{"Name": "vpc-id", "Values": [api_lab.vpc]}]
    first = api_lab.ec2.describe_instances(Filters=filters, MaxResults=5)
    rest = api_lab.ec2.describe_instances(Filters=filters, MaxResults=5, NextToken=first["NextToken"])
    pages = [*first["Reservations"], *rest["Reservations"]]
    assert {r["Instances"][0]["InstanceId"] for r in pages} == workers
    assert "NextToken" not in rest
    describe = api_lab.ec2.describe_instances
    assert api_refused(describe, MaxResults=1001) == "InvalidParameterValue"
    assert api_refused(describe, MaxResults=5, NextToken="x") == "InvalidNextToken"
    both = {"InstanceIds": [workers.pop()], "MaxResults": 5}
    assert api_refused(describe, **both) == "InvalidParameterCombination"


def test_user_data_is_handed_on_as_it_was_meant(api_lab: Lab) -> None:
    worker, bare = api_lab.run(UserData="name=worker-0|pod-cidr=10.200.0.0/24"), api_lab.run()
    attribute: Any = api_lab.ec2.describe_instance_attribute(InstanceId=worker, Attribute="userData")
    assert base64.b64decode(attribute["UserData"]["Value"]) == b"name=worker-0|pod-cidr=10.200.0.0/24"
    assert api_lab.state.instances[worker].user_data == b"name=worker-0|pod-cidr=10.200.0.0/24"
    attribute = api_lab.ec2.describe_instance_attribute(InstanceId=bare, Attribute="userData")
    assert attribute["UserData"] == {}
    assert api_lab.state.instances[bare].user_data == b""


def test_user_data_changes_only_while_the_instance_is_stopped(api_lab: Lab, api_refused: Refused) -> None:
    worker = api_lab.run(UserData="before")
    change: Any = {"InstanceId": worker, "UserData": {"Value": b"after"}}
    modify = api_lab.ec2.modify_instance_attribute
    assert api_refused(modify, **change) == "IncorrectInstanceState"
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    modify(**change)
    assert api_lab.state.instances[worker].user_data == b"after"
    text = base64.b64encode(b"later").decode()
    modify(InstanceId=worker, Attribute="userData", Value=text)
    assert api_lab.state.instances[worker].user_data == b"later"
    assert api_refused(modify, InstanceId=worker, UserData={"Value": b"x" * 16385}) == "InvalidParameterValue"


def test_user_data_has_16_kilobytes_at_most(api_lab: Lab, api_refused: Refused) -> None:
    assert api_refused(api_lab.run, UserData="x" * 16385) == "InvalidParameterValue"
    worker = api_lab.run(UserData="x" * 16384)
    assert len(api_lab.state.instances[worker].user_data) == 16384


def test_the_name_tag_is_the_instances_name(api_lab: Lab) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "worker-0"}]}]
    worker = api_lab.run(TagSpecifications=tags)
    assert api_lab.state.instances[worker].name == "worker-0"
    _name(api_lab, worker, "worker-9")
    assert api_lab.state.instances[worker].name == "worker-9"
    api_lab.ec2.delete_tags(Resources=[worker], Tags=[{"Key": "Name"}])
    assert api_lab.state.instances[worker].name == ""


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"PrivateIpAddress": "10.0.1.20"}, "InvalidIPAddress.InUse"),
        ({"PrivateIpAddress": "10.0.2.20"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.1"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "10.0.1.30", "MaxCount": 2}, "InvalidParameterCombination"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"ImageId": "ubuntu"}, "InvalidAMIID.Malformed"),
        ({"ImageId": ""}, "MissingParameter"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"SubnetId": "subnet"}, "InvalidSubnetID.Malformed"),
        ({"SubnetId": None}, "VPCIdNotSpecified"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue"),
        ({"UserData": "x" * 20000}, "InvalidParameterValue"),
    ],
)
def test_a_refused_launch_leaves_nothing(
    api_lab: Lab, api_refused: Refused, parameters: dict[str, Any], code: str
) -> None:
    api_lab.run(PrivateIpAddress="10.0.1.20")
    before = api_lab.server.calls
    instances = len(api_lab.ec2.describe_instances()["Reservations"])
    common = {"ImageId": IMAGE, "MinCount": 1, "MaxCount": 1, "SubnetId": api_lab.subnet, **parameters}
    given = {name: value for name, value in common.items() if value is not None}
    assert api_refused(api_lab.ec2.run_instances, **given) == code
    assert len(api_lab.ec2.describe_instances()["Reservations"]) == instances
    assert api_lab.server.calls == before


def test_a_launch_that_fails_halfway_leaves_nothing(api_lab: Lab, api_refused: Refused) -> None:
    subnet = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.2.0/28")["Subnet"]["SubnetId"]
    launch: Any = {"ImageId": IMAGE, "MinCount": 1, "SubnetId": subnet}
    code = api_refused(api_lab.ec2.run_instances, MaxCount=12, **launch)
    assert code == "InsufficientFreeAddressesInSubnet"
    filters: Any = [{"Name": "subnet-id", "Values": [subnet]}]
    assert not api_lab.ec2.describe_instances(Filters=filters)["Reservations"]
    assert not api_lab.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    made = api_lab.ec2.run_instances(MaxCount=11, **launch)["Instances"]
    assert len({instance["PrivateIpAddress"] for instance in made}) == 11


def test_the_same_client_token_launches_once(api_lab: Lab) -> None:
    token = f"token-{api_lab.vpc}"
    first, second = api_lab.run(ClientToken=token), api_lab.run(ClientToken=token)
    assert first == second
    assert api_lab.run() != api_lab.run()


def test_an_instance_can_be_launched_on_interfaces_of_its_own(api_lab: Lab, api_refused: Refused) -> None:
    ready = api_lab.ec2.create_network_interface(SubnetId=api_lab.subnet, PrivateIpAddress="10.0.1.50")
    eni = ready["NetworkInterface"]["NetworkInterfaceId"]
    first: Any = [{"DeviceIndex": 0, "NetworkInterfaceId": eni}]
    worker = api_lab.run(NetworkInterfaces=first)
    assert api_lab.eni_of(worker) == eni
    assert api_lab.state_eni(worker).addresses == ("10.0.1.50",)
    assert api_refused(api_lab.run, NetworkInterfaces=first) == "InvalidNetworkInterface.InUse"
    addresses = [
        {"PrivateIpAddress": "10.0.1.60", "Primary": True},
        {"PrivateIpAddress": "10.0.1.61", "Primary": False},
    ]
    specs: Any = [
        {"DeviceIndex": 0, "SubnetId": api_lab.subnet, "PrivateIpAddresses": addresses},
        {"DeviceIndex": 1, "SubnetId": api_lab.subnet, "Groups": [api_lab.group]},
    ]
    worker = api_lab.run(NetworkInterfaces=specs)
    assert api_lab.state_eni(worker, 0).addresses == ("10.0.1.60", "10.0.1.61")
    assert api_lab.state_eni(worker, 1).security_groups == (api_lab.group,)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    assert not [eni for eni in api_lab.state.enis.values() if eni.instance == worker]
    groups = {"NetworkInterfaces": specs, "SecurityGroupIds": [api_lab.group]}
    assert api_refused(api_lab.run, **groups) == "InvalidParameterCombination"
    assert api_refused(api_lab.run, NetworkInterfaces=specs[1:]) == "InvalidParameterCombination"
