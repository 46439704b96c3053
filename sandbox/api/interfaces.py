"""Network interfaces: their addresses, their groups, and what they are attached to."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import elastic_network_interfaces
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from sandbox.api.addresses import Addresses
from sandbox.api.refusals import Refusal
from sandbox.state import mac_of

_MOST_INTERFACES: Final = 32
"""More than any instance type has."""


class NetworkInterface(elastic_network_interfaces.NetworkInterface):
    """An interface with the groups it was given, and with an Elastic IP that outlives a stop."""

    kept_by = ""
    """The load balancer's ARN or the NAT gateway's id whose interface it is, or empty."""

    def serve(self, keeper: str, kind: str) -> None:
        """From now on it is that service's, which made it and takes it away: nobody else may."""
        self.kept_by, self.interface_type = keeper, kind
        self.status, self.requester_managed = "in-use", True

    @property
    def mac_address(self) -> str:
        """That of the link on its machine."""
        return mac_of(self.id)

    @mac_address.setter
    def mac_address(self, _made_up: str) -> None:
        """moto makes one up."""

    @property
    def group_set(self) -> list[Any]:
        return self._group_set

    @property
    def association(self) -> Any:
        """Its public address as AWS tells it: where it has none, nothing is said of one."""
        told = super().association
        if told:
            told["publicDnsName"] = public_name(self.subnet, self.public_ip)
            if not self.elastic:
                told["ipOwnerId"] = "amazon"
        return told or None

    @property
    def elastic(self) -> bool:
        """Whether its public address is an Elastic IP."""
        return any(eip.eni is self for eip in self.ec2_backend.addresses)

    def stop(self) -> None:
        """An auto-assigned address is given back at a stop, and another one comes at the next start."""
        if not self.elastic:
            super().stop()

    def check_auto_public_ip(self) -> None:
        if not self.elastic:
            super().check_auto_public_ip()

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        """DescribeNetworkInterfaces' filters; an absent value is None and passes no filter."""
        values = {
            "addresses.association.public-ip": self.public_ip,
            "addresses.primary": ["true"] + ["false"] * (len(self.private_ip_addresses) > 1),
            "addresses.private-ip-address": [a["PrivateIpAddress"] for a in self.private_ip_addresses],
            "association.public-ip": self.public_ip,
            "association.allocation-id": (self.association or {}).get("allocationId"),
            "association.association-id": (self.association or {}).get("associationId"),
            "attachment.attach-time": self.attach_time,
            "attachment.attachment-id": self.attachment_id,
            "attachment.delete-on-termination": bool(self.delete_on_termination),
            "attachment.device-index": self.device_index if self.instance else None,
            "attachment.instance-id": self.instance.id if self.instance else None,
            "attachment.instance-owner-id": self.owner_id if self.instance else None,
            "attachment.status": "attached" if self.instance else "detached",
            "group-id": [group.id for group in self.group_set],
            "group-name": [group.name for group in self.group_set],
            "private-dns-name": getattr(self, "private_dns_name", None),
        }
        if filter_name in values:
            return values[filter_name]
        return super().get_filter_value(filter_name, method_name)


def public_name(subnet: Any, address: str | None) -> str:
    """The DNS name of a public address, which it has where the VPC's attribute ``enableDnsHostnames`` is on
    (VPC User Guide, *DNS attributes in your VPC*)."""
    backend = subnet.ec2_backend
    if not address or not backend.get_vpc(subnet.vpc_id).enable_dns_hostnames:
        return ""
    where = "compute-1" if backend.region_name == "us-east-1" else f"{backend.region_name}.compute"
    return f"ec2-{address.replace('.', '-')}.{where}.amazonaws.com"


