"""Whose network the pods are on: the chapter's, or one that is installed whole and brings its own plugin.

kubelet takes the first CNI file by name, so that file decides, on each node by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from kthw.network.model import Network
from kthw.observed.cni_networks import VPC_CNI, Brought, brought_by, not_counting, pod_network
from kthw.observed.evidence import NetworkInterface, Node

_BY_HAND: Final = ("bridge", "ptp", "macvlan", "ipvlan")
"""Plugins that make pods by what a file says that somebody wrote."""


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """The network whose CNI file counts on most workers: on ``workers`` of the ``of`` that were seen.

    ``told_by``: their CNI ``files``, or ``enis`` that it made, where no node was seen. ``alive``: its agent
    runs on one of them, or nobody looked; ``beside``: there is also a file that somebody wrote, and it does
    not count.
    """

    network: Brought
    workers: int
    of: int
    told_by: Literal["files", "enis"]
    alive: bool
    beside: bool


def counting(network: Network) -> Mapping[str, Brought | None]:
    """By worker whose node has a CNI file that counts, the network it is of; ``None`` for nobody's."""

    def find() -> dict[str, Brought | None]:
        configs = {worker: pod_network(node) for worker, node in network.evidence.nodes.items()}
        return {worker: brought_by(config) for worker, config in configs.items() if config}

    return network.remember(("counting networks",), find)


def ruling(network: Network) -> Ruling | None:
    """``None`` where most workers' pods are made by what the chapter has, or nobody could see."""
    files = counting(network)
    seen: Mapping[str, Brought | None] = files or _by_interfaces(network)
    most = Counter(filter(None, seen.values())).most_common()
    if not most or most[0][1] * 2 <= len(seen):
        return None
    brought, workers = most[0]
    nodes = [network.evidence.nodes[worker] for worker in files if files[worker] == brought]
    return Ruling(
        network=brought,
        workers=workers,
        of=len(seen),
        told_by="files" if files else "enis",
        alive=not files or any(runs(node, brought) for node in nodes),
        beside=any(each.type in _BY_HAND for node in nodes for each in not_counting(node)),
    )


def runs(node: Node, brought: Brought) -> bool:
    """Whether the network's agent runs on the node, as far as anybody looked."""
    return not brought.agent or node.cni_agents is None or brought.agent in node.cni_agents


def _by_interfaces(network: Network) -> dict[str, Brought | None]:
    """By worker, what its ENIs tell: one network makes them for its pods' addresses."""
    made = {w: any(eni.for_pods for eni in i.network_interfaces) for w, i in network.located.items()}
    return {worker: VPC_CNI if for_pods else None for worker, for_pods in made.items()}


def handed_bare(network: Network, worker: str, by: str = "") -> tuple[NetworkInterface, ...]:
    """The worker's ENIs that the kernel of ``by``, or any node's, hands packets to, in no tunnel."""

    def find() -> dict[str, set[str]]:
        hops: dict[str, set[str]] = {"": set()}
        for sender, node in network.evidence.nodes.items():
            cards = {link.name for link in node.links if not link.kind}
            hops[sender] = {route.via for route in node.routes or () if route.device in cards}
            hops[""] |= hops[sender]
        return hops

    instance, hops = network.instance(worker), network.remember(("bare next hops",), find).get(by, set())
    cards = instance.network_interfaces if instance else ()
    return tuple(eni for eni in cards if hops.intersection(eni.addresses))
