"""What AWS lists of an account's resources, as far as the clean-up needs it: EC2's and ELB's own shapes.

As in ``wire``: ``msgspec.convert`` takes what botocore parsed and refuses what does not fit.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct, field

from kthw.observed.aws.wire import NAME_TAG, Some, Tag
from kthw.observed.leftover import Leftover, LeftoverKind
from kthw.observed.values import Identifier, MaybeAddress, MaybeIdentifier, Name, prepared


class State(Struct, frozen=True, rename="pascal"):
    """``Name`` of an instance's, ``Code`` of a load balancer's."""

    name: MaybeIdentifier = ""
    code: Any = ""


class Attachment(Struct, frozen=True, rename="pascal"):
    instance_id: MaybeIdentifier = ""
    vpc_id: MaybeIdentifier = ""


class Disk(Struct, frozen=True, rename="pascal"):
    volume_id: MaybeIdentifier = ""
    delete_on_termination: bool = False


class DiskMapping(Struct, frozen=True, rename="pascal"):
    ebs: Disk = Disk()


class Association(Struct, frozen=True, rename="pascal"):
    main: bool = False


class Resource(Struct, frozen=True, rename="pascal"):
    """What any of them may say of itself. ``names``: what AWS calls its name, and its Name tag."""

    tags: Some[Tag] = ()
    vpc_id: MaybeIdentifier = ""
    attachments: Some[Attachment] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tag.value for tag in self.tags if tag.key == NAME_TAG)

    @property
    def vpcs(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.vpc_id, *(each.vpc_id for each in self.attachments))))

    def left(self, kind: LeftoverKind, identifier: str, state: str = "", **more: Any) -> Leftover:
        """The same as evidence."""
        name, vpc = next(iter(self.names), ""), next(iter(self.vpcs), "")
        return Leftover(kind=kind, id=identifier, name=name, state=state, vpc=vpc, **more)


class Instance(Resource, frozen=True, rename="pascal", kw_only=True):
    instance_id: Identifier
    state: State
    block_device_mappings: Some[DiskMapping] = ()

    @property
    def volumes_that_go(self) -> tuple[str, ...]:
        """The volumes that are deleted with it."""
        return tuple(
            each.ebs.volume_id for each in self.block_device_mappings if each.ebs.delete_on_termination
        )

    @property
    def is_there(self) -> bool:
        return self.state.name != "terminated"


class Volume(Resource, frozen=True, rename="pascal", kw_only=True):
    volume_id: Identifier
    state: MaybeIdentifier = ""


class Address(Resource, frozen=True, rename="pascal", kw_only=True):
    allocation_id: Identifier
    public_ip: MaybeAddress = ""
    instance_id: MaybeIdentifier = ""
    network_interface_id: MaybeIdentifier = ""


class NatGateway(Resource, frozen=True, rename="pascal", kw_only=True):
    nat_gateway_id: Identifier
    state: MaybeIdentifier = ""


class NetworkInterface(Resource, frozen=True, rename="pascal", kw_only=True):
    """AWS writes its tags as ``TagSet``. ``requester_managed``: of a service, which takes it away itself."""

    network_interface_id: Identifier
    status: MaybeIdentifier = ""
    requester_managed: bool = False
    attachment: Attachment = Attachment()
    tag_set: Some[Tag] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(tag.value for tag in (*self.tag_set, *self.tags) if tag.key == NAME_TAG)


class InternetGateway(Resource, frozen=True, rename="pascal", kw_only=True):
    internet_gateway_id: Identifier


class SecurityGroup(Resource, frozen=True, rename="pascal", kw_only=True):
    group_id: Identifier
    group_name: Name = ""

    @property
    def names(self) -> tuple[str, ...]:
        # What AWS calls its name can be read everywhere, and the tag is often not there.
        return (self.group_name, *super().names)


class ReferencedGroup(Struct, frozen=True, rename="pascal"):
    group_id: MaybeIdentifier = ""


class SecurityGroupRule(Struct, frozen=True, rename="pascal"):
    security_group_rule_id: Identifier
    group_id: Identifier
    is_egress: bool = False
    referenced_group_info: ReferencedGroup = ReferencedGroup()


class Subnet(Resource, frozen=True, rename="pascal", kw_only=True):
    subnet_id: Identifier


class RouteTable(Resource, frozen=True, rename="pascal", kw_only=True):
    route_table_id: Identifier
    associations: Some[Association] = ()

    @property
    def is_main(self) -> bool:
        return any(each.main for each in self.associations)


class Vpc(Resource, frozen=True, rename="pascal", kw_only=True):
    is_default: bool = False


class KeyPair(Resource, frozen=True, rename="pascal", kw_only=True):
    """``key_name`` may be any text; the lab's is a word."""

    key_name: Name


class LoadBalancer(Resource, frozen=True, rename="pascal", kw_only=True):
    load_balancer_arn: Identifier
    load_balancer_name: Name = ""
    state: State = State()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.load_balancer_name,)


class TargetGroup(Resource, frozen=True, rename="pascal", kw_only=True):
    target_group_arn: Identifier
    target_group_name: Name = ""
    load_balancer_arns: Some[Identifier] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        return (self.target_group_name,)


SHAPES: Final = (
    Instance, LoadBalancer, TargetGroup, NatGateway, Address, Volume, NetworkInterface, InternetGateway,
    SecurityGroup, SecurityGroupRule, Subnet, RouteTable, Vpc, KeyPair,
)  # fmt: skip
# Several lists are read at once, each in a thread of its own.
prepared(*SHAPES)
