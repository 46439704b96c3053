"""Do the nodes' own kernel routes lead to each peer's pods, through that peer? (Model ``node-routes``.)

Every node has one for each other node's pod CIDR, through an address of that node in its own subnet. What the
VPC's tables carry without one is carried: the packet decides.
"""

from __future__ import annotations

import shlex
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from kthw.findings.aws_changes import RouteMade
from kthw.findings.finding import Finding, once
from kthw.findings.fix import Change
from kthw.findings.kept_routes import keeping
from kthw.findings.node_changes import KernelRouteGone, KernelRouteMade
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
from kthw.network.routing import is_own
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
    way = network.probes.way(worker, other)
    return misled(network, worker, other, way) if way else []


def misled(network: Network, worker: str, other: str, way: Way) -> list[Finding]:
    """The same of any of the ways to its pods."""
    if not by_node_routes(network) or way not in _ways(network, worker, other):
        return []
    if _handed_on(network, worker, other, way):
        return []
    return as_far_as_seen(lambda: _way(network, worker, other, way))


def is_next_hop(network: Network, worker: str, way: Way) -> bool:
    """Whether the way is for this module to judge: no entry of its own, or one through a next hop."""
    _, card = interfaces(network, worker)
    return is_default(way) or (by_next_hop(way) and way.device == card)


def _towards(network: Network, worker: str, other: str) -> list[Finding]:
    def judged() -> list[Finding]:
        return once(f for way in _ways(network, worker, other) for f in _way(network, worker, other, way))

    return network.remember(("next hop", worker, other), judged)


def _ways(network: Network, worker: str, other: str) -> list[Way]:
    """Those to the other's pods that are judged here."""
    located = other != worker and worker in senders(network) and other in network.located
    if not located or other not in network.pod_cidrs or ground(network, other):
        return []
    cidr, ways = network.pod_cidrs[other], ways_of(network, worker).get(other, ())
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
    owners = addresses(network)
    if way.via not in owners:
        return False
    third = owners[way.via]
    node = network.evidence.nodes.get(third)
    if node is None or not node.ip_forward or not _ways(network, third, other):
        return False
    here, end = network.located[worker], network.located[other].primary_interface
    return any(
        way.via in card.addresses
        and card.subnet == here.subnet
        and not card.source_dest_check
        and end is not None
        and set(card.security_groups) == set(end.security_groups)
        and not as_far_as_seen(lambda: _towards(network, third, other))
        for card in network.located[third].network_interfaces
    )


def _without(network: Network, worker: str) -> dict[str, list[Way]]:
    """By the other workers in its subnet that it has no kernel route to, and no table leads to, the ways."""
    neighbours = [other for other in network.workers if on_link(network, worker, other)]
    found = {
        other: [
            way
            for way in _ways(network, worker, other)
            if is_bare(network, worker, way) and not carried(network, worker, other, way.address)
        ]
        for other in neighbours
    }
    return {other: ways for other, ways in found.items() if ways}


def _missing(network: Network, worker: str) -> Finding:
    """One of all that it lacks: they are typed together."""
    return network.remember(("missing hops", worker), lambda: _made_missing(network, worker))


def _made_missing(network: Network, worker: str) -> Finding:
    _, card = interfaces(network, worker)
    others = _without(network, worker)
    routes = {o: f"{network.pod_cidrs[o]} via {on_link(network, worker, o)}" for o in others}
    commands = [
        command
        for other, ways in others.items()
        for command in _adding(ways, routes[other], network.pod_cidrs[other])
    ]
    changes = [
        change
        for other, ways in others.items()
        for change in _handed(network, worker, other, [way for way in ways if not is_default(way)])
    ]
    first = next(iter(others.values()))[0]
    near = [f"{each.destination} via {each.via}" for each in through_peers(network, worker)]
    return Finding(
        code="node-route-missing",
        subject=network.noun(worker),
        worker=worker,
        expected=some([f"{route} dev {card}" if card else route for route in routes.values()], _MOST_SHOWN),
        observed=_entry(first),
        near_miss=some([route for route in near if route not in routes.values()], _MOST_SHOWN),
        changes=tuple(changes),
        facts={
            **_facts(network, worker, first),
            **keeping(network, worker),
            "others": some([network.noun(other) for other in others], _MOST_SHOWN),
            "command": shlex.quote(" && ".join(commands)),
        },
    )


