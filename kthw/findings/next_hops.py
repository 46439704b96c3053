"""Do the nodes' own kernel routes lead to each peer's pods, through that peer? (Model ``node-routes``.)

Every node has one for each other node's pod CIDR, through an address of that node in its own subnet. What the
VPC's tables carry without one is carried: the packet decides.
"""

from __future__ import annotations

import shlex
from ipaddress import IPv4Address
from typing import Final

from kthw.findings.finding import Finding, once
from kthw.findings.kept_routes import keeping
from kthw.findings.node_firewall import interfaces
from kthw.findings.unread import as_far_as_seen
from kthw.findings.workers import ground
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import (
    addresses,
    by_next_hop,
    by_node_routes,
    carried,
    is_bare,
    is_default,
    is_near,
    on_link,
    senders,
    through_peers,
    ways_of,
)
from kthw.network.nouns import instance_noun, some
from kthw.observed.evidence import Instance, Way

_MOST_SHOWN: Final = 4


def lead_to_peers(network: Network, worker: str) -> list[Finding]:
    """The kernel of the worker, or of a machine of ``--also``, hands packets for another worker's pods to it.

    Nothing in the other model. Raises ``CouldNotLook`` where it is for a table to say that was not seen.
    """
    if not by_node_routes(network) or not network.evidence.intended.has_finished("routes"):
        return []
    return once(found for other in network.workers for found in _towards(network, worker, other))


def lacking(network: Network, worker: str, other: str) -> list[Finding]:
    """The same of the way to another worker's probe pod; what was not seen is no obstacle, and no detour
    that arrives.
    """
    if not by_node_routes(network):
        return []
    taken = network.probes.way(worker, other)
    ways = [way for way in _ways(network, worker, other) if way == taken]
    detoured = bool(ways) and all(_handed_on(network, worker, other, way) for way in ways)
    if detoured:
        return []
    return as_far_as_seen(lambda: [f for way in ways for f in _way(network, worker, other, way)])


def is_next_hop(network: Network, worker: str, way: Way) -> bool:
    """Whether the way is for this module to judge: no entry of its own, or one through a next hop."""
    _, card = interfaces(network, worker)
    return is_default(way) or (by_next_hop(way) and way.device == card)


def _towards(network: Network, worker: str, other: str) -> list[Finding]:
    if other == worker or worker not in network.evidence.nodes:
        return []
    return network.remember(("next hop", worker, other), lambda: _judged(network, worker, other))


def _judged(network: Network, worker: str, other: str) -> list[Finding]:
    return once(f for way in _ways(network, worker, other) for f in _way(network, worker, other, way))


def _ways(network: Network, worker: str, other: str) -> list[Way]:
    """Those to the other's pods that are judged here."""
    ways = ways_of(network, worker).get(other, ())
    located = worker in senders(network) and other in network.located
    if not ways or not located or other not in network.pod_cidrs or ground(network, other):
        return []
    cidr = network.pod_cidrs[other]
    # A pod of another range is told of (cni-subnet-mismatch), and no route is for it.
    return [w for w in ways if IPv4Address(w.address) in cidr and is_next_hop(network, worker, w)]


def _way(network: Network, worker: str, other: str, way: Way) -> list[Finding]:
    near = on_link(network, worker, other)
    if is_bare(network, worker, way):
        if carried(network, worker, other, way.address):
            return []
        return [_missing(network, worker)] if near else [_off_link(network, worker, other, way)]
    if addresses(network).get(way.via) != other:
        return [_wrong(network, worker, other, way)]
    return [] if is_near(network, worker, other, way.via) else [_off_link(network, worker, other, way)]


def _handed_on(network: Network, worker: str, other: str, way: Way) -> bool:
    """Whether a third node in the worker's subnet takes the packets in and hands them on to the other itself.

    AWS delivers a frame to the ENI it is sent to; that takes and sends on what is not its own where its
    source/dest check is off. Its security groups are the other's, or nothing is said of them here.
    """
    third = addresses(network).get(way.via, worker)
    node = network.evidence.nodes.get(third)
    if third in (worker, other) or node is None or not node.ip_forward or not _ways(network, third, other):
        return False
    cards = network.located[third].network_interfaces
    card = next((eni for eni in cards if way.via in eni.addresses), None)
    end = network.located[other].primary_interface
    return (
        card is not None
        and end is not None
        and card.subnet == network.located[worker].subnet
        and not card.source_dest_check
        and set(card.security_groups) == set(end.security_groups)
        and as_far_as_seen(lambda: _towards(network, third, other)) == []
    )


def _without(network: Network, worker: str) -> dict[str, Way]:
    """By the other workers in its subnet that it has no kernel route to, and no table leads to, the way."""

    def find() -> dict[str, Way]:
        return {
            other: way
            for other in network.workers
            if other != worker and on_link(network, worker, other)
            for way in reversed(_ways(network, worker, other))
            if is_bare(network, worker, way) and not carried(network, worker, other, way.address)
        }

    return network.remember(("without", worker), find)


def _missing(network: Network, worker: str) -> Finding:
    """One of all that it lacks: they are typed together."""
    return network.remember(("missing hops", worker), lambda: _made_missing(network, worker))


