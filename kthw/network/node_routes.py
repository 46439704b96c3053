"""How packets for pods find their node here: by the VPC's routes, by kernel routes, or by a CNI plugin's.

A kernel route through a peer works within one subnet: the frame goes to the peer's own address. In another
subnet it goes to AWS's router, which knows no pod CIDR but those of its tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import Literal

import msgspec

from kthw.intended.cluster import AUTO, CNI_PLUGIN, NODE_ROUTES, VPC_ROUTES
from kthw.network.cni import Ruling, ruling
from kthw.network.model import Network
from kthw.network.routing import ACTIVE
from kthw.observed.evidence import Instance, KernelRoute, NetworkInterface, Way


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """``name``: the network model that the lab is judged by; ``why``: it was ``asked`` for, or what is there:
    only the ``vpc``'s routes, only the ``nodes``', ``both`` (then what most packets take), ``neither``, or
    no VPC routes and no node's kernel was ``unseen``; or most workers' CNI ``files``, or ``enis``, are of a
    network that brings its own plugin.

    ``vpc``: the workers whose pod CIDR a VPC route is for. ``nodes``: of ``ways`` from a worker's kernel to
    another worker's pods, those by a kernel route through a worker. ``ruling``: that network, where one is.
    """

    name: Literal["vpc-routes", "node-routes", "cni-plugin"]
    why: Literal["asked", "vpc", "nodes", "few", "both", "neither", "unseen", "files", "enis"]
    vpc: int
    nodes: int
    ways: int
    ruling: Ruling | None = None

    @property
    def plugin(self) -> str:
        """The network that brings its own plugin, by name; empty where none is known."""
        return self.ruling.network.name if self.ruling else ""


def network_model(network: Network) -> Model:
    """What ``--network`` said; ``auto`` is what is there, and where that is nothing what the chapter has.

    Where both are there, the kernel is asked first, on the node: its routes are meant where they take most
    of what goes between workers of one subnet, which is all that they can carry. Where no VPC route is
    there, half is enough: of two nodes, one has forgotten.
    """
    return network.remember(("network model",), lambda: _model(network))


def by_node_routes(network: Network) -> bool:
    """Whether the lab is judged by kernel routes on the nodes."""
    return network_model(network).name == NODE_ROUTES


def by_plugin(network: Network) -> bool:
    """Whether the pods' network is a CNI plugin's business, and the chapter's routes are not asked for."""
    return network_model(network).name == CNI_PLUGIN


def _model(network: Network) -> Model:
    asked = network.evidence.intended.network
    vpc, nodes, ways, near = _routed_by_vpc(network), 0, 0, 0
    mine, neighbours = addresses(network), _neighbours(network)
    seen = ((worker, network.evidence.nodes.get(worker)) for worker in network.workers)
    for worker, node in ((worker, node) for worker, node in seen if node):
        others = {way.towards for way in node.ways} - {worker}
        ways += len(others)
        near += len(others & neighbours.get(worker, set()))
        handed = {way.towards for way in node.ways if way.via in mine and by_next_hop(way)}
        nodes += len(handed - {worker})
    most = nodes * 2 > near or (nodes * 2 == near and not vpc)
    brought = ruling(network)
    # Files alone may be left over: where nothing of it runs, what else was begun is what is meant.
    if asked == AUTO and brought and (brought.alive or not (vpc or nodes or brought.beside)):
        return Model(name=CNI_PLUGIN, why=brought.told_by, vpc=vpc, nodes=nodes, ways=ways, ruling=brought)
    name = asked if asked != AUTO else NODE_ROUTES if nodes and most else VPC_ROUTES
    there = {
        (True, True): "both",
        (True, False): "vpc",
        (False, True): "nodes" if most else "few",
        (False, False): "neither" if ways else "unseen",
    }[bool(vpc), bool(nodes)]
    return Model(
        name=name,  # type: ignore[arg-type]
        why="asked" if asked != AUTO else there,  # type: ignore[arg-type]
        vpc=vpc,
        nodes=nodes,
        ways=ways,
        ruling=brought if name == CNI_PLUGIN else None,
    )


def _neighbours(network: Network) -> dict[str, set[str]]:
    """By worker, those of its subnet, itself included."""
    subnets: dict[str, set[str]] = {}
    for worker, instance in network.located.items():
        subnets.setdefault(instance.subnet, set()).add(worker)
    return {worker: subnets[instance.subnet] for worker, instance in network.located.items()}


