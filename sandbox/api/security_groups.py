"""Security groups: canonical CIDRs, all of a request's rules or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, security_groups
from moto.ec2.responses.security_groups import SecurityGroups

from sandbox.api import cidrs
from sandbox.api.refusals import Refusal

_WITH_PORTS: Final = ("tcp", "udp", "6", "17")
_EVERY_PROTOCOL: Final = ("-1", "all")


class SecurityGroup(security_groups.SecurityGroup):
    """A group that says so when it does not know a filter."""

    def matches_filter(self, key: str, filter_value: Any) -> Any:
        if not key.startswith("tag") and key not in self.filters:
            raise Refusal("InvalidParameterValue", f"The filter '{key}' is invalid")
        return super().matches_filter(key, filter_value)


class Groups(EC2Backend):
    """A VPC's default group lets its own members in (VPC User Guide, *Default security groups*)."""

    def create_security_group(
        self,
        name: str,
        description: str,
        vpc_id: str | None = None,
        tags: dict[str, str] | None = None,
        force: bool = False,
        is_default: bool | None = None,
    ) -> security_groups.SecurityGroup:
        if vpc_id:
            self.get_vpc(vpc_id)
        group = super().create_security_group(name, description, vpc_id, tags, force, is_default)
        if is_default:
            members = {"GroupId": group.id, "UserId": self.account_id}
            group.add_ingress_rule(
                security_groups.SecurityGroupRule(
                    self, "-1", group.id, None, None, None, members, is_egress=False
                )
            )
        return group


class SecurityGroupRequests(SecurityGroups):
    """Authorising, revoking and deleting, as AWS answers them."""

    def authorize_security_group_ingress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().authorize_security_group_ingress()

    def authorize_security_group_egress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().authorize_security_group_egress()

    def revoke_security_group_ingress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().revoke_security_group_ingress()

    def revoke_security_group_egress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().revoke_security_group_egress()

    def modify_security_group_rules(self) -> ActionResult:
        for item in self._get_param("SecurityGroupRules", []):
            rule = item["SecurityGroupRule"]
            if rule.get("CidrIpv4"):
                rule["CidrIpv4"] = cidrs.canonical(rule["CidrIpv4"], "cidrIpv4")
        with self._all_or_nothing():
            return super().modify_security_group_rules()

    def delete_security_group(self) -> ActionResult:
        name = self._get_param("GroupId") or self._get_param("GroupName") or ""
        group = self.ec2_backend.get_security_group_by_name_or_id(name)
        if group is not None:
            self._refuse_deletion(group)
        return super().delete_security_group()

    def _refuse_deletion(self, group: Any) -> None:
        if group.is_default:
            raise Refusal(
                "CannotDelete",
                f'the specified group: "{group.id}" name: "default" cannot be deleted by a user',
            )
        worn = any(group in eni.group_set for eni in self.ec2_backend.enis.values())
        named = any(
            rule.source_group.get("GroupId") == group.id
            for others in self.ec2_backend.groups.values()
            for other in others.values()
            if other is not group
            for rule in (*other.ingress_rules, *other.egress_rules)
        )
        if worn or named:
            raise Refusal("DependencyViolation", f"resource {group.id} has a dependent object")

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Put the group's rules back where one of the request's rules is refused."""
        for permission in (self.params, *self._get_param("IpPermissions", [])):
            _canonicalise(permission)
        name = self._get_param("GroupId") or self._get_param("GroupName") or ""
        group = self.ec2_backend.get_security_group_by_name_or_id(name)
        before = (list(group.ingress_rules), list(group.egress_rules)) if group else None
        try:
            yield
        except ServiceException:
            if group and before:
                group.ingress_rules, group.egress_rules = before
            raise


def _canonicalise(permission: dict[str, Any]) -> None:
    """One permission of a request, in place: its CIDRs, and its ports where the protocol has none."""
    for item in (permission, *permission.get("IpRanges", [])):
        if item.get("CidrIp"):
            item["CidrIp"] = cidrs.canonical(item["CidrIp"], "cidrIp")
    protocol = str(permission.get("IpProtocol") or "").lower()
    ported = permission.get("FromPort") is not None and permission.get("ToPort") is not None
    if not protocol or protocol in _EVERY_PROTOCOL or ported:
        return
    if protocol in _WITH_PORTS:
        raise Refusal(
            "InvalidParameterValue",
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
        )
    permission.setdefault("FromPort", -1)
    permission.setdefault("ToPort", -1)
