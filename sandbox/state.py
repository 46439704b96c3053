"""What the API says the network should be, as plain data: the fabric's only input.

Produced by ``sandbox.api.snapshot`` from moto's state, consumed by ``sandbox.fabric``. Identifiers
are AWS's, addresses and CIDRs are text in canonical form.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from kthw.intended import tutorial


@dataclass(frozen=True)
class Vpc:
    """``internet_gateway`` is the id of the attached one, or empty."""

    id: str
    cidrs: tuple[str, ...]
    internet_gateway: str = ""
    region: str = "us-east-1"
    resolves: bool = True
    """Whether its resolver answers (``enableDnsSupport``)."""
    names_public: bool = False
    """Whether a public address has a name (``enableDnsHostnames``)."""

    def public_name(self, address: str) -> str:
        """The DNS name of a public address here (EC2 User Guide, *EC2 instance hostnames and domains*)."""
        domain = "compute-1" if self.region == "us-east-1" else f"{self.region}.compute"
        return f"ec2-{address.replace('.', '-')}.{domain}.amazonaws.com"

    def private_name(self, address: str) -> str:
        """The same of a private one."""
        return f"ip-{address.replace('.', '-')}.{self.domain}"

    @property
    def domain(self) -> str:
        """What the names of private addresses end in."""
        return "ec2.internal" if self.region == "us-east-1" else f"{self.region}.compute.internal"

    @property
    def resolver(self) -> str:
        """The address of its DNS server (VPC User Guide, *Amazon DNS server*): the first range's plus two."""
        return str(ipaddress.IPv4Network(self.cidrs[0])[2])


@dataclass(frozen=True)
class Route:
    """An IPv4 route as the data plane sees it.

    ``kind``: ``local``; ``igw`` (``target`` is the attached internet gateway's id); ``eni``
    (``target`` is the id of an ENI of a running instance in the same VPC); ``drop`` (blackhole, or
    a target this sandbox has no data plane for); ``nat`` (``target`` is one of ``State.nat_gateways``).
    """

    destination: str
    kind: Literal["local", "igw", "eni", "nat", "drop"]
    target: str = ""


@dataclass(frozen=True)
class RouteTable:
    id: str
    vpc: str
    routes: tuple[Route, ...]


@dataclass(frozen=True)
class Subnet:
    """``route_table`` is the effective one: the explicit association's, else the VPC's main table."""

    id: str
    vpc: str
    cidr: str
    route_table: str
    network_acl: str
    zone: str = "us-east-1a"
    zone_id: str = "use1-az1"

    @property
    def gateway(self) -> str:
        """The address of the subnet's router: AWS's, always the first."""
        return str(ipaddress.IPv4Network(self.cidr)[1])


@dataclass(frozen=True)
class Eni:
    """A network interface attached to an instance.

    ``addresses``: private IPv4 addresses, primary first. ``public``: pairs (private, public).
    ``index``: the device index on its instance; ``device``: what its guest calls it.
    """

    id: str
    subnet: str
    vpc: str
    instance: str
    index: int
    addresses: tuple[str, ...]
    public: tuple[tuple[str, str], ...] = ()
    source_dest_check: bool = True
    security_groups: tuple[str, ...] = ()
    filtered: bool = True
    """Whether security groups are asked: a network load balancer without one lets everything pass."""
    device: str = "ens5"

    @property
    def mac(self) -> str:
        """Its hardware address."""
        return mac_of(self.id)


def mac_of(eni: str) -> str:
    """The hardware address of the network interface of that id."""
    tail = eni[-8:]
    return "06:00:" + ":".join(tail[i : i + 2] for i in range(0, 8, 2))


@dataclass(frozen=True)
class Launch:
    """What an instance was launched as. ``image`` is the name of its image, empty where nobody knows it;
    ``time``: ``2026-11-26T18:00:00Z``; ``number``: its place among those launched together."""

    image_id: str = ""
    image: str = ""
    type: str = "t3.micro"
    architecture: str = "x86_64"
    key_name: str = ""
    time: str = ""
    reservation: str = ""
    number: int = 0
    owner: str = ""
    root_device: str = "/dev/sda1"


@dataclass(frozen=True)
class Instance:
    """``user_data`` is decoded once; ``public_key`` is the key pair's OpenSSH line, or empty.

    ``user``: the one that its image lets in. ``metadata``: whether the instance metadata asks for a token
    (AWS's ``HttpTokens``), or is ``off``; ``hop_limit``: how far its tokens go; ``tags``: what it tells of
    them, by key, or None where it tells none.

    Only instances that exist as machines are listed: running ones (``running``) and stopped ones
    (whose disk must survive until they start again). A terminated one is absent.
    """

    id: str
    name: str
    running: bool
    user_data: bytes = b""
    public_key: str = ""
    user: str = tutorial.SSH_USER
    metadata: Literal["optional", "required", "off"] = "optional"
    hop_limit: int = 1
    tags: tuple[tuple[str, str], ...] | None = None
    launch: Launch = field(default_factory=Launch)


@dataclass(frozen=True)
class SecurityRule:
    """``protocol``: ``-1``, ``tcp``, ``udp``, ``icmp`` or a number. Ports -1: all (icmp: type, code)."""

    protocol: str
    from_port: int = -1
    to_port: int = -1
    cidrs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityGroup:
    id: str
    vpc: str
    ingress: tuple[SecurityRule, ...] = ()
    egress: tuple[SecurityRule, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class AclEntry:
    """``protocol`` is AWS's number as text (``-1``, ``6``, ``17``, ``1``); icmp: the ports are type, code."""

    number: int
    egress: bool
    allow: bool
    protocol: str
    cidr: str
    from_port: int = -1
    to_port: int = -1


@dataclass(frozen=True)
class NetworkAcl:
    """``entries`` sorted by number; the implied final deny is not listed."""

    id: str
    entries: tuple[AclEntry, ...] = ()


@dataclass(frozen=True)
class NatGateway:
    """One whose own subnet's table leads to the internet. ``address`` is its private one."""

    id: str
    vpc: str
    address: str
    public: str


@dataclass(frozen=True)
class LoadBalancer:
    """A load balancer in one of its subnets. ``eni``: what it is reached by, whose ``instance`` is the name
    of its namespace. ``forwards``: (port, its targets as (address, port)) of each listener."""

    arn: str
    name: str
    eni: Eni
    forwards: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] = ()


Reached = Callable[[str, str, int], bool | None]
"""(load balancer's ARN, address, port): whether that target answered the last health check; None where there
was none yet."""


def nobody_looks(_arn: str, _address: str, _port: int) -> bool | None:
    """Where no packets flow."""
    return None


@dataclass(frozen=True)
class State:
    """The whole network of an account, in all regions, keyed by id."""

    vpcs: dict[str, Vpc] = field(default_factory=dict)
    subnets: dict[str, Subnet] = field(default_factory=dict)
    route_tables: dict[str, RouteTable] = field(default_factory=dict)
    enis: dict[str, Eni] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    network_acls: dict[str, NetworkAcl] = field(default_factory=dict)
    nat_gateways: dict[str, NatGateway] = field(default_factory=dict)
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    """By the id of their interface, which is none of ``enis``."""

    @property
    def running(self) -> set[str]:
        """The instances that run."""
        return {instance.id for instance in self.instances.values() if instance.running}

    @property
    def live(self) -> State:
        """The same, with the network interfaces of what runs only: instances and load balancers."""
        running = self.running
        enis = {e.id: e for e in self.enis.values() if e.instance in running}
        return replace(self, enis=enis | {key: each.eni for key, each in self.load_balancers.items()})