def _routed_by_vpc(network: Network) -> int:
    """The workers whose pod CIDR a route of the tables that count is for, wherever it leads."""
    lookups = [network.lookup(ruling.meant.id) for ruling in network.rulings]
    return sum(
        1
        for cidr in network.pod_cidrs.values()
        for routes in [[r for each in lookups for r in (each.exactly(cidr), each.around(cidr)) if r]]
        if any(route.gateway != "local" for route in routes)
    )


def ways_of(network: Network, worker: str) -> Mapping[str, list[Way]]:
    """By the worker they are for, where its kernel sends packets: to a pod first, then parts of the range."""

    def find() -> dict[str, list[Way]]:
        found: dict[str, list[Way]] = {}
        node = network.evidence.nodes.get(worker)
        for way in node.ways if node else ():
            found.setdefault(way.towards, []).append(way)
        return found

    return network.remember(("ways of", worker), find)


def by_next_hop(way: Way) -> bool:
    """Whether an entry of its own, not the default route's, hands the packet to a next hop."""
    return not is_default(way) and way.via != "" and way.kind == "unicast"


def is_default(way: Way) -> bool:
    """Whether no entry of its own takes the packet, but what takes all else, or nothing at all."""
    return way.route.startswith("default ") or way.kind == "none"


def addresses(network: Network) -> dict[str, str]:
    """By private address, the worker that has it."""

    def find() -> dict[str, str]:
        return {
            address: worker
            for worker, instance in network.located.items()
            for address in (
                instance.address,
                *(a for eni in instance.network_interfaces for a in eni.addresses),
            )
            if address
        }

    return network.remember(("addresses of workers",), find)


def senders(network: Network) -> dict[str, Instance]:
    """Whose packets must reach pods: the workers in a subnet, and the machines of ``--also``, by name."""

    def find() -> dict[str, Instance]:
        return {name: it for name, it in {**network.also, **network.located}.items() if it.subnet}

    return network.remember(("senders",), find)


def on_link(network: Network, worker: str, other: str) -> str:
    """An address of ``other`` in the worker's subnet, the primary ENI's first; empty where it has none."""
    here, there = senders(network).get(worker), network.located.get(other)
    if here is None or there is None:
        return ""
    cards = sorted(there.network_interfaces, key=lambda eni: eni.device_index)
    near = (eni.addresses[0] for eni in cards if eni.subnet == here.subnet and eni.addresses)
    return next(near, there.address if there.subnet == here.subnet else "")


def is_bare(network: Network, worker: str, way: Way) -> bool:
    """Whether the packet goes to AWS's router."""
    return is_default(way) or way.via == network.router(senders(network)[worker].subnet)


def is_near(network: Network, worker: str, other: str, address: str) -> bool:
    """Whether that address of ``other`` is in the worker's subnet."""
    cards = network.located[other].network_interfaces
    subnet = next((eni.subnet for eni in cards if address in eni.addresses), network.located[other].subnet)
    return subnet == senders(network)[worker].subnet


def carried(network: Network, worker: str, other: str, address: str) -> bool:
    """Whether the table of the worker's subnet leads there. Raises ``CouldNotLook`` where it was not seen."""
    ruling = network.ruling(worker)
    if ruling is None:
        return False
    lookup = network.lookup(ruling.effective.id)

    def leads() -> bool:
        route = lookup.taking(IPv4Address(address))
        return route is not None and route.state == ACTIVE and network.goes_to(route, other)

    # Asked by every node of the subnet.
    if network.remember(("carried", ruling.effective.id, other, address), leads):
        return True
    for unread in lookup.unread:
        raise network.prefix_lists.unread(unread.prefix_list)
    return False


def handed_to(network: Network, worker: str) -> tuple[NetworkInterface, ...]:
    """The worker's ENIs that other nodes' kernels hand its pods' packets to."""

    def find() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for sender in network.evidence.nodes:
            for other, ways in ways_of(network, sender).items():
                if other != sender and by_next_hop(ways[0]):
                    found.setdefault(other, set()).add(ways[0].via)
        return found

    instance = network.instance(worker)
    hops = network.remember(("next hops",), find).get(worker, set())
    cards = instance.network_interfaces if instance else ()
    return tuple(eni for eni in cards if hops.intersection(eni.addresses))


def through_peers(network: Network, worker: str) -> Iterable[KernelRoute]:
    """The node's kernel routes through other workers, as far as they were looked at."""
    node, mine = network.evidence.nodes.get(worker), addresses(network)
    routes = (node.routes if node else None) or ()
    return (route for route in routes if mine.get(route.via, worker) != worker)
