"""Quotas: how much a new account may have (*Amazon VPC quotas*; EC2 User Guide, *Elastic IP addresses*)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.api.refusals import Refusal

_RULES: Final = 60
"""Of a security group, in each direction and for each kind of address."""


def _in_vpc(things: Any, parameters: Mapping[str, Any]) -> int:
    return sum(thing.vpc_id == parameters.get("VpcId") for thing in things)


_QUOTAS: Final[dict[str, tuple[int, str, str, Callable[[Any, Mapping[str, Any]], int]]]] = {
    "AllocateAddress": (5, "AddressLimitExceeded", "addresses", lambda account, _: len(account.addresses)),
    "CreateInternetGateway": (
        5,
        "InternetGatewayLimitExceeded",
        "internet gateways",
        lambda account, _: len(account.internet_gateways),
    ),
    "CreateRouteTable": (
        200,
        "RouteTableLimitExceeded",
        "route tables",
        lambda account, asked: _in_vpc(account.route_tables.values(), asked),
    ),
    "CreateSubnet": (
        200,
        "SubnetLimitExceeded",
        "subnets",
        lambda account, asked: _in_vpc(account.describe_subnets(), asked),
    ),
    "CreateVpc": (5, "VpcLimitExceeded", "VPCs", lambda account, _: len(account.vpcs)),
}


def refuse(account: Any, action: str, parameters: Mapping[str, Any]) -> None:
    """``…LimitExceeded`` for one more than there may be."""
    if action in _QUOTAS:
        most, code, noun, count = _QUOTAS[action]
        if count(account, parameters) >= most:
            raise Refusal(code, f"The maximum number of {noun} has been reached.")
    if action.startswith("AuthorizeSecurityGroup"):
        group = account.get_security_group_by_name_or_id(
            parameters.get("GroupId") or parameters.get("GroupName") or ""
        )
        egress = action.endswith("Egress")
        has = len(group.egress_rules if egress else group.ingress_rules) if group else 0
        if has + max(1, len(parameters.get("IpPermissions") or ())) > _RULES:
            raise Refusal(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.",
            )
