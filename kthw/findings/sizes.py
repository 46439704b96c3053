"""Do pods' packets of full size get to the other workers' pods, and if not, which link is too small for them?

A pod sends packets as large as its own interface takes, not to be fragmented. A node that cannot hand one on
tells the sender so (ICMP, *fragmentation needed*), who then sends smaller ones; where it is the network card
that cannot take one in, or where the word is dropped, nobody is told, and a connection hangs.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from typing import Final, Literal

import msgspec

from kthw.findings.finding import Finding
from kthw.findings.firewall_commands import mending, told
from kthw.findings.node_firewall import interfaces, swallowing
from kthw.findings.reachability import between, names, pairs
from kthw.intended import tutorial
from kthw.network.arrival import interfaces_of_probe
from kthw.network.model import Network
from kthw.network.netfilter import Drop
from kthw.network.node_routes import by_node_routes, by_plugin
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import Link, Node, Probe

JUMBO: Final = 9001
"""What an ENI carries within a VPC (EC2 User Guide, *Network MTU*)."""
_GATEWAYS: Final = {"igw-": 1500, "vgw-": 1500, "tgw-": 8500}
"""What AWS carries beyond these (the same; Transit Gateway, *MTU*)."""
_MTU: Final = re.compile(r" mtu (?:lock )?(\d+)")
_FRAGMENTATION: Final = "fragmentation needed"


class Narrow(msgspec.Struct, frozen=True, kw_only=True):
    """A place on a pair's way that takes no packets of full size, at ``worker``.

    ``name``: the interface's, the kernel's route as the kernel prints it, or the gateway's id; empty of
    ``pods``. ``sender``: whose packets meet it. ``silent``: nobody tells the sender.
    """

    kind: Literal["pods", "bridge", "eni", "route", "gateway"]
    worker: str
    sender: str
    name: str
    mtu: int
    silent: bool = False


class Mending(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a place large enough: ``mtu`` of ``name`` at ``worker``; pods have theirs of a CNI file."""

    kind: str
    worker: str
    name: str
    mtu: int
    command: str = ""


_NEAREST: Final = ("pods", "bridge", "route", "eni", "gateway")
"""Of two that take as little, which one is told: the bridge has its MTU of the pods that hang on it."""


def full_size_between(network: Network, worker: str) -> list[Finding]:
    """Full-size packets of the worker's probe pod reach every other worker's that small ones reach.

    One finding for each place that is too small for them, and one for each rule that keeps that from a
    sender: the same to all whose packets it stops. What nothing observed explains is the sender's.
    """
    return [finding for finding, senders in _told(network) if worker in senders]


def _told(network: Network) -> list[tuple[Finding, frozenset[str]]]:
    """All that is found, and whose packets it stops."""
    return network.remember(("too big",), lambda: [*_each(network)])


def _each(network: Network) -> Iterator[tuple[Finding, frozenset[str]]]:
    too_big: dict[Mending, list[Probe]] = {}
    unexplained: dict[str, list[Probe]] = {}
    swallowed: dict[tuple[str, Drop], list[Probe]] = {}
    for probe in (probe for worker in network.workers for probe in failed(network, worker)):
        place = smallest(network, probe)
        if place is None:
            unexplained.setdefault(probe.source, []).append(probe)
            continue
        too_big.setdefault(_mended(network, place, probe), []).append(probe)
        for at, drop in _swallowing(network, probe, place):
            swallowed.setdefault((at, drop), []).append(probe)
    for mended, probes in too_big.items():
        yield _finding(network, mended, probes), _senders(probes)
    for (at, drop), probes in swallowed.items():
        yield _swallowed(network, at, drop, probes), _senders(probes)
    for worker, probes in unexplained.items():
        yield _unexplained(network, worker, probes), _senders(probes)


def _senders(probes: Sequence[Probe]) -> frozenset[str]:
    return frozenset(probe.source for probe in probes)


def _swallowing(network: Network, probe: Probe, place: Narrow) -> Iterator[tuple[str, Drop]]:
    """The rules that keep from whoever sends through ``place`` what it takes, and on whose node they are.

    A node's word to its own pods passes no chain of forwarded packets.
    """
    if place.silent or place.sender == place.worker or probe.detail.startswith(_FRAGMENTATION):
        return
    for drop in swallowing(network, place.sender, place.worker):
        yield place.sender, drop


