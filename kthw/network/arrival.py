"""Where packets for a worker's pods arrive: the ENIs that the routes name that carry any of its pod CIDR.

What the route for the whole pod CIDR names counts only where it takes any packet, that is, where narrower
routes do not take all of them.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes, handed_to
from kthw.observed.evidence import NetworkInterface, Route


def interfaces(network: Network, worker: str, table_id: str) -> tuple[NetworkInterface, ...]:
    """The ENIs of the worker where packets that the table routes arrive; the primary where it names none."""
    key = ("interfaces", table_id, worker)
    return network.remember(key, lambda: _interfaces(network, worker, table_id))


def interfaces_of_probe(network: Network, worker: str, table_id: str) -> tuple[NetworkInterface, ...]:
    """The same for packets to the pod that is probed; where its address is not known, it may be any."""
    key = ("interfaces of probe", table_id, worker)
    return network.remember(key, lambda: _interfaces_of_probe(network, worker, table_id))


def undecided(network: Network, worker: str, table_id: str) -> str:
    """The prefix list that was not read and leads to another ENI of the worker than those known, or empty."""
    instance = network.instance(worker)
    mine = {eni.id for eni in instance.network_interfaces} if instance else set()
    others = mine - {eni.id for eni in interfaces(network, worker, table_id)}
    unread = network.lookup(table_id).unread
    return next((route.prefix_list for route in unread if route.network_interface in others), "")


def _interfaces(network: Network, worker: str, table_id: str) -> tuple[NetworkInterface, ...]:
    cidr = network.pod_cidrs.get(worker)
    return _named(network, worker, _routes_for(network, cidr, table_id) if cidr else [])


def _interfaces_of_probe(network: Network, worker: str, table_id: str) -> tuple[NetworkInterface, ...]:
    node, cidr = network.evidence.nodes.get(worker), network.pod_cidrs.get(worker)
    if node is None or not node.pod or cidr is None or IPv4Address(node.pod) not in cidr:
        return interfaces(network, worker, table_id)
    route = network.lookup(table_id).taking(IPv4Address(node.pod))
    return _named(network, worker, [route] if route else [])


def _routes_for(network: Network, cidr: IPv4Network, table_id: str) -> list[Route]:
    lookup = network.lookup(table_id)
    narrower = lookup.within(cidr)
    whole = lookup.exactly(cidr) or lookup.around(cidr)
    return narrower if whole is None or lookup.covered(cidr, narrower) else [whole, *narrower]


def _named(network: Network, worker: str, routes: list[Route]) -> tuple[NetworkInterface, ...]:
    instance = network.instance(worker)
    if instance is None:
        return ()
    names = {route.network_interface for route in routes}
    named = tuple(eni for eni in instance.network_interfaces if eni.id in names)
    if by_node_routes(network):
        named = tuple(dict.fromkeys([*handed_to(network, worker), *named]))
    return named or ((instance.primary_interface,) if instance.primary_interface else ())
