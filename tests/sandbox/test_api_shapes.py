"""What AWS's answers hold beside what one asks for, and people's ``--query`` looks at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.api_lab import Lab


def test_a_table_lists_the_longer_prefixes_first(api_lab: Lab) -> None:
    """As the chapter prints it: the pod routes, ``local``, the gateway."""
    api_lab.add_route("0.0.0.0/0", GatewayId=api_lab.gateway)
    worker = api_lab.run()
    for number in (2, 0, 1):
        api_lab.add_route(f"10.200.{number}.0/24", InstanceId=worker)
    (table,) = api_lab.ec2.describe_route_tables(RouteTableIds=[api_lab.table])["RouteTables"]
    pods = [f"10.200.{number}.0/24" for number in range(3)]
    assert [route["DestinationCidrBlock"] for route in table["Routes"]] == [*pods, "10.0.0.0/16", "0.0.0.0/0"]
    assert table["PropagatingVgws"] == []


def test_an_elastic_address_says_which_pool_it_is_of(api_lab: Lab) -> None:
    made = api_lab.ec2.allocate_address()
    for told in (made, api_lab.ec2.describe_addresses()["Addresses"][0]):
        assert (told["PublicIpv4Pool"], told["NetworkBorderGroup"]) == ("amazon", "us-east-1")
        assert told["Domain"] == "vpc"


def test_a_public_address_has_a_name_where_the_vpc_gives_names(api_lab: Lab) -> None:
    spec: Any = [{"DeviceIndex": 0, "SubnetId": api_lab.subnet, "AssociatePublicIpAddress": True}]
    worker = api_lab.run(NetworkInterfaces=spec)
    found = api_lab.instance(worker)
    assert found.get("PublicDnsName", "") == ""
    api_lab.ec2.modify_vpc_attribute(VpcId=api_lab.vpc, EnableDnsHostnames={"Value": True})
    found = api_lab.instance(worker)
    name = f"ec2-{found['PublicIpAddress'].replace('.', '-')}.compute-1.amazonaws.com"
    assert found["PublicDnsName"] == name
    told = found["NetworkInterfaces"][0]["Association"]
    assert (told["PublicDnsName"], told["IpOwnerId"]) == (name, "amazon")


def test_an_instance_is_of_this_century(api_lab: Lab) -> None:
    found = api_lab.instance(api_lab.run())
    assert (found["VirtualizationType"], found["EnaSupport"]) == ("hvm", True)
    assert found["PlatformDetails"] == "Linux/UNIX"


def test_a_rule_without_a_source_is_refused(api_lab: Lab, api_refused: Callable[..., str]) -> None:
    """``aws … --protocol all`` and nothing else, which the CLI sends as a list of one."""
    how: Any = {"GroupId": api_lab.group, "IpPermissions": [{"IpProtocol": "-1"}]}
    assert api_refused(api_lab.ec2.authorize_security_group_ingress, **how) == "MissingParameter"
    (found,) = api_lab.ec2.describe_security_groups(GroupIds=[api_lab.group])["SecurityGroups"]
    assert found["IpPermissions"] == []


def test_security_group_rules_are_found_changed_and_taken_away_by_their_ids(api_lab: Lab) -> None:
    ec2: Any = api_lab.ec2
    which = {"GroupId": api_lab.group}
    tagged: Any = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "Name", "Value": "ssh"}]}]
    source: Any = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    (made,) = ec2.authorize_security_group_ingress(**which, IpPermissions=source, TagSpecifications=tagged)[
        "SecurityGroupRules"
    ]
    rule = made["SecurityGroupRuleId"]
    by_tag: Any = [{"Name": "tag:Name", "Values": ["ssh"]}]
    (found,) = ec2.describe_security_group_rules(Filters=by_tag)["SecurityGroupRules"]
    assert found["SecurityGroupRuleId"] == rule
    ec2.revoke_security_group_ingress(**which, SecurityGroupRuleIds=[rule])
    left = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [api_lab.group]}])
    assert {each["IsEgress"] for each in left["SecurityGroupRules"]} == {True}
