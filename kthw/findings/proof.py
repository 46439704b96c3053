"""What is so of *all* packets between the pods of two workers, and not only of those that were sent.

Each ordered pair is proved (every pod address of the one reaches every one of the other by ping and on every
TCP and UDP port, and is answered), or there is a smallest flow that does not come through, or it is not
known, because something on the way was not seen or is not understood. The way is that of ``path``. A flow
comes through where no place on the way stops it; so each place is asked by itself for the smallest that it
stops, once for all the pairs it treats alike, and the smallest of a pair is the smallest of these.

A flow that does not come through is no failure by itself: what pods need is for the checks to say.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from kthw.findings.configured import as_configured
from kthw.findings.crossing import zone_of
from kthw.findings.finding import Finding
from kthw.findings.node_firewall import pod_of, whole_firewall_of
from kthw.findings.path import obstacles
from kthw.findings.reverse_path import may_filter
from kthw.findings.stops import Stop
from kthw.findings.stops_in_vpc import (
    Routed,
    check,
    filtered,
    of_finding,
    routed,
    through_acl,
    through_groups,
)
from kthw.findings.stops_on_node import (
    by_firewall,
    by_kernel,
    by_neighbours,
    by_other_tables,
    by_rules,
    is_quiet,
    plain_ways,
)
from kthw.findings.workers import ground
from kthw.network.flows import PROTOCOLS, Addresses, Flow, Span
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin
from kthw.observed.evidence import NetworkInterface

Outcome = Literal["proved", "stopped", "unknown"]
_BY_PACKET: Final = (
    "security-group-blocks", "network-acl-blocks", "source-dest-check-on", "forward-dropped", "route-",
    "subnet-not-associated", "node-route-",
)  # fmt: skip
"""How the codes begin of what concerns some packets, and others not."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Of the pods of ``source`` and ``destination``. ``flow``, where it is not ``proved``, is the smallest
    that is ``stopped``, or of which it is not known; ``None`` where no pod's address is. ``stop``: by what.
    """

    source: str
    destination: str
    outcome: Outcome
    flow: Flow | None = None
    stop: Stop | None = None


def proofs(network: Network) -> tuple[Proof, ...]:
    """One for each ordered pair of workers; none where no node was seen, or a plugin has its own ways."""
    if not network.evidence.nodes or by_plugin(network):
        return ()
    return network.remember(("proofs",), lambda: _proofs(network))


def fate(network: Network, source: str, destination: str, flow: Flow) -> Proof:
    """The same of one flow between two of their pods: it is the model, asked for a single packet."""
    ends = {source: Addresses.alone(flow.source), destination: Addresses.alone(flow.destination)}
    return _Way(network, Span.of(flow), ends).proof(source, destination)


def _proofs(network: Network) -> tuple[Proof, ...]:
    way = _Way(network, Span())
    return tuple(way.proof(a, b) for a in network.workers for b in network.workers if a != b)


class _End(NamedTuple):
    """A worker as an end of its pairs. ``face``: what its pods look like from other nodes; ``side``: which
    end of a flow that is, none behind its node. ``zone``: workers that the VPC treats alike have the same.

    ``quiet``: its firewall was seen, and drops nothing. ``ruled``: its kernel has policy rules that drop;
    ``strict``: it may drop what comes in by another ENI. ``plain``: the workers to whose pods it sends as to
    anywhere else. ``sends``, ``receives``: what it stops at that end, whoever is at the other.
    """

    worker: str
    pods: Addresses
    face: Addresses
    side: str
    seen: bool
    subnet: str
    card: NetworkInterface | None
    zone: int
    quiet: bool
    ruled: bool
    strict: bool
    plain: frozenset[str]
    sends: tuple[Stop, ...]
    receives: tuple[Stop, ...]


class _Way:
    """The ways of all flows of ``span`` between the workers' pods, or those of ``only`` these addresses."""

    def __init__(self, network: Network, span: Span, only: Mapping[str, Addresses] | None = None) -> None:
        self._network = network
        self._used = as_configured(network)
        self._span = span
        self._only = only or {}
        self._ends: dict[str, _End | None] = {}
        self._zones: dict[object, int] = {}
        self._known: dict[tuple[object, ...], tuple[Stop, ...]] = {}
        self._routed: dict[tuple[int, str], Routed] = {}
        # By the identity of what is in the way, which is kept so that it is never another's.
        self._of_obstacles: dict[int, tuple[list[Finding], tuple[Stop, ...]]] = {}

    def proof(self, source: str, destination: str) -> Proof:
        """What is so of that pair."""
        here, there = self._end(source), self._end(destination)
        whole = self._whole(source, destination)
        if here is None or there is None:
            lacking = [worker for worker, end in ((source, here), (destination, there)) if end is None]
            met = (*whole, Stop(where=", ".join(lacking), doubt="node"))[0]
            return _proof(source, destination, None, met)
        smallest = Stop(where=source).flow(here.pods, there.pods, self._span)
        first: dict[bool, tuple[tuple[object, ...], Flow, Stop]] = {}
        for stop in itertools.chain(whole, itertools.chain.from_iterable(self._met(here, there))):
            flow = stop.flow(here.pods, there.pods, self._span)
            certain = not stop.doubt
            if certain and flow == smallest:
                first[True] = (), flow, stop
                break
            rank = _rank(flow, here.pods, there.pods)
            if certain not in first or rank < first[certain][0]:
                first[certain] = rank, flow, stop
        if not first:
            return Proof(source=source, destination=destination, outcome="proved")
        _, flow, stop = first[True in first]
        return _proof(source, destination, flow, stop)

    def _met(self, here: _End, there: _End) -> Iterator[tuple[Stop, ...]]:
        """What stops some of the pair's flows, part by part."""
        if here.seen:
            yield from self._leaving_node(here, there)
        yield here.sends
        yield self._leaving(here, there)
        yield from self._entering(here, there)
        yield there.receives
        if there.seen:
            yield from self._entering_node(here, there)
        if here.subnet != there.subnet:
            yield self._acl(there, here, "egress", here.face, here.side, back=True)
            yield self._acl(here, there, "ingress", there.pods, "destination", back=True)
        if here.side:
            yield from self._back_to_pods(here, there)
        else:
            yield tuple(by_other_tables(self._used, there.worker, here.worker))

    def _end(self, worker: str) -> _End | None:
        """``None`` for one that is nowhere, or without pod addresses of its own."""
        if worker not in self._ends:
            self._ends[worker] = self._made_end(worker)
        return self._ends[worker]

    def _made_end(self, worker: str) -> _End | None:
        used, node = self._used, self._used.evidence.nodes.get(worker)
        instance, cidr = used.located.get(worker), used.pod_cidrs.get(worker)
        probe = pod_of(used, worker) if node and node.pod else None
        pods = Addresses.of_pods(cidr, probe) if cidr else None
        if instance is None or pods is None or ground(used, worker):
            return None
        pods = self._only.get(worker, pods)
        masked = used.masquerades(worker) and instance.address
        card = instance.primary_interface
        unseen = () if node else (Stop(where=worker, doubt="node"),)
        unchecked = () if card else (Stop(where=instance.id, doubt="group"),)
        checks = (check(used, worker, card),) if card and card.source_dest_check else ()
        own = {
            side: (*by_kernel(used, worker, worker, pods, side), *by_neighbours(used, worker, side))
            if node
            else ()
            for side in ("source", "destination")
        }
        return _End(
            worker=worker,
            pods=pods,
            face=Addresses.alone(IPv4Address(instance.address)) if masked else pods,
            side="" if masked else "source",
            seen=node is not None,
            subnet=instance.subnet,
            card=card,
            zone=self._zones.setdefault(zone_of(used, worker), len(self._zones)),
            quiet=node is not None and is_quiet(used, worker),
            ruled=bool(node and node.rules),
            strict=may_filter(used, worker),
            plain=plain_ways(used, worker),
            sends=(*unseen, *unchecked, *own["source"], *(() if masked else checks)),
            receives=(*unseen, *own["destination"], *checks),
        )

    def _whole(self, source: str, destination: str) -> tuple[Stop, ...]:
        """What stops all of them, whichever pods they are of."""
        met = obstacles(self._network, source, destination)
        if id(met) not in self._of_obstacles:
            each = (found for found in met if not found.code.startswith(_BY_PACKET))
            self._of_obstacles[id(met)] = met, tuple(map(of_finding, each))
        return self._of_obstacles[id(met)][1]

    def _leaving(self, here: _End, there: _End) -> tuple[Stop, ...]:
        """What the VPC stops before the destination's subnet: the same for all of the source's zone."""
        key = ("leaving", here.zone, there.worker)
        if key not in self._known:
            span, pods = self._span, there.pods
            groups = (
                through_groups(self._used, here.card, "egress", pods, span, "destination")
                if here.card
                else ()
            )
            apart = here.subnet != there.subnet
            acl = self._acl(here, there, "egress", pods, "destination", back=False) if apart else ()
            self._known[key] = (*groups, *acl, *self._led(here, there).stops)
        return self._known[key]

    def _entering(self, here: _End, there: _End) -> Iterator[tuple[Stop, ...]]:
        """What it stops there: at each ENI by which packets for some of the addresses come in."""
        if here.subnet != there.subnet:
            yield self._acl(there, here, "ingress", here.face, here.side, back=False)
        for arrival in self._led(here, there).arrivals:
            card = arrival.interface
            key = ("entering", card.security_groups, here.worker)
            if key not in self._known:
                self._known[key] = tuple(
                    through_groups(self._used, card, "ingress", here.face, self._span, here.side)
                )
            if self._known[key]:
                yield tuple(replace(stop, destination=arrival.least) for stop in self._known[key])
            if there.strict:
                yield tuple(filtered(self._used, here.worker, there.worker, arrival, "destination"))

    def _leaving_node(self, here: _End, there: _End) -> Iterator[tuple[Stop, ...]]:
        if here.ruled:
            yield tuple(by_rules(self._used, here.worker, here.pods, there.pods, arriving=False))
        if there.worker not in here.plain:
            yield tuple(by_kernel(self._used, here.worker, there.worker, there.pods, "destination"))
        if not here.quiet:
            yield self._firewall(here, there, here.pods, there.pods, outwards=True)

    def _entering_node(self, here: _End, there: _End) -> Iterator[tuple[Stop, ...]]:
        fixed = "" if here.side else "source"
        if there.ruled:
            ends = here.face, there.pods
            yield tuple(by_rules(self._used, there.worker, *ends, arriving=True, fixed=fixed))
        if not there.quiet:
            yield self._firewall(there, here, here.face, there.pods, outwards=False)

    def _back_to_pods(self, here: _End, there: _End) -> Iterator[tuple[Stop, ...]]:
        """What stops replies that are for the pods themselves, and not for their node."""
        used = self._used
        if there.seen and here.worker not in there.plain:
            yield tuple(by_kernel(used, there.worker, here.worker, here.pods, "source"))
        led = self._led(there, here)
        yield tuple(replace(stop, source=stop.destination, destination=None) for stop in led.stops)
        for arrival in led.arrivals if here.strict else ():
            yield tuple(filtered(used, there.worker, here.worker, arrival, "source"))

    def _firewall(
        self, end: _End, other: _End, source: Addresses, destination: Addresses, *, outwards: bool
    ) -> tuple[Stop, ...]:
        """What the firewall of ``end`` drops; an other end that no rule tells apart may be any."""
        firewall = whole_firewall_of(self._used, end.worker)
        theirs = destination if outwards else source
        cut = any(theirs.cidr != each and each.subnet_of(theirs.cidr) for each in firewall.named)
        alike = other.worker if cut else firewall.alike(theirs.smallest)
        key = ("firewall", end.worker, alike, outwards)
        if key not in self._known:
            found = by_firewall(self._used, end.worker, source, destination, self._span, outwards=outwards)
            any_end: dict[str, None] = {} if cut else {"destination" if outwards else "source": None}
            self._known[key] = tuple(replace(stop, **any_end) for stop in found)
        return self._known[key]

    def _acl(
        self, end: _End, other: _End, direction: str, peers: Addresses, side: str, *, back: bool
    ) -> tuple[Stop, ...]:
        key = ("acl", end.subnet, direction, other.worker, back)
        if key not in self._known:
            found = through_acl(self._used, end.worker, direction, peers, self._span, side, back=back)
            self._known[key] = tuple(found)
        return self._known[key]

    def _led(self, here: _End, there: _End) -> Routed:
        key = (here.zone, there.worker)
        if key not in self._routed:
            self._routed[key] = routed(self._used, here.worker, there.worker, there.pods)
        return self._routed[key]


def _proof(source: str, destination: str, flow: Flow | None, stop: Stop) -> Proof:
    outcome: Outcome = "unknown" if stop.doubt else "stopped"
    return Proof(source=source, destination=destination, outcome=outcome, flow=flow, stop=stop)


def _rank(flow: Flow, here: Addresses, there: Addresses) -> tuple[object, ...]:
    """In which order flows between the two are told."""
    order = PROTOCOLS.index(flow.protocol)
    return here.rank(flow.source), there.rank(flow.destination), order, flow.port, flow.asker
