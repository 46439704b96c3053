"""Public addresses: auto-assigned ones and Elastic IPs."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, ec2_backends, elastic_ip_addresses
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses

from sandbox.api.refusals import Refusal, missing
from sandbox.internet import BENCHMARKING, DOCUMENTATION, LAPTOP


def _hosts(*blocks: str) -> Iterator[str]:
    hosts = itertools.chain.from_iterable(ipaddress.IPv4Network(block).hosts() for block in blocks)
    return itertools.cycle(text for host in hosts if (text := str(host)) != LAPTOP)


_documentation: Final = _hosts(*DOCUMENTATION)
_benchmarking: Final = _hosts(BENCHMARKING)
_SO_MANY: Final = sum(ipaddress.IPv4Network(block).num_addresses for block in DOCUMENTATION)


def next_public() -> str:
    """A public address that nobody holds and nobody had lately, auto-assigned or Elastic.

    moto draws at random, draws some twice, and draws from addresses that are somebody's; Elastic IPs it
    draws from loopback.
    """
    held = set(_held())
    for address in itertools.chain(itertools.islice(_documentation, _SO_MANY), _benchmarking):
        if address not in held:
            return address
    raise AssertionError("a cycle does not end")


def _held() -> Iterator[str]:
    for account in ec2_backends.values():
        for backend in account.values():
            yield from (eni.public_ip for eni in backend.enis.values() if eni.public_ip)
            yield from (eip.public_ip for eip in backend.addresses)


class Elastic(elastic_ip_addresses.ElasticAddress):
    """An Elastic IP that says which pool it is of, and where it can be had."""

    public_ipv4_pool = "amazon"

    @property
    def network_border_group(self) -> str:
        return str(self.ec2_backend.region_name)


class Addresses(EC2Backend):
    """Which Elastic IP is on which network interface."""

    def associate_address(
        self,
        instance: Any = None,
        eni: Any = None,
        address: str | None = None,
        allocation_id: str | None = None,
        reassociate: bool = False,
    ) -> ElasticAddress:
        """An interface has one Elastic IP here, on its primary private address. The one it had before
        goes back to the account (API reference, *AssociateAddress*)."""
        [eip] = self.address_by_ip([address]) if address else self.address_by_allocation([str(allocation_id)])
        if eni is None:
            eni = instance.only_interface()
        if eni.instance is not None and eni.instance.state == "pending":
            raise Refusal(
                "InvalidInstanceID",
                f"The pending instance '{eni.instance.id}' is not in a valid state for this operation.",
            )
        if not any(
            gateway.vpc and gateway.vpc.id == eni.vpc_id for gateway in self.internet_gateways.values()
        ):
            raise Refusal(
                "Gateway.NotAttached", f"Network {eni.vpc_id} is not attached to any internet gateway"
            )
        if eip.eni is not None and eip.eni is not eni and not reassociate:
            raise Refusal(
                "Resource.AlreadyAssociated",
                f"resource {eip.allocation_id} is already associated with associate-id {eip.association_id}",
            )
        for other in self.addresses:
            if other.eni is not None and (other is eip or other.eni is eni):
                self.disassociate_address(address=other.public_ip)
        return super().associate_address(
            instance=eni.instance, eni=eni, address=eip.public_ip, reassociate=True
        )

    def disassociate_address(self, address: str | None = None, association_id: str | None = None) -> None:
        """A running instance gets an auto-assigned address again, if it was launched with one."""
        held = [eip.eni for eip in self.addresses if address == eip.public_ip]
        held += [eip.eni for eip in self.addresses if association_id and association_id == eip.association_id]
        super().disassociate_address(address, association_id)
        for eni in held:
            if eni is not None and eni.instance is not None and eni.instance.is_running():
                eni.check_auto_public_ip()

    def release_interface(self, eni: Any) -> None:
        """Take away the Elastic IP of an interface that goes."""
        for eip in self.addresses:
            if eip.eni is eni:
                self.disassociate_address(address=eip.public_ip)


class AddressRequests(ElasticIPAddresses):
    """AllocateAddress, and ReleaseAddress: not while it is in use."""

    def allocate_address(self) -> ActionResult:
        """For a VPC, whether that is said or not: there is no other domain any more."""
        self.params["Domain"] = "vpc"
        result: Any = super().allocate_address().result
        return ActionResult(
            {**result, "PublicIpv4Pool": "amazon", "NetworkBorderGroup": self.ec2_backend.region_name}
        )

    def release_address(self) -> ActionResult:
        allocation, address = self._get_param("AllocationId"), self._get_param("PublicIp")
        if not allocation and not address:
            raise missing("AllocationId")
        for eip in self.ec2_backend.addresses:
            if eip.eni is not None and (eip.allocation_id == allocation or eip.public_ip == address):
                raise Refusal("InvalidIPAddress.InUse", f"Address {eip.public_ip} is in use.")
        return super().release_address()
