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

There are as many pairs as workers times workers, so little is asked of each of them. What an end meets on
its own node is judged once for it; what the VPC does, once for all the workers it treats alike: those of one
subnet, one table and the same security groups.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from kthw.findings import crossing
from kthw.findings.cni_network import checks_between
from kthw.findings.configured import as_configured
from kthw.findings.ends import End, standing
from kthw.findings.finding import Finding, once
from kthw.findings.next_hops import lacking
from kthw.findings.node_firewall import dropped_arriving, dropped_leaving
from kthw.findings.node_routes import astray, beyond
from kthw.findings.reverse_path import filtered
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin


def obstacles(network: Network, source: str, destination: str) -> list[Finding]:
    """What stands in the way from the source's pods to the destination's, the first obstacle first.

    Empty when nothing observed does. What was not seen (a node nobody logged in to) is no obstacle. A
    worker and itself: only the pod network is in the way then, the VPC never sees the packet. Pairs that
    meet the same get the same object.
    """
    return network.remember(("paths",), lambda: _Paths(network)).between(source, destination)


_OfPair = Callable[[Network, str, str], Iterable[Finding]]
"""``judge(network, here, other)``: what is in the way between the two, in one part of the way."""


class _Paths:
    """The paths of one network. Its parts are judged with the pods' addresses that packets really have."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._used = as_configured(network)
        self._by_plugin = by_plugin(network)
        self._ends: dict[str, End] = {}
        self._pairs: dict[tuple[str, str], list[Finding]] = {}
        self._parts: dict[tuple[object, ...], Sequence[Finding]] = {}
        self._gates: dict[tuple[object, ...], object] = {}
        # By the identity of its parts, which are kept so that none is ever another's.
        self._joined: dict[tuple[int, ...], tuple[list[Sequence[Finding]], list[Finding]]] = {}

    def between(self, source: str, destination: str) -> list[Finding]:
        """The obstacles of a pair."""
        pair = (source, destination)
        found = self._pairs.get(pair)
        if found is None:
            met = self._met(self._end(source), self._end(destination))
            found = self._pairs[pair] = self._told([part for part in met if part])
        return found

    def _told(self, met: list[Sequence[Finding]]) -> list[Finding]:
        key = tuple(map(id, met))
        if key not in self._joined:
            each = itertools.chain.from_iterable(met)
            told = once(told for finding in each for told in _from_user_data(self._network, finding))
            self._joined[key] = met, told
        return self._joined[key][1]

    def _end(self, worker: str) -> End:
        if worker not in self._ends:
            self._ends[worker] = End(self._used, worker)
        return self._ends[worker]

    def _met(self, source: End, destination: End) -> Iterable[Sequence[Finding]]:
        if self._by_plugin:
            return self._by_its_plugin(source, destination)
        if source is destination:
            return source.standing, source.pods, source.own_way
        if source.nowhere or destination.nowhere:
            return source.standing, destination.standing
        return (
            source.standing,
            destination.standing,
            *self._there(source, destination),
            *self._back(source, destination),
        )

    def _by_its_plugin(self, source: End, destination: End) -> Iterable[Sequence[Finding]]:
        """As far as that is anybody else's business."""
        if source is destination:
            return source.standing, source.pods
        return (
            source.standing,
            destination.standing,
            source.pods,
            source.forwarding,
            checks_between(self._network, source.worker, destination.worker),
            destination.forwarding,
            destination.pods,
        )

    def _there(self, source: End, destination: End) -> Iterable[Sequence[Finding]]:
        network, here, there = self._used, source.worker, destination.worker
        return (
            source.towards(there),
            source.forwarding,
            astray(network, here, there),
            lacking(network, here, there),
            dropped_leaving(network, here, source.firewall, there) if source.firewall else (),
            source.leaving,
            self._alike(crossing.leaves, source.zone, source, destination),
            self._alike(crossing.enters, self._gate(source, destination), destination, source),
            destination.forwarding,
            filtered(network, there, here) if destination.strict else (),
            destination.own_way,
            dropped_arriving(network, there, destination.firewall, here) if destination.firewall else (),
            destination.pods,
        )

    def _back(self, source: End, destination: End) -> Iterable[Sequence[Finding]]:
        bare, ruled = not source.masquerades, source.masquerades and destination.is_ruled
        return (
            destination.primary_checks,
            self._alike(crossing.reply_leaves, destination.zone, destination, source),
            astray(self._used, destination.worker, source.worker) if bare else (),
            lacking(self._used, destination.worker, source.worker) if bare else (),
            beyond(self._used, destination.worker, source.worker) if ruled else (),
            self._alike(crossing.reply_crosses, destination.zone, destination, source),
            self._alike(crossing.reply_enters, source.zone, source, destination),
            filtered(self._used, source.worker, destination.worker) if bare and source.strict else (),
            source.own_way,
        )

    def _alike(self, judge: _OfPair, zone: object, here: End, other: End) -> Sequence[Finding]:
        """What ``judge`` finds between ``here`` and ``other``, the same for all of ``here``'s ``zone``."""
        key = (judge, zone, other.worker)
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = tuple(judge(self._used, here.worker, other.worker))
        return found

    def _gate(self, source: End, destination: End) -> object:
        """What the packets of the source's zone enter by at the destination: its subnet, and their groups."""
        key = (source.zone, destination.worker)
        found = self._gates.get(key)
        if found is None:
            found = self._gates[key] = crossing.gate_of(self._used, source.worker, destination.worker)
        return found


def _from_user_data(network: Network, obstacle: Finding) -> list[Finding]:
    """The wrong user data where what is made from it stands in the way, else the obstacle itself."""
    made = obstacle.code.startswith("route-") or obstacle.code == "node-route-conflict"
    return (standing(network, obstacle.worker) if made else []) or [obstacle]
