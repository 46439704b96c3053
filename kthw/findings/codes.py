"""The finding codes: what each is about on a packet's way, what it stops, and whom it concerns."""

from __future__ import annotations

import enum
from typing import Final, Literal

from msgspec import Struct


class Stage(enum.IntEnum):
    """Where on the way from the inventory to the packet something is wrong: mended in this order.

    ``LEFT_…``: what the clean-up left, in the order in which AWS lets it be deleted.
    """

    MACHINE = enum.auto()
    RANGE = enum.auto()
    INTERFACE = enum.auto()
    ASSOCIATION = enum.auto()
    ROUTE = enum.auto()
    LEFTOVER = enum.auto()
    LOCAL = enum.auto()
    INTERNET = enum.auto()
    GROUP = enum.auto()
    ACL = enum.auto()
    FORWARDING = enum.auto()
    FIREWALL = enum.auto()
    POD_NETWORK = enum.auto()
    NODE_ROUTE = enum.auto()
    PACKET = enum.auto()
    LEFT_INSTANCE = enum.auto()
    LEFT_BALANCER = enum.auto()
    LEFT_TARGETS = enum.auto()
    LEFT_NAT = enum.auto()
    LEFT_ADDRESS = enum.auto()
    LEFT_VOLUME = enum.auto()
    LEFT_INTERFACE = enum.auto()
    LEFT_GATEWAY = enum.auto()
    LEFT_GROUP = enum.auto()
    LEFT_SUBNET = enum.auto()
    LEFT_TABLE = enum.auto()
    LEFT_VPC = enum.auto()
    LEFT_KEY = enum.auto()


class Code(Struct, frozen=True, kw_only=True):
    """``stops``: which packets are lost because of it: those among ``pods`` (and maybe others too), those
    with the ``internet`` only, or none (``nobody``'s). ``scope``: what it is told of: one ``worker``, a part
    of the ``network`` that any worker may share, a ``pair``, or the ``lab`` as it was asked for.
    """

    stage: Stage
    stops: Literal["pods", "internet", "nobody"]
    scope: Literal["worker", "network", "pair", "lab"] = "worker"


CODES: Final[dict[str, Code]] = {
    "machine-missing": Code(stage=Stage.MACHINE, stops="nobody", scope="lab"),
    "workers-unexpected": Code(stage=Stage.MACHINE, stops="nobody", scope="lab"),
    "worker-missing": Code(stage=Stage.MACHINE, stops="nobody"),
    "worker-not-running": Code(stage=Stage.MACHINE, stops="nobody"),
    "worker-ambiguous": Code(stage=Stage.MACHINE, stops="nobody"),
    "public-address-missing": Code(stage=Stage.MACHINE, stops="nobody"),
    "pod-cidr-missing": Code(stage=Stage.RANGE, stops="nobody"),
    "pod-cidr-invalid": Code(stage=Stage.RANGE, stops="nobody"),
    "pod-cidr-overlap": Code(stage=Stage.RANGE, stops="nobody"),
    "pod-cidr-inside-vpc": Code(stage=Stage.RANGE, stops="nobody"),
    "source-dest-check-on": Code(stage=Stage.INTERFACE, stops="pods"),
    "subnet-not-associated": Code(stage=Stage.ASSOCIATION, stops="pods", scope="network"),
    "route-missing": Code(stage=Stage.ROUTE, stops="pods"),
    "route-wrong-target": Code(stage=Stage.ROUTE, stops="pods"),
    "route-blackhole": Code(stage=Stage.ROUTE, stops="pods"),
    "route-in-unused-table": Code(stage=Stage.ROUTE, stops="pods"),
    "route-shadowed": Code(stage=Stage.ROUTE, stops="pods"),
    "route-stale": Code(stage=Stage.LEFTOVER, stops="nobody"),
    "local-route-altered": Code(stage=Stage.LOCAL, stops="pods", scope="network"),
    "internet-route-missing": Code(stage=Stage.INTERNET, stops="internet", scope="network"),
    "internet-route-wrong-target": Code(stage=Stage.INTERNET, stops="internet", scope="network"),
    "internet-route-blackhole": Code(stage=Stage.INTERNET, stops="internet", scope="network"),
    "ssh-port-closed": Code(stage=Stage.GROUP, stops="nobody", scope="network"),
    "security-group-blocks": Code(stage=Stage.GROUP, stops="pods", scope="network"),
    "network-acl-blocks": Code(stage=Stage.ACL, stops="pods", scope="network"),
    "forwarding-off": Code(stage=Stage.FORWARDING, stops="pods"),
    "forward-dropped": Code(stage=Stage.FIREWALL, stops="pods"),
    "cni-config-missing": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-config-wrong": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-network-mixed": Code(stage=Stage.POD_NETWORK, stops="nobody"),
    "cni-plugin-missing": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-plugin-fails": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-bridge-conflict": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-addresses-exhausted": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "cni-subnet-mismatch": Code(stage=Stage.POD_NETWORK, stops="pods"),
    "node-route-conflict": Code(stage=Stage.NODE_ROUTE, stops="pods"),
    "node-route-missing": Code(stage=Stage.NODE_ROUTE, stops="pods"),
    "node-route-wrong-next-hop": Code(stage=Stage.NODE_ROUTE, stops="pods"),
    "node-route-off-link": Code(stage=Stage.NODE_ROUTE, stops="pods"),
    "packets-too-big": Code(stage=Stage.PACKET, stops="nobody"),
    "packets-lost": Code(stage=Stage.PACKET, stops="nobody"),
    "pod-unreachable": Code(stage=Stage.PACKET, stops="nobody", scope="pair"),
    "instance-left": Code(stage=Stage.LEFT_INSTANCE, stops="nobody", scope="lab"),
    "load-balancer-left": Code(stage=Stage.LEFT_BALANCER, stops="nobody", scope="lab"),
    "target-group-left": Code(stage=Stage.LEFT_TARGETS, stops="nobody", scope="lab"),
    "nat-gateway-left": Code(stage=Stage.LEFT_NAT, stops="nobody", scope="lab"),
    "elastic-ip-left": Code(stage=Stage.LEFT_ADDRESS, stops="nobody", scope="lab"),
    "volume-left": Code(stage=Stage.LEFT_VOLUME, stops="nobody", scope="lab"),
    "network-interface-left": Code(stage=Stage.LEFT_INTERFACE, stops="nobody", scope="lab"),
    "internet-gateway-left": Code(stage=Stage.LEFT_GATEWAY, stops="nobody", scope="lab"),
    "security-group-left": Code(stage=Stage.LEFT_GROUP, stops="nobody", scope="lab"),
    "subnet-left": Code(stage=Stage.LEFT_SUBNET, stops="nobody", scope="lab"),
    "route-table-left": Code(stage=Stage.LEFT_TABLE, stops="nobody", scope="lab"),
    "vpc-left": Code(stage=Stage.LEFT_VPC, stops="nobody", scope="lab"),
    "key-pair-left": Code(stage=Stage.LEFT_KEY, stops="nobody", scope="lab"),
}
"""Every code; none is ever renamed. Their order here means nothing."""
