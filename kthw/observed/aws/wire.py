"""EC2's own shapes, as far as we read them, and what each value in them may be.

``msgspec.convert`` takes what botocore parsed into these, under AWS's names (``InstanceId``), and refuses
what does not fit: an address is an address, a CIDR is IPv4, an id is one harmless word. A field that has no
default here is one that AWS always sends; without it nothing may be concluded.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta, Struct

from kthw.observed.values import (
    Address,
    Cidr,
    Identifier,
    MaybeAddress,
    MaybeCidr,
    MaybeIdentifier,
    Name,
    Port,
    Small,
    Text,
    prepared,
)

_T = TypeVar("_T")

Some = Annotated[tuple[_T, ...], Meta(max_length=10_000)]
"""More than AWS's quotas allow of anything that is listed inside something else."""
_Protocol = Annotated[str, Meta(pattern=r"\A(?:-1|[A-Za-z0-9][A-Za-z0-9-]{0,19})\Z")]
NAME_TAG: Final = "Name"
_LONGEST_NAME: Final = 300
"""Characters; AWS allows 256."""
_MOST_ENCODED: Final = 22_500
"""Characters of base64 that AWS's limit of 16 KB user data makes, line ends included."""


class Tag(Struct, frozen=True, rename="pascal"):
    """Of all tags the Name is used, and those that say a pod CIDR."""

    key: str
    value: str = ""

    def __post_init__(self) -> None:
        if self.key == NAME_TAG and len(self.value) > _LONGEST_NAME:
            raise ValueError(f"Value: {len(self.value)}")


class State(Struct, frozen=True, rename="pascal"):
    state: MaybeIdentifier = "associated"


class CidrBlock(Struct, frozen=True, rename="pascal"):
    cidr_block: Cidr
    cidr_block_state: State = State()


class Vpc(Struct, frozen=True, rename="pascal"):
    vpc_id: Identifier
    cidr_block: Cidr
    cidr_block_association_set: Some[CidrBlock] = ()
    tags: Some[Tag] = ()


class Subnet(Struct, frozen=True, rename="pascal"):
    """``cidr_block`` is empty where a subnet has IPv6 only."""

    subnet_id: Identifier
    vpc_id: MaybeIdentifier = ""
    cidr_block: MaybeCidr = ""
    tags: Some[Tag] = ()


class Attachment(Struct, frozen=True, rename="pascal"):
    vpc_id: Identifier
    state: MaybeIdentifier = "available"


class InternetGateway(Struct, frozen=True, rename="pascal"):
    internet_gateway_id: Identifier
    attachments: Some[Attachment] = ()


class Association(Struct, frozen=True, rename="pascal"):
    main: bool = False
    subnet_id: MaybeIdentifier = ""
    association_state: State = State()


class Route(Struct, frozen=True, rename="pascal"):
    destination_cidr_block: MaybeCidr = ""
    destination_ipv6_cidr_block: MaybeIdentifier = ""
    destination_prefix_list_id: MaybeIdentifier = ""
    state: Identifier = "active"
    origin: Identifier = "CreateRoute"
    instance_id: MaybeIdentifier = ""
    network_interface_id: MaybeIdentifier = ""
    gateway_id: MaybeIdentifier = ""
    nat_gateway_id: MaybeIdentifier = ""
    transit_gateway_id: MaybeIdentifier = ""
    vpc_peering_connection_id: MaybeIdentifier = ""
    local_gateway_id: MaybeIdentifier = ""
    carrier_gateway_id: MaybeIdentifier = ""
    egress_only_internet_gateway_id: MaybeIdentifier = ""
    core_network_arn: MaybeIdentifier = ""
    odb_network_arn: MaybeIdentifier = ""
    ip_address: MaybeIdentifier = ""

    def __post_init__(self) -> None:
        if not self.destination:
            raise ValueError("DestinationCidrBlock: —")

    @property
    def destination(self) -> str:
        return (
            self.destination_cidr_block or self.destination_ipv6_cidr_block or self.destination_prefix_list_id
        )

    @property
    def others(self) -> tuple[str, ...]:
        """The targets that are no gateway of ours, no instance and no ENI."""
        return (
            self.nat_gateway_id,
            self.transit_gateway_id,
            self.vpc_peering_connection_id,
            self.local_gateway_id,
            self.carrier_gateway_id,
            self.egress_only_internet_gateway_id,
            self.core_network_arn,
            self.odb_network_arn,
            self.ip_address,
        )


class RouteTable(Struct, frozen=True, rename="pascal"):
    route_table_id: Identifier
    vpc_id: MaybeIdentifier = ""
    tags: Some[Tag] = ()
    associations: Some[Association] = ()
    routes: Some[Route] = ()


