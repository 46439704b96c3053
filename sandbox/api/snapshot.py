"""The state of an account, read out of moto: what the network should be, as plain data."""

from __future__ import annotations

import base64
import functools
import ipaddress
from dataclasses import fields
from typing import Any, Literal

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.elbv2.models import elbv2_backends

from kthw.intended import tutorial
from sandbox import images, release
from sandbox.api import load_balancers, prefix_lists
from sandbox.api.network_acls import LAST_RULE
from sandbox.state import (
    AclEntry,
    Eni,
    Instance,
    Launch,
    LoadBalancer,
    NatGateway,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    State,
    Subnet,
    Vpc,
)


def snapshot() -> State:
    """What the data plane has to do now, for every region that anybody has asked for. IPv4 only.

    No two regions have an id in common: EC2's ids are random, and so are moto's.
    """
    regions = [_region(backend) for backend in ec2_backends[DEFAULT_ACCOUNT_ID].values()]
    together: dict[str, dict[str, Any]] = {field.name: {} for field in fields(State)}
    for region in regions:
        for name, there in together.items():
            there.update(getattr(region, name))
    return State(**together)


def _region(backend: EC2Backend) -> State:
    tables = {table.id: _route_table(backend, table) for table in backend.route_tables.values()}
    subnets = _subnets(backend)
    return State(
        vpcs=_vpcs(backend),
        subnets=subnets,
        route_tables=tables,
        enis=_enis(backend),
        instances=_instances(backend),
        security_groups={
            group.id: _security_group(backend, group)
            for groups in backend.groups.values()
            for group in groups.values()
        },
        network_acls={acl.id: _network_acl(acl) for acl in backend.network_acls.values()},
        nat_gateways=_nat_gateways(backend, subnets, tables),
        load_balancers=_load_balancers(backend),
    )


def _vpcs(backend: EC2Backend) -> dict[str, Vpc]:
    attached: list[tuple[Any, str]] = [(igw.vpc, igw.id) for igw in backend.internet_gateways.values()]
    gateways = {vpc.id: gateway for vpc, gateway in attached if vpc}
    return {
        vpc.id: Vpc(
            id=vpc.id,
            cidrs=tuple(_cidr(block["cidr_block"]) for block in vpc.get_cidr_block_association_set()),
            internet_gateway=gateways.get(vpc.id, ""),
            region=backend.region_name,
            resolves=bool(vpc.enable_dns_support),
            names_public=bool(vpc.enable_dns_hostnames),
        )
        for vpc in backend.vpcs.values()
    }


def _subnets(backend: EC2Backend) -> dict[str, Subnet]:
    main = {table.vpc_id: table.id for table in backend.route_tables.values() if table.main_association_id}
    explicit = {
        subnet: table.id for table in backend.route_tables.values() for subnet in table._associations.values()
    }
    acls = {
        association.subnet_id: acl.id
        for acl in backend.network_acls.values()
        for association in acl._associations.values()
    }
    return {
        subnet.id: Subnet(
            id=subnet.id,
            vpc=subnet.vpc_id,
            cidr=_cidr(subnet.cidr_block),
            route_table=explicit.get(subnet.id) or main.get(subnet.vpc_id, ""),
            network_acl=acls.get(subnet.id, ""),
            zone=subnet.availability_zone,
            zone_id=subnet.availability_zone_id,
        )
        for subnets in backend.subnets.values()
        for subnet in subnets.values()
        if subnet.cidr_block
    }


def _route_table(backend: EC2Backend, table: Any) -> RouteTable:
    """A route by a prefix list is one for each of its entries that no other route is for: AWS prefers those
    that name their destination (VPC User Guide, *How route priority works*)."""
    own = {_cidr(r.destination_cidr_block): r for r in table.routes if r.destination_cidr_block}
    by_list = {
        destination: route
        for route in table.routes
        if route.destination_prefix_list_id
        for destination in prefix_lists.ranges(backend, route.destination_prefix_list_id)
    }
    routes = tuple(_route(destination, route) for destination, route in {**by_list, **own}.items())
    return RouteTable(id=table.id, vpc=table.vpc_id, routes=routes)


