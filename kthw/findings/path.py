"""The way of a packet between two workers' pods, as AWS and the nodes carry it, there and back.

pod → bridge → node forwarding, kernel route, firewall → masquerade → ENI → security group out → network ACL
out → effective route table → target ENI, source/dest check → network ACL in → security group in → node
forwarding, kernel route, firewall → bridge → pod; and the reply. Every judgement is another module's; here
is only which of them a pair meets, and in which order.

What crosses the VPC has the destination's pod address and, as its source, the node's own address where
the CNI masquerades, else the pod's. The reply has the destination's *pod* address as its source (it
belongs to a connection from outside, so it is not masqueraded). Hence: a source/dest check at the
destination always drops, one at the source only without masquerade; and the reply takes the VPC's
``local`` route to a node, or the source's own pod route without masquerade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address

from kthw.errors import CouldNotLook
from kthw.findings import security
from kthw.findings.configured import as_configured
from kthw.findings.finding import Finding, once
from kthw.findings.node_firewall import dropped_arriving, dropped_leaving
from kthw.findings.node_routes import astray
from kthw.findings.nodes import cni_configured, cni_subnet_matches, forwarding_on
from kthw.findings.plugins import missing_plugins
from kthw.findings.pod_routes import blackhole, diverted, not_associated, way_to
from kthw.findings.vpc_routes import local_routes
from kthw.findings.workers import ground, one_running_instance, source_dest_checks
from kthw.network import ranges
from kthw.network.arrival import interfaces_of_probe
from kthw.network.model import Network, pod_network
from kthw.network.routing import ACTIVE, Ruling


def obstacles(network: Network, source: str, destination: str) -> list[Finding]:
    """What stands in the way from the source's pods to the destination's, the first obstacle first.

    Empty when nothing observed does. What was not seen (a node nobody logged in to) is no obstacle. A
    worker and itself: only the pod network is in the way then, the VPC never sees the packet.
    """
    key = ("obstacles", source, destination)
    return network.remember(key, lambda: _obstacles(network, source, destination))


def _obstacles(network: Network, source: str, destination: str) -> list[Finding]:
    used = as_configured(network)
    met = _met(used, source, destination)
    return met if used is network else once(told for f in met for told in _from_user_data(network, f))


def _from_user_data(network: Network, obstacle: Finding) -> list[Finding]:
    """The wrong user data where what is made from it stands in the way, else the obstacle itself."""
    made = obstacle.code.startswith("route-") or obstacle.code in (
        "cni-subnet-mismatch",
        "node-route-conflict",
    )
    return (_standing(network, obstacle.worker) if made else []) or [obstacle]


def _met(network: Network, source: str, destination: str) -> list[Finding]:
    if source == destination:
        own = astray(network, source, source)
        return once([*_standing(network, source), *_pods(network, source), *own])
    nowhere = [*_standing(network, source), *_standing(network, destination)]
    if _is_nowhere(network, source) or _is_nowhere(network, destination):
        return once(nowhere)
    return once([*nowhere, *_there(network, source, destination), *_back(network, source, destination)])


def forwarding(network: Network, worker: str) -> list[Finding]:
    """Whether the node hands packets on, as far as that was seen."""

    def judged() -> list[Finding]:
        node = network.evidence.nodes.get(worker)
        return [] if node is None or node.ip_forward is None else forwarding_on(network, worker)

    return network.remember(("forwarding", worker), judged)


def _standing(network: Network, worker: str) -> list[Finding]:
    def judged() -> list[Finding]:
        instance = network.instance(worker)
        unread = instance is not None and instance.user_data is None
        return [*one_running_instance(network, worker), *([] if unread else ground(network, worker))]

    return network.remember(("standing", worker), judged)


def _is_nowhere(network: Network, worker: str) -> bool:
    def judged() -> bool:
        there = worker in network.located and worker in network.pod_cidrs
        return not there or bool(ground(network, worker))

    return network.remember(("nowhere", worker), judged)


def _there(network: Network, source: str, destination: str) -> Iterator[Finding]:
    yield from _pods(network, source, towards=destination)
    yield from forwarding(network, source)
    yield from astray(network, source, destination)
    yield from dropped_leaving(network, source, destination)
    yield from _leaving(network, source)
    yield from security.groups_out(network, source, destination)
    yield from security.request_leaves(network, source, destination)
    yield from _routed(network, source, destination)
    yield from _arriving(network, source, destination)
    yield from security.request_enters(network, source, destination)
    yield from security.groups_in(network, destination, source)
    yield from forwarding(network, destination)
    yield from astray(network, destination, destination)
    yield from dropped_arriving(network, destination, source)
    yield from _pods(network, destination)


def _back(network: Network, source: str, destination: str) -> Iterator[Finding]:
    yield from _primary_checks(network, destination)
    yield from security.reply_leaves(network, source, destination)
    if network.masquerades(source):
        yield from _local(network, destination, source)
    else:
        yield from astray(network, destination, source)
        yield from _routed(network, destination, source)
        yield from _arriving(network, destination, source)
    yield from security.reply_enters(network, source, destination)
    yield from astray(network, source, source)


def _pods(network: Network, worker: str, towards: str = "") -> list[Finding]:
    """What keeps the pods from having addresses that work. ``towards``: their packets are on the way out.

    Pods of another range are unreachable, but what they send goes out all the same behind a masquerade,
    unless the node takes the destination for its own bridge.
    """

    def judged() -> list[Finding]:
        if worker not in network.evidence.nodes:
            return []
        missing = cni_configured(network, worker) or missing_plugins(network, worker)
        return missing or (cni_subnet_matches(network, worker) if worker in network.pod_cidrs else [])

    found = network.remember(("pods' network", worker), judged)
    if not found or not towards or not network.masquerades(worker):
        return found
    leaves = not _bridge_takes(network, worker, towards)
    return [f for f in found if f.code != "cni-subnet-mismatch" or not leaves]


def _bridge_takes(network: Network, worker: str, towards: str) -> bool:
    """Whether the node's bridge has the range the other's pods are in, or should be in."""
    node, other = network.evidence.nodes[worker], network.evidence.nodes.get(towards)
    configs = [pod_network(node), pod_network(other) if other else None]
    subnets = [config.subnet for config in configs if config]
    cidr = network.pod_cidrs.get(towards)
    theirs = [*subnets[1:], *([str(cidr)] if cidr else [])]
    try:
        mine = ranges.network(subnets[0])
        return any(mine.overlaps(ranges.network(text)) for text in theirs if text)
    except (ValueError, IndexError):
        return False


def _leaving(network: Network, source: str) -> list[Finding]:
    """The source check of the ENI that packets leave by: a masqueraded one has the ENI's own address."""
    if network.masquerades(source):
        return []
    return _primary_checks(network, source)


