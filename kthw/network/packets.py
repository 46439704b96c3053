"""One packet, as a node that forwards it sees it."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final, Literal

import msgspec

from kthw.observed.evidence import DNS_PORT, PROBE_PORT

Protocol = Literal["icmp", "tcp", "udp"]
_ASKED: Final = {
    "tcp": range(PROBE_PORT, PROBE_PORT + 1),
    "udp": range(DNS_PORT, DNS_PORT + 1),
}
"""The ports that requests are for."""
_EPHEMERAL: Final = range(32768, 61000)
"""Where Linux takes the ports of connections from (``ip_local_port_range``)."""


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """``entering``, ``leaving``: interfaces, empty where unknown. ``reply``: to one that was let through.

    ``too_big``: it is ICMP's word to a sender that a link on the way takes no packets of that size.
    ``port``: the one that is asked, ``asker``: the one it is asked from; 0: any that probe pods use.
    """

    source: IPv4Address
    destination: IPv4Address
    protocol: Protocol
    entering: str = ""
    leaving: str = ""
    reply: bool = False
    too_big: bool = False
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
        if asked is None or not only:
            return asked if asked is None or of_the_asked else _EPHEMERAL
        return range(only, only + 1)