def _handed(network: Network, worker: str, other: str, ways: list[Way]) -> list[Change]:
    """A route to the other's pods through it, after the entries of ``ways`` for parts of them are gone."""
    _, card = interfaces(network, worker)
    cidr, via = network.pod_cidrs[other], on_link(network, worker, other)
    cleared = [gone for way in ways if _clearing(way, cidr) for gone in taken_away(worker, way)]
    return [*cleared, KernelRouteMade(worker=worker, destination=str(cidr), device=card, via=via)]


def _adding(ways: list[Way], route: str, cidr: IPv4Network) -> list[str]:
    """What makes the route, after what clears its way of entries that lead to the router."""
    entries = [way for way in ways if not is_default(way)]
    cleared = [command for way in entries for command in _clearing(way, cidr)]
    return [*cleared, f"sudo ip route {'replace' if entries else 'add'} {route}"]


def _clearing(way: Way, cidr: IPv4Network) -> list[str]:
    """An entry for a part goes before that for the whole comes; one for more is somebody else's too.

    Nothing of one for the whole, which is replaced; of one that was not seen, what shows it.
    """
    try:
        there = ranges.network(way.route.partition(" ")[0])
    except ValueError:
        return [removing(way)]
    return [removing(way)] if there != cidr and there.subnet_of(cidr) else []


def _wrong(network: Network, worker: str, other: str, way: Way) -> Finding:
    _, card = interfaces(network, worker)
    cidr, near = network.pod_cidrs[other], on_link(network, worker, other)
    right = f"sudo ip route replace {cidr} via {near}"
    commands = [*_clearing(way, cidr), right] if near else [removing(way)]
    kept = keeping(network, worker)
    whose = _whose(network, worker, way.via)
    variant = "" if whose else "nobody"
    return Finding(
        code="node-route-wrong-next-hop",
        subject=f"{network.noun(worker)} · {way.route or way.address}",
        worker=worker,
        expected=f"{cidr} via {near or '—'} dev {card}",
        observed=_entry(way),
        near_miss=whose,
        changes=tuple(_handed(network, worker, other, [way]) if near else taken_away(worker, way)),
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
    table = ruling.effective.id if ruling else ""
    card, cidr = network.located[other].primary_interface, network.pod_cidrs[other]
    exact = network.lookup(table).exactly(cidr) if table else None
    typed = not is_bare(network, worker, way)
    changes: list[Change] = taken_away(worker, way) if typed else []
    if table and card:
        changes.append(RouteMade(table=table, destination=str(cidr), interface=card.id))
    through_table = f"{network.noun(other)} · {table}"
    return Finding(
        code="node-route-off-link",
        subject=f"{network.noun(worker)} · {way.route or way.address}" if typed else through_table,
        worker=worker if typed else other,
        expected=f"{cidr} → {network.noun(other)} active",
        observed=_entry(way),
        destination=str(cidr),
        variant="typed" if typed else "",
        changes=tuple(changes),
        facts={
            **_facts(network, worker, way),
            "towards_noun": network.noun(other),
            "via": way.via,
            "pod_cidr": str(cidr),
            "subnet": senders(network)[worker].subnet,
            "other_subnet": network.located[other].subnet,
            "route_table": table,
            "interface": card.id if card else "",
            "verb": "replace" if exact and is_own(exact) else "create",
            **({"command": shlex.quote(removing(way))} if typed else {}),
        },
    )


def removing(way: Way) -> str:
    """The command that takes its entry away; where none was seen, what shows which it is."""
    return f"sudo ip route del {shlex.join(way.route.split())}" if way.route else showing(way)


def taken_away(worker: str, way: Way) -> list[Change]:
    """What that does; nothing where it only shows."""
    return [KernelRouteGone(worker=worker, route=way.route)] if way.route else []


def showing(way: Way) -> str:
    """The command that shows which entry it is."""
    return f"ip route get {way.address}; ip rule; ip route show table all"


def _facts(network: Network, worker: str, way: Way) -> dict[str, str]:
    return {
        "worker_noun": network.noun(worker),
        "login": network.login(worker),
        "route": _entry(way),
    }


def _entry(way: Way) -> str:
    """Where no entry was seen, what the kernel does; a dash where it knows no way."""
    return way.route or (f"{way.address} via {way.via}" if way.via else "—")


def _whose(network: Network, worker: str, address: str) -> str:
    def indexed() -> dict[tuple[str, str], Instance]:
        return {
            (instance.vpc, each): instance
            for instance in network.inventory.instances
            for eni in instance.network_interfaces
            for each in eni.addresses
        }

    # Another VPC may have the same addresses.
    here = senders(network)[worker].vpc
    owner = network.remember(("instances by address",), indexed).get((here, address))
    return instance_noun(owner) if owner else ""
