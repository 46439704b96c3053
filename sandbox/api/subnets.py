"""Subnets and VPCs: their private addresses, and what keeps them from being deleted."""

from __future__ import annotations

import copy
import ipaddress
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import subnets, vpcs
from moto.ec2.responses.internet_gateways import InternetGateways
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs

from sandbox.api import cidrs
from sandbox.api.refusals import Refusal, missing

_RESERVED_FIRST: Final = 4
"""AWS keeps a subnet's first four addresses, and the last (VPC User Guide, *Subnet sizing*)."""

_SIZES: Final = range(16, 29)
"""Prefix lengths of VPCs and subnets (VPC User Guide, *VPC CIDR blocks*, *Subnet sizing*)."""
_NEVER: Final = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")
"""Addresses no VPC can have (VPC User Guide, *VPC CIDR blocks*). [NV: the code they are refused with]"""


class Subnet(subnets.Subnet):
    """A subnet whose addresses in use are those of its network interfaces, and no others."""

    enable_dns64 = map_customer_owned_ip_on_launch = False
    """AWS lists both keys of every subnet, and the sandbox has neither DNS64 nor Outposts."""

    def get_available_subnet_ip(self, instance: Any) -> str:  # noqa: ARG002 -- moto's signature
        """The lowest free address; ``InsufficientFreeAddressesInSubnet`` when there is none."""
        taken = self.taken()
        network = ipaddress.IPv4Network(self.cidr_block)
        for number in range(_RESERVED_FIRST, network.num_addresses - 1):
            address = str(network[number])
            if address not in taken:
                return address
        raise Refusal(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{self.id}' to satisfy the request.",
        )

    def request_ip(self, ip: str, instance: Any) -> None:  # noqa: ARG002 -- moto's signature
        """Refuse an address that is none, not of this subnet, AWS's own, or in use."""
        network = ipaddress.IPv4Network(self.cidr_block)
        try:
            number = int(ipaddress.IPv4Address(ip)) - int(network.network_address)
        except ValueError:
            raise Refusal("InvalidParameterValue", f"invalid IPv4 address: {ip}") from None
        if not 0 <= number < network.num_addresses:
            raise Refusal(
                "InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range"
            )
        if not _RESERVED_FIRST <= number < network.num_addresses - 1:
            raise Refusal("InvalidParameterValue", f"Address {ip} is in subnet's reserved address range")
        if ip in self.taken():
            raise Refusal("InvalidIPAddress.InUse", f"Address {ip} is in use.")

    def del_subnet_ip(self, ip: str) -> None:
        """Nothing to do: the interface that had it is gone."""

    def taken(self) -> set[str]:
        """The private addresses of the subnet's network interfaces."""
        return {
            item["PrivateIpAddress"]
            for eni in self.ec2_backend.enis.values()
            if eni.subnet is self
            for item in eni.private_ip_addresses
        }


class Vpc(vpcs.VPC):
    """A VPC with the region's own set of DHCP options, until it is given another."""

    @property
    def dhcp_options_id(self) -> str:
        return str((self.dhcp_options or self.ec2_backend.own_dhcp_options).id)

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name in ("dhcp-options-id", "dhcpOptionsId"):
            return self.dhcp_options_id
        return super().get_filter_value(filter_name, method_name)


class SubnetRequests(Subnets):
    """CreateSubnet and DeleteSubnet as AWS answers them."""

    def create_subnet(self) -> ActionResult:
        cidr = self._get_param("CidrBlock")
        if not cidr:
            raise missing("CidrBlock")  # a subnet of IPv6 only has no data plane here
        self.params["CidrBlock"] = cidr = cidrs.canonical(cidr, "cidrBlock")
        if cidrs.size(cidr) not in _SIZES:
            raise Refusal("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
        ipv6 = self._get_param("Ipv6CidrBlock")
        if ipv6 and cidrs.ipv6_block(ipv6) is None:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({ipv6}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.",
            )
        self._choose_zone()
        return super().create_subnet()

    def _choose_zone(self) -> None:
        """The first where none is named; moto takes a name that no zone of the region has for the first's."""
        zones = self.ec2_backend.describe_availability_zones()
        name, identity = self._get_param("AvailabilityZone"), self._get_param("AvailabilityZoneId")
        if not name and not identity:
            self.params["AvailabilityZone"] = zones[0].name
        elif name and name not in {zone.name for zone in zones}:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({name}) for parameter availabilityZone is invalid. Subnets can currently only be"
                f" created in the following availability zones: {', '.join(zone.name for zone in zones)}.",
            )

    def delete_subnet(self) -> ActionResult:
        subnet = self.ec2_backend.get_subnet(self._get_param("SubnetId"))
        if any(eni.subnet is subnet for eni in self.ec2_backend.enis.values()):
            raise _in_use("subnet", subnet.id)
        answer = super().delete_subnet()
        for table in self.ec2_backend.route_tables.values():
            for association in [key for key, value in table._associations.items() if value == subnet.id]:
                del table._associations[association]
        for acl in self.ec2_backend.network_acls.values():
            for association in [
                key for key, value in acl._associations.items() if value.subnet_id == subnet.id
            ]:
                del acl._associations[association]
        return answer


