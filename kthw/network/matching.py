"""Whether what a firewall's rule asks for holds for a packet; ``None`` where that is not known."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Set
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from kthw.network import ranges
from kthw.network.firewall_rules import Rule
from kthw.network.packet import Packet

_PORT: Final = re.compile(r"[0-9]{1,9}")
_UNLISTED: Final = re.compile(r"@|(^|,)[0-9]+-[0-9]")
"""A set by name (``@pods``), or a range of numbers, where names and numbers are compared."""
_PROTOCOLS: Final = {"icmp": {"icmp", "1"}, "tcp": {"tcp", "6"}, "udp": {"udp", "17"}}
"""By name, and by number as nft prints them where there is no ``/etc/protocols``."""
_ECHO_REQUEST: Final = {"echo-request", "8", "8/0", "any"}
_ECHO_REPLY: Final = {"echo-reply", "0", "0/0", "any"}
_TOO_BIG: Final = {"destination-unreachable", "3", "fragmentation-needed", "3/4", "any"}
_FRAGMENTATION: Final = {"frag-needed", "4"}
_NO_CODE: Final = {"net-unreachable", "0"}
"""As nft prints the code 0, whatever the type is."""


def holds(rule: Rule, packet: Packet) -> bool | None:
    """Whether the rule's matches hold for the packet; ``None`` where that is not known."""
    known = True
    for what, value, negated in rule.matches:
        held = _holds(what, value, packet)
        if held is negated:
            return False
        known = known and held is not None
    return known or None


def _holds(what: str, value: str, packet: Packet) -> bool | None:
    if what in ("source", "destination"):
        address = packet.source if what == "source" else packet.destination
        named = networks(value)
        return any(address in network for network in named) if named else None
    if what in ("entering", "leaving"):
        interface = packet.entering if what == "entering" else packet.leaving
        return _interface(interface, value) if interface else None
    if what == "protocol":
        return _listed(_PROTOCOLS[packet.protocol], value)
    if what == "state" and not packet.tracked:
        return None
    if what == "state":
        state = "related" if packet.too_big else "established" if packet.reply else "new"
        return state in value.lower().split(",")
    if what == "icmp-type":
        kind = _TOO_BIG if packet.too_big else _ECHO_REPLY if packet.reply else _ECHO_REQUEST
        return _listed(kind, value)
    if what == "icmp-code":
        return _listed(_FRAGMENTATION if packet.too_big else _NO_CODE, value)
    if what in ("source-port", "destination-port"):
        ports = packet.source_ports if what == "source-port" else packet.destination_ports
        return _ports(value, ports) if ports else None
    return False if what == "never" else None


def _interface(interface: str, pattern: str) -> bool | None:
    for each in pattern.split(","):
        wild = each.endswith(("+", "*"))
        if interface == each or (wild and interface.startswith(each[:-1])):
            return True
    return None if "@" in pattern else False


def _listed(names: Set[str], value: str) -> bool | None:
    """Whether any of the names is in a list, as far as it can be read."""
    if not names.isdisjoint(value.split(",")):
        return True
    return None if _UNLISTED.search(value) else False


def _ports(value: str, ports: range) -> bool | None:
    """Whether they are ``22,8000:8999``; ``None`` where only some are, or may be."""
    asked = spans(value)
    if asked is None:
        return None
    if any(low <= ports[0] and ports[-1] <= high for low, high in asked):
        return True
    return None if any(low <= ports[-1] and ports[0] <= high for low, high in asked) else False


@functools.lru_cache(maxsize=4096)
def spans(value: str) -> tuple[tuple[int, int], ...] | None:
    """The first and last ports in ``22,8000:8999``; ``None`` where not all of it can be read."""
    found = []
    for each in value.split(","):
        low, _, high = each.replace(":", "-").partition("-")
        if not _PORT.fullmatch(low) or not _PORT.fullmatch(high or low):
            return None
        found.append((int(low), int(high or low)))
    return tuple(found)


@functools.lru_cache(maxsize=4096)
def networks(value: str) -> tuple[IPv4Network, ...]:
    """The networks in ``10.200.0.0/16,10.0.1.20-10.0.1.29``; none where not all of it can be read.

    That is a set by name, an element's comment, or a mask with holes, as iptables has them.
    """
    found: list[IPv4Network] = []
    try:
        for each in value.split(","):
            first, dash, last = each.partition("-")
            if dash:
                found += ipaddress.summarize_address_range(IPv4Address(first), IPv4Address(last))
            else:
                found.append(ranges.network(each))
    except ValueError:
        return ()
    return tuple(found)
