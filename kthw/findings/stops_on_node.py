"""What a worker's own node stops of the packets between its pods and another's: every one of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from kthw.findings import next_hops, node_routes
from kthw.findings.firewall_commands import told
from kthw.findings.node_firewall import interfaces, pod_of, seen_as, whole_firewall_of
from kthw.findings.policy_rules import met, noun_of
from kthw.findings.stops import Stop
from kthw.findings.stops_in_vpc import of_finding
from kthw.network import ranges
from kthw.network.flows import Addresses, Flow, Span
from kthw.network.model import Network
from kthw.network.netfilter import Drop, Firewall
from kthw.network.node_routes import by_node_routes, ways_of
from kthw.network.packet import Packet, back
from kthw.observed.evidence import Way

_MOST: Final = 20_000
"""Packets that a firewall is asked about, for one worker at the other end."""
_EVERYWHERE: Final = IPv4Network("0.0.0.0/0")
_KINDS: Final = frozenset(["blackhole", "unreachable", "prohibit", "throw"])
"""What ``ip`` prints before the destination of an entry that leads nowhere."""


def is_quiet(network: Network, worker: str) -> bool:
    """Whether its firewall was seen, all of it, and drops nothing at all."""
    firewall = whole_firewall_of(network, worker)
    seen = network.evidence.nodes[worker].firewall is not None
    return seen and not firewall.may_drop and not firewall.hides


def plain_ways(network: Network, worker: str) -> frozenset[str]:
    """The workers to all of whose pods its kernel sends as to anywhere else, where that is right."""
    ways = ways_of(network, worker)
    if not ways or by_node_routes(network):
        return frozenset()
    _, card = interfaces(network, worker)
    return frozenset(
        towards
        for towards, (way, *more) in ways.items()
        if not more and node_routes.is_usual(way) and way.device == card
    )


def by_kernel(network: Network, worker: str, towards: str, pods: Addresses, side: str) -> Iterator[Stop]:
    """Where the worker's kernel sends what is for the pods of ``towards``, or its own: each part of them."""
    ways = ways_of(network, worker).get(towards, ())
    if not all(interfaces(network, worker)):
        yield Stop(where=worker, doubt="kernel-routes")
        return
    reaches = [(reach, way) for way in ways if (reach := _reach(way))]
    for address in pods.apart(reach for reach, _ in reaches):
        at: dict[str, IPv4Address | None] = {side: address}
        fitting = [(reach.prefixlen, -n) for n, (reach, _) in enumerate(reaches) if address in reach]
        if not fitting:
            yield Stop(where=worker, doubt="kernel-routes", **at)  # type: ignore[arg-type]  # an end
            continue
        _, way = reaches[-max(fitting)[1]]
        for misled in (
            node_routes.misled(network, worker, way),
            next_hops.misled(network, worker, towards, way),
        ):
            yield from (of_finding(found, **at) for found in misled)
        if way.kind == "none":
            yield Stop(where=worker, doubt="kernel-routes", **at)  # type: ignore[arg-type]  # an end


def by_neighbours(network: Network, worker: str, side: str) -> Iterator[Stop]:
    """Where what the node sends to its probe pod goes to another hardware address."""
    pod = pod_of(network, worker)
    for found in node_routes.neighbours(network, worker):
        yield of_finding(found, **{side: pod})


def by_other_tables(network: Network, worker: str, towards: str) -> Iterator[Stop]:
    """Where its pods' answers to the node of ``towards`` go, if a policy rule has another table asked."""
    return map(of_finding, node_routes.beyond(network, worker, towards))


def by_rules(
    network: Network,
    worker: str,
    source: Addresses,
    destination: Addresses,
    *,
    arriving: bool,
    fixed: str = "",
) -> Iterator[Stop]:
    """What the policy rules of its kernel drop. ``fixed``: the end whose addresses are not the flow's."""
    for rule in met(network, worker, arriving=arriving):
        found = {
            side: _least(addresses, said)
            for side, addresses, said in (
                ("source", source, rule.source),
                ("destination", destination, rule.destination),
            )
        }
        if all(found.values()):
            yield Stop(
                where=f"{worker}: ip rule {rule.priority}: {rule.text}",
                code="node-route-conflict",
                subject=noun_of(network, worker, rule),
                **{side: address for side, address in found.items() if side != fixed},  # type: ignore[arg-type]  # ends
            )