class VpcRequests(VPCs):
    """CreateVpc, AssociateVpcCidrBlock and DeleteVpc as AWS answers them."""

    def create_vpc(self) -> ActionResult:
        cidr = self._get_param("CidrBlock")
        if not cidr:
            raise missing("CidrBlock")
        self.params["CidrBlock"] = cidr = cidrs.canonical(cidr, "cidrBlock")
        _refuse_range(cidr)
        result: Any = super().create_vpc().result
        # As AWS answers it; it is there when the next call comes.
        made = copy.copy(result["Vpc"])
        made.state = "pending"
        return ActionResult({"Vpc": made})

    def associate_vpc_cidr_block(self) -> ActionResult:
        vpc, cidr = self.ec2_backend.get_vpc(self._get_param("VpcId")), self._get_param("CidrBlock")
        if cidr:
            self.params["CidrBlock"] = cidr = cidrs.canonical(cidr, "cidrBlock")
            _refuse_range(cidr)
            self._refuse_conflict(vpc, cidr)
        elif not self._get_param("AmazonProvidedIpv6CidrBlock"):
            raise missing("CidrBlock")
        return super().associate_vpc_cidr_block()

    def disassociate_vpc_cidr_block(self) -> ActionResult:
        """Not while a subnet is in it. [NV: the code]"""
        association = self._get_param("AssociationId")
        for vpc in self.ec2_backend.vpcs.values():
            for block in _blocks(vpc):
                if block["association_id"] == association and any(
                    subnet.vpc_id == vpc.id and cidrs.covers(block["cidr_block"], subnet.cidr_block)
                    for subnet in self.ec2_backend.describe_subnets()
                ):
                    raise _in_use("vpcCidrBlockAssociation", association)
        return super().disassociate_vpc_cidr_block()

    def _refuse_conflict(self, vpc: Any, cidr: str) -> None:
        """A further block overlaps none of the VPC's, and is no larger than, or the same as, what a route of
        one of its tables is for (VPC User Guide, *VPC CIDR blocks*). The code is not verified. [NV]"""
        own = [block["cidr_block"] for block in _blocks(vpc)]
        routed = [
            route.destination_cidr_block
            for table in self.ec2_backend.route_tables.values()
            for route in table.routes
            if table.vpc_id == vpc.id and route.destination_cidr_block
        ]
        if any(cidrs.overlap(cidr, block) for block in own) or any(cidrs.covers(cidr, to) for to in routed):
            raise Refusal(
                "InvalidVpc.Range", f"The CIDR '{cidr}' conflicts with a block or route of {vpc.id}."
            )

    def delete_vpc(self) -> ActionResult:
        backend, vpc = self.ec2_backend, self.ec2_backend.get_vpc(self._get_param("VpcId"))
        groups = [group for group in backend.groups[vpc.id].values() if not group.is_default]
        acls = [acl for acl in backend.network_acls.values() if acl.vpc_id == vpc.id]
        attached = any(gateway.vpc is vpc for gateway in backend.internet_gateways.values())
        if groups or attached or any(not acl.default for acl in acls):
            raise _in_use("vpc", vpc.id)
        answer = super().delete_vpc()
        for acl in acls:
            del backend.network_acls[acl.id]
        return answer


class InternetGatewayRequests(InternetGateways):
    """AttachInternetGateway: a VPC has one internet gateway at most. It stays while it is needed."""

    def attach_internet_gateway(self) -> ActionResult:
        vpc = self.ec2_backend.get_vpc(self._get_param("VpcId"))
        if any(gateway.vpc is vpc for gateway in self.ec2_backend.internet_gateways.values()):
            raise Refusal(
                "Resource.AlreadyAssociated", f"Network {vpc.id} already has an internet gateway attached"
            )
        return super().attach_internet_gateway()

    def detach_internet_gateway(self) -> ActionResult:
        """Not while something in the VPC has a public address, auto-assigned ones too (API reference)."""
        vpc, backend = self._get_param("VpcId"), self.ec2_backend
        gateway = backend.internet_gateways.get(self._get_param("InternetGatewayId"))
        attached = gateway is not None and gateway.vpc is not None and gateway.vpc.id == vpc
        if attached and any(eni.public_ip for eni in backend.enis.values() if eni.vpc_id == vpc):
            raise Refusal(
                "DependencyViolation",
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) "
                "before detaching the gateway.",
            )
        return super().detach_internet_gateway()


def _blocks(vpc: Any) -> list[dict[str, Any]]:
    """The VPC's IPv4 blocks: moto keeps those that were taken away."""
    return [
        block
        for block in vpc.get_cidr_block_association_set()
        if block["cidr_block_state"]["state"] == "associated"
    ]


def _refuse_range(cidr: str) -> None:
    if cidrs.size(cidr) not in _SIZES or any(cidrs.overlap(cidr, never) for never in _NEVER):
        raise Refusal("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")


def _in_use(noun: str, identity: str) -> Refusal:
    return Refusal("DependencyViolation", f"The {noun} '{identity}' has dependencies and cannot be deleted.")
