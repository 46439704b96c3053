"""Network ACLs: their entries as AWS keeps them."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, network_acls
from moto.ec2.responses.network_acls import NetworkACLs

from sandbox.api import cidrs, protocols
from sandbox.api.refusals import Refusal, missing

LAST_RULE: Final = 32767
"""The number AWS lists the implied final deny under."""


class Acls(EC2Backend):
    """A new network ACL denies everything, and says so (VPC User Guide, *Network ACLs*)."""

    def create_network_acl(
        self, vpc_id: str, tags: list[dict[str, str]] | None = None, default: bool = False
    ) -> network_acls.NetworkAcl:
        acl = super().create_network_acl(vpc_id, tags, default)
        for egress in () if default else (True, False):
            self.create_network_acl_entry(
                acl.id, LAST_RULE, "-1", "deny", egress, "0.0.0.0/0", None, None, None, None, None
            )
        return acl


class NetworkAclRequests(NetworkACLs):
    """The entries and associations, with AWS's refusals."""

    def create_network_acl_entry(self) -> ActionResult:
        self._check_entry()
        return super().create_network_acl_entry()

    def replace_network_acl_entry(self) -> ActionResult:
        self._check_entry()
        self._refuse_absent()
        return super().replace_network_acl_entry()

    def delete_network_acl_entry(self) -> ActionResult:
        self._refuse_number()
        self._refuse_absent()
        return super().delete_network_acl_entry()

    def delete_network_acl(self) -> ActionResult:
        acl = self.ec2_backend.get_network_acl(self._get_param("NetworkAclId"))
        if acl.default:
            raise Refusal("InvalidParameterValue", f"cannot delete default network ACL {acl.id}")
        return super().delete_network_acl()

    def replace_network_acl_association(self) -> ActionResult:
        association = self._get_param("AssociationId")
        acl: Any = self.ec2_backend.get_network_acl(self._get_param("NetworkAclId"))
        holder = next(
            (other for other in self.ec2_backend.network_acls.values() if association in other._associations),
            None,
        )
        if holder is None:
            raise Refusal(
                "InvalidAssociationID.NotFound", f"The association ID '{association}' does not exist"
            )
        if holder.vpc_id != acl.vpc_id:
            raise Refusal(
                "InvalidParameterValue",
                f"Network ACL {acl.id} and association {association} belong to different networks",
            )
        return super().replace_network_acl_association()

    def _check_entry(self) -> None:
        """An entry as AWS keeps it. Which texts refuse what is missing is not verified. [NV]"""
        self._refuse_number()
        given = str(self._get_param("Protocol"))
        protocol = protocols.ALL if given == "all" else protocols.number(given)
        self.params["Protocol"] = protocol
        if str(self._get_param("RuleAction")) not in ("allow", "deny"):
            action = self._get_param("RuleAction")
            raise Refusal("InvalidParameterValue", f"Value ({action}) for parameter ruleAction is invalid.")
        self._check_ports(protocol)
        cidr, ipv6 = self._get_param("CidrBlock"), self._get_param("Ipv6CidrBlock")
        if cidr and ipv6:
            raise Refusal(
                "InvalidParameterCombination",
                "The parameters cidrBlock and ipv6CidrBlock cannot be used together.",
            )
        if not cidr and not ipv6:
            raise missing("CidrBlock")
        if cidr:
            self.params["CidrBlock"] = cidrs.canonical(cidr, "cidrBlock")
        elif cidrs.ipv6_block(ipv6) is None:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({ipv6}) for parameter ipv6CidrBlock is invalid. This is not a valid CIDR block.",
            )

    def _check_ports(self, protocol: str) -> None:
        ports, icmp = self._get_param("PortRange") or {}, self._get_param("IcmpTypeCode") or {}
        if icmp:
            # moto looks for it under its name on the wire.
            self.params["Icmp"] = icmp
        if protocol in protocols.TCP_UDP:
            protocols.check_ports(protocol, ports.get("From"), ports.get("To"))
        if protocol in protocols.ICMP:
            protocols.check_ports(protocol, icmp.get("Type"), icmp.get("Code"))

    def _refuse_number(self) -> None:
        number = int(self._get_param("RuleNumber"))
        if not 0 < number < LAST_RULE:
            raise Refusal(
                "InvalidParameterValue",
                f"Value ({number}) for parameter ruleNumber is invalid: 1 to {LAST_RULE - 1}.",
            )

    def _refuse_absent(self) -> None:
        acl = self.ec2_backend.get_network_acl(self._get_param("NetworkAclId"))
        number, egress = int(self._get_param("RuleNumber")), bool(self._get_param("Egress"))
        if not any(
            entry.rule_number == number and entry.egress == egress for entry in acl.network_acl_entries
        ):
            raise Refusal(
                "InvalidNetworkAclEntry.NotFound",
                f"The network acl entry identified by {number} does not exist in {acl.id}",
            )
