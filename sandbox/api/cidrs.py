"""IPv4 CIDR blocks as AWS takes them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from sandbox.api.refusals import Refusal

_SHAPE: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}/\d{1,2}")


def canonical(text: str, parameter: str) -> str:
    """``100.68.0.18/18`` as AWS stores it: ``100.68.0.0/18`` (API reference of CreateRoute, IpRange).

    Raises ``Refusal`` (``InvalidParameterValue``, naming ``parameter``) for what is no CIDR block.
    """
    try:
        if _SHAPE.fullmatch(text):
            return str(ipaddress.IPv4Network(text, strict=False))
    except ValueError:
        pass
    raise Refusal(
        "InvalidParameterValue",
        f"Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block.",
    )


def covers(outer: str, inner: str) -> bool:
    """Whether ``inner`` lies within ``outer``; a block lies within itself."""
    return ipaddress.IPv4Network(inner).subnet_of(ipaddress.IPv4Network(outer))