def failed(network: Network, worker: str) -> Iterator[Probe]:
    """The full-size probes that did not get there and back where small ones did.

    Not those that may have been lost with a share of all that is sent.
    """
    for other in network.probes.missed_by(worker):
        doubted = (worker, other) in network.probes.doubted
        for probe in _failed(network, worker, other):
            if not doubted or smallest(network, probe):
                yield probe


def lost_by_chance(network: Network, source: str, destination: str) -> bool:
    """Whether any of a doubted pair's did not, and no place is too small for it."""
    return any(not smallest(network, probe) for probe in _failed(network, source, destination))


def _failed(network: Network, source: str, destination: str) -> list[Probe]:
    probes = network.probes.of_pair(source, destination)
    small = {probe.protocol for probe in probes if probe.reached and not probe.size}
    large = (probe for probe in probes if probe.size and not probe.reached and probe.protocol in small)
    return [probe for probe in large if between(network, probe)]


def unmeasured(network: Network, worker: str) -> list[str]:
    """The other workers that no full-size packet was sent to from this one, in order."""
    sent = {probe.destination for probe in network.probes.sent_by(worker) if probe.size}
    return [other for other in network.workers if other != worker and other not in sent]


def smallest(network: Network, probe: Probe) -> Narrow | None:
    """That of them which takes the smallest packets."""
    places = narrow(network, probe)
    return min(places, key=lambda place: (place.mtu, _NEAREST.index(place.kind)), default=None)


def narrow(network: Network, probe: Probe) -> list[Narrow]:
    """The places on its way that take no packets of its size, as far as seen, in the order of the way.

    Of TCP on the way back as well: what is answered is as large.
    """
    places = [*_places(network, probe.source, probe.destination)]
    if probe.protocol == "tcp":
        places += _places(network, probe.destination, probe.source)
    return [place for place in places if place.mtu and place.mtu < probe.size]


def _places(network: Network, source: str, destination: str) -> Iterator[Narrow]:
    here, there = (network.evidence.nodes.get(worker) for worker in (source, destination))
    way = network.probes.way(source, destination)
    if here and way:
        told_by_route = _MTU.search(way.route)
        if told_by_route:
            yield Narrow(
                kind="route", worker=source, sender=source, name=way.route, mtu=int(told_by_route[1])
            )
        link = _link(here, way.device)
        if link and not link.kind:
            yield Narrow(kind="eni", worker=source, sender=source, name=link.name, mtu=link.mtu)
    yield from _gateway(network, source, there)
    if there:
        for link in _cards(network, source, destination, there):
            yield Narrow(
                kind="eni", worker=destination, sender=source, name=link.name, mtu=link.mtu, silent=True
            )
        bridge = _link(there, interfaces(network, destination)[0])
        if bridge:
            yield Narrow(kind="bridge", worker=destination, sender=source, name=bridge.name, mtu=bridge.mtu)
        yield Narrow(kind="pods", worker=destination, sender=source, name="", mtu=there.pod_mtu)


def _gateway(network: Network, source: str, there: Node | None) -> Iterator[Narrow]:
    """Where the VPC's route for the probe pod leads out of the VPC."""
    ruling = network.ruling_seen(source)
    by_nodes = by_node_routes(network) or by_plugin(network)  # the table may not be asked at all
    if ruling is None or there is None or not there.pod or by_nodes:
        return
    route = network.lookup(ruling.effective.id).taking(IPv4Address(there.pod))
    for kind, mtu in _GATEWAYS.items():
        if route and route.target.startswith(kind):
            yield Narrow(kind="gateway", worker=source, sender=source, name=route.target, mtu=mtu)


def _cards(network: Network, source: str, destination: str, node: Node) -> list[Link]:
    """The network card of the destination's by which the packets come in."""
    ruling = network.ruling_seen(source)
    crossed = interfaces_of_probe(network, destination, ruling.effective.id) if ruling else ()
    addresses = {address for eni in crossed for address in eni.addresses}
    return [
        link
        for link in node.links
        if not link.kind and addresses & {address.split("/")[0] for address in link.addresses}
    ]


def _link(node: Node, name: str) -> Link | None:
    return next((link for link in node.links if link.name == name), None)


