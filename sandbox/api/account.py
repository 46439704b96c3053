"""The account: moto's EC2 backend with this package's parts, and nothing in it at first."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet

from sandbox.api import images
from sandbox.api.interfaces import Interfaces
from sandbox.api.launches import Launches
from sandbox.api.nat_gateways import NatGateways
from sandbox.api.network_acls import Acls
from sandbox.api.refusals import Refusal
from sandbox.api.security_groups import Groups


def _domain(region: str) -> str:
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


class Account(Interfaces, Launches, Groups, Acls, NatGateways):
    """One account's EC2 in one region. There is no default VPC until someone creates one."""

    # moto finds the URLs of a backend by the module of its class.
    __module__ = "moto.ec2.models"

    def __init__(self, region_name: str, account_id: str) -> None:
        self._born = False
        super().__init__(region_name, account_id)
        domain: Any = [_domain(region_name)]  # moto's annotation is of one text, and it reads a list
        self.own_dhcp_options = self.create_dhcp_options(["AmazonProvidedDNS"], domain)
        self._born = True

    def _load_amis(self) -> None:
        """In place of moto's 1,300, which every launch would search."""
        self.amis = images.of(self)

    @property
    def default_vpc(self) -> Any:
        """Where a request belongs that names no VPC; ``VPCIdNotSpecified`` where there is none."""
        vpc = self.get_default_vpc()
        if vpc is None:
            raise Refusal("VPCIdNotSpecified", "No default VPC for this user")
        return vpc

    @default_vpc.setter
    def default_vpc(self, vpc: Any) -> None:
        """moto's constructor sets it; it is looked up instead."""

    def create_default_vpc(self) -> Any:
        return super().create_default_vpc() if self._born else None

    def create_subnet(self, vpc_id: str, *args: Any, **kwargs: Any) -> Subnet:
        """moto takes the first subnet of a zone for the default VPC's, with public addresses."""
        subnet = super().create_subnet(vpc_id, *args, **kwargs)
        subnet.default_for_az = subnet.map_public_ip_on_launch = self.get_vpc(vpc_id).is_default
        return subnet

    def get_instance(self, instance_id: str) -> Instance:
        """moto copies every reservation to find one instance."""
        for reservation in self.reservations.values():
            for instance in reservation.instances:
                if instance.id == instance_id:
                    return instance
        return super().get_instance(instance_id)
