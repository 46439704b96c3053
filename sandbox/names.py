"""What the names of a VPC stand for: what its resolver knows, and what it cannot know here. Pure.

Names and what they mean inside and outside: EC2 User Guide, *EC2 instance hostnames and domains*; VPC User
Guide, *DNS attributes for your VPC*. Of the internet it knows what there is of it: ``sandbox.internet``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox import internet
from sandbox.metadata import ADDRESS as METADATA_ADDRESS
from sandbox.state import State, Vpc

_QUAD: Final = r"(\d{1,3})-(\d{1,3})-(\d{1,3})-(\d{1,3})"
_PRIVATE: Final = re.compile(rf"ip-{_QUAD}\.(.+)")
_PUBLIC: Final = re.compile(rf"ec2-{_QUAD}\.(.+\.amazonaws\.com)")
_REVERSE: Final = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa")


@dataclass(frozen=True)
class Known:
    """What a name stands for: ``address``, or another ``name``, or, with neither, nothing of that kind.

    ``exists``: whether there is such a name; None where that is out of this sandbox's sight.
    """

    address: str = ""
    name: str = ""
    exists: bool | None = True


NOWHERE: Final = Known(exists=False)
OUT_OF_SIGHT: Final = Known(exists=None)


def look_up(name: str, vpc: Vpc, state: State) -> Known:
    """What the resolver of ``vpc`` knows of ``name``, in small letters and without a dot at its end."""
    for pattern, meaning in _MEANINGS:
        found = pattern.fullmatch(name)
        if found:
            known = meaning(found, vpc, state)
            if known:
                return known
    if name == f"instance-data.{vpc.domain}":
        return Known(METADATA_ADDRESS)
    if name in internet.NAMES:
        return Known(internet.NAMES[name])
    for balancer in state.load_balancers.values():
        if name == balancer.name.lower():
            # Of one that faces the internet the public address, inside its VPC too.
            return Known(next((public for _, public in balancer.eni.public), balancer.eni.addresses[0]))
    own = "." not in name or name.endswith((".internal", ".in-addr.arpa"))
    return NOWHERE if own else OUT_OF_SIGHT


def _private(found: re.Match[str], vpc: Vpc, _state: State) -> Known | None:
    """Of its own ranges it knows all, whether a machine has the address or not."""
    address = _address(found.groups()[:4])
    return Known(address) if found[5] == vpc.domain and _is_in(vpc, address) else None


def _public(found: re.Match[str], vpc: Vpc, state: State) -> Known | None:
    """Within the VPC the public name stands for the private address, if the VPC gives public names."""
    address = _address(found.groups()[:4])
    for eni in state.enis.values():
        for private, public in eni.public:
            its = state.vpcs[eni.vpc]
            if public == address and its.names_public and its.public_name(public) == found[0]:
                return Known(private if eni.vpc == vpc.id else public)
    return None


def _reverse(found: re.Match[str], vpc: Vpc, state: State) -> Known | None:
    address = _address(found.groups()[::-1])
    if _is_in(vpc, address):
        return Known(name=vpc.private_name(address))
    for eni in state.enis.values():
        if state.vpcs[eni.vpc].names_public and address in [public for _, public in eni.public]:
            return Known(name=state.vpcs[eni.vpc].public_name(address))
    return next((Known(name=name) for name, its in internet.NAMES.items() if its == address), None)


_MEANINGS: Final[tuple[tuple[re.Pattern[str], Callable[..., Known | None]], ...]] = (
    (_PRIVATE, _private),
    (_PUBLIC, _public),
    (_REVERSE, _reverse),
)


def _address(numbers: tuple[str, ...]) -> str:
    return ".".join(numbers)


def _is_in(vpc: Vpc, address: str) -> bool:
    try:
        wanted = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(wanted in ipaddress.IPv4Network(cidr) for cidr in vpc.cidrs)
