"""What a worker answers of its probe pod: its address, which all others will send packets to, or why none."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

import msgspec

from kthw.foreign import printable
from kthw.intended import tutorial
from kthw.observed import answers
from kthw.observed.evidence import Instance, Inventory, PodFailure
from kthw.secrets import masked


def pod_cidr(instance: Instance | None, option: str = "") -> IPv4Network | None:
    """The network that is stated, by ``option`` first, to be the worker's pod CIDR, where one is."""
    data = instance.user_data if instance else None
    said = [option, data.pairs.get(tutorial.POD_CIDR_KEY, "") if data else ""]
    said += [statement.cidr for statement in data.statements] if data else []
    said += instance.pod_cidr_tags.values() if instance else []
    for text in said:
        with contextlib.suppress(ValueError):
            return IPv4Network(text, strict=False)
    return None


def first_pod(cidr: IPv4Network | None) -> str:
    """The address ``host-local`` gives first (the gateway has the one before); empty where there is none."""
    return str(cidr[2]) if cidr and cidr.num_addresses > 2 else ""


def pod_address(answer: answers.PodMade, inventory: Inventory, cidrs: Iterable[IPv4Network]) -> str:
    """The pod's address, which all others will send packets to. Raises ``UnfitError``.

    That two workers' pods have one address is a mistake people make, and measured. But it is nobody's
    node, and no host on the internet, unless a worker's pod CIDR (``cidrs``) is said to be there.
    """
    if not answer.address or answer.failure:
        raise answers.UnfitError("pod: neither an address alone nor why there is none")
    address = IPv4Address(answer.address)
    nodes = {a: i.name or i.id for i in inventory.instances for a in (i.address, i.public_address) if a}
    if answer.address in nodes:
        raise answers.UnfitError(printable(f"pod: {address} is the address of {nodes[answer.address]}"))
    special = (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or address.is_reserved
    )
    if special or (address.is_global and not any(address in cidr for cidr in cidrs)):
        raise answers.UnfitError(f"pod: {address} is no address of a pod")
    return answer.address


def pod_failure(answer: answers.PodMade) -> PodFailure | None:
    """Why there is none, where there is none; in the plugin's words, but for what looks like a credential."""
    failure = None if answer.address else answer.failure
    return failure and msgspec.structs.replace(failure, said=masked(failure.said))
