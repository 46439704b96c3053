"""What stops some of the packets that the pods of one worker may send to those of another."""

from __future__ import annotations

from ipaddress import IPv4Address

import msgspec

from kthw.network.flows import Addresses, Flow, Span
from kthw.network.packet import Protocol


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """Of the flows that one place on the way stops, the smallest: what is left out of it may be anything.

    ``where``, in notation, is what stops it. A finding about it has the code ``code`` and a subject that
    begins with ``subject``; of what is no failure there is none. ``doubt``: it only may, as far as was seen:
    what was not (``node``, ``firewall``, ``kernel-routes``, ``group``, ``acl``, ``table``, ``prefix-list``),
    or not understood (``rule``), or too much to be gone through (``many``).
    """

    where: str
    code: str = ""
    subject: str = ""
    doubt: str = ""
    source: IPv4Address | None = None
    destination: IPv4Address | None = None
    protocol: Protocol | None = None
    port: int = 0
    asker: int = 0

    def flow(self, source: Addresses, destination: Addresses, span: Span) -> Flow:
        """The smallest of all between the two that it stops."""
        protocol = self.protocol or span.protocols[0]
        ports = protocol != "icmp"
        return Flow(
            source=self.source or source.smallest,
            destination=self.destination or destination.smallest,
            protocol=protocol,
            port=(self.port or span.ports[0]) if ports else 0,
            asker=(self.asker or span.askers[0]) if ports else 0,
        )