class PrivateAddress(Struct, frozen=True, rename="pascal"):
    private_ip_address: Address


class PublicAddress(Struct, frozen=True, rename="pascal"):
    public_ip: MaybeAddress = ""


class GroupName(Struct, frozen=True, rename="pascal"):
    group_id: Identifier


class InterfaceAttachment(Struct, frozen=True, rename="pascal"):
    device_index: Small = 0


class NetworkInterface(Struct, frozen=True, rename="pascal"):
    network_interface_id: Identifier
    subnet_id: MaybeIdentifier = ""
    vpc_id: MaybeIdentifier = ""
    private_ip_address: MaybeAddress = ""
    private_ip_addresses: Some[PrivateAddress] = ()
    association: PublicAddress = PublicAddress()
    source_dest_check: bool = True
    groups: Some[GroupName] = ()
    attachment: InterfaceAttachment = InterfaceAttachment()
    description: Text = ""


class InstanceState(Struct, frozen=True, rename="pascal"):
    name: Identifier


class Instance(Struct, frozen=True, rename="pascal"):
    """``state`` is ``None`` only for one that does not fit: see ``kthw.observed.aws.shapes.salvaged``."""

    instance_id: Identifier
    image_id: MaybeIdentifier = ""
    state: InstanceState | None = None
    tags: Some[Tag] = ()
    vpc_id: MaybeIdentifier = ""
    subnet_id: MaybeIdentifier = ""
    private_ip_address: MaybeAddress = ""
    public_ip_address: MaybeAddress = ""
    network_interfaces: Some[NetworkInterface] = ()


class Image(Struct, frozen=True, rename="pascal"):
    image_id: Identifier
    name: Name = ""
    owner_id: MaybeIdentifier = ""


class IpRange(Struct, frozen=True, rename="pascal"):
    cidr_ip: Cidr


class GroupPair(Struct, frozen=True, rename="pascal"):
    group_id: Identifier


class PrefixList(Struct, frozen=True, rename="pascal"):
    prefix_list_id: Identifier


class PrefixListEntry(Struct, frozen=True, rename="pascal"):
    """Of an IPv4 list or, where there is a colon in it, of an IPv6 one."""

    cidr: Identifier


class Permission(Struct, frozen=True, rename="pascal"):
    ip_protocol: _Protocol
    from_port: Port = -1
    to_port: Port = -1
    ip_ranges: Some[IpRange] = ()
    user_id_group_pairs: Some[GroupPair] = ()
    prefix_list_ids: Some[PrefixList] = ()


class SecurityGroup(Struct, frozen=True, rename="pascal"):
    group_id: Identifier
    vpc_id: MaybeIdentifier = ""
    group_name: Name = ""
    ip_permissions: Some[Permission] = ()
    ip_permissions_egress: Some[Permission] = ()


class PortRange(Struct, frozen=True, rename="pascal"):
    from_: Port = -1
    to: Port = -1


class IcmpTypeCode(Struct, frozen=True, rename="pascal"):
    type: Port = -1
    code: Port = -1


class AclEntry(Struct, frozen=True, rename="pascal"):
    """Of IPv4 where it has a ``cidr_block``."""

    rule_number: Small
    egress: bool
    rule_action: Literal["allow", "deny"]
    protocol: _Protocol
    cidr_block: MaybeCidr = ""
    ipv6_cidr_block: MaybeIdentifier = ""
    port_range: PortRange | None = None
    icmp_type_code: IcmpTypeCode = IcmpTypeCode()

    def __post_init__(self) -> None:
        if not (self.cidr_block or self.ipv6_cidr_block):
            raise ValueError("CidrBlock: —")


class SubnetAssociation(Struct, frozen=True, rename="pascal"):
    subnet_id: Identifier


class NetworkAcl(Struct, frozen=True, rename="pascal"):
    network_acl_id: Identifier
    vpc_id: MaybeIdentifier = ""
    is_default: bool = False
    associations: Some[SubnetAssociation] = ()
    entries: Some[AclEntry] = ()


class Encoded(Struct, frozen=True, rename="pascal"):
    value: Annotated[str, Meta(max_length=_MOST_ENCODED)] = ""


class UserData(Struct, frozen=True, rename="pascal"):
    """The answer of ``DescribeInstanceAttribute``: where there is none, that is said, by an empty one."""

    user_data: Encoded


class CallerIdentity(Struct, frozen=True, rename="pascal"):
    account: Identifier
    arn: Text = ""


# What is listed is read in several threads.
prepared(
    Vpc,
    Subnet,
    InternetGateway,
    RouteTable,
    Route,
    Instance,
    NetworkInterface,
    SecurityGroup,
    NetworkAcl,
    PrefixListEntry,
    UserData,
    CallerIdentity,
    Name,
    Identifier,
    Cidr,
)
