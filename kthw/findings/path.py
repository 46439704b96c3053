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
from collections.abc import Iterable, Sequence
from typing import NamedTuple

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
from kthw.network.node_routes import by_node_routes, by_plugin


def obstacles(network: Network, source: str, destination: str) -> list[Finding]:
    """What stands in the way from the source's pods to the destination's, the first obstacle first.

    Empty when nothing observed does. What was not seen (a node nobody logged in to) is no obstacle. A
    worker and itself: only the pod network is in the way then, the VPC never sees the packet. Pairs that
    meet the same get the same object.
    """
    return network.remember(("paths",), lambda: _Paths(network)).between(source, destination)


class _Paths:
    """The paths of one network. Its parts are judged with the pods' addresses that packets really have."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._used = as_configured(network)
        self._by_plugin = by_plugin(network)
        self._by_nodes = by_node_routes(network)
        self._ends: dict[str, End] = {}
        self._pairs: dict[tuple[str, str], list[Finding]] = {}
        self._there_of: dict[tuple[object, str], _Crossed] = {}
        self._entering: dict[tuple[object, str], Sequence[Finding]] = {}
        self._back_of: dict[tuple[object, str], tuple[Sequence[Finding], Sequence[Finding]]] = {}
        self._kinds: dict[tuple[str, object, object], tuple[int, ...]] = {}
        self._alike: dict[tuple[int, tuple[int, ...]], list[Finding]] = {}
        # By the identity of its parts, which are kept so that none is ever another's.
        self._joined: dict[tuple[int, ...], tuple[list[Sequence[Finding]], list[Finding]]] = {}

    def between(self, source: str, destination: str) -> list[Finding]:
        """The obstacles of a pair."""
        pair = (source, destination)
        found = self._pairs.get(pair)
        if found is None:
            found = self._pairs[pair] = self._judged(self._end(source), self._end(destination))
        return found

    def _judged(self, source: End, destination: End) -> list[Finding]:
        """Where nothing on either node depends on the other end, pairs meet the same that the VPC treats
        alike, and whose sources have the same of their own.
        """
        alike = source is not destination and not self._by_plugin and not self._by_nodes
        if not (alike and source.plain and destination.plain):
            return self._told(self._met(source, destination))
        crossed = self._crossed(source, destination)
        key = (id(crossed), self._kind(source, crossed.gate, destination))
        found = self._alike.get(key)
        if found is None:
            found = self._alike[key] = self._told(self._met(source, destination))
        return found

    def _kind(self, source: End, gate: object, destination: End) -> tuple[int, ...]:
        """By identity, all that a plain source meets at whatever is entered by that gate, with the reply."""
        key = (source.worker, gate, destination.zone)
        found = self._kinds.get(key)
        if found is None:
            parts = (
                *source.own,
                self._entered(gate, source, destination),
                *self._crossed_back(source, destination),
            )
            found = self._kinds[key] = tuple(id(part) if part else 0 for part in parts)
        return found

    def _told(self, parts: Iterable[Sequence[Finding]]) -> list[Finding]:
        met = [part for part in parts if part]
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
        crossed = self._crossed(source, destination)
        return (
            source.towards(there),
            source.forwarding,
            *self._by_kernel(source, there),
            dropped_leaving(network, here, source.firewall, there) if source.firewall else (),
            source.leaving,
            crossed.leaves,
            self._entered(crossed.gate, source, destination),
            destination.forwarding,
            filtered(network, there, here) if destination.strict else (),
            destination.own_way,
            dropped_arriving(network, there, destination.firewall, here) if destination.firewall else (),
            destination.pods,
        )

    def _back(self, source: End, destination: End) -> Iterable[Sequence[Finding]]:
        reply_leaves, reply_crosses = self._crossed_back(source, destination)
        bare = not source.masquerades
        return (
            destination.primary_checks,
            reply_leaves,
            *(self._by_kernel(destination, source.worker) if bare else ()),
            () if bare else beyond(self._used, destination.worker, source.worker),
            reply_crosses,
            self._crossed(source, destination).reply_enters,
            filtered(self._used, source.worker, destination.worker) if bare and source.strict else (),
            source.own_way,
        )

    def _by_kernel(self, here: End, there: str) -> Iterable[Sequence[Finding]]:
        """What the node's own kernel does with packets for the other's pods."""
        return (
            astray(self._used, here.worker, there) if there in here.unusual else (),
            lacking(self._used, here.worker, there),
        )

    def _crossed(self, source: End, destination: End) -> _Crossed:
        """What the VPC does at the source's side, the same for all of its zone."""
        key = (source.zone, destination.worker)
        found = self._there_of.get(key)
        if found is None:
            here, there = source.worker, destination.worker
            found = self._there_of[key] = _Crossed(
                leaves=tuple(crossing.leaves(self._used, here, there)),
                gate=crossing.gate_of(self._used, here, there),
                reply_enters=crossing.reply_enters(self._used, here, there),
            )
        return found

    def _entered(self, gate: object, source: End, destination: End) -> Sequence[Finding]:
        """What it does at the destination's, the same for all that is entered by that gate."""
        key = (gate, source.worker)
        found = self._entering.get(key)
        if found is None:
            entered = crossing.enters(self._used, destination.worker, source.worker)
            found = self._entering[key] = tuple(entered)
        return found

    def _crossed_back(self, source: End, destination: End) -> tuple[Sequence[Finding], Sequence[Finding]]:
        """What it does with the reply, the same for all of the destination's zone: as it leaves, and then."""
        key = (destination.zone, source.worker)
        found = self._back_of.get(key)
        if found is None:
            here, other = destination.worker, source.worker
            found = self._back_of[key] = (
                crossing.reply_leaves(self._used, here, other),
                crossing.reply_crosses(self._used, here, other),
            )
        return found


class _Crossed(NamedTuple):
    """``gate``: by what the destination's subnet is entered."""

    leaves: Sequence[Finding]
    gate: object
    reply_enters: Sequence[Finding]


def _from_user_data(network: Network, obstacle: Finding) -> list[Finding]:
    """The wrong user data where what is made from it stands in the way, else the obstacle itself."""
    made = obstacle.code.startswith("route-") or obstacle.code == "node-route-conflict"
    return (standing(network, obstacle.worker) if made else []) or [obstacle]
