"""What AWS stops of the packets between two workers' pods: every address of theirs, every protocol and port.

The same questions to groups, ACLs and tables that the checks ask, of all packets and not of those that pods
need; the first that is answered with no is the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

import msgspec
from msgspec.structs import replace

from kthw.findings.finding import Finding
from kthw.findings.pod_routes import blackhole, diverted, may_lead, not_associated, way_to
from kthw.findings.reverse_path import filtered_at
from kthw.findings.stops import Stop
from kthw.findings.unread import as_far_as_seen
from kthw.network import ranges
from kthw.network.arrival import interfaces
from kthw.network.filters import Need, denied, entry_text
from kthw.network.flows import Addresses, Span
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes
from kthw.network.routing import ACTIVE, Lookup, Ruling
from kthw.observed.evidence import NetworkInterface, Route


class Arrival(msgspec.Struct, frozen=True):
    """Packets for ``least``, the smallest of some addresses, and for those arrive at ``interface``."""

    interface: NetworkInterface
    least: IPv4Address | None


class Routed(msgspec.Struct, frozen=True):
    """Where a table leads what is for a worker's pods: what it leads astray, and where the rest arrives."""

    stops: tuple[Stop, ...]
    arrivals: tuple[Arrival, ...]


def through_groups(
    network: Network,
    interface: NetworkInterface,
    direction: str,
    peers: Addresses,
    span: Span,
    side: str,
) -> Iterator[Stop]:
    """What the groups of an ENI do not let through to, or from, ``peers``; ``side``: the end of the flow that
    these are, empty where their addresses are not the flow's.
    """
    groups = network.groups.of(interface)
    ids = ", ".join(group.id for group in groups)
    if not groups:
        yield Stop(where=interface.id, doubt="group")
        return
    rules = network.groups.rules(groups, direction)
    for need in span.requests:
        found = None if rules.allows(need, peers.cidr) else peers.first_of(rules.gaps(need, peers.cidr))
        if found:
            address, port = found
            unread = rules.undecided(replace(need, low=port, high=port), IPv4Network(address))
            yield _stop(
                need,
                side,
                address,
                port=port,
                where=unread or f"{ids} {direction}",
                code="security-group-blocks",
                subject=f"{ids} · {direction}",
                doubt="prefix-list" if unread else "",
            )


def through_acl(
    network: Network, worker: str, direction: str, peers: Addresses, span: Span, side: str, *, back: bool
) -> Iterator[Stop]:
    """What the ACL of the worker's subnet denies, of what is asked, or of what comes ``back``."""
    subnet = network.located[worker].subnet
    acl = network.acls.get(subnet)
    if acl is None:
        yield Stop(where=subnet, doubt="acl")
        return
    entries = [entry for entry in acl.entries if entry.egress == (direction == "egress")]
    arrow = "→" if direction == "egress" else "←"
    for need in span.replies if back else span.requests:
        parts = ((cell, (port, entry)) for cell, port, entry in denied(entries, peers.cidr, need))
        found = peers.first_of(parts)
        if found:
            address, (port, entry) = found
            yield _stop(
                need,
                side,
                address,
                port=0 if back else port,
                asker=port if back else 0,
                where=f"{acl.id} {direction}: {entry_text(entry, arrow)}",
                code="network-acl-blocks",
                subject=f"{acl.id} · {direction}",
            )