def _arriving(network: Network, source: str, destination: str) -> list[Finding]:
    """The destination check of the ENI that the route for the probed pod leads to."""
    ruling = network.ruling_seen(source)
    if ruling is None:
        return []
    table = ruling.effective.id

    def judged() -> list[Finding]:
        return source_dest_checks(network, destination, interfaces_of_probe(network, destination, table))

    return network.remember(("arriving", table, destination), judged)


def _primary_checks(network: Network, worker: str) -> list[Finding]:
    """The check of the primary ENI."""

    def judged() -> list[Finding]:
        instance = network.instance(worker)
        return source_dest_checks(network, worker, [instance.primary_interface if instance else None])

    return network.remember(("primary", worker), judged)


def _routed(network: Network, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's pod addresses."""
    ruling = network.ruling_seen(source)
    if ruling is None:
        return []
    key = ("routed", ruling.subnets, destination)
    return network.remember(key, lambda: _routed_by(network, ruling, destination))


def _routed_by(network: Network, ruling: Ruling, destination: str) -> list[Finding]:
    astray = not_associated(network, ruling)
    if astray:
        return astray
    table = ruling.effective
    shadows = _seen(lambda: diverted(network, table, destination))
    return [
        *_seen(lambda: way_to(network, ruling, destination)),
        *_seen(lambda: blackhole(network, table, destination)),
        *(shadow for shadow in shadows if _concerns(network, shadow)),
    ]


def _seen(judge: Callable[[], list[Finding]]) -> list[Finding]:
    """What ``judge`` finds; what depends on something that was not read is no obstacle."""
    try:
        return judge()
    except CouldNotLook:
        return []


def _concerns(network: Network, shadow: Finding) -> bool:
    """Whether the diverted part holds the pod that is probed; unknown counts as yes."""
    node = network.evidence.nodes.get(shadow.worker)
    if node is None or not node.pod:
        return True
    return IPv4Address(node.pod) in ranges.network(shadow.destination)


def _local(network: Network, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's own node address."""
    ruling, instance = network.ruling_seen(source), network.instance(destination)
    if ruling is None or instance is None or not instance.address:
        return []
    table, vpc, address = ruling.effective, instance.vpc, instance.address

    def judged() -> list[Finding]:
        route = network.lookup(table.id).taking(IPv4Address(address))
        if route and route.gateway == "local" and route.state == ACTIVE:
            return []
        return _seen(lambda: local_routes(network, table, source, vpc))

    return network.remember(("local", table.id, destination), judged)
