"""A pod's packet on a node, and what it looks like at each hook where the kernel asks the firewall."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final, Literal

import msgspec

from kthw.observed.evidence import DNS_PORT, PROBE_PORT, Chain

Protocol = Literal["icmp", "tcp", "udp"]
Course = Literal["out", "in", "to-node", "from-node"]
"""From a pod into the VPC, from there to a pod; from a pod to its own node, and from that."""
_ASKED: Final = {
    "tcp": range(PROBE_PORT, PROBE_PORT + 1),
    "udp": range(DNS_PORT, DNS_PORT + 1),
}
"""The ports that requests are for."""
_EPHEMERAL: Final = range(32768, 61000)
"""Where Linux takes the ports of connections from (``ip_local_port_range``)."""

_HOOKS: Final = {
    "out": ("ingress", "prerouting", "forward", "postrouting", "egress"),
    "in": ("ingress", "prerouting", "forward", "postrouting", "egress"),
    "to-node": ("ingress", "prerouting", "input"),
    "from-node": ("output", "postrouting", "egress"),
}
_HOOKS_OF_BRIDGES: Final = {
    "out": ("prerouting", "input"),
    "in": ("output", "postrouting"),
    "to-node": ("prerouting", "input"),
    "from-node": ("output", "postrouting"),
}
"""A bridge hands what is for its own node over to it, and takes what comes from there."""
_TRACKED: Final = -200
"""The priority from which on connections are known (``NF_IP_PRI_CONNTRACK``)."""
_MASK_OFF: Final = -100
"""Where the answers to a masqueraded packet get the pod's address back (``NF_IP_PRI_NAT_DST``), and"""
_MASK_ON: Final = 100
"""where it gets the node's (``NF_IP_PRI_NAT_SRC``)."""


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """``entering``, ``leaving``: interfaces, empty where unknown. ``reply``: to one that was let through.

    ``too_big``: it is ICMP's word to a sender that a link on the way takes no packets of that size.
    ``masked``: the address that stands for the pod's on the VPC's side, where it is masqueraded. ``tracked``:
    whether the kernel knows which connection it is of. ``port``: the one that is asked, ``asker``: the one
    it is asked from; 0: any that probe pods use.
    """

    source: IPv4Address
    destination: IPv4Address
    protocol: Protocol
    entering: str = ""
    leaving: str = ""
    reply: bool = False
    too_big: bool = False
    course: Course = "out"
    masked: IPv4Address | None = None
    tracked: bool = True
    port: int = 0
    asker: int = 0

    @property
    def source_ports(self) -> range | None:
        """``None`` for ICMP, which has none; as below."""
        return self._ports(of_the_asked=self.reply)

    @property
    def destination_ports(self) -> range | None:
        return self._ports(of_the_asked=not self.reply)

    def _ports(self, *, of_the_asked: bool) -> range | None:
        asked = _ASKED.get(self.protocol)
        only = self.port if of_the_asked else self.asker
        if only:
            return range(only, only + 1)
        return asked if asked is None or of_the_asked else _EPHEMERAL


def back(packet: Packet, *, course: Course) -> Packet:
    """What goes the other way in the same connection."""
    return msgspec.structs.replace(
        packet,
        source=packet.destination,
        destination=packet.source,
        entering=packet.leaving,
        leaving=packet.entering,
        reply=not packet.reply,
        course=course,
    )


def met(packet: Packet, chain: Chain) -> Packet | None:
    """The packet as that base chain is asked about it, or ``None`` where it is not.

    The interface that it enters by is known before it is handed on, the other one after; of a bridge's
    port, neither.
    """
    of_bridges = chain.table.startswith("bridge ")
    hook, course = chain.hook, packet.course
    if hook not in (_HOOKS_OF_BRIDGES if of_bridges else _HOOKS)[course] or (chain.nat and packet.reply):
        return None
    device = packet.entering if hook == "ingress" else packet.leaving
    if hook in ("ingress", "egress") and device not in chain.devices:
        return None
    if hook == "forward":
        return packet
    before = hook in ("ingress", "prerouting", "input")
    return msgspec.structs.replace(
        packet,
        entering=packet.entering if before and not of_bridges else "",
        leaving="" if before or of_bridges else packet.leaving,
        tracked=_is_tracked(hook, chain.priority) and not of_bridges,
        **_masked(packet, hook, chain.priority),
    )


def _is_tracked(hook: str, priority: int) -> bool:
    first = hook in ("prerouting", "output")
    return hook not in ("ingress", "egress") and (not first or priority >= _TRACKED)


def _masked(packet: Packet, hook: str, priority: int) -> dict[str, IPv4Address]:
    """What the packet has in place of the pod's address on the VPC's side of the masquerade."""
    if packet.masked and packet.course == "out":
        masked = hook == "egress" or (hook == "postrouting" and priority > _MASK_ON)
        return {"source": packet.masked} if masked else {}
    if packet.masked and packet.course == "in":
        masked = hook == "ingress" or (hook == "prerouting" and priority < _MASK_OFF)
        return {"destination": packet.masked} if masked else {}
    return {}