def by_firewall(
    network: Network, worker: str, source: Addresses, destination: Addresses, span: Span, *, outwards: bool
) -> Iterator[Stop]:
    """What its firewall drops of the requests and of their replies, certainly, and what it may drop.

    An end that no rule tells from any other is left out: then it is the same for all such.
    """
    if network.evidence.nodes[worker].firewall is None:
        yield Stop(where=worker, doubt="firewall")
        return
    firewall = whole_firewall_of(network, worker)
    masked = seen_as(network, worker) if outwards else None
    each = _packets(
        firewall, interfaces(network, worker), source, destination, span, outwards=outwards, masked=masked
    )
    doubted = False
    for count, (flow, packets) in enumerate(each):
        if count >= _MOST:
            yield Stop(where=worker, doubt="many")
            return
        dropped = next((drop for packet in packets for drop in firewall.drops(packet)), None)
        if dropped:
            yield _dropped(network, worker, dropped, flow, "")
            return
        doubt = None if doubted else next(filter(None, map(firewall.doubt, packets)), None)
        if doubt:
            doubted = True
            yield _dropped(network, worker, doubt, flow, "rule")


def _packets(
    firewall: Firewall,
    links: tuple[str, str],
    source: Addresses,
    destination: Addresses,
    span: Span,
    *,
    outwards: bool,
    masked: IPv4Address | None,
) -> Iterator[tuple[Flow, list[Packet]]]:
    """One flow of each kind that its rules tell apart, the smallest first, there and back."""
    entering, leaving = links if outwards else links[::-1]
    cuts = [*firewall.ports("source-port"), *firewall.ports("destination-port")]
    ports, askers = _starts(cuts, span.ports), _starts(cuts, span.askers)
    for one, other in itertools.product(source.apart(firewall.named), destination.apart(firewall.named)):
        for protocol in span.protocols:
            with_ports = protocol != "icmp"
            for port, asker in itertools.product(ports, askers) if with_ports else ((0, 0),):
                flow = Flow(source=one, destination=other, protocol=protocol, port=port, asker=asker)
                there = Packet(
                    source=one,
                    destination=other,
                    protocol=protocol,
                    entering=entering,
                    leaving=leaving,
                    course="out" if outwards else "in",
                    masked=masked,
                    port=port,
                    asker=asker,
                )
                yield flow, [there, back(there, course="in" if outwards else "out")]


def _starts(spans: Iterable[tuple[int, int]], within: tuple[int, int]) -> list[int]:
    """The first of each part of the range of ports that the spans tell apart."""
    low, high = within
    edges = {edge for first, last in spans for edge in (first, last + 1)}
    return sorted({max(low, edge) for edge in (low, *edges) if edge <= high})


def _dropped(network: Network, worker: str, drop: Drop, flow: Flow, doubt: str) -> Stop:
    return Stop(
        where=f"{worker}: {told(drop)}",
        code="" if doubt else "forward-dropped",
        subject="" if doubt else f"{network.noun(worker)} · {told(drop)}",
        doubt=doubt,
        source=flow.source,
        destination=flow.destination,
        protocol=flow.protocol,
        port=flow.port,
        asker=flow.asker,
    )


def _least(addresses: Addresses, said: str) -> IPv4Address | None:
    return addresses.least(ranges.network(said)) if said else addresses.smallest


def _reach(way: Way) -> IPv4Network | None:
    """The destination of the entry that decides; all, where none was seen to."""
    words = [word for word in way.route.split(" ") if word not in _KINDS]
    if not words[0] or words[0] == "default":
        return _EVERYWHERE
    try:
        return ranges.network(words[0])
    except ValueError:
        return None