class Interfaces(Addresses):
    """Interfaces are made with addresses of their subnet, each used once, and groups that exist."""

    def create_network_interface(
        self,
        subnet: Any,
        private_ip_address: str | list[str],
        private_ip_addresses: list[dict[str, Any]] | None = None,
        group_ids: list[str] | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        delete_on_termination: bool | None = False,
        **kwargs: Any,
    ) -> elastic_network_interfaces.NetworkInterface:
        subnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet
        groups = list(dict.fromkeys(group_ids or ()))
        self.refuse_groups(groups, subnet)
        listed = [
            item if isinstance(item, dict) else {"PrivateIpAddress": item}
            for item in private_ip_addresses or ()
        ]
        given = private_ip_address if isinstance(private_ip_address, list) else [private_ip_address]
        first = next(iter(given), None) or next(
            (item["PrivateIpAddress"] for item in listed if item.get("Primary")), None
        )
        wanted = dict.fromkeys([first] if first else [])
        wanted.update(dict.fromkeys(item["PrivateIpAddress"] for item in listed))
        for address in wanted:
            subnet.request_ip(address, None)
        addresses = list(wanted) if first else [subnet.get_available_subnet_ip(None), *wanted]
        eni = super().create_network_interface(
            subnet,
            addresses[0],
            [{"Primary": not position, "PrivateIpAddress": text} for position, text in enumerate(addresses)],
            groups,
            description,
            tags,
            delete_on_termination,
            **{**kwargs, "secondary_ips_count": None},
        )
        self.assign_private_ip_addresses(eni.id, None, int(kwargs.get("secondary_ips_count") or 0))
        return eni

    def assign_private_ip_addresses(
        self,
        eni_id: str,
        private_ip_addresses: list[str] | None = None,
        secondary_ips_count: int | None = None,
    ) -> elastic_network_interfaces.NetworkInterface:
        """All of them, or none where one cannot be had."""
        eni = self.get_network_interface(eni_id)
        wanted, before = list(dict.fromkeys(private_ip_addresses or ())), list(eni.private_ip_addresses)
        if wanted and secondary_ips_count:
            raise Refusal(
                "InvalidParameterCombination",
                "The parameters privateIpAddresses and secondaryPrivateIpAddressCount cannot be used "
                "together.",
            )
        for address in wanted:
            eni.subnet.request_ip(address, None)
        try:
            for position in range(len(wanted) or secondary_ips_count or 0):
                address = wanted[position] if wanted else eni.subnet.get_available_subnet_ip(None)
                eni.private_ip_addresses.append({"Primary": False, "PrivateIpAddress": address})
        except Refusal:
            eni.private_ip_addresses[:] = before
            raise
        return eni

    def delete_network_interface(self, eni_id: str) -> None:
        self.get_network_interface(eni_id)
        self.release_interface(self.enis[eni_id])
        super().delete_network_interface(eni_id)

    def refuse_groups(self, group_ids: list[str], subnet: Any) -> None:
        """``InvalidGroup.NotFound`` for an unknown group, ``InvalidParameter`` for another VPC's."""
        for group_id in group_ids:
            group = self.get_security_group_from_id(group_id)
            if group is None:
                raise Refusal("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
            if group.vpc_id != subnet.vpc_id:
                raise Refusal(
                    "InvalidParameter",
                    f"Security group {group_id} and subnet {subnet.id} belong to different networks.",
                )


class InterfaceRequests(ElasticNetworkInterfaces):
    """Attaching, detaching, deleting and modifying, with AWS's refusals."""

    def attach_network_interface(self) -> ActionResult:
        eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        index = int(self._get_param("DeviceIndex"))
        refuse_index(index)
        if eni.instance is not None:
            raise _in_use(eni.id)
        instance.refuse_terminated("attached to")
        if index in instance.nics:
            raise Refusal(
                "InvalidParameterValue",
                f"Instance '{instance.id}' already has an interface attached at device index '{index}'.",
            )
        if eni.vpc_id != instance.vpc_id or eni.availability_zone != instance.availability_zone:
            raise Refusal(
                "InvalidParameterCombination",
                "You may not attach a network interface to an instance if they are not in the same "
                "availability zone",
            )
        return super().attach_network_interface()

    def detach_network_interface(self) -> ActionResult:
        attachment = self._get_param("AttachmentId")
        for eni in self.ec2_backend.enis.values():
            if eni.attachment_id == attachment and eni.device_index == 0:
                raise Refusal(
                    "OperationNotPermitted", "The network interface at device index 0 cannot be detached."
                )
        return super().detach_network_interface()

    def delete_network_interface(self) -> ActionResult:
        eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        if eni.instance is not None or eni.kept_by:
            raise _in_use(eni.id)
        return super().delete_network_interface()

    def modify_network_interface_attribute(self) -> ActionResult:
        eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        self.ec2_backend.refuse_groups(self._get_param("Groups", []), eni.subnet)
        keep = self._get_param("Attachment.DeleteOnTermination")
        if keep is not None:
            eni.delete_on_termination = keep
        return super().modify_network_interface_attribute()

    def unassign_private_ip_addresses(self) -> ActionResult:
        eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        listed = self._get_param("PrivateIpAddresses", [])
        strange = set(listed) - {item["PrivateIpAddress"] for item in eni.private_ip_addresses}
        if strange:
            raise Refusal(
                "InvalidParameterValue",
                f"Some of the addresses are not assigned to interface {eni.id}: {', '.join(sorted(strange))}",
            )
        if eni.private_ip_address in listed:
            raise Refusal(
                "InvalidParameterValue",
                f"{eni.private_ip_address} is the primary address of {eni.id} and cannot be unassigned",
            )
        return super().unassign_private_ip_addresses()


def refuse_index(index: int) -> None:
    """``InvalidParameterValue`` for a device index no instance type has. [NV]"""
    if not 0 <= index < _MOST_INTERFACES:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({index}) for parameter deviceIndex is invalid: 0 to {_MOST_INTERFACES - 1}.",
        )


def _in_use(eni_id: str) -> Refusal:
    return Refusal("InvalidNetworkInterface.InUse", f"Interface: [{eni_id}] in use.")