def _route(destination: str, route: Any) -> Route:
    kind: Literal["local", "igw", "eni", "nat", "drop"] = "drop"
    target = ""
    if route.state == "active":
        gateway = route.gateway_id or ""
        if gateway == "local":
            kind = "local"
        elif gateway.startswith("igw-"):
            kind, target = "igw", gateway
        elif route.network_interface_id:
            # While an instance starts or stops, a route to it is active and leads nowhere.
            attached = route.interface.instance
            if attached is not None and attached.is_running():
                kind, target = "eni", route.network_interface_id
        elif route.nat_gateway is not None and destination == tutorial.EVERYWHERE:
            kind, target = "nat", route.nat_gateway.id
    return Route(destination=destination, kind=kind, target=target)


def _nat_gateways(
    backend: EC2Backend, subnets: dict[str, Subnet], tables: dict[str, RouteTable]
) -> dict[str, NatGateway]:
    """Those that reach the internet: public, and in a subnet whose table leads there."""
    found = {}
    for gateway in backend.nat_gateways.values():
        subnet = subnets.get(gateway.subnet_id)
        table = tables.get(subnet.route_table) if subnet else None
        out = (
            [r for r in table.routes if r.destination == tutorial.EVERYWHERE and r.kind == "igw"]
            if table
            else []
        )
        eni: Any = gateway._eni
        if gateway.state == "available" and eni.public_ip and out:
            found[gateway.id] = NatGateway(
                id=gateway.id, vpc=gateway.vpc_id, address=str(eni.private_ip_address), public=eni.public_ip
            )
    return found


def _enis(backend: EC2Backend) -> dict[str, Eni]:
    return {
        eni.id: Eni(
            id=eni.id,
            subnet=eni.subnet.id,
            vpc=eni.subnet.vpc_id,
            instance=eni.instance.id,
            index=int(eni.device_index or 0),
            addresses=_addresses(eni),
            public=_public(eni),
            source_dest_check=bool(eni.source_dest_check),
            security_groups=tuple(sorted(group.id for group in eni.group_set)),
            device=_device(eni),
        )
        for eni in backend.enis.values()
        if eni.instance and eni.instance.state != "terminated"
    }


def _load_balancers(backend: EC2Backend) -> dict[str, LoadBalancer]:
    """Those that are active."""
    found: dict[str, LoadBalancer] = {}
    known: Any = elbv2_backends[DEFAULT_ACCOUNT_ID][backend.region_name]
    for balancer in known.load_balancers.values():
        for eni in load_balancers.interfaces(backend, balancer.arn) if balancer.state == "active" else ():
            found[eni.id] = LoadBalancer(
                arn=balancer.arn,
                name=balancer.dns_name,
                eni=Eni(
                    id=eni.id,
                    subnet=eni.subnet.id,
                    vpc=eni.subnet.vpc_id,
                    instance=f"elb-{eni.id.removeprefix('eni-')}",
                    index=0,
                    addresses=_addresses(eni),
                    public=_public(eni),
                    filtered=False,
                ),
                forwards=tuple(known.forwards(balancer)),
            )
    return found


def _public(eni: Any) -> tuple[tuple[str, str], ...]:
    return ((str(eni.private_ip_address), eni.public_ip),) if eni.public_ip else ()


def _device(eni: Any) -> str:
    hypervisor = INSTANCE_TYPES.get(eni.instance.instance_type, {}).get("Hypervisor", "nitro")
    return release.device(images.name_of(eni.instance.image_id), hypervisor, int(eni.device_index or 0))


