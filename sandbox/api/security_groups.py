"""Security groups: canonical CIDRs, all of a request's rules or none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend, security_groups
from moto.ec2.responses.security_groups import SecurityGroups

from sandbox.api import permissions
from sandbox.api.refusals import Refusal, missing

_KINDS: Final = ("CidrIpv4", "CidrIpv6", "ReferencedGroupId", "PrefixListId")
_SHORT: Final = ("IpProtocol", "CidrIp", "SourceSecurityGroupName")
"""A request with one of these has one permission, and no list of them."""


class SecurityGroup(security_groups.SecurityGroup):
    """A group that says so when it does not know a filter."""

    def matches_filter(self, key: str, filter_value: Any) -> Any:
        if not key.startswith("tag") and key not in self.filters:
            raise Refusal("InvalidParameterValue", f"The filter '{key}' is invalid")
        return super().matches_filter(key, filter_value)


class SecurityGroupRule(security_groups.SecurityGroupRule):
    """A rule that tells whose its group is."""

    @property
    def group_owner_id(self) -> str:
        return self.owner_id


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
        return self._authorized(super().authorize_security_group_ingress)

    def authorize_security_group_egress(self) -> ActionResult:
        return self._authorized(super().authorize_security_group_egress)

    def revoke_security_group_ingress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().revoke_security_group_ingress()

    def revoke_security_group_egress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().revoke_security_group_egress()

    def update_security_group_rule_descriptions_ingress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().update_security_group_rule_descriptions_ingress()

    def update_security_group_rule_descriptions_egress(self) -> ActionResult:
        with self._all_or_nothing():
            return super().update_security_group_rule_descriptions_egress()

    def modify_security_group_rules(self) -> ActionResult:
        group = self._group()
        changes = self._get_param("SecurityGroupRules", [])
        for item in changes:
            permissions.check(item["SecurityGroupRule"], group)
            self._refuse_other_kind(item, group)
        with self._putting_back(group):
            answer = super().modify_security_group_rules()
            for item in changes:
                change, rule = item["SecurityGroupRule"], group.get_rule(item["SecurityGroupRuleId"])
                # moto changes IPv4 sources only.
                if change.get("CidrIpv6"):
                    rule.ip_range["CidrIpv6"] = change["CidrIpv6"]
                if change.get("ReferencedGroupId"):
                    rule.source_group["GroupId"] = change["ReferencedGroupId"]
                if change.get("PrefixListId"):
                    rule.prefix_list_id = change["PrefixListId"]
                rules = group.egress_rules if rule.is_egress else group.ingress_rules
                if any(other is not rule and other == rule and rule == other for other in rules):
                    raise Refusal(
                        "InvalidPermission.Duplicate", "the specified rule already exists in the group"
                    )
        return answer

    @staticmethod
    def _refuse_other_kind(item: dict[str, Any], group: Any) -> None:
        """A rule keeps its kind of source: a change of it is refused. [NV]"""
        change, rule = item["SecurityGroupRule"], group.get_rule(item.get("SecurityGroupRuleId"))
        if rule is None:
            return  # moto says so
        given = [key for key in _KINDS if change.get(key)]
        its = (rule.cidr_ipv4, rule.cidr_ipv6, rule.source_group, rule.prefix_list_id)
        if len(given) == 1 and not dict(zip(_KINDS, its, strict=True))[given[0]]:
            raise Refusal(
                "InvalidParameterValue",
                f"Invalid rule type for security group rule '{rule.id}'. "
                f"You may not specify {given[0]} for a rule of another type.",
            )

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

    def _authorized(self, authorize: Callable[[], ActionResult]) -> ActionResult:
        """Every rule that was made, as DescribeSecurityGroupRules tells it: moto answers with those of the
        last permission, without their ports."""
        group = self._group()
        permissions.refuse_without_source(self._get_param("IpPermissions", []))
        before = {rule.id for rule in (*group.ingress_rules, *group.egress_rules)}
        with self._all_or_nothing():
            authorize()
        made = [rule.id for rule in (*group.ingress_rules, *group.egress_rules) if rule.id not in before]
        listed = self.ec2_backend.describe_security_group_rules(made, {}) if made else []
        return ActionResult({"Return": True, "SecurityGroupRules": listed})

    def _group(self) -> Any:
        """The group the request is about; ``InvalidGroup.NotFound`` where there is none."""
        name = self._get_param("GroupId") or self._get_param("GroupName") or ""
        group = self.ec2_backend.get_security_group_by_name_or_id(name)
        if group is None:
            raise Refusal("InvalidGroup.NotFound", f"The security group '{name}' does not exist")
        return group

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """Put the group's rules back where one of the request's permissions is refused."""
        group = self._group()
        listed = self._get_param("IpPermissions", [])
        if not listed and not self._get_param("SecurityGroupRuleIds"):
            if not any(self._get_param(name) for name in _SHORT):
                raise missing("IpPermissions")
            listed = [self.params]
        permissions.check_all(listed, group)
        with self._putting_back(group):
            yield

    @staticmethod
    @contextmanager
    def _putting_back(group: Any) -> Iterator[None]:
        before = [[_copy(rule) for rule in rules] for rules in (group.ingress_rules, group.egress_rules)]
        try:
            yield
        except Exception:
            group.ingress_rules, group.egress_rules = before
            raise


def _copy(rule: Any) -> Any:
    twin = copy.copy(rule)
    twin.ip_range, twin.source_group = dict(rule.ip_range), dict(rule.source_group)
    return twin
