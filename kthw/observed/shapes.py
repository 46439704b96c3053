"""EC2's shapes, as the Describe calls return them, turned into the nouns of the evidence.

Everything is sorted here: AWS does not promise an order, and evidence of the same network must be the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from kthw.observed.evidence import (
    AclEntry,
    Instance,
    InternetGateway,
    NetworkAcl,
    NetworkInterface,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vpc,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import type_defs as ec2

_ASSOCIATED: Final = ("associated", "associating")
_NAME: Final = "Name"


def vpc(seen: ec2.VpcTypeDef) -> Vpc:
    primary = seen.get("CidrBlock", "")
    others = sorted(
        block["CidrBlock"]
        for block in seen.get("CidrBlockAssociationSet", [])
        if block.get("CidrBlockState", {}).get("State", "associated") in _ASSOCIATED
        and block.get("CidrBlock", primary) != primary
    )
    return Vpc(id=seen["VpcId"], cidrs=(primary, *others), name=_name(seen.get("Tags", [])))


def subnet(seen: ec2.SubnetTypeDef) -> Subnet:
    return Subnet(
        id=seen["SubnetId"],
        vpc=seen.get("VpcId", ""),
        cidr=seen.get("CidrBlock", ""),
        name=_name(seen.get("Tags", [])),
    )


def internet_gateway(seen: ec2.InternetGatewayTypeDef) -> InternetGateway:
    attached = (
        attachment.get("VpcId", "")
        for attachment in seen.get("Attachments", [])
        if attachment.get("State", "available") in ("available", "attached", "attaching")
    )
    return InternetGateway(id=seen["InternetGatewayId"], vpcs=tuple(sorted(filter(None, attached))))


def route_table(seen: ec2.RouteTableTypeDef) -> RouteTable:
    associations = [
        association
        for association in seen.get("Associations", [])
        if association.get("AssociationState", {}).get("State", "associated") in _ASSOCIATED
    ]
    routes = [route(entry) for entry in seen.get("Routes", [])]
    return RouteTable(
        id=seen["RouteTableId"],
        vpc=seen.get("VpcId", ""),
        name=_name(seen.get("Tags", [])),
        main=any(association.get("Main", False) for association in associations),
        subnets=tuple(sorted(filter(None, (association.get("SubnetId") for association in associations)))),
        routes=tuple(sorted(routes, key=_by_destination)),
    )


def route(seen: ec2.RouteTypeDef) -> Route:
    destination = seen.get("DestinationCidrBlock", "")
    instance, interface = seen.get("InstanceId", ""), seen.get("NetworkInterfaceId", "")
    gateway = "" if instance or interface else seen.get("GatewayId", "")
    others = (
        seen.get("NatGatewayId"),
        seen.get("TransitGatewayId"),
        seen.get("VpcPeeringConnectionId"),
        seen.get("LocalGatewayId"),
        seen.get("CarrierGatewayId"),
        seen.get("EgressOnlyInternetGatewayId"),
        seen.get("CoreNetworkArn"),
        seen.get("OdbNetworkArn"),
        seen.get("IpAddress"),
    )
    other = next(filter(None, others), "")
    return Route(
        destination=destination
        or seen.get("DestinationIpv6CidrBlock", "")
        or seen.get("DestinationPrefixListId", ""),
        state=seen.get("State", "active"),
        origin=seen.get("Origin", "CreateRoute"),
        gateway=gateway,
        instance=instance,
        network_interface=interface,
        other="" if instance or interface or gateway else other,
        foreign=not destination,
    )


def instance(seen: ec2.InstanceTypeDef) -> Instance:
    interfaces = [network_interface(entry) for entry in seen.get("NetworkInterfaces", [])]
    return Instance(
        id=seen["InstanceId"],
        state=seen.get("State", {}).get("Name", ""),
        name=_name(seen.get("Tags", [])),
        vpc=seen.get("VpcId", ""),
        subnet=seen.get("SubnetId", ""),
        address=seen.get("PrivateIpAddress", ""),
        public_address=seen.get("PublicIpAddress", ""),
        network_interfaces=tuple(sorted(interfaces, key=lambda eni: (eni.device_index, eni.id))),
    )


def network_interface(seen: ec2.InstanceNetworkInterfaceTypeDef) -> NetworkInterface:
    primary = seen.get("PrivateIpAddress", "")
    listed = {entry.get("PrivateIpAddress", "") for entry in seen.get("PrivateIpAddresses", [])}
    secondary = sorted(filter(None, listed - {primary}), key=ipaddress.IPv4Address)
    return NetworkInterface(
        id=seen["NetworkInterfaceId"],
        subnet=seen.get("SubnetId", ""),
        vpc=seen.get("VpcId", ""),
        addresses=(primary, *secondary) if primary else tuple(secondary),
        public_address=seen.get("Association", {}).get("PublicIp", ""),
        source_dest_check=seen.get("SourceDestCheck", True),
        security_groups=tuple(sorted(group.get("GroupId", "") for group in seen.get("Groups", []))),
        device_index=seen.get("Attachment", {}).get("DeviceIndex", 0),
    )


def security_group(seen: ec2.SecurityGroupTypeDef) -> SecurityGroup:
    return SecurityGroup(
        id=seen["GroupId"],
        vpc=seen.get("VpcId", ""),
        name=seen.get("GroupName", ""),
        ingress=_rules(seen.get("IpPermissions", [])),
        egress=_rules(seen.get("IpPermissionsEgress", [])),
    )


def _rules(permissions: Sequence[ec2.IpPermissionOutputTypeDef]) -> tuple[SecurityRule, ...]:
    """IPv4 rules, and prefix lists by id: a permission with nothing but IPv6 ranges is left out."""
    rules = [
        SecurityRule(
            protocol=permission["IpProtocol"],
            from_port=permission.get("FromPort", -1),
            to_port=permission.get("ToPort", -1),
            cidrs=tuple(sorted(entry.get("CidrIp", "") for entry in permission.get("IpRanges", []))),
            groups=tuple(sorted(pair.get("GroupId", "") for pair in permission.get("UserIdGroupPairs", []))),
            prefix_lists=tuple(
                sorted(e.get("PrefixListId", "") for e in permission.get("PrefixListIds", []))
            ),
        )
        for permission in permissions
    ]
    kept = (rule for rule in rules if rule.cidrs or rule.groups or rule.prefix_lists)
    return tuple(sorted(kept, key=lambda r: (r.protocol, r.from_port, r.to_port, r.cidrs, r.groups)))


def network_acl(seen: ec2.NetworkAclTypeDef) -> NetworkAcl:
    entries = [_acl_entry(entry) for entry in seen.get("Entries", []) if entry.get("CidrBlock")]
    return NetworkAcl(
        id=seen["NetworkAclId"],
        vpc=seen.get("VpcId", ""),
        default=seen.get("IsDefault", False),
        subnets=tuple(sorted(entry.get("SubnetId", "") for entry in seen.get("Associations", []))),
        entries=tuple(sorted(entries, key=lambda entry: (entry.egress, entry.number))),
    )


def _acl_entry(seen: ec2.NetworkAclEntryTypeDef) -> AclEntry:
    """For ICMP the two ports are type and code."""
    ports, icmp = seen.get("PortRange", {}), seen.get("IcmpTypeCode", {})
    return AclEntry(
        number=seen.get("RuleNumber", 0),
        egress=seen.get("Egress", False),
        allow=seen.get("RuleAction") == "allow",
        protocol=seen.get("Protocol", "-1"),
        cidr=seen.get("CidrBlock", ""),
        from_port=ports.get("From", icmp.get("Type", -1)),
        to_port=ports.get("To", icmp.get("Code", -1)),
    )


def _name(tags: Sequence[ec2.TagTypeDef]) -> str:
    return next((tag.get("Value", "") for tag in tags if tag.get("Key") == _NAME), "")


def _by_destination(entry: Route) -> tuple[bool, int, int, str, str]:
    if entry.foreign:
        return (True, 0, 0, entry.destination, entry.target)
    network = entry.network
    return (False, int(network.network_address), network.prefixlen, entry.origin, entry.target)
