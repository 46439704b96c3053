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

from collections.abc import Iterator
from ipaddress import IPv4Address

from kthw.findings import security
from kthw.findings.configured import as_configured
from kthw.findings.finding import Finding, once
from kthw.findings.node_firewall import dropped_arriving, dropped_leaving
from kthw.findings.node_routes import astray
from kthw.findings.nodes import cni_configured, cni_subnet_matches, forwarding_on
from kthw.findings.pod_routes import blackhole, diverted, not_associated, way_to
from kthw.findings.vpc_routes import local_routes
from kthw.findings.workers import ground, one_running_instance, source_dest_checks
from kthw.network import ranges
from kthw.network.model import Cluster, pod_network
from kthw.network.routing import ACTIVE, Ruling
from kthw.observed.evidence import Evidence, NetworkInterface


def obstacles(evidence: Evidence, source: str, destination: str) -> list[Finding]:
    """What stands in the way from the source's pods to the destination's, the first obstacle first.

    Empty when nothing observed does. What was not seen (a node nobody logged in to) is no obstacle. A
    worker and itself: only the pod network is in the way then, the VPC never sees the packet.
    """
    key = ("obstacles", source, destination)
    return Cluster.of(evidence).remember(key, lambda: _obstacles(evidence, source, destination))


def _obstacles(evidence: Evidence, source: str, destination: str) -> list[Finding]:
    used = as_configured(evidence)
    met = _met(used, source, destination)
    return met if used is evidence else once(told for f in met for told in _from_user_data(evidence, f))


def _from_user_data(evidence: Evidence, obstacle: Finding) -> list[Finding]:
    """The wrong user data where what is made from it stands in the way, else the obstacle itself."""
    made = obstacle.code.startswith("route-") or obstacle.code in (
        "cni-subnet-mismatch",
        "node-route-conflict",
    )
    return (_standing(evidence, obstacle.worker) if made else []) or [obstacle]


def _met(evidence: Evidence, source: str, destination: str) -> list[Finding]:
    cluster = Cluster.of(evidence)
    if source == destination:
        own = astray(cluster, source, source)
        return once([*_standing(evidence, source), *_pods(evidence, source), *own])
    nowhere = [*_standing(evidence, source), *_standing(evidence, destination)]
    if _is_nowhere(evidence, cluster, source) or _is_nowhere(evidence, cluster, destination):
        return once(nowhere)
    return once(
        [*nowhere, *_there(evidence, cluster, source, destination), *_back(cluster, source, destination)]
    )


def forwarding(evidence: Evidence, worker: str) -> list[Finding]:
    """Whether the node hands packets on, as far as that was seen."""
    node = evidence.nodes.get(worker)
    return [] if node is None or node.ip_forward is None else forwarding_on(evidence, worker)


def _standing(evidence: Evidence, worker: str) -> list[Finding]:
    instance = Cluster.of(evidence).instance(worker)
    unread = instance is not None and instance.user_data is None
    return [*one_running_instance(evidence, worker), *([] if unread else ground(evidence, worker))]


def _is_nowhere(evidence: Evidence, cluster: Cluster, worker: str) -> bool:
    return worker not in cluster.located or worker not in cluster.pod_cidrs or bool(ground(evidence, worker))


def _there(evidence: Evidence, cluster: Cluster, source: str, destination: str) -> Iterator[Finding]:
    yield from _pods(evidence, source, towards=destination)
    yield from forwarding(evidence, source)
    yield from astray(cluster, source, destination)
    yield from dropped_leaving(cluster, source, destination)
    yield from _leaving(evidence, cluster, source)
    yield from security.groups_out(cluster, source, destination)
    yield from security.request_leaves(cluster, source, destination)
    yield from _routed(cluster, source, destination)
    yield from _arriving(evidence, cluster, source, destination)
    yield from security.request_enters(cluster, source, destination)
    yield from security.groups_in(cluster, destination, source)
    yield from forwarding(evidence, destination)
    yield from astray(cluster, destination, destination)
    yield from dropped_arriving(cluster, destination, source)
    yield from _pods(evidence, destination)


