"""IPv4 CIDR blocks as AWS takes them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from sandbox.api.refusals import Refusal

_SHAPE: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}")


def block(text: str) -> str | None:
    """``100.68.0.18/18`` as AWS stores it: ``100.68.0.0/18`` (API reference of CreateRoute, IpRange).
    None for what is no CIDR block."""
    try:
        return str(ipaddress.IPv4Network(text, strict=False)) if _SHAPE.fullmatch(text) else None
    except ValueError:
        return None


def ipv6_block(text: str) -> str | None:
    """The same for IPv6."""
    try:
        return str(ipaddress.IPv6Network(text, strict=False)) if "/" in text and "%" not in text else None
    except ValueError:
        return None


def canonical(text: str, parameter: str) -> str:
    """``block(text)``. Raises ``Refusal`` (``InvalidParameterValue``, with the parameter) for none."""
    found = block(text)
    if found is None:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.",
        )
    return found


def covers(outer: str, inner: str) -> bool:
    """Whether ``inner`` lies within ``outer``; a block lies within itself."""
    return ipaddress.IPv4Network(inner).subnet_of(ipaddress.IPv4Network(outer))


def overlap(one: str, other: str) -> bool:
    """Whether two blocks have an address in common."""
    return ipaddress.IPv4Network(one).overlaps(ipaddress.IPv4Network(other))


def size(text: str) -> int:
    """The prefix length."""
    return ipaddress.IPv4Network(text).prefixlen
