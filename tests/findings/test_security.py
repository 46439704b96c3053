"""Which entry of a network ACL is told, and under which number another goes before it."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.findings.aws_changes import EntryGone, EntryMade
from kthw.findings.security import network_acls_allow
from kthw.network.model import Network
from kthw.observed.evidence import AclEntry, Evidence, Subnet, Vpc
from tests.findings.changed_aws import (
    TWO,
    inventory_of,
    with_acl,
    with_instance,
    with_interface,
    with_inventory,
)
from tests.findings.clusters import ACL_2, VPC


def _denying(number: int, cidr: str = "0.0.0.0/0", protocol: str = "-1") -> AclEntry:
    return AclEntry(number=number, egress=False, allow=False, cidr=cidr, protocol=protocol)


def _of_two_blocks() -> Evidence:
    """The VPC has a second block, and worker-1 is in a subnet of it."""
    subnet, address = "subnet-0c", "10.1.1.21"
    evidence = with_interface(TWO, "worker-1", subnet=subnet, addresses=(address,))
    evidence = with_instance(evidence, "worker-1", subnet=subnet, address=address)
    own, *others = inventory_of(evidence).network_acls
    return with_inventory(
        evidence,
        vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.1.0.0/16")),),
        subnets=(*inventory_of(evidence).subnets, Subnet(id=subnet, vpc=VPC, cidr="10.1.1.0/24")),
        network_acls=(replace(own, subnets=(*own.subnets, subnet)), *others),
    )


def test_of_two_blocks_of_the_vpc_each_gets_an_entry_of_its_own_number() -> None:
    """AWS refuses the second of the same number."""
    shut = with_acl(_of_two_blocks(), _denying(50, "10.0.0.0/15"))
    found = network_acls_allow(Network(shut), "worker-2")
    made = {
        change.cidr: change.number for f in found for change in f.changes if isinstance(change, EntryMade)
    }
    assert made == {"10.0.0.0/16": 48, "10.1.0.0/16": 47}
    assert {f.facts["cidr"]: f.facts["number"] for f in found} == {"10.0.0.0/16": "48", "10.1.0.0/16": "47"}


def test_where_no_number_is_left_before_two_that_deny_the_first_of_them_goes() -> None:
    shut = with_acl(TWO, _denying(2, protocol="6"), _denying(1, protocol="1"))
    (found, *_) = network_acls_allow(Network(shut), "worker-2")
    assert found.variant == "first"
    assert found.changes == (EntryGone(acl=ACL_2, direction="ingress", number=1),)
    assert found.facts["number"] == "1"
