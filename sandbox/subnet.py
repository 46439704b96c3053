"""A subnet as a link: ARP, and frames between its machines, as nftables of the ``netdev`` family.

Pure. A VPC has no layer 2; AWS makes it look as if it had. Whoever asks for the hardware address of a machine
in its own subnet is answered by AWS, from what it knows of the ENIs, and a frame sent to that address reaches
that ENI, whatever the packet in it is addressed to: so a kernel route through a peer carries packets. Here
each ENI's link is watched from below the kernel's own IP and ARP: a request becomes its own answer; a frame
for a peer gets the peer's mark, which chooses the kernel table that leads there (``sandbox.forwarding``), and
then passes both ENIs' filters as every packet does (``sandbox.firewall``). For an address of another subnet,
of a stopped machine or of none nobody answers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from sandbox.firewall import link_name
from sandbox.metadata import ADDRESS as METADATA_ADDRESS
from sandbox.nftables import Ruleset, plain
from sandbox.resolver import ADDRESS as RESOLVER_ADDRESS
from sandbox.state import Eni, State, Subnet

TABLE: Final = "netdev vpc"
GATEWAY_MAC: Final = "02:00:00:00:00:01"

_SENDER, _TARGET = "@nh,112,32", "@nh,192,32"
"""``arp saddr ip`` and ``arp daddr ip``, as bits: nftables writes an address into nothing else."""
_REQUEST_TO_REPLY: Final = (
    "ether daddr set ether saddr",
    "arp daddr ether set arp saddr ether",
    "arp saddr ether set arp daddr ip map @{owners}",
    "arp operation set reply",
    # The two IP addresses change places; the one between is kept where the answer's own sender goes last.
    f"@ll,48,32 set {_SENDER}",
    f"{_SENDER} set {_TARGET}",
    f"{_TARGET} set @ll,48,32",
    "ether saddr set arp saddr ether",
    "fwd to iif",
)


def ruleset(state: State, vpc: str, marks: dict[str, int]) -> Ruleset:
    """The table of ``vpc``'s links; ``marks``: the packet mark of each ENI id."""
    rules = Ruleset(TABLE)
    for subnet in state.subnets.values():
        if subnet.vpc == vpc:
            resolver = state.vpcs[vpc].resolver
            _link(
                rules,
                subnet,
                [eni for eni in state.enis.values() if eni.subnet == subnet.id],
                marks,
                resolver,
            )
    return rules


def _link(rules: Ruleset, subnet: Subnet, enis: list[Eni], marks: dict[str, int], resolver: str) -> None:
    name = plain(subnet.id)
    owned = [(address, eni.mac) for eni in enis for address in eni.addresses]
    for address in (subnet.gateway, METADATA_ADDRESS, RESOLVER_ADDRESS, resolver):
        link_local = address in (METADATA_ADDRESS, RESOLVER_ADDRESS)
        if link_local or ipaddress.IPv4Address(address) in ipaddress.IPv4Network(subnet.cidr):
            owned.append((address, GATEWAY_MAC))
    rules.map(f"owners_{name}", "type ipv4_addr : ether_addr", [f"{a} : {mac}" for a, mac in owned])
    hops = [f"{eni.mac} : {marks[eni.id]:#x}" for eni in enis]
    rules.map(f"hops_{name}", "type ether_addr : mark", hops)
    rules.chain(f"link_{name}", "", [
        f"meta protocol ip meta mark set ether daddr map @hops_{name} meta pkttype set host accept",
        "meta protocol != arp accept",
        "arp operation request " + " ".join(_REQUEST_TO_REPLY).format(owners=f"owners_{name}"),
        # What a machine says of itself or of others is nothing AWS would pass on.
        "drop",
    ])  # fmt: skip
    for eni in enis:
        hook = f'type filter hook ingress device "{link_name(eni.id)}" priority 0;'
        rules.chain(link_name(eni.id), hook, [f"jump link_{name}"])


def released(rules: Ruleset, links: Iterable[str]) -> tuple[str, Ruleset]:
    """(The script that takes the chains of these links away, what is left of ``rules``).

    For before the links go: some kernels take a chain with its link and some keep it, so the script is good
    for a chain that is there and for one that is not.
    """
    gone = sorted(set(links) & rules.chains.keys())
    steps = ("add", "flush", "delete")
    script = "".join(f"{step} chain {TABLE} {name}\n" for name in gone for step in steps)
    left = {name: chain for name, chain in rules.chains.items() if name not in gone}
    return script, Ruleset(TABLE, rules.sets, left)
