"""What is not there cannot be tagged, and what is in use cannot be taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.api_lab import Lab

NAMED: Any = [{"Key": "Name", "Value": "worker-9"}]
NOBODY = {
    "i-0123456789abcdef0": "InvalidInstanceID.NotFound",
    "vpc-0123456789abcdef0": "InvalidVpcID.NotFound",
    "subnet-0123456789abcdef0": "InvalidSubnetID.NotFound",
    "rtb-0123456789abcdef0": "InvalidRouteTableID.NotFound",
    "igw-0123456789abcdef0": "InvalidInternetGatewayID.NotFound",
    "sg-0123456789abcdef0": "InvalidGroup.NotFound",
    "eni-0123456789abcdef0": "InvalidNetworkInterfaceID.NotFound",
    "acl-0123456789abcdef0": "InvalidNetworkAclID.NotFound",
    "eipalloc-0123456789abcdef0": "InvalidAllocationID.NotFound",
    "vol-0123456789abcdef0": "InvalidVolume.NotFound",
    "sgr-0123456789abcdef0": "InvalidSecurityGroupRuleId.NotFound",
}


@pytest.mark.parametrize(("nobody", "code"), NOBODY.items())
def test_tags_are_of_what_is_there(
    api_lab: Lab, api_refused: Callable[..., str], nobody: str, code: str
) -> None:
    assert api_refused(api_lab.ec2.create_tags, Resources=[nobody], Tags=NAMED) == code
    assert api_lab.ec2.describe_tags()["Tags"] == []


def test_everything_that_a_lab_is_made_of_is_tagged_and_found_by_its_tag(api_lab: Lab) -> None:
    ec2, worker = api_lab.ec2, api_lab.run()
    rule = ec2.describe_security_group_rules()["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    acl = ec2.describe_network_acls()["NetworkAcls"][0]["NetworkAclId"]
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    pair = ec2.create_key_pair(KeyName="tagged")["KeyPairId"]
    volume = ec2.describe_volumes()["Volumes"][0]["VolumeId"]
    all_of_it = [
        api_lab.vpc, api_lab.subnet, api_lab.table, api_lab.gateway, api_lab.group, worker,
        api_lab.eni_of(worker), rule, acl, elastic, pair, volume,
    ]  # fmt: skip
    ec2.create_tags(Resources=all_of_it, Tags=NAMED)
    found = {tag["ResourceId"] for tag in ec2.describe_tags()["Tags"]}
    assert found == set(all_of_it)


def test_a_gateway_stays_while_public_addresses_are_mapped(
    api_lab: Lab, api_refused: Callable[..., str]
) -> None:
    ec2 = api_lab.ec2
    which: Any = {"InternetGatewayId": api_lab.gateway, "VpcId": api_lab.vpc}
    launched = api_lab.run(
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": api_lab.subnet, "AssociatePublicIpAddress": True}]
    )
    assert api_refused(ec2.detach_internet_gateway, **which) == "DependencyViolation"
    assert (
        api_refused(ec2.delete_internet_gateway, InternetGatewayId=api_lab.gateway) == "DependencyViolation"
    )
    ec2.terminate_instances(InstanceIds=[launched])
    ec2.detach_internet_gateway(**which)
    ec2.delete_internet_gateway(InternetGatewayId=api_lab.gateway)


def test_tags_may_come_with_what_is_made(api_lab: Lab) -> None:
    """``--tag-specifications`` of each create command."""
    ec2: Any = api_lab.ec2

    def tagged(kind: str) -> dict[str, Any]:
        return {"TagSpecifications": [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": kind}]}]}

    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", **tagged("vpc"))["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24", **tagged("subnet"))
    ec2.create_internet_gateway(**tagged("internet-gateway"))
    ec2.create_route_table(VpcId=vpc, **tagged("route-table"))
    ec2.create_security_group(GroupName="g", Description="g", VpcId=vpc, **tagged("security-group"))
    ec2.create_key_pair(KeyName="pair", **tagged("key-pair"))
    elastic = ec2.allocate_address(Domain="vpc", **tagged("elastic-ip"))["AllocationId"]
    ec2.create_nat_gateway(SubnetId=api_lab.subnet, AllocationId=elastic, **tagged("natgateway"))
    ec2.create_network_acl(VpcId=vpc, **tagged("network-acl"))
    launch = [tagged(kind)["TagSpecifications"][0] for kind in ("instance", "volume", "network-interface")]
    api_lab.run(TagSpecifications=launch)
    found = {tag["Value"] for tag in ec2.describe_tags(Filters=[{"Name": "key", "Values": ["of"]}])["Tags"]}
    assert found == {
        "vpc", "subnet", "internet-gateway", "route-table", "security-group", "key-pair", "elastic-ip",
        "natgateway", "network-acl", "instance", "volume", "network-interface",
    }  # fmt: skip
