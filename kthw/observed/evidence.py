"""All that one run observed, as one JSON document. Every check and the report read only this.

Field names are ours and short; the AWS shapes they come from are those of the EC2 API's
Describe calls. Identifiers are AWS's (``i-…``, ``eni-…``, ``rtb-…``), addresses and CIDRs are text
as AWS prints them, and an empty string means AWS said nothing. Defaults are left out.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from msgspec import Struct

from kthw.errors import LookError
from kthw.intended.cluster import Intended
from kthw.observed.leftover import Leftover as Leftover
from kthw.observed.leftover import LeftoverKind as LeftoverKind
from kthw.observed.node_evidence import DNS_PORT as DNS_PORT
from kthw.observed.node_evidence import PROBE_PORT as PROBE_PORT
from kthw.observed.node_evidence import SENT_AGAIN as SENT_AGAIN
from kthw.observed.node_evidence import Chain as Chain
from kthw.observed.node_evidence import CniConfig as CniConfig
from kthw.observed.node_evidence import Keeper as Keeper
from kthw.observed.node_evidence import KernelRoute as KernelRoute
from kthw.observed.node_evidence import Link as Link
from kthw.observed.node_evidence import Moved as Moved
from kthw.observed.node_evidence import Neighbour as Neighbour
from kthw.observed.node_evidence import Node as Node
from kthw.observed.node_evidence import PolicyRule as PolicyRule
from kthw.observed.node_evidence import Probe as Probe
from kthw.observed.node_evidence import Program as Program
from kthw.observed.node_evidence import Sent as Sent
from kthw.observed.node_evidence import Trace as Trace
from kthw.observed.node_evidence import Way as Way
from kthw.observed.pod_failure import Leases as Leases
from kthw.observed.pod_failure import OldBridge as OldBridge
from kthw.observed.pod_failure import PodFailure as PodFailure
from kthw.observed.pod_failure import UnfitProgram as UnfitProgram
from kthw.observed.user_data_evidence import Statement as Statement
from kthw.observed.user_data_evidence import UserData as UserData
from kthw.observed.values import (
    Address,
    Cidr,
    Identifier,
    MaybeAddress,
    MaybeCidr,
    MaybeIdentifier,
    Name,
    Port,
    RuleProtocol,
    Small,
    Text,
)
from kthw.target import is_local

SCHEMA: Final = 1
KINDS: Final = ("sandbox", "aws")
"""What ``TargetSeen.kind`` may be."""


class Route(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a route table.

    ``destination`` is an IPv4 CIDR; for an IPv6 block or a prefix list it is that text and
    ``foreign`` is true. The target is in exactly one of ``gateway`` (``local``, ``igw-…``, ``vgw-…``),
    ``instance`` with ``network_interface``, ``network_interface`` alone, or ``other`` (NAT, peering …).
    """

    destination: Identifier
    state: Identifier = "active"
    origin: Identifier = "CreateRoute"
    gateway: MaybeIdentifier = ""
    instance: MaybeIdentifier = ""
    network_interface: MaybeIdentifier = ""
    other: MaybeIdentifier = ""
    foreign: bool = False

    def __post_init__(self) -> None:
        if not self.foreign:
            ipaddress.IPv4Network(self.destination, strict=False)

    @property
    def target(self) -> str:
        """The id this route points at, as a person would name it."""
        return self.instance or self.network_interface or self.gateway or self.other

    @property
    def prefix_list(self) -> str:
        """The list whose entries are the destinations; empty as well for one that leads to an endpoint."""
        listed = self.foreign and self.destination.startswith("pl-")
        return self.destination if listed and not self.target.startswith("vpce-") else ""

    @property
    def network(self) -> ipaddress.IPv4Network:
        """``destination`` as a network. Raises ``ValueError`` for a foreign route."""
        return ipaddress.IPv4Network(self.destination, strict=False)


