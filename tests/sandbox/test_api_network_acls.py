"""Network ACLs: entries, associations, and what reaches the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.state import AclEntry
from tests.sandbox.api_lab import Lab

Refused = Callable[..., str]


def _default(lab: Lab) -> Any:
    filters: Any = [{"Name": "vpc-id", "Values": [lab.vpc]}, {"Name": "default", "Values": ["true"]}]
    return lab.ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]


def _entry(acl: str, number: int = 50, **parameters: Any) -> Any:
    entry = {"Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "10.200.0.0/16"}
    return {"NetworkAclId": acl, "RuleNumber": number, **entry, **parameters}


def _ruling(lab: Lab) -> str:
    lab.ec2.create_tags(Resources=[lab.vpc], Tags=[{"Key": "Name", "Value": "x"}])
    return lab.state.subnets[lab.subnet].network_acl


def test_a_subnet_has_the_default_acl_which_allows_everything(api_lab: Lab) -> None:
    acl = _default(api_lab)["NetworkAclId"]
    assert _ruling(api_lab) == acl
    assert api_lab.state.network_acls[acl].entries == (
        AclEntry(100, egress=True, allow=True, protocol="-1", cidr="0.0.0.0/0"),
        AclEntry(100, egress=False, allow=True, protocol="-1", cidr="0.0.0.0/0"),
    )


def test_entries_reach_the_state_in_order_and_canonical(api_lab: Lab) -> None:
    acl = _default(api_lab)["NetworkAclId"]
    create = api_lab.ec2.create_network_acl_entry
    create(**_entry(acl, 90, Protocol="tcp", CidrBlock="10.200.7.7/16", PortRange={"From": 22, "To": 25}))
    create(**_entry(acl, 80, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1}, Egress=True))
    entries = api_lab.state.network_acls[acl].entries
    assert entries[:2] == (
        AclEntry(80, egress=True, allow=False, protocol="1", cidr="10.200.0.0/16", from_port=8, to_port=-1),
        AclEntry(90, egress=False, allow=False, protocol="6", cidr="10.200.0.0/16", from_port=22, to_port=25),
    )
    api_lab.ec2.replace_network_acl_entry(**_entry(acl, 90, RuleAction="allow"))
    api_lab.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=80, Egress=True)
    assert api_lab.state.network_acls[acl].entries[0] == AclEntry(
        90, egress=False, allow=True, protocol="-1", cidr="10.200.0.0/16"
    )


def test_a_new_acl_denies_everything_and_lists_that(api_lab: Lab) -> None:
    acl: Any = api_lab.ec2.create_network_acl(VpcId=api_lab.vpc)["NetworkAcl"]
    assert sorted((e["RuleNumber"], e["RuleAction"], e["Egress"]) for e in acl["Entries"]) == [
        (32767, "deny", False),
        (32767, "deny", True),
    ]
    assert api_lab.state.network_acls[acl["NetworkAclId"]].entries == ()


def test_a_subnet_changes_its_acl(api_lab: Lab, api_refused: Refused) -> None:
    association = _default(api_lab)["Associations"][0]["NetworkAclAssociationId"]
    acl = api_lab.ec2.create_network_acl(VpcId=api_lab.vpc)["NetworkAcl"]["NetworkAclId"]
    api_lab.ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    assert _ruling(api_lab) == acl
    code = api_refused(api_lab.ec2.delete_network_acl, NetworkAclId=acl)
    assert code == "DependencyViolation"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"CidrBlock": "10.0.0.0"}, "InvalidParameterValue"),
        ({"RuleNumber": 32767}, "InvalidParameterValue"),
        ({"RuleNumber": 0}, "InvalidParameterValue"),
        ({"RuleNumber": 100}, "NetworkAclEntryAlreadyExists"),
        ({"NetworkAclId": "acl-0123456789abcdef0"}, "InvalidNetworkAclID.NotFound"),
        ({"RuleNumber": -5}, "InvalidParameterValue"),
        ({"RuleNumber": 32768}, "InvalidParameterValue"),
        ({"Protocol": "tpc"}, "InvalidParameterValue"),
        ({"Protocol": "256"}, "InvalidParameterValue"),
        ({"Protocol": "6"}, "InvalidParameterValue"),
        ({"Protocol": "6", "PortRange": {"From": 25, "To": 22}}, "InvalidParameterValue"),
        ({"Protocol": "17", "PortRange": {"From": 0, "To": 70000}}, "InvalidParameterValue"),
        ({"Protocol": "1"}, "InvalidParameterValue"),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": 256, "Code": 0}}, "InvalidParameterValue"),
        ({"RuleAction": "reject"}, "InvalidParameterValue"),
        ({"CidrBlock": ""}, "MissingParameter"),
        ({"Ipv6CidrBlock": "::/0"}, "InvalidParameterCombination"),
        ({"CidrBlock": "", "Ipv6CidrBlock": "hello"}, "InvalidParameterValue"),
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_is_refused(
    api_lab: Lab, api_refused: Refused, parameters: dict[str, Any], code: str
) -> None:
    entry = _entry(_default(api_lab)["NetworkAclId"])
    before = api_lab.server.calls
    assert api_refused(api_lab.ec2.create_network_acl_entry, **{**entry, **parameters}) == code
    if "RuleNumber" not in parameters:
        api_lab.ec2.create_network_acl_entry(**entry)
        before = api_lab.server.calls
        assert api_refused(api_lab.ec2.replace_network_acl_entry, **{**entry, **parameters}) == code
    assert api_lab.server.calls == before


def test_what_is_not_there_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    ec2, acl = api_lab.ec2, _default(api_lab)["NetworkAclId"]
    missing = {"NetworkAclId": acl, "RuleNumber": 7, "Egress": True}
    assert api_refused(ec2.delete_network_acl_entry, **missing) == "InvalidNetworkAclEntry.NotFound"
    assert api_refused(ec2.replace_network_acl_entry, **_entry(acl, 7)) == "InvalidNetworkAclEntry.NotFound"
    where = {"AssociationId": "aclassoc-0123456789abcdef0", "NetworkAclId": acl}
    code = api_refused(ec2.replace_network_acl_association, **where)
    assert code == "InvalidAssociationID.NotFound"
    assert api_refused(ec2.delete_network_acl, NetworkAclId=acl) == "InvalidParameterValue"
    vpc, _ = api_lab.other_vpc()
    foreign = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    where = {
        "AssociationId": _default(api_lab)["Associations"][0]["NetworkAclAssociationId"],
        "NetworkAclId": foreign,
    }
    assert api_refused(ec2.replace_network_acl_association, **where) == "InvalidParameterValue"
