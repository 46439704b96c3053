"""All that the pods of one worker may send to those of another: as ranges, and one of it.

A flow is a packet that asks and all that answers it: a ping, or what is sent to a port from a port. The
smallest of several is the one with the smallest addresses, of its source before its destination, then by
protocol and port; probe pods have the smallest of all, for theirs can be sent.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Final, TypeVar

import msgspec

from kthw.intended.pod_cidrs import SMALLEST
from kthw.network import ranges
from kthw.network.filters import Need
from kthw.network.packet import Protocol

_T = TypeVar("_T")
PROTOCOLS: Final[tuple[Protocol, ...]] = ("icmp", "tcp", "udp")
_ECHO, _ECHO_REPLY = 8, 0


@functools.lru_cache(maxsize=65536)
def _address(number: int) -> IPv4Address:
    return IPv4Address(number)


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """``port``: the one that is asked, ``asker``: the one it is asked from; 0 of a ping."""

    source: IPv4Address
    destination: IPv4Address
    protocol: Protocol
    port: int = 0
    asker: int = 0

    def __str__(self) -> str:
        """``udp 10.200.0.2:32768 → 10.200.1.2:9000``, ``icmp 10.200.0.2 → 10.200.1.2``."""
        if self.protocol == "icmp":
            return f"{self.protocol} {self.source} → {self.destination}"
        return f"{self.protocol} {self.source}:{self.asker} → {self.destination}:{self.port}"


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, and from where: by default every port, from those that Linux takes for it."""

    protocols: tuple[Protocol, ...] = PROTOCOLS
    ports: tuple[int, int] = (1, 65535)
    askers: tuple[int, int] = (32768, 60999)

    @classmethod
    def of(cls, flow: Flow) -> Span:
        """Of that one only."""
        ports, askers = (flow.port, flow.port), (flow.asker, flow.asker)
        return cls(protocols=(flow.protocol,), ports=ports, askers=askers)

    @property
    def requests(self) -> list[Need]:
        """What must get through to those that are asked."""
        return [Need(p, _ECHO, _ECHO) if p == "icmp" else Need(p, *self.ports) for p in self.protocols]

    @property
    def replies(self) -> list[Need]:
        """What must get back from them."""
        return [
            Need(p, _ECHO_REPLY, _ECHO_REPLY) if p == "icmp" else Need(p, *self.askers)
            for p in self.protocols
        ]


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the addresses in ``cidr``, ``first`` to ``last``. ``probe``: the probe pod's, if it is one."""

    cidr: IPv4Network
    first: int
    last: int
    probe: IPv4Address | None = None

    @classmethod
    def of_pods(cls, cidr: IPv4Network, probe: IPv4Address | None) -> Addresses | None:
        """Those that pods of that range can have: not the network's own, the gateway's, the broadcast's."""
        if cidr.prefixlen > SMALLEST:
            return None
        return cls(
            cidr=cidr,
            first=int(cidr[2]),
            last=int(cidr[-2]),
            probe=probe if probe and probe in cidr else None,
        )

    @classmethod
    def alone(cls, address: IPv4Address) -> Addresses:
        return cls(cidr=IPv4Network(address), first=int(address), last=int(address))

    @property
    def smallest(self) -> IPv4Address:
        return self.probe or _address(self.first)

    def rank(self, address: IPv4Address) -> tuple[bool, int]:
        """In which order they are told."""
        return address != self.probe, int(address)

    def least(self, part: IPv4Network) -> IPv4Address | None:
        """The smallest in a part of the range, if there is one."""
        if self.probe and self.probe in part:
            return self.probe
        low = max(self.first, int(part.network_address))
        return IPv4Address(low) if low <= min(self.last, int(part.broadcast_address)) else None

    def first_of(self, parts: Iterable[tuple[IPv4Network, _T]]) -> tuple[IPv4Address, _T] | None:
        """The smallest address in any of ``parts``, which come in order, and what is said of its part."""
        found: tuple[IPv4Address, _T] | None = None
        for part, said in parts:
            address = self.least(part)
            if address is not None and address == self.probe:
                return address, said
            if found is None and address is not None:
                found = address, said
        return found

    def apart(self, cuts: Iterable[IPv4Network]) -> list[IPv4Address]:
        """The smallest address of each part of the range that ``cuts`` tell apart."""
        each = (self.least(cell) for cell in ranges.cells(self.cidr, cuts))
        return sorted({address for address in each if address}, key=self.rank)