def _made_missing(network: Network, worker: str) -> Finding:
    _, card = interfaces(network, worker)
    others = _without(network, worker)
    routes = {o: f"{network.pod_cidrs[o]} via {on_link(network, worker, o)}" for o in others}
    commands = [
        command
        for other, way in others.items()
        for command in _adding(way, routes[other], str(network.pod_cidrs[other]))
    ]
    near = [f"{each.destination} via {each.via}" for each in through_peers(network, worker)]
    return Finding(
        code="node-route-missing",
        subject=network.noun(worker),
        worker=worker,
        expected=some([f"{route} dev {card}" if card else route for route in routes.values()], _MOST_SHOWN),
        observed=next(iter(others.values())).route or "—",
        near_miss=some([route for route in near if route not in routes.values()], _MOST_SHOWN),
        facts={
            **_facts(network, worker, next(iter(others.values()))),
            **keeping(network, worker),
            "others": some([network.noun(other) for other in others], _MOST_SHOWN),
            "command": shlex.quote(" && ".join(commands)),
        },
    )


def _adding(way: Way, route: str, cidr: str) -> list[str]:
    """An entry that leads it to the router is in the way: of the whole it is replaced, of a part removed."""
    if is_default(way):
        return [f"sudo ip route add {route}"]
    destination = way.route.split(" ", 1)[0]
    part = bool(way.route) and destination != cidr and is_part(destination, cidr)
    return [*([removing(way)] if part else []), f"sudo ip route replace {route}"]


def _wrong(network: Network, worker: str, other: str, way: Way) -> Finding:
    _, card = interfaces(network, worker)
    cidr, near = network.pod_cidrs[other], on_link(network, worker, other)
    commands = [f"sudo ip route replace {cidr} via {near}"] if near else []
    destination = way.route.split(" ", 1)[0]
    if not near or destination != str(cidr):
        # One for a part goes before that for the whole; one for more is somebody else's too.
        part = not near or not way.route or is_part(destination, str(cidr))
        commands = [*([removing(way)] if part else []), *commands]
    kept = keeping(network, worker)
    whose = _whose(network, way.via)
    variant = "" if whose else "nobody"
    return Finding(
        code="node-route-wrong-next-hop",
        subject=f"{network.noun(worker)} · {way.route or way.address}",
        worker=worker,
        expected=f"{cidr} via {near or '—'} dev {card}",
        observed=way.route or f"{way.address} via {way.via}",
        near_miss=whose,
        variant=variant if kept else "alone",
        facts={
            **_facts(network, worker, way),
            **kept,
            "towards_noun": network.noun(other),
            "via": way.via,
            "whose": whose or "—",
            "command": shlex.quote(" && ".join(commands)),
        },
    )


def _off_link(network: Network, worker: str, other: str, way: Way) -> Finding:
    """Through a table: one route of the VPC for all nodes of the subnet."""
    ruling = network.ruling_seen(worker)
    table = ruling.effective if ruling else None
    card, cidr = network.located[other].primary_interface, network.pod_cidrs[other]
    exists = table and network.lookup(table.id).exactly(cidr)
    typed = not is_bare(network, worker, way)
    through_table = f"{network.noun(other)} · {table.id if table else '—'}"
    return Finding(
        code="node-route-off-link",
        subject=f"{network.noun(worker)} · {way.route}" if typed else through_table,
        worker=worker if typed else other,
        expected=f"{cidr} → {network.noun(other)} active",
        observed=way.route or "—",
        destination=str(cidr),
        variant="typed" if typed else "",
        facts={
            **_facts(network, worker, way),
            "towards_noun": network.noun(other),
            "via": way.via,
            "pod_cidr": str(cidr),
            "subnet": senders(network)[worker].subnet,
            "other_subnet": network.located[other].subnet,
            "route_table": table.id if table else "",
            "interface": card.id if card else "",
            "verb": "replace" if exists else "create",
            "command": shlex.quote(removing(way)),
        },
    )


def removing(way: Way) -> str:
    """The command that takes its entry away; where none was seen, what shows which it is."""
    return f"sudo ip route del {shlex.join(way.route.split())}" if way.route else showing(way)


def showing(way: Way) -> str:
    """The command that shows which entry it is."""
    return f"ip route get {way.address}; ip rule; ip route show table all"


def _facts(network: Network, worker: str, way: Way) -> dict[str, str]:
    return {
        "worker_noun": network.noun(worker),
        "login": network.login(worker),
        "route": way.route or "—",
    }


def _whose(network: Network, address: str) -> str:
    def indexed() -> dict[str, Instance]:
        return {
            each: instance
            for instance in reversed(network.inventory.instances)
            for eni in instance.network_interfaces
            for each in eni.addresses
        }

    owner = network.remember(("instances by address",), indexed).get(address)
    return instance_noun(owner) if owner else ""


def is_part(destination: str, cidr: str) -> bool:
    """Whether the one range lies within the other; of what is no range it does not."""
    try:
        return ranges.network(destination).subnet_of(ranges.network(cidr))
    except ValueError:
        return False