def routed(network: Network, source: str, destination: str, pods: Addresses) -> Routed:
    """Where what is sent from the source's subnet to ``pods``, of the destination, is led, and checked.

    Where the lab is judged by kernel routes, the sender's kernel says whether the table is asked at all.
    """
    ruling = network.ruling_seen(source)
    if ruling is None:
        return Routed((Stop(where=network.located[source].subnet, doubt="table"),), ())
    if by_node_routes(network):
        handed = interfaces(network, destination, ruling.effective.id)
        checks = [check(network, destination, each) for each in handed if each.source_dest_check]
        unseen = [] if handed else [Stop(where=network.located[destination].id, doubt="group")]
        return Routed((*checks, *unseen), tuple(Arrival(each, None) for each in handed))
    lookup = network.lookup(ruling.effective.id)
    cuts = [ranges.network(route.destination) for route in lookup.within(pods.cidr)]
    lost: dict[Route | None, IPv4Address] = {}
    arriving: dict[str, IPv4Address] = {}
    for address in pods.apart(cuts):
        route = lookup.taking(address)
        if route and route.state == ACTIVE and network.goes_to(route, destination):
            arriving.setdefault(_interface(network, destination, route), address)
        else:
            lost.setdefault(route, address)
    stops = [_led_astray(network, ruling, destination, route, at) for route, at in lost.items()]
    # An interface that was not seen: nor were its groups, nor its source/dest check.
    cards = {card.id: card for card in network.located[destination].network_interfaces}
    arrivals = tuple(Arrival(cards[each], at) for each, at in arriving.items() if each in cards)
    stops += [
        Stop(where=each, doubt="group", destination=at) for each, at in arriving.items() if each not in cards
    ]
    stops += [
        check(network, destination, each.interface, destination=each.least)
        for each in arrivals
        if each.interface.source_dest_check
    ]
    return Routed((*stops, *_unread(network, lookup, destination)), arrivals)


def filtered(network: Network, source: str, destination: str, arrival: Arrival, side: str) -> list[Stop]:
    """What the destination's kernel drops of what comes in by that ENI."""
    found = filtered_at(network, destination, source, [arrival.interface])
    return [of_finding(finding, **{side: arrival.least}) for finding in found]


def check(network: Network, worker: str, card: NetworkInterface, **at: IPv4Address | None) -> Stop:
    """The source/dest check of an ENI of the worker; ``at``: one end of the flow."""
    return Stop(
        where=f"{card.id} SourceDestCheck=true",
        code="source-dest-check-on",
        subject=f"{network.noun(worker)} · {card.id}",
        **at,  # type: ignore[arg-type]  # ``source`` or ``destination``
    )


def of_finding(finding: Finding, **at: IPv4Address | None) -> Stop:
    """What a finding says is stopped."""
    return Stop(
        where=str(finding.observed),
        code=finding.code,
        subject=finding.subject,
        **at,  # type: ignore[arg-type]  # as above
    )


def _interface(network: Network, worker: str, route: Route) -> str:
    """The ENI that a route to the worker leads to: a route by instance id means the primary one.

    The instance itself where none of its ENIs was seen.
    """
    instance = network.located[worker]
    return route.network_interface or (instance.primary_interface or instance).id


def _led_astray(
    network: Network, ruling: Ruling, worker: str, route: Route | None, least: IPv4Address
) -> Stop:
    found = network.remember(("routes", ruling.subnets, worker), lambda: _findings(network, ruling, worker))
    exact = (each for each in found if route and each.destination == route.destination)
    finding = next(exact, None)
    unread = () if finding else may_lead(network, ruling.effective, worker)
    if unread:
        # The list may have a narrower range than what was seen of the table.
        return Stop(where=unread[0].prefix_list, doubt="prefix-list", destination=least)
    finding = finding or next(iter(found), None)
    return Stop(
        where=f"{ruling.effective.id}: {network.route_noun(route) if route else '—'}",
        code=finding.code if finding else "",
        subject=finding.subject if finding else "",
        destination=least,
    )


def _findings(network: Network, ruling: Ruling, worker: str) -> list[Finding]:
    """All that is found about the table's routes for the worker's pods."""
    return not_associated(network, ruling) or [
        *as_far_as_seen(lambda: way_to(network, ruling, worker)),
        *as_far_as_seen(lambda: blackhole(network, ruling.effective, worker)),
        *as_far_as_seen(lambda: diverted(network, ruling.effective, worker)),
    ]


def _unread(network: Network, lookup: Lookup, worker: str) -> Iterator[Stop]:
    """The routes by a prefix list that was not read: they may be for any range, and lead elsewhere."""
    for route in lookup.unread:
        if route.state != ACTIVE or not network.goes_to(route, worker):
            yield Stop(where=route.prefix_list, doubt="prefix-list")


def _stop(need: Need, side: str, address: IPv4Address, *, port: int, asker: int = 0, **told: str) -> Stop:
    return Stop(
        protocol=need.protocol,  # type: ignore[arg-type]  # one of those of ``Span``
        port=port,
        asker=asker,
        source=address if side == "source" else None,
        destination=address if side == "destination" else None,
        **told,
    )