class RouteTable(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``subnets`` are the explicit associations; AWS does not list the implicit ones."""

    id: Identifier
    vpc: MaybeIdentifier
    name: Name = ""
    main: bool = False
    subnets: tuple[Identifier, ...] = ()
    routes: tuple[Route, ...] = ()


class Subnet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: Identifier
    vpc: MaybeIdentifier
    cidr: MaybeCidr
    name: Name = ""


class Vpc(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``cidrs``: the primary IPv4 block first, then the associated secondary ones."""

    id: Identifier
    cidrs: tuple[Cidr, ...]
    name: Name = ""


class InternetGateway(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``vpcs``: those it is attached to (AWS allows one)."""

    id: Identifier
    vpcs: tuple[Identifier, ...] = ()


class NetworkInterface(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``addresses`` are private IPv4, the primary first; ``device_index`` 0 is the primary ENI.

    ``for_pods``: amazon-vpc-cni made it, and gives its addresses to pods.
    """

    id: Identifier
    subnet: MaybeIdentifier
    vpc: MaybeIdentifier
    addresses: tuple[Address, ...] = ()
    public_address: MaybeAddress = ""
    source_dest_check: bool = True
    security_groups: tuple[Identifier, ...] = ()
    device_index: Small = 0
    for_pods: bool = False


class Instance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``user_data`` is ``None`` where it was not asked for (only intended workers are asked).

    ``pod_cidr_tags``: of all tags, those whose key reads like ``pod-cidr``.
    """

    id: Identifier
    state: MaybeIdentifier
    name: Name = ""
    image: MaybeIdentifier = ""
    vpc: MaybeIdentifier = ""
    subnet: MaybeIdentifier = ""
    address: MaybeAddress = ""
    public_address: MaybeAddress = ""
    network_interfaces: tuple[NetworkInterface, ...] = ()
    user_data: UserData | None = None
    pod_cidr_tags: dict[Name, Name] = {}

    @property
    def primary_interface(self) -> NetworkInterface | None:
        """The ENI with device index 0: the one a route by instance id means."""
        return min(self.network_interfaces, key=lambda eni: eni.device_index, default=None)


class SecurityRule(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``protocol`` is ``-1`` (all), ``tcp``, ``udp``, ``icmp`` or a number; ports -1 mean all.

    ``prefix_lists`` by id: what is in them is in ``Inventory.prefix_lists``.
    """

    protocol: RuleProtocol
    from_port: Port = -1
    to_port: Port = -1
    cidrs: tuple[Cidr, ...] = ()
    groups: tuple[Identifier, ...] = ()
    prefix_lists: tuple[Identifier, ...] = ()


class SecurityGroup(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: Identifier
    vpc: MaybeIdentifier
    name: Name = ""
    ingress: tuple[SecurityRule, ...] = ()
    egress: tuple[SecurityRule, ...] = ()


class AclEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One numbered rule; ``protocol`` is AWS's number as text (``-1`` all, ``6`` tcp, ``1`` icmp)."""

    number: Small
    egress: bool
    allow: bool
    protocol: RuleProtocol = "-1"
    cidr: MaybeCidr = ""
    from_port: Port = -1
    to_port: Port = -1


class NetworkAcl(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: Identifier
    vpc: MaybeIdentifier
    default: bool = False
    subnets: tuple[Identifier, ...] = ()
    entries: tuple[AclEntry, ...] = ()


class PrefixList(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The IPv4 entries of a managed prefix list, or why they were not read (``unread``)."""

    id: Identifier
    entries: tuple[Cidr, ...] = ()
    unread: LookError | None = None


class Namesake(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An instance of another region that bears a worker's name."""

    name: Name
    id: Identifier
    region: Identifier
    state: MaybeIdentifier = ""


class Elsewhere(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A look for missing workers. ``regions``: the others that answered; ``found``: a few of each name."""

    regions: tuple[Identifier, ...] = ()
    found: tuple[Namesake, ...] = ()


class Inventory(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What AWS said. ``instances``: those bearing an intended name, and all others of their VPCs.

    Where none has such a name, a few of the region, without their network. ``elsewhere`` is ``None`` where no
    other region was looked into. A list that something names and is not in ``prefix_lists`` was not read.
    """

    account: MaybeIdentifier
    region: MaybeIdentifier
    vpcs: tuple[Vpc, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    route_tables: tuple[RouteTable, ...] = ()
    internet_gateways: tuple[InternetGateway, ...] = ()
    instances: tuple[Instance, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    network_acls: tuple[NetworkAcl, ...] = ()
    prefix_lists: tuple[PrefixList, ...] = ()
    elsewhere: Elsewhere | None = None


class ProvisionStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What provisioning did, or would do, for one worker; see ``kthw.provision``.

    ``target`` is what the route is to name: the instance, or its primary ENI where it has several.
    ``network_interfaces`` are all of the instance's. ``command`` is the equivalent ``aws`` command,
    ``detail`` what is there instead, AWS's refusal, or the code of what is lacking. ``before``: what the
    route there leads to, or led to before we replaced it, where it could be pointed there again.
    """

    worker: Name
    outcome: Name
    address: MaybeAddress = ""
    pod_cidr: MaybeCidr = ""
    route_table: MaybeIdentifier = ""
    instance: MaybeIdentifier = ""
    network_interfaces: tuple[Identifier, ...] = ()
    target: MaybeIdentifier = ""
    command: Text = ""
    detail: Text = ""
    before: MaybeIdentifier = ""


class TargetSeen(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where this evidence comes from. ``arn``: as whom AWS was asked, empty where it did not say."""

    kind: MaybeIdentifier
    endpoint: Name = ""
    account: MaybeIdentifier = ""
    region: MaybeIdentifier = ""
    no_packets: Text = ""
    arn: Text = ""

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: a simulation, and no account."""
        return is_local(self.endpoint)


class Counts(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the looking cost."""

    aws_calls: Small = 0
    ssh_sessions: Small = 0


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The document. ``inventory`` is ``None`` when AWS could not be looked at at all.

    ``leftovers``: what was left of the lab, looked at after the last chapter only; else ``None``.

    ``nodes`` by worker name. ``traces`` only of pairs that failed. ``sent``: what should not come through,
    and no probe is. ``errors``: what could not be looked
    at; an error with a ``worker`` concerns that worker only. ``student``: the name that was given at the run,
    which nothing is decided by; ``language``: what the run spoke. Both empty where nobody said.
    """

    schema: int = SCHEMA
    gathered_at: Name
    target: TargetSeen
    intended: Intended
    inventory: Inventory | None = None
    leftovers: tuple[Leftover, ...] | None = None
    nodes: dict[Name, Node] = {}
    probes: tuple[Probe, ...] = ()
    traces: tuple[Trace, ...] = ()
    sent: tuple[Sent, ...] = ()
    provisioned: tuple[ProvisionStep, ...] = ()
    errors: tuple[LookError, ...] = ()
    counts: Counts = Counts()
    student: Name = ""
    language: MaybeIdentifier = ""
