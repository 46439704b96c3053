"""The workers' addresses as security groups and network ACLs see them on the other side.

A request is for a pod. It comes from the node where the CNI masquerades, and from the pod itself where not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Network

import msgspec

from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.routing import Ruling
from kthw.observed.evidence import Instance


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Workers' addresses on the other side, under the range around them that one rule would be for.

    The range is asked first: 200 workers of one subnet are one question, unless the answer is no.
    ``kind``: ``nodes`` or ``pods``. ``key``: what tells these apart from any others.
    """

    kind: str
    key: str
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]]

    def lacking(self, allows: Callable[[IPv4Network], bool]) -> list[tuple[str, IPv4Network]]:
        """The workers, with their addresses, that ``allows`` says no to."""
        return [
            (worker, address)
            for around, peers in self.around.items()
            if not allows(around)
            for worker, address in peers
            if not allows(address)
        ]


def pods(network: Network, other: str) -> list[Peers]:
    """The pods of ``other``, or of all: what requests are for."""
    return network.remember(
        ("pods", other), lambda: _pods_of(network, [other] if other else network.located, other)
    )


def _pods_of(network: Network, workers: Iterable[str], key: str) -> list[Peers]:
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]] = {}
    for worker in workers:
        cidr = network.pod_cidrs.get(worker)
        if cidr:
            around.setdefault(ranges.range_of(cidr, network.pod_ranges), []).append((worker, cidr))
    return [Peers(kind="pods", key=f"pods {key}", around=around)]


def senders(network: Network, other: str) -> list[Peers]:
    """What requests of ``other``, or of all, come from: nodes that masquerade, pods of those that do not."""
    return network.remember(
        ("faces", other), lambda: _faces_of(network, [other] if other else network.located, other)
    )


def _faces_of(network: Network, workers: Iterable[str], key: str) -> list[Peers]:
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]] = {}
    bare = []
    for worker in workers:
        instance = network.located[worker]
        if not network.masquerades(worker):
            bare.append(worker)
        elif instance.address:
            address = ranges.network(instance.address)
            around.setdefault(_subnet_of(network, instance, address), []).append((worker, address))
    nodes = Peers(kind="nodes", key=f"nodes {key}", around=around)
    return [nodes, *_pods_of(network, bare, f"bare {key}")]


def _subnet_of(network: Network, instance: Instance, address: IPv4Network) -> IPv4Network:
    subnet = network.subnets.get(instance.subnet)
    return ranges.network(subnet.cidr) if subnet and subnet.cidr else address


def rule_range(network: Network, worker: str, peer: IPv4Network) -> IPv4Network:
    """The range a person would write a rule for: the VPC's for a node, the pod range for pods."""
    vpc = network.vpc_cidrs(network.located[worker].vpc)
    return ranges.range_of(peer, (*vpc, *network.pod_ranges))


def senders_by(network: Network, rulings: Collection[Ruling]) -> list[Peers]:
    """The same of the workers that these rule."""
    workers = [worker for ruling in rulings for worker in ruling.workers]
    # Two rulings may be by one table: what tells them apart is their subnets.
    subnets = tuple(subnet for ruling in rulings for subnet in ruling.subnets)
    return network.remember(("faces of", subnets), lambda: _faces_of(network, workers, f"of {subnets}"))
