"""EC2's shapes, as the Describe calls return them, turned into the nouns of the evidence: their one door.

Each function takes what botocore parsed and raises ``msgspec.ValidationError`` for what does not fit.
Everything is sorted here: AWS does not promise an order, and evidence of the same network must be the same.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import ValidationError, convert

from kthw.observed import unfit
from kthw.observed.aws import wire
from kthw.observed.aws.answers import UnreadableAnswerError
from kthw.observed.aws.statements import said_by_tag
from kthw.observed.choosing import Tagged
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
from kthw.observed.values import Cidr

_ASSOCIATED: Final = ("associated", "associating")
_ATTACHED: Final = ("available", "attached", "attaching")
_FOR_PODS: Final = "aws-K8S-"
"""How amazon-vpc-cni begins the description of an ENI that it makes for pods' addresses."""
_MOST_SALVAGED: Final = 50
"""Values that do not fit, of one instance: after so many nothing in it is believed."""


def vpc(answer: object) -> Vpc:
    seen = convert(answer, wire.Vpc)
    others = sorted(
        block.cidr_block
        for block in seen.cidr_block_association_set
        if block.cidr_block_state.state in _ASSOCIATED and block.cidr_block != seen.cidr_block
    )
    return Vpc(id=seen.vpc_id, cidrs=(seen.cidr_block, *others), name=_name(seen.tags))


def subnet(answer: object) -> Subnet:
    seen = convert(answer, wire.Subnet)
    return Subnet(id=seen.subnet_id, vpc=seen.vpc_id, cidr=seen.cidr_block, name=_name(seen.tags))


def internet_gateway(answer: object) -> InternetGateway:
    seen = convert(answer, wire.InternetGateway)
    attached = sorted(each.vpc_id for each in seen.attachments if each.state in _ATTACHED)
    return InternetGateway(id=seen.internet_gateway_id, vpcs=tuple(attached))


def route_table(answer: object) -> RouteTable:
    seen = convert(answer, wire.RouteTable)
    associations = [each for each in seen.associations if each.association_state.state in _ASSOCIATED]
    return RouteTable(
        id=seen.route_table_id,
        vpc=seen.vpc_id,
        name=_name(seen.tags),
        main=any(each.main for each in associations),
        subnets=tuple(sorted(each.subnet_id for each in associations if each.subnet_id)),
        routes=tuple(sorted((_route(entry) for entry in seen.routes), key=_by_destination)),
    )


def route(answer: object) -> Route:
    return _route(convert(answer, wire.Route))


def _route(seen: wire.Route) -> Route:
    instance, interface = seen.instance_id, seen.network_interface_id
    gateway = "" if instance or interface else seen.gateway_id
    other = next(filter(None, seen.others), "")
    return Route(
        destination=seen.destination,
        state=seen.state,
        origin=seen.origin,
        gateway=gateway,
        instance=instance,
        network_interface=interface,
        other="" if instance or interface or gateway else other,
        foreign=not seen.destination_cidr_block,
    )


def instance(answer: object) -> Instance:
    seen = convert(answer, wire.Instance)
    if seen.state is None:
        raise ValidationError("State.Name: —")
    return _instance(seen)


def tagged(answer: object) -> Tagged:
    """The instance with all its tags."""
    tags = {tag.key: tag.value for tag in convert(answer, wire.Instance).tags}
    return Tagged(instance(answer), tags)


def salvaged(answer: object) -> Instance | None:
    """What fits of an instance that does not fit as a whole; ``None`` where not even its id does.

    What does not fit is left out: a field, or the one ENI or tag of several. So others' routes that lead to
    it, and its place among the workers, are still known; nothing is to be judged about itself.
    """
    if not isinstance(answer, Mapping):
        return None
    left = dict(answer)
    for _ in range(_MOST_SALVAGED):
        try:
            return _instance(convert(left, wire.Instance))
        except ValidationError as problem:
            field, place = unfit.place(problem)
            if field not in left:
                return None
            listed = left[field]
            if place is not None and isinstance(listed, list):
                left[field] = [*listed[:place], *listed[place + 1 :]]
            else:
                del left[field]
    return None


def _instance(seen: wire.Instance) -> Instance:
    interfaces = [_network_interface(entry) for entry in seen.network_interfaces]
    return Instance(
        id=seen.instance_id,
        image=seen.image_id,
        state=seen.state.name if seen.state else "",
        name=_name(seen.tags),
        pod_cidr_tags={tag.key: said for tag in seen.tags if (said := said_by_tag(tag.key, tag.value))},
        vpc=seen.vpc_id,
        subnet=seen.subnet_id,
        address=seen.private_ip_address,
        public_address=seen.public_ip_address,
        network_interfaces=tuple(sorted(interfaces, key=lambda eni: (eni.device_index, eni.id))),
    )


