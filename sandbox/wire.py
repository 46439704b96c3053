"""One ENI as a veth: the end in its VPC's namespace, the end on its node.

A peer in the subnet is on-link, so that a kernel route may lead through it; what is addressed to the peer
itself takes the route of the lower metric, through the gateway, whose neighbour is permanent. To whom it goes
and what stops it is the same, and it needs no ARP: the kernel's neighbour table is shared by all namespaces
and holds 1,024 learnt entries, which 33 machines that all talk to each other would fill.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from sandbox import namespaces
from sandbox.firewall import link_name
from sandbox.looking import look
from sandbox.state import Eni
from sandbox.subnet import GATEWAY_MAC

_MTU: Final = 9001
"""What current-generation instances have inside a VPC (EC2 User Guide, *Network MTU*)."""
_BEHIND: Final = 1000
"""By how much the metric of the on-link route is the higher one."""


def place(eni: Eni) -> tuple[object, ...]:
    """What cannot change without the link being made anew."""
    return eni.instance, eni.subnet, eni.index, eni.device


def make(eni: Eni, cidr: str) -> None:
    """Make the link of an ENI in the subnet ``cidr``, both ends. Raises ``CommandError``.

    What a node's root may have put there before (``sudo ip route …``) is replaced and no obstacle.
    """
    link, inside, mac = link_name(eni.id), eni.device, eni.mac
    subnet = ipaddress.IPv4Network(cidr)
    gateway = str(subnet.network_address + 1)
    # Two interfaces may be in one subnet: a metric each, as Ubuntu's netplan gives them to DHCP's routes.
    metric = 100 * (eni.index + 1)
    source = f"src {eni.addresses[0]} metric"
    namespaces.ip(eni.vpc, [
        f"link add {link} mtu {_MTU} address {GATEWAY_MAC} type veth"
        f" peer name {inside} mtu {_MTU} address {mac} netns {eni.instance}",
        f"addr add {gateway}/32 dev {link}",
        f"link set {link} up",
        *_neighbours(eni, eni.addresses),
    ])  # fmt: skip
    node = [
        *(f"addr add {a}/{subnet.prefixlen} dev {inside} noprefixroute" for a in eni.addresses),
        f"link set {inside} up",
        f"neigh replace {gateway} lladdr {GATEWAY_MAC} dev {inside} nud permanent",
        f"route replace {gateway}/32 dev {inside} proto dhcp scope link {source} {metric}",
        f"route replace {subnet} via {gateway} dev {inside} {source} {metric}",
        f"route replace {subnet} dev {inside} proto kernel scope link {source} {metric + _BEHIND}",
    ]
    if eni.index == 0:
        node.append(f"route replace default via {gateway} dev {inside} proto dhcp {source} {metric}")
    namespaces.ip(eni.instance, node)


def readdress(eni: Eni, cidr: str, perhaps: Iterable[str]) -> None:
    """Give a living link exactly the ENI's addresses; ``perhaps``: those of ours it may have now.

    What is to go is looked for first, on both ends: whoever is root on the node may have taken it away
    already, or have renamed the interface. Where it is gone altogether there is nothing to do on the node:
    AWS gives and takes addresses of an ENI, whatever the guest makes of them. Raises ``CommandError``.
    """
    link, gone = link_name(eni.id), set(perhaps) - set(eni.addresses)
    length = ipaddress.IPv4Network(cidr).prefixlen
    known = (
        {row["dst"] for row in look(eni.vpc, f"-4 neigh show dev {link} nud permanent")} if gone else set()
    )
    forgotten = [f"neigh del {address} dev {link}" for address in sorted(gone & known)]
    namespaces.ip(eni.vpc, forgotten + _neighbours(eni, eni.addresses))
    for row in look(eni.instance, "addr show"):
        if row.get("address") == eni.mac:
            inside = row["ifname"]
            there = {(item["local"], item["prefixlen"]) for item in row["addr_info"] if "local" in item}
            namespaces.ip(eni.instance, [
                *(f"addr del {a}/{length} dev {inside}" for a in sorted(gone) if (a, length) in there),
                *(f"addr replace {a}/{length} dev {inside} noprefixroute" for a in eni.addresses
                  if (a, length) not in there),
            ])  # fmt: skip


def _neighbours(eni: Eni, addresses: Iterable[str]) -> list[str]:
    link, mac = link_name(eni.id), eni.mac
    return [f"neigh replace {address} lladdr {mac} dev {link} nud permanent" for address in addresses]
