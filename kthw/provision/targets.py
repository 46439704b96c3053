"""What a route may be pointed at, by the first letters of its id; and where one can be pointed again.

Sources: EC2's CreateRoute and ReplaceRoute, ``aws ec2 replace-route help``.
"""

from __future__ import annotations

from typing import Final

from kthw.observed.evidence import Route

_KINDS: Final = {
    "i-": ("InstanceId", "--instance-id"),
    "eni-": ("NetworkInterfaceId", "--network-interface-id"),
    "igw-": ("GatewayId", "--gateway-id"),
    "vgw-": ("GatewayId", "--gateway-id"),
    "nat-": ("NatGatewayId", "--nat-gateway-id"),
    "tgw-": ("TransitGatewayId", "--transit-gateway-id"),
    "pcx-": ("VpcPeeringConnectionId", "--vpc-peering-connection-id"),
}


def parameter(target: str) -> str:
    """How the API is told of it. Raises ``KeyError`` for a kind that we point no route at."""
    return _KINDS[_kind(target)][0]


def option(target: str) -> str:
    """How the ``aws`` command is told of it."""
    return _KINDS[_kind(target)][1]


def restorable(route: Route) -> str:
    """What ``route`` can be pointed at again, or empty where that is nothing of these.

    Its interface and not its instance, which may have several by then.
    """
    target = route.network_interface or route.target
    return target if _kind(target) in _KINDS else ""


def _kind(target: str) -> str:
    return f"{target.partition('-')[0]}-"
