"""Protocols, ports and ICMP types as AWS takes them, in security groups and in network ACLs.

Texts seen on AWS: the unknown protocol (aws-cli#508, terraform-provider-aws#1793, where ``all`` is unknown
too: the AWS command turns it into -1 itself), the port out of range (aws-cli#1066), the missing ports
(aws-sdk-go-v2#1203; with ICMP: cfn-lint#2999), the ICMP code out of range. The others are made after them.
[NV]
"""

from __future__ import annotations

import re
from typing import Final

from sandbox.api.refusals import Refusal

ALL: Final = "-1"
ICMP: Final = ("1", "58")
TCP_UDP: Final = ("6", "17")
_NAMES: Final = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58"}
_MOST: Final = 255
_LAST_PORT: Final = 65535


def number(text: str) -> str:
    """The protocol's number, ``-1`` for all of them. Raises ``Refusal`` (``InvalidParameterValue``)."""
    named = _NAMES.get(text.lower(), text)
    if named == ALL or (re.fullmatch(r"[0-9]{1,3}", named) and int(named) <= _MOST):
        return str(int(named))
    raise _invalid(f"Invalid value '{text}' for IP protocol. Unknown protocol.")


def name(of: str) -> str:
    """How AWS lists the protocol with this number: the four that have a name by it."""
    return next((name for name, its in _NAMES.items() if its == of), of)


def check_ports(protocol: str, first: int | None, last: int | None) -> None:
    """Refuse a port range, or for ICMP a type and a code, that cannot be. ``protocol``: its number.
    Other protocols have no ports, and whatever is given for them counts for nothing."""
    if protocol in (*TCP_UDP, *ICMP) and (first is None or last is None):
        kind = "TCP/UDP" if protocol in TCP_UDP else "ICMP"
        raise _invalid(f"Invalid value 'Must specify both from and to ports with {kind}.' for portRange.")
    if first is None or last is None:
        return
    if protocol in TCP_UDP:
        for end, port in (("from", first), ("to", last)):
            if not 0 <= port <= _LAST_PORT:
                raise _invalid(f"TCP/UDP ({end}) port ({port}) out of range")
        if first > last:
            raise _invalid(f"Invalid {name(protocol).upper()} port range ({first}-{last})")
    if protocol in ICMP:
        for what, value in (("type", first), ("code", last)):
            if not -1 <= value <= _MOST:
                raise _invalid(f"ICMP {what} ({value}) out of range")
        if first == -1 and last != -1:
            raise _invalid(f"ICMP code ({last}) must be -1 where the type is: all types have all codes.")


def _invalid(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