def network_interface(answer: object) -> NetworkInterface:
    return _network_interface(convert(answer, wire.NetworkInterface))


def _network_interface(seen: wire.NetworkInterface) -> NetworkInterface:
    primary = seen.private_ip_address
    listed = {entry.private_ip_address for entry in seen.private_ip_addresses}
    secondary = sorted(listed - {primary}, key=ipaddress.IPv4Address)
    return NetworkInterface(
        id=seen.network_interface_id,
        subnet=seen.subnet_id,
        vpc=seen.vpc_id,
        addresses=(primary, *secondary) if primary else tuple(secondary),
        public_address=seen.association.public_ip,
        source_dest_check=seen.source_dest_check,
        security_groups=tuple(sorted(group.group_id for group in seen.groups)),
        device_index=seen.attachment.device_index,
        for_pods=seen.description.startswith(_FOR_PODS),
    )


def security_group(answer: object) -> SecurityGroup:
    seen = convert(answer, wire.SecurityGroup)
    return SecurityGroup(
        id=seen.group_id,
        vpc=seen.vpc_id,
        name=seen.group_name,
        ingress=_rules(seen.ip_permissions),
        egress=_rules(seen.ip_permissions_egress),
    )


def _rules(permissions: Sequence[wire.Permission]) -> tuple[SecurityRule, ...]:
    """IPv4 rules, and prefix lists by id: a permission with nothing but IPv6 ranges is left out."""
    rules = [
        SecurityRule(
            protocol=permission.ip_protocol,
            from_port=permission.from_port,
            to_port=permission.to_port,
            cidrs=tuple(sorted(entry.cidr_ip for entry in permission.ip_ranges)),
            groups=tuple(sorted(pair.group_id for pair in permission.user_id_group_pairs)),
            prefix_lists=tuple(sorted(entry.prefix_list_id for entry in permission.prefix_list_ids)),
        )
        for permission in permissions
    ]
    kept = (rule for rule in rules if rule.cidrs or rule.groups or rule.prefix_lists)
    return tuple(sorted(kept, key=_by_what_it_allows))


def _by_what_it_allows(rule: SecurityRule) -> tuple[object, ...]:
    return (rule.protocol, rule.from_port, rule.to_port, rule.cidrs, rule.groups, rule.prefix_lists)


def network_acl(answer: object) -> NetworkAcl:
    seen = convert(answer, wire.NetworkAcl)
    entries = [_acl_entry(entry) for entry in seen.entries if entry.cidr_block]
    return NetworkAcl(
        id=seen.network_acl_id,
        vpc=seen.vpc_id,
        default=seen.is_default,
        subnets=tuple(sorted(each.subnet_id for each in seen.associations)),
        entries=tuple(sorted(entries, key=lambda entry: (entry.egress, entry.number))),
    )


def _acl_entry(seen: wire.AclEntry) -> AclEntry:
    """For ICMP the two ports are type and code."""
    ports, icmp = seen.port_range, seen.icmp_type_code
    return AclEntry(
        number=seen.rule_number,
        egress=seen.egress,
        allow=seen.rule_action == "allow",
        protocol=seen.protocol,
        cidr=seen.cidr_block,
        from_port=ports.from_ if ports else icmp.type,
        to_port=ports.to if ports else icmp.code,
    )


def image(answer: object) -> wire.Image:
    return convert(answer, wire.Image)


def prefix_list_entry(answer: object) -> str:
    """The entry's range; empty for one of IPv6."""
    seen = convert(answer, wire.PrefixListEntry)
    return "" if ":" in seen.cidr else convert(seen.cidr, Cidr)


def user_data(answer: object) -> str:
    """The user data in base64, as ``DescribeInstanceAttribute`` returns it; at most AWS's 16 KB of it.

    Raises ``UnreadableAnswerError``.
    """
    try:
        return convert(answer, wire.UserData).user_data.value
    except ValidationError as problem:
        raise UnreadableAnswerError(detail=unfit.detail(problem, answer)) from problem


def caller(answer: object) -> wire.CallerIdentity:
    """Who asks, as ``GetCallerIdentity`` returns it. Raises ``UnreadableAnswerError``."""
    try:
        return convert(answer, wire.CallerIdentity)
    except ValidationError as problem:
        raise UnreadableAnswerError(detail=unfit.detail(problem, answer)) from problem


def _name(tags: Sequence[wire.Tag]) -> str:
    return next((tag.value for tag in tags if tag.key == wire.NAME_TAG), "")


def _by_destination(entry: Route) -> tuple[bool, int, int, str, str]:
    if entry.foreign:
        return (True, 0, 0, entry.destination, entry.target)
    network = entry.network
    return (False, int(network.network_address), network.prefixlen, entry.origin, entry.target)