def _finding(network: Network, mended: Mending, probes: Sequence[Probe]) -> Finding:
    first = probes[0]
    place = smallest(network, first)
    assert place  # noqa: S101 -- what is to be mended is one
    return msgspec.structs.replace(
        _untold(network, probes),
        subject=f"{network.noun(mended.worker)} · {mended.name} mtu {_mtu_there(network, place, mended)}",
        worker=mended.worker,
        variant=place.kind,
        facts={
            "pairs": pairs(probes),
            "size": str(first.size),
            "where_noun": network.noun(place.worker),
            "mtu": str(place.mtu),
            "name": place.name,
            "at_noun": network.noun(mended.worker),
            "at_login": network.login(mended.worker),
            "wanted": str(mended.mtu),
            "command": shlex.quote(mended.command),
            "file": _cni_file(network, mended.worker),
        },
    )


def _mtu_there(network: Network, place: Narrow, mended: Mending) -> int:
    """That of what is to be mended: of two workers' pods these may be the larger ones."""
    return network.evidence.nodes[mended.worker].pod_mtu if place.kind == "pods" else place.mtu


def _unexplained(network: Network, worker: str, probes: Sequence[Probe]) -> Finding:
    return msgspec.structs.replace(
        _untold(network, probes),
        subject=f"{network.noun(worker)} → {names(probe.destination for probe in probes)}",
        facts={
            "login": network.login(worker),
            "size": str(probes[0].size),
            "destination_address": probes[0].destination_address,
        },
    )


def _untold(network: Network, probes: Sequence[Probe]) -> Finding:
    first = probes[0]
    pair = f"{first.source} → {first.destination} {first.protocol}"
    return Finding(
        code="packets-too-big",
        subject=network.noun(first.source),
        worker=first.source,
        expected=f"{pair}/{first.size}",
        observed=first,
        near_miss=f"{pair}/{first.limit}" if first.limit else "",
    )


def _mended(network: Network, place: Narrow, probe: Probe) -> Mending:
    if place.kind == "route":
        route = shlex.split(_MTU.sub("", place.name))
        command = shlex.join(["sudo", "ip", "route", "change", *route])
        return Mending(kind=place.kind, worker=place.worker, name=place.name, mtu=probe.size, command=command)
    if place.kind in ("pods", "gateway"):
        at, mtu = _odd_pods(network, place, probe)
        return Mending(kind=place.kind, worker=at, name=place.name or "pods", mtu=mtu)
    wanted = probe.size if place.kind == "bridge" else _usual_card(network, probe.size)
    command = shlex.join(["sudo", "ip", "link", "set", place.name, "mtu", str(wanted)])
    return Mending(kind=place.kind, worker=place.worker, name=place.name, mtu=wanted, command=command)


def _odd_pods(network: Network, place: Narrow, probe: Probe) -> tuple[str, int]:
    """Whose pods are to have another MTU, and which: that of most workers' pods, of two the smaller."""
    if place.kind == "gateway":
        return probe.source, place.mtu
    each = Counter(node.pod_mtu for node in network.evidence.nodes.values() if node.pod_mtu)
    usual = max(each, key=lambda mtu: (each[mtu], -mtu))
    return (probe.source, usual) if probe.size > usual else (place.worker, probe.size)


def _usual_card(network: Network, size: int) -> int:
    """What most other nodes' network cards take, where that is enough; else what AWS gives them."""
    links = (link for node in network.evidence.nodes.values() for link in node.links if not link.kind)
    each = Counter(link.mtu for link in links if link.mtu >= size)
    return max(each, key=lambda mtu: (each[mtu], mtu), default=JUMBO)


def _cni_file(network: Network, worker: str) -> str:
    node = network.evidence.nodes.get(worker)
    config = pod_network(node) if node else None
    return tutorial.cni_path(config.file) if config else ""


def _swallowed(network: Network, at: str, drop: Drop, probes: Sequence[Probe]) -> Finding:
    said, first = told(drop), probes[0]
    place = smallest(network, first)
    assert place  # noqa: S101 -- only what a place tells is swallowed
    return Finding(
        code="packets-too-big",
        subject=f"{network.noun(at)} · {said}",
        worker=at,
        expected=f"{first.source} → {first.destination} {first.protocol}/{first.size}: {_FRAGMENTATION}",
        observed=said,
        variant="filter",
        facts={
            "where_noun": network.noun(place.worker),
            "at_noun": network.noun(at),
            "at_login": network.login(at),
            "size": str(first.size),
            "command": mending(drop),
        },
    )
