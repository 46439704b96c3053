"""What the sandbox's API lists has, kind by kind, the keys that AWS was recorded to list, and such values."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.api_lab import IMAGE, Lab

Keys = dict[str, type | str]
"""By key, the type of the value, or a pattern that a text has."""

HEX = "[0-9a-f]{17}"
ACCOUNT, ADDRESS = r"\d{12}", r"\d+\.\d+\.\d+\.\d+"
RANGE = rf"{ADDRESS}/\d+"
ZONE = r"[a-z]{2}(-[a-z]+)+-\d[a-f]"
VPC: Keys = {
    "CidrBlock": RANGE,
    "DhcpOptionsId": f"dopt-{HEX}",
    "State": "available",
    "VpcId": f"vpc-{HEX}",
    "OwnerId": ACCOUNT,
    "InstanceTenancy": "default",
    "CidrBlockAssociationSet": list,
    "IsDefault": bool,
    "Tags": list,
}
SUBNET: Keys = {
    "AvailabilityZone": ZONE,
    "AvailabilityZoneId": r"[a-z]{3,4}\d-az\d",
    "AvailableIpAddressCount": int,
    "CidrBlock": RANGE,
    "DefaultForAz": bool,
    "MapPublicIpOnLaunch": bool,
    "MapCustomerOwnedIpOnLaunch": bool,
    "State": "available",
    "SubnetId": f"subnet-{HEX}",
    "VpcId": f"vpc-{HEX}",
    "OwnerId": ACCOUNT,
    "AssignIpv6AddressOnCreation": bool,
    "Ipv6CidrBlockAssociationSet": list,
    "Tags": list,
    "SubnetArn": rf"arn:aws:ec2:[a-z0-9-]+:{ACCOUNT}:subnet/subnet-{HEX}",
    "EnableDns64": bool,
    "Ipv6Native": bool,
    "PrivateDnsNameOptionsOnLaunch": dict,
}
GROUP: Keys = {
    "Description": str,
    "GroupName": str,
    "IpPermissions": list,
    "OwnerId": ACCOUNT,
    "GroupId": f"sg-{HEX}",
    "IpPermissionsEgress": list,
    "VpcId": f"vpc-{HEX}",
}
OF_ALL: Keys = {
    "IpProtocol": "-1|tcp|icmp",
    "IpRanges": list,
    "Ipv6Ranges": list,
    "PrefixListIds": list,
    "UserIdGroupPairs": list,
}
OF_PORTS: Keys = {**OF_ALL, "FromPort": int, "ToPort": int}
RULE: Keys = {
    "CidrIpv4": RANGE,
    "FromPort": int,
    "GroupId": f"sg-{HEX}",
    "GroupOwnerId": ACCOUNT,
    "IpProtocol": "-1|tcp|icmp",
    "IsEgress": bool,
    "SecurityGroupRuleId": f"sgr-{HEX}",
    "ToPort": int,
}
INSTANCE: Keys = {
    "InstanceId": f"i-{HEX}",
    "ImageId": IMAGE,
    "InstanceType": "t2.micro",
    "State": dict,
    "Placement": dict,
    "PrivateIpAddress": ADDRESS,
    "PublicIpAddress": ADDRESS,
    "SubnetId": f"subnet-{HEX}",
    "VpcId": f"vpc-{HEX}",
    "SourceDestCheck": bool,
    "NetworkInterfaces": list,
    "SecurityGroups": list,
    "MetadataOptions": dict,
    "Tags": list,
}
METADATA: Keys = {
    "HttpEndpoint": "enabled",
    "HttpPutResponseHopLimit": int,
    "HttpTokens": "optional|required",
    "InstanceMetadataTags": "disabled",
}
NAMED: Any = [{"Key": "Name", "Value": "ours"}]


def assert_like(listed: Any, keys: Keys) -> None:
    for key, like in keys.items():
        assert key in listed
        if isinstance(like, type):
            assert isinstance(listed[key], like), key
        else:
            assert re.fullmatch(like, listed[key]), (key, listed[key])


def test_a_vpc_and_a_subnet(api_lab: Lab) -> None:
    ec2 = api_lab.ec2
    ec2.create_tags(Resources=[api_lab.vpc, api_lab.subnet], Tags=NAMED)
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    assert_like(vpc, VPC)
    (block,) = vpc["CidrBlockAssociationSet"]
    assert_like(block, {"AssociationId": f"vpc-cidr-assoc-{HEX}", "CidrBlock": RANGE})
    assert block["CidrBlockState"] == {"State": "associated"}
    (subnet,) = ec2.describe_subnets()["Subnets"]
    assert_like(subnet, SUBNET)
    assert vpc["Tags"] == subnet["Tags"] == NAMED
    assert subnet["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "ip-name",
        "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False,
    }


def test_a_vpc_is_pending_in_the_answer_that_makes_it(api_lab: Lab) -> None:
    made = api_lab.ec2.create_vpc(CidrBlock="10.4.0.0/16")["Vpc"]
    assert_like(made, {**VPC, "State": "pending"})
    (listed,) = api_lab.ec2.describe_vpcs(VpcIds=[made["VpcId"]])["Vpcs"]
    assert {**made, "State": "available"} == listed


def test_a_vpc_has_the_regions_own_dhcp_options_until_it_is_given_others(api_lab: Lab) -> None:
    ec2 = api_lab.ec2
    (own,) = ec2.describe_dhcp_options()["DhcpOptions"]
    assert own["DhcpConfigurations"] == [
        {"Key": "domain-name-servers", "Values": [{"Value": "AmazonProvidedDNS"}]},
        {"Key": "domain-name", "Values": [{"Value": "ec2.internal"}]},
    ]
    other = ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": ["ours.example"]}])
    for options in (own, other["DhcpOptions"]):
        ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"], VpcId=api_lab.vpc)
        by_options: Any = [{"Name": "dhcp-options-id", "Values": [options["DhcpOptionsId"]]}]
        (found,) = ec2.describe_vpcs(Filters=by_options)["Vpcs"]
        assert found["DhcpOptionsId"] == options["DhcpOptionsId"]


def permission(protocol: str, number: int) -> Any:
    """From everywhere."""
    ports = {"FromPort": number, "ToPort": number} if number else {}
    return {"IpProtocol": protocol, **ports, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def test_a_security_group_and_its_rules_one_by_one(api_lab: Lab) -> None:
    ec2, group = api_lab.ec2, api_lab.group
    asked = [permission("tcp", 22), permission("tcp", 6443), permission("icmp", -1)]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=asked)
    (listed,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert_like(listed, GROUP)
    assert len(listed["IpPermissions"]) == 3
    for each in listed["IpPermissions"]:
        assert_like(each, OF_PORTS)
    (egress,) = listed["IpPermissionsEgress"]
    assert_like(egress, OF_ALL)
    assert not {"FromPort", "ToPort"} & set(egress)
    of_group: Any = [{"Name": "group-id", "Values": [group]}]
    rules = ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
    for rule in rules:
        assert_like(rule, RULE)
    told = {(r["IpProtocol"], r["FromPort"], r["ToPort"], r["IsEgress"]) for r in rules}
    assert told == {
        ("icmp", -1, -1, False),
        ("-1", -1, -1, True),
        ("tcp", 22, 22, False),
        ("tcp", 6443, 6443, False),
    }


@pytest.mark.parametrize("way", ["ingress", "egress"])
def test_rules_are_told_by_the_answer_that_makes_them_as_they_are_listed(api_lab: Lab, way: str) -> None:
    ec2 = api_lab.ec2
    authorize = getattr(ec2, f"authorize_security_group_{way}")
    asked = [permission("tcp", 80), permission("udp", 53), {"IpProtocol": "-1"}]
    asked[2]["IpRanges"] = [{"CidrIp": "10.0.0.0/16"}, {"CidrIp": "10.200.0.0/16"}]
    made = authorize(GroupId=api_lab.group, IpPermissions=asked)["SecurityGroupRules"]
    assert [rule["CidrIpv4"] for rule in made] == ["0.0.0.0/0"] * 2 + ["10.0.0.0/16", "10.200.0.0/16"]
    ids = [rule["SecurityGroupRuleId"] for rule in made]
    listed = ec2.describe_security_group_rules(SecurityGroupRuleIds=ids)["SecurityGroupRules"]
    assert made == listed


def test_an_internet_gateway(api_lab: Lab) -> None:
    (listed,) = api_lab.ec2.describe_internet_gateways()["InternetGateways"]
    assert_like(listed, {"InternetGatewayId": f"igw-{HEX}", "OwnerId": ACCOUNT, "Tags": list})
    assert listed["Attachments"] == [{"State": "available", "VpcId": api_lab.vpc}]


def test_an_instance(api_lab: Lab) -> None:
    wire = {"DeviceIndex": 0, "SubnetId": api_lab.subnet, "AssociatePublicIpAddress": True}
    tags = [{"ResourceType": "instance", "Tags": NAMED}]
    listed = api_lab.instance(
        api_lab.run(NetworkInterfaces=[wire], InstanceType="t2.micro", TagSpecifications=tags)
    )
    assert_like(listed, INSTANCE)
    assert_like(listed["MetadataOptions"], METADATA)
    assert_like(listed["Placement"], {"AvailabilityZone": ZONE})
    assert listed["State"] == {"Code": 16, "Name": "running"}
    (interface,) = listed["NetworkInterfaces"]
    assert_like(interface, {"NetworkInterfaceId": f"eni-{HEX}", "SourceDestCheck": bool, "Groups": list})
    assert interface["Association"]["PublicIp"] == listed["PublicIpAddress"]


def test_of_an_instance_nothing_is_told_that_it_does_not_have(api_lab: Lab) -> None:
    """No address of the world, no reason for its state, no kernel's id; a stopped one has a reason."""
    ec2, instance = api_lab.ec2, api_lab.run()
    listed = api_lab.instance(instance)
    assert not {"PublicIpAddress", "StateReason", "KernelId"} & set(listed)
    assert "Association" not in listed["NetworkInterfaces"][0]
    assert "Association" not in ec2.describe_network_interfaces()["NetworkInterfaces"][0]
    assert (listed["VirtualizationType"], listed["HibernationOptions"]) == ("hvm", {"Configured": False})
    ec2.stop_instances(InstanceIds=[instance])
    assert api_lab.instance(instance)["StateReason"]["Code"].startswith("Client.UserInitiated")
    by_reason: Any = [{"Name": "state-reason-code", "Values": ["Client.UserInitiated*"]}]
    assert len(ec2.describe_instances(Filters=by_reason)["Reservations"]) == 1
    ec2.start_instances(InstanceIds=[instance])
    assert ec2.describe_instances(Filters=by_reason)["Reservations"] == []
