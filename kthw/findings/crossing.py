"""What the VPC does with the packets of a pair, part by part; which of them, and when, is the path's to say.

Each is the same for all workers of one zone (``zone_of``) at the one end, and for one worker at the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from kthw.findings import security
from kthw.findings.finding import Finding
from kthw.findings.pod_routes import blackhole, diverted, not_associated, way_to
from kthw.findings.unread import as_far_as_seen
from kthw.findings.vpc_routes import local_routes
from kthw.findings.workers import source_dest_checks
from kthw.network import ranges
from kthw.network.arrival import interfaces_of_probe
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes
from kthw.network.routing import Ruling


def leaves(network: Network, source: str, destination: str) -> Iterator[Finding]:
    """What the VPC does with requests before the destination's subnet: groups, ACL, table, ENI."""
    yield from security.groups_out(network, source, destination)
    yield from security.request_leaves(network, source, destination)
    yield from _routed(network, source, destination)
    yield from _arriving(network, source, destination)


def enters(network: Network, destination: str, source: str) -> Iterator[Finding]:
    """What it does with them there."""
    yield from security.request_enters(network, source, destination)
    yield from security.groups_in(network, destination, source)


def reply_leaves(network: Network, destination: str, source: str) -> list[Finding]:
    """What it does with the replies as they leave the destination's subnet."""
    return security.reply_leaves(network, source, destination)


def reply_crosses(network: Network, destination: str, source: str) -> list[Finding]:
    """Whether its table leads them back: to the node where the source masquerades, else to the pod."""
    if network.masquerades(source):
        return _local(network, destination, source)
    return [*_routed(network, destination, source), *_arriving(network, destination, source)]


def reply_enters(network: Network, source: str, destination: str) -> list[Finding]:
    """What it does with them at the source's subnet."""
    return security.reply_enters(network, source, destination)


def zone_of(network: Network, worker: str) -> object:
    """What the VPC knows a worker by: its subnet, hence its table, and the groups of its primary ENI."""
    instance = network.located[worker]
    card = instance.primary_interface
    return instance.vpc, instance.subnet, card.security_groups if card else None


def gate_of(network: Network, source: str, destination: str) -> object:
    """What the source's packets enter by at the destination: its subnet, and the groups of the ENI."""
    ruling = network.ruling_seen(source)
    crossed = interfaces_of_probe(network, destination, ruling.meant.id) if ruling else ()
    instance = network.located[destination]
    return instance.vpc, instance.subnet, tuple(card.security_groups for card in crossed)


def _arriving(network: Network, source: str, destination: str) -> list[Finding]:
    """The destination check of the ENI that the route for the probed pod leads to."""
    ruling = network.ruling_seen(source)
    if ruling is None:
        return []
    table = ruling.effective.id

    def judged() -> list[Finding]:
        return source_dest_checks(network, destination, interfaces_of_probe(network, destination, table))

    return network.remember(("arriving", table, destination), judged)


def _routed(network: Network, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's pod addresses.

    Where the lab is judged by kernel routes, the source's kernel says whether the table is asked at all.
    """
    ruling = network.ruling_seen(source)
    if ruling is None or by_node_routes(network):
        return []
    subnet = network.located[source].subnet
    key = ("routed", subnet, destination)
    return network.remember(key, lambda: _routed_by(network, ruling, subnet, destination))


def _routed_by(network: Network, ruling: Ruling, subnet: str, destination: str) -> list[Finding]:
    astray = [found for found in not_associated(network, ruling) if found.subject == subnet]
    if astray:
        return astray
    table = ruling.effective
    shadows = as_far_as_seen(lambda: diverted(network, table, destination))
    return [
        *as_far_as_seen(lambda: way_to(network, ruling, destination)),
        *as_far_as_seen(lambda: blackhole(network, table, destination)),
        *(shadow for shadow in shadows if _concerns(network, shadow)),
    ]


def _concerns(network: Network, shadow: Finding) -> bool:
    """Whether the diverted part holds the pod that is probed; unknown counts as yes."""
    node = network.evidence.nodes.get(shadow.worker)
    if node is None or not node.pod:
        return True
    return IPv4Address(node.pod) in ranges.network(shadow.destination)


def _local(network: Network, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's own node address."""
    ruling, instance = network.ruling_seen(source), network.located[destination]
    if ruling is None or not instance.address:
        return []
    table, vpc, address = ruling.effective, instance.vpc, instance.address

    def judged() -> list[Finding]:
        route = network.lookup(table.id).taking(IPv4Address(address))
        if route and route.gateway == "local":
            return []
        return as_far_as_seen(lambda: local_routes(network, table, source, vpc))

    return network.remember(("local", table.id, destination), judged)