def _addresses(eni: Any) -> tuple[str, ...]:
    primary = eni.private_ip_address
    others = (item["PrivateIpAddress"] for item in eni.private_ip_addresses)
    return (primary, *(address for address in others if address != primary))


def _instances(backend: EC2Backend) -> dict[str, Instance]:
    machines: list[tuple[Any, str]] = [
        (instance, reservation.id)
        for reservation in backend.reservations.values()
        for instance in reservation.instances
        if instance.state != "terminated"
    ]
    return {
        instance.id: Instance(
            id=instance.id,
            name=backend.tags.get(instance.id, {}).get("Name", ""),
            running=instance.is_running(),
            user_data=base64.b64decode(str(instance.user_data or "")),
            public_key=instance.public_key,
            user=images.user_of(instance.image_id),
            metadata=_metadata(instance.metadata_options),
            hop_limit=int(instance.metadata_options.http_put_response_hop_limit),
            tags=_told_tags(backend, instance),
            launch=_launch(instance, reservation),
        )
        for instance, reservation in machines
    }


def _told_tags(backend: EC2Backend, instance: Any) -> tuple[tuple[str, str], ...] | None:
    if instance.metadata_options.instance_metadata_tags != "enabled":
        return None
    return tuple(backend.tags.get(instance.id, {}).items())


def _launch(instance: Any, reservation: str) -> Launch:
    return Launch(
        image_id=instance.image_id,
        image=images.name_of(instance.image_id),
        type=instance.instance_type,
        architecture=instance.architecture,
        key_name=instance.key_name or "",
        time=f"{instance.launch_time:%Y-%m-%dT%H:%M:%SZ}",
        reservation=reservation,
        number=int(instance.ami_launch_index or 0),
        owner=instance.owner_id,
        root_device=instance.root_device_name or "/dev/sda1",
    )


def _metadata(options: Any) -> Literal["optional", "required", "off"]:
    if options.http_endpoint == "disabled":
        return "off"
    return "required" if options.http_tokens == "required" else "optional"


def _security_group(backend: EC2Backend, group: Any) -> SecurityGroup:
    return SecurityGroup(
        id=group.id,
        vpc=group.vpc_id or "",
        ingress=tuple(_rule(backend, rule) for rule in group.ingress_rules),
        egress=tuple(_rule(backend, rule) for rule in group.egress_rules),
        name=group.name,
    )


def _rule(backend: EC2Backend, rule: Any) -> SecurityRule:
    cidr, source = rule.ip_range.get("CidrIp"), rule.source_group.get("GroupId")
    listed = prefix_lists.ranges(backend, rule.prefix_list_id) if rule.prefix_list_id else ()
    return SecurityRule(
        protocol=rule.ip_protocol,
        from_port=-1 if rule.from_port is None else int(rule.from_port),
        to_port=-1 if rule.to_port is None else int(rule.to_port),
        cidrs=(_cidr(cidr),) if cidr else listed,
        groups=(source,) if source else (),
    )


def _network_acl(acl: Any) -> NetworkAcl:
    entries = (_entry(entry) for entry in acl.network_acl_entries if entry.cidr_block)
    listed = sorted((entry for entry in entries if entry.number != LAST_RULE), key=lambda entry: entry.number)
    return NetworkAcl(id=acl.id, entries=tuple(listed))


def _entry(entry: Any) -> AclEntry:
    protocol = str(entry.protocol)
    first, last = entry.port_range_from, entry.port_range_to
    if protocol == "1":
        first, last = entry.icmp_type, entry.icmp_code
    return AclEntry(
        number=int(entry.rule_number),
        egress=bool(entry.egress),
        allow=entry.rule_action == "allow",
        protocol=protocol,
        cidr=_cidr(entry.cidr_block),
        from_port=-1 if first is None else int(first),
        to_port=-1 if last is None else int(last),
    )


@functools.cache
def _cidr(text: str) -> str:
    return str(ipaddress.IPv4Network(text, strict=False))