def _back(cluster: Cluster, source: str, destination: str) -> Iterator[Finding]:
    evidence = cluster.evidence
    yield from source_dest_checks(evidence, destination, _primary(cluster, destination))
    yield from security.reply_leaves(cluster, source, destination)
    if cluster.masquerades(source):
        yield from _local(cluster, destination, source)
    else:
        yield from astray(cluster, destination, source)
        yield from _routed(cluster, destination, source)
        yield from _arriving(evidence, cluster, destination, source)
    yield from security.reply_enters(cluster, source, destination)
    yield from astray(cluster, source, source)


def _pods(evidence: Evidence, worker: str, towards: str = "") -> list[Finding]:
    """What keeps the pods from having addresses that work. ``towards``: their packets are on the way out.

    Pods of another range are unreachable, but what they send goes out all the same behind a masquerade,
    unless the node takes the destination for its own bridge.
    """
    cluster = Cluster.of(evidence)
    if worker not in evidence.nodes:
        return []
    found = cni_configured(evidence, worker)
    if not found and worker in cluster.pod_cidrs:
        mismatch = cni_subnet_matches(evidence, worker)
        leaves = towards and cluster.masquerades(worker) and not _bridge_takes(evidence, worker, towards)
        found = [f for f in mismatch if f.code != "cni-subnet-mismatch" or not leaves]
    return found


def _bridge_takes(evidence: Evidence, worker: str, towards: str) -> bool:
    """Whether the node's bridge has the range the other's pods are in, or should be in."""
    node, other = evidence.nodes[worker], evidence.nodes.get(towards)
    configs = [pod_network(node), pod_network(other) if other else None]
    subnets = [config.subnet for config in configs if config]
    cidr = Cluster.of(evidence).pod_cidrs.get(towards)
    theirs = [*subnets[1:], *([str(cidr)] if cidr else [])]
    try:
        mine = ranges.network(subnets[0])
        return any(mine.overlaps(ranges.network(text)) for text in theirs if text)
    except (ValueError, IndexError):
        return False


def _leaving(evidence: Evidence, cluster: Cluster, source: str) -> list[Finding]:
    """The source check of the ENI that packets leave by: a masqueraded one has the ENI's own address."""
    if cluster.masquerades(source):
        return []
    return source_dest_checks(evidence, source, _primary(cluster, source))


def _arriving(evidence: Evidence, cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """The destination check of the ENI the route leads to."""
    ruling = cluster.ruling_seen(source)
    if ruling is None:
        return []
    interface = cluster.pod_interface(destination, ruling.effective.id)
    return source_dest_checks(evidence, destination, [interface])


def _primary(cluster: Cluster, worker: str) -> list[NetworkInterface | None]:
    instance = cluster.instance(worker)
    return [instance.primary_interface if instance else None]


def _routed(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's pod addresses."""
    ruling = cluster.ruling_seen(source)
    if ruling is None:
        return []
    key = ("routed", ruling.subnets, destination)
    return cluster.remember(key, lambda: _routed_by(cluster, ruling, destination))


def _routed_by(cluster: Cluster, ruling: Ruling, destination: str) -> list[Finding]:
    astray = not_associated(cluster, ruling)
    if astray:
        return astray
    found = [*way_to(cluster, ruling, destination), *blackhole(cluster, ruling.effective, destination)]
    return [*found, *(f for f in diverted(cluster, ruling.effective, destination) if _concerns(cluster, f))]


def _concerns(cluster: Cluster, shadow: Finding) -> bool:
    """Whether the diverted part holds the pod that is probed; unknown counts as yes."""
    node = cluster.evidence.nodes.get(shadow.worker)
    if node is None or not node.pod:
        return True
    return IPv4Address(node.pod) in ranges.network(shadow.facts["destination"])


def _local(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """What the table of the source's subnet does with the destination's own node address."""
    ruling, instance = cluster.ruling_seen(source), cluster.instance(destination)
    if ruling is None or instance is None or not instance.address:
        return []
    table, address = ruling.effective, IPv4Address(instance.address)
    route = cluster.remember(("taking", table.id, address), lambda: cluster.lookup(table.id).taking(address))
    if route and route.gateway == "local" and route.state == ACTIVE:
        return []
    return local_routes(cluster, table, source, instance.vpc)
