"""Which addresses may be dialled when AWS's answers come from a simulation on this machine."""

from __future__ import annotations

import ipaddress
from typing import Final

from kthw.target import is_local

_PRIVATE: Final = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
        *("fc00::/7", "fe80::/10"),
    )
)
"""Where a simulation's machines may be (containers, namespaces), and no stranger's."""


def may_dial(endpoint: str, address: str, *, said_by_config: bool) -> bool:
    """Whether a connection of our own to ``address`` can hit nobody else.

    What an endpoint on this machine calls a public address is nobody's, or a stranger's. Where ssh_config
    says another host than AWS's answers did (``said_by_config``), that may be a private neighbour.
    """
    if not is_local(endpoint):
        return True
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return found.is_loopback or (said_by_config and any(found in each for each in _PRIVATE))
