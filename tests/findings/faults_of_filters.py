"""Security groups and network ACLs as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import AclEntry, Evidence, Route, SecurityGroup, SecurityRule
from tests.findings.changed_aws import (
    TWO,
    by_eni,
    in_two_subnets,
    inventory_of,
    with_acl,
    with_group,
    with_interface,
    with_inventory,
    with_route,
    with_second_interface,
)
from tests.findings.changed_nodes import NOT_MASQUERADED, masquerade_off
from tests.findings.clusters import (
    ALL_OUT,
    GROUP,
    HALVES,
    OK,
    ONE,
    OPEN_ACL,
    SUBNET,
    SUBNET_2,
    TABLE,
    TABLE_2,
    VPC,
)
from tests.findings.faults_of_route_tables import two_ranges
from tests.findings.judged import Faults, Healthy

SHUT = "sg-0shut"


def _from(group: str, subnet: int) -> SecurityGroup:
    """A group that lets in the nodes of one subnet only."""
    rule = SecurityRule(protocol="-1", cidrs=(f"10.0.{subnet}.0/24",))
    return SecurityGroup(id=group, vpc=VPC, ingress=(rule,), egress=(ALL_OUT,))


def _from_nodes(group: str, rule: SecurityRule, *nodes: int) -> SecurityGroup:
    """A group that lets in what the rule says, from these nodes only."""
    cidrs = tuple(f"10.0.1.{20 + n}/32" for n in nodes)
    return SecurityGroup(id=group, vpc=VPC, ingress=(replace(rule, cidrs=cidrs),), egress=(ALL_OUT,))


def _second_interface(
    evidence: Evidence,
    *,
    primary: str = GROUP,
    second: str = SHUT,
    groups: tuple[SecurityGroup, ...] = (SecurityGroup(id=SHUT, vpc=VPC, egress=(ALL_OUT,)),),
    at: str = SUBNET,
) -> Evidence:
    """A second ENI of worker-1, and the groups of both."""
    evidence = with_inventory(evidence, security_groups=(*inventory_of(evidence).security_groups, *groups))
    evidence = with_second_interface(evidence, 1, subnet=at, security_groups=(second,))
    return with_interface(evidence, "worker-1", security_groups=(primary,))


def _swapped_groups() -> Evidence:
    """Both workers have a second ENI, to which the second table leads."""
    groups = (_from("sg-0one", 1), _from("sg-0two", 2))
    evidence = _second_interface(TWO, primary="sg-0two", second="sg-0one", groups=groups)
    evidence = with_second_interface(evidence, 0, security_groups=("sg-0two",))
    evidence = with_interface(evidence, "worker-0", security_groups=("sg-0one",))
    to_0 = Route(destination="10.200.0.0/24", network_interface="eni-10")
    return with_route(evidence, to_0, *by_eni(ONE), table=TABLE_2)


def _ingress(*rules: SecurityRule) -> Evidence:
    return with_group(OK, ingress=rules)


TCP_ONLY = SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/8",))
ICMP_ONLY = SecurityRule(protocol="icmp", cidrs=("10.0.0.0/8",))
UDP_ONLY = SecurityRule(protocol="udp", from_port=0, to_port=65535, cidrs=("10.0.0.0/8",))
DNS_ONLY = replace(UDP_ONLY, from_port=53, to_port=53)
NODES_ONLY = SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",))
PODS_ONLY = SecurityRule(protocol="-1", cidrs=("10.200.0.0/16",))
MEMBERS = SecurityRule(protocol="-1", groups=(GROUP,))
CLOSED = tuple(SecurityGroup(id=f"sg-0{n}", vpc=VPC, ingress=(), egress=(ALL_OUT,)) for n in range(2))
SSH_ONLY = SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",))


def _deny(number: int, *, egress: bool, cidr: str = "10.200.0.0/16", protocol: str = "-1") -> AclEntry:
    return AclEntry(number=number, egress=egress, allow=False, cidr=cidr, protocol=protocol)


TCP_ACL = AclEntry(number=0, egress=False, allow=True, protocol="6", cidr="0.0.0.0/0")
UDP_ACL = replace(TCP_ACL, protocol="17")
CHARGEN = AclEntry(
    number=50, egress=False, allow=False, protocol="17", cidr="0.0.0.0/0", from_port=19, to_port=19
)
"""A UDP port that nobody needs, and many a list says to close."""
ECHO, ECHO_REPLY, UNREACHABLE = (
    replace(TCP_ACL, protocol="1", from_port=kind, to_port=code) for kind, code in ((8, 0), (0, 0), (3, -1))
)


def _allowing(*entries: AclEntry) -> list[AclEntry]:
    """In both directions."""
    return [
        replace(entry, number=100 + n, egress=egress)
        for egress in (False, True)
        for n, entry in enumerate(entries)
    ]


FAULTS: Faults = {
    "no rule for the nodes": (_ingress(PODS_ONLY, SSH_ONLY), ("security-group-blocks",)),
    "no ICMP": (_ingress(TCP_ONLY), ("security-group-blocks",)),
    "no TCP": (_ingress(ICMP_ONLY), ("security-group-blocks",)),
    "ICMP only to tell what is unreachable": (
        _ingress(TCP_ONLY, replace(ICMP_ONLY, from_port=3)),
        ("security-group-blocks",),
    ),
    "pings of a code that no ping has": (
        _ingress(TCP_ONLY, replace(ICMP_ONLY, from_port=8, to_port=1)),
        ("security-group-blocks",),
    ),
    "no UDP": (_ingress(TCP_ONLY, ICMP_ONLY), ("security-group-blocks",)),
    "UDP for a tunnel only": (
        _ingress(TCP_ONLY, ICMP_ONLY, replace(UDP_ONLY, from_port=8472, to_port=8472)),
        ("security-group-blocks",),
    ),
    "no UDP out": (
        with_group(OK, egress=(replace(TCP_ONLY, cidrs=("0.0.0.0/0",)), ICMP_ONLY)),
        ("security-group-blocks",),
    ),
    "no UDP, masquerade off": (
        with_group(NOT_MASQUERADED, ingress=(TCP_ONLY, ICMP_ONLY)),
        ("security-group-blocks",),
    ),
    "SSH only": (_ingress(SSH_ONLY), ("security-group-blocks",)),
    "no ingress at all": (_ingress(), ("security-group-blocks",)),
    "many rules, and none for the nodes": (
        _ingress(
            *(
                SecurityRule(protocol="tcp", from_port=n, to_port=n, cidrs=("10.0.0.0/16",))
                for n in range(22, 27)
            )
        ),
        ("security-group-blocks",),
    ),
    "two closed groups": (
        with_interface(
            with_inventory(OK, security_groups=(*inventory_of(OK).security_groups, *CLOSED)),
            "worker-1",
            security_groups=tuple(group.id for group in CLOSED),
        ),
        ("security-group-blocks",),
    ),
    "one node not in the rule": (
        _ingress(SecurityRule(protocol="-1", cidrs=("10.0.1.20/32", "10.0.1.21/32"))),
        ("security-group-blocks",),
    ),
    "no rule for the pods, masquerade off": (
        with_group(NOT_MASQUERADED, ingress=(NODES_ONLY,)),
        ("security-group-blocks",),
    ),
    "a rule for the group, masquerade off": (
        with_group(NOT_MASQUERADED, ingress=(MEMBERS,)),
        ("security-group-blocks",),
    ),
    "egress to the nodes only": (with_group(OK, egress=(NODES_ONLY,)), ("security-group-blocks",)),
    "egress to the group only": (with_group(OK, egress=(MEMBERS,)), ("security-group-blocks",)),
    "another group on one worker": (
        with_interface(
            with_inventory(
                OK,
                security_groups=(
                    *inventory_of(OK).security_groups,
                    SecurityGroup(id="sg-0b", vpc=VPC, ingress=(SSH_ONLY,), egress=(ALL_OUT,)),
                ),
            ),
            "worker-1",
            security_groups=("sg-0b",),
        ),
        ("security-group-blocks",),
    ),
    "another group on the ENI where pods' packets arrive": (
        with_route(_second_interface(OK), *by_eni(ONE)),
        ("security-group-blocks",),
    ),
    "another group on the ENI where half of the packets arrive": (
        with_route(_second_interface(OK), *by_eni(HALVES[1])),
        ("security-group-blocks",),
    ),
    "another group on the ENI to which the other subnet's table leads": (
        with_route(_second_interface(TWO), *by_eni(ONE), table=TABLE_2),
        ("security-group-blocks",),
    ),
    "another group on the primary ENI, to which one of two tables leads": (
        with_route(_second_interface(TWO, primary=SHUT, second=GROUP), *by_eni(ONE), table=TABLE_2),
        ("security-group-blocks",),
    ),
    "the worker itself and pings of the others not in the rule": (
        _second_interface(OK, primary="sg-0tcp", groups=(_from_nodes("sg-0tcp", TCP_ONLY, 0, 2),)),
        ("security-group-blocks",),
    ),
    "the groups for the senders of two tables, right at one worker and swapped at the next": (
        _swapped_groups(),
        ("security-group-blocks",) * 2,
    ),
    "a rule for the group, one worker in another": (
        with_group(
            _second_interface(OK, primary="sg-0open", groups=(_from("sg-0open", 1),)), ingress=(MEMBERS,)
        ),
        ("security-group-blocks",),
    ),
    "ACL denies pods out": (with_acl(TWO, _deny(50, egress=True)), ("network-acl-blocks",)),
    "ACL denies replies in": (with_acl(TWO, _deny(50, egress=False)), ("network-acl-blocks",)),
    "ACL denies nodes in": (
        with_acl(TWO, _deny(50, egress=False, cidr="10.0.1.0/24")),
        ("network-acl-blocks",),
    ),
    "ACL denies replies to nodes": (
        with_acl(TWO, _deny(1, egress=True, cidr="10.0.1.0/24", protocol="6")),
        ("network-acl-blocks",),
    ),
    "ACL allows nothing": (with_acl(TWO, only=True), ("network-acl-blocks",) * 4),
    "ACL denies DNS": (
        with_acl(TWO, replace(CHARGEN, from_port=53, to_port=53)),
        ("network-acl-blocks",),
    ),
    "ACL denies the answers of DNS": (
        with_acl(TWO, replace(CHARGEN, egress=True, from_port=1024, to_port=65535)),
        ("network-acl-blocks",),
    ),
    "ACL forgets UDP": (
        with_acl(TWO, *_allowing(TCP_ACL, ECHO, ECHO_REPLY), only=True),
        ("network-acl-blocks",) * 4,
    ),
    "ACL denies DNS in its first entry": (
        with_acl(TWO, replace(CHARGEN, number=1, from_port=53, to_port=53)),
        ("network-acl-blocks",),
    ),
    "ACL allows pings and no answers": (
        with_acl(TWO, *_allowing(TCP_ACL, UDP_ACL, ECHO), only=True),
        ("network-acl-blocks",) * 2,
    ),
    "ACL allows only what is unreachable to be told": (
        with_acl(TWO, *_allowing(TCP_ACL, UNREACHABLE), only=True),
        ("network-acl-blocks",) * 4,
    ),
    "ACL denies in many entries": (
        with_acl(
            TWO,
            *(_deny(n, egress=True, protocol=protocol) for n, protocol in ((61, "1"), (60, "6"))),
            *(_deny(n, egress=True, cidr=f"10.200.{n - 62}.0/24", protocol="6") for n in (62, 63, 64)),
            replace(TCP_ACL, number=59, egress=True, cidr="198.51.100.0/24"),
            replace(TCP_ACL, number=58, egress=True, cidr="10.200.0.0/25", from_port=22, to_port=22),
            replace(TCP_ACL, number=57, egress=True, cidr=""),
        ),
        ("network-acl-blocks",),
    ),
    "ACL denies next to what it allows": (
        with_acl(TWO, _deny(110, egress=True), replace(TCP_ACL, number=100, egress=True), only=True),
        ("network-acl-blocks",) * 4,
    ),
    "ACL has no number left before what it denies": (
        with_acl(TWO, _deny(2, egress=True), _deny(1, egress=False)),
        ("network-acl-blocks",) * 2,
    ),
    "ACL allows TCP only, and has a last word": (
        with_acl(
            TWO,
            *(each for each in OPEN_ACL if not each.allow),
            *(replace(TCP_ACL, number=100, egress=egress) for egress in (False, True)),
            only=True,
        ),
        ("network-acl-blocks",) * 4,
    ),
    "ACL allows nothing to pods of two ranges": (
        with_acl(two_ranges(in_two_subnets(OK, table=TABLE), 1), only=True),
        ("network-acl-blocks",) * 6,
    ),
    "ACL denies pods, masquerade off": (
        with_acl(masquerade_off(TWO), _deny(50, egress=False, protocol="1")),
        ("network-acl-blocks",),
    ),
}

HEALTHY: Healthy = {
    "pings by their own type and code, and of UDP the port of DNS": with_group(
        OK, ingress=(TCP_ONLY, DNS_ONLY, replace(ICMP_ONLY, from_port=8, to_port=0))
    ),
    "ACL allows pings and their answers": with_acl(
        TWO, *_allowing(TCP_ACL, UDP_ACL, ECHO, ECHO_REPLY), only=True
    ),
    "ACL denies a UDP port that nobody needs": with_acl(TWO, CHARGEN, replace(CHARGEN, egress=True)),
    "masquerade off": with_group(NOT_MASQUERADED),
    "another group on an ENI to which only the worker's own table leads": with_route(
        _second_interface(in_two_subnets(OK, moved="worker-1"), at=SUBNET_2), *by_eni(ONE), table=TABLE_2
    ),
    "a group for the senders of the one table, another for those of the other": with_route(
        _second_interface(
            TWO, primary="sg-0one", second="sg-0two", groups=(_from("sg-0one", 1), _from("sg-0two", 2))
        ),
        *by_eni(ONE),
        table=TABLE_2,
    ),
    "low ports for the range, high ones for the group": with_group(
        OK,
        ingress=(
            replace(TCP_ONLY, to_port=1023),
            SecurityRule(protocol="tcp", from_port=1024, to_port=65535, groups=(GROUP,)),
            ICMP_ONLY,
            UDP_ONLY,
        ),
    ),
    "a rule per node but the worker itself": _second_interface(
        OK, primary="sg-0others", groups=(_from_nodes("sg-0others", SecurityRule(protocol="-1"), 0, 2),)
    ),
    "rules by protocol": with_group(
        OK, ingress=(TCP_ONLY, UDP_ONLY, ICMP_ONLY), egress=(TCP_ONLY, UDP_ONLY, ICMP_ONLY)
    ),
    "ports in two rules": with_group(
        OK,
        ingress=(
            replace(TCP_ONLY, to_port=1023),
            replace(TCP_ONLY, from_port=1024),
            replace(ICMP_ONLY, from_port=8, to_port=0),
            UDP_ONLY,
        ),
    ),
    "a rule for the group": with_group(OK, ingress=(MEMBERS,)),
    "a rule per node": with_group(
        OK, ingress=(SecurityRule(protocol="-1", cidrs=tuple(f"10.0.1.2{n}/32" for n in range(3))),)
    ),
    "ACL within one subnet is not asked": with_acl(OK, _deny(1, egress=True), acl="acl-0a"),
    "ACL denies something else": with_acl(TWO, _deny(1, egress=False, cidr="198.51.100.0/24")),
    "two security groups, one of them closed": with_interface(
        with_inventory(
            OK,
            security_groups=(*inventory_of(OK).security_groups, SecurityGroup(id="sg-0b", vpc=VPC)),
        ),
        "worker-1",
        security_groups=(GROUP, "sg-0b"),
    ),
}
