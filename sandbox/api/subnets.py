"""Subnets and VPCs: their private addresses, and what keeps them from being deleted."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import subnets
from moto.ec2.responses.internet_gateways import InternetGateways
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs

from sandbox.api import cidrs
from sandbox.api.refusals import Refusal

_RESERVED_FIRST: Final = 4
"""AWS keeps a subnet's first four addresses, and the last (VPC User Guide, *Subnet sizing*)."""


class Subnet(subnets.Subnet):
    """A subnet whose addresses in use are those of its network interfaces, and no others."""

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


class SubnetRequests(Subnets):
    """CreateSubnet and DeleteSubnet as AWS answers them."""

    def create_subnet(self) -> ActionResult:
        if self._get_param("CidrBlock"):
            self.params["CidrBlock"] = cidrs.canonical(self._get_param("CidrBlock"), "cidrBlock")
        if not self._get_param("AvailabilityZone") and not self._get_param("AvailabilityZoneId"):
            self.params["AvailabilityZone"] = self.ec2_backend.describe_availability_zones()[0].name
        return super().create_subnet()

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
        self.params["CidrBlock"] = cidrs.canonical(self._get_param("CidrBlock", ""), "cidrBlock")
        return super().create_vpc()

    def associate_vpc_cidr_block(self) -> ActionResult:
        if self._get_param("CidrBlock"):
            self.params["CidrBlock"] = cidrs.canonical(self._get_param("CidrBlock"), "cidrBlock")
        return super().associate_vpc_cidr_block()

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
    """AttachInternetGateway: a VPC has one internet gateway at most."""

    def attach_internet_gateway(self) -> ActionResult:
        vpc = self.ec2_backend.get_vpc(self._get_param("VpcId"))
        if any(gateway.vpc is vpc for gateway in self.ec2_backend.internet_gateways.values()):
            raise Refusal(
                "Resource.AlreadyAssociated", f"Network {vpc.id} already has an internet gateway attached"
            )
        return super().attach_internet_gateway()


def _in_use(noun: str, identity: str) -> Refusal:
    return Refusal("DependencyViolation", f"The {noun} '{identity}' has dependencies and cannot be deleted.")
