"""What the commands of fixes change on a node, of what was observed there, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from kthw.network import ranges
from kthw.network.node_routes import is_default
from kthw.observed.evidence import Chain, Evidence, KernelRoute, Link, Node, Way

_LOOSE: Final = 2


class ForwardingOn(Struct, frozen=True, kw_only=True, tag=True):
    """``sysctl net.ipv4.ip_forward=1``, which sets all interfaces; or that of one of them."""

    worker: str
    interface: str = ""

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(evidence, self.worker, self._switched)

    def _switched(self, node: Node) -> Node:
        links = tuple(replace(link, forwarding=True) if self._sets(link) else link for link in node.links)
        return replace(node, links=links, ip_forward=node.ip_forward if self.interface else True)

    def _sets(self, link: Link) -> bool:
        return link.forwarding is not None and self.interface in ("", link.name)


class DropGone(Struct, frozen=True, kw_only=True, tag=True):
    """``iptables -D`` or ``nft delete rule``, of one rule; without one: the chain's policy is to accept."""

    worker: str
    tool: str
    table: str
    chain: str
    rule: str = ""

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(
            evidence,
            self.worker,
            lambda node: replace(node, firewall=node.firewall and tuple(map(self._of, node.firewall))),
        )

    def _of(self, chain: Chain) -> Chain:
        if (chain.tool, chain.table, chain.name) != (self.tool, self.table, self.chain):
            return chain
        if not self.rule:
            return replace(chain, policy="ACCEPT")
        # The first of those that are alike.
        at = chain.rules.index(self.rule) if self.rule in chain.rules else len(chain.rules)
        return replace(chain, rules=(*chain.rules[:at], *chain.rules[at + 1 :]))


class PolicyRuleGone(Struct, frozen=True, kw_only=True, tag=True):
    """``ip rule del pref``."""

    worker: str
    priority: int
    text: str

    def on(self, evidence: Evidence) -> Evidence:
        gone = self.priority, self.text
        return with_node(
            evidence,
            self.worker,
            lambda node: replace(
                node,
                rules=node.rules and tuple(r for r in node.rules if (r.priority, r.text) != gone),
            ),
        )


class KernelRouteGone(Struct, frozen=True, kw_only=True, tag=True):
    """``ip route del``, of an entry as ``Way.route`` has it.

    What it took goes the next best way that was seen: through a next hop, on a link, or where all else goes.
    """

    worker: str
    route: str

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(evidence, self.worker, self._without)

    def _without(self, node: Node) -> Node:
        left = node.routes and tuple(r for r in node.routes if not self._is(r))
        ways = (_next_best(node, left or (), w) if w.route == self.route else w for w in node.ways)
        return replace(node, ways=tuple(ways), routes=left)

    def _is(self, route: KernelRoute) -> bool:
        words = self.route.split()
        return "table" not in words and [route.destination, "via", route.via] == words[:3]


class KernelRouteMade(Struct, frozen=True, kw_only=True, tag=True):
    """``ip route replace`` through a next hop by the card ``device``; without a hop, onto the link."""

    worker: str
    destination: str
    device: str
    via: str = ""

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(evidence, self.worker, self._with)

    def _with(self, node: Node) -> Node:
        ways = tuple(self._taken(way) if self._takes(way) else way for way in node.ways)
        if not self.via:
            return replace(node, ways=ways)
        made = KernelRoute(destination=self.destination, via=self.via, device=self.device)
        others = (r for r in node.routes or () if r.destination != self.destination)
        return replace(node, ways=ways, routes=None if node.routes is None else (*others, made))

    def _takes(self, way: Way) -> bool:
        """Whether it goes before what takes the packet now: it is for less, or for the same."""
        around = ranges.network(self.destination)
        return IPv4Address(way.address) in around and (is_default(way) or _is_for(way, around))

    def _taken(self, way: Way) -> Way:
        hop = f"via {self.via} " if self.via else ""
        route = f"{self.destination} {hop}dev {self.device}"
        return replace(way, device=self.device, via=self.via, kind="unicast", route=route)


class LooseReversePath(Struct, frozen=True, kw_only=True, tag=True):
    """``sysctl net.ipv4.conf.all.rp_filter=2``."""

    worker: str

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(evidence, self.worker, lambda node: replace(node, rp_filter=_LOOSE))


class PodsMoved(Struct, frozen=True, kw_only=True, tag=True):
    """Another subnet in the CNI file, and the bridge gone: pods that are made anew have addresses of it.

    What other nodes' kernels do with those is what they did with the others, nobody having asked them.
    """

    worker: str
    file: str
    bridge: str
    subnet: str

    def on(self, evidence: Evidence) -> Evidence:
        return with_node(evidence, self.worker, self._moved)

    def _moved(self, node: Node) -> Node:
        around = ranges.network(self.subnet)
        gateway, pod = (str(around[n]) for n in (1, 2))
        at = (f"{gateway}/{around.prefixlen}",)
        route = f"{around} dev {self.bridge} proto kernel scope link src {gateway}"
        way = Way(towards=self.worker, address=pod, device=self.bridge, route=route)
        others = tuple(each for each in node.ways if each.towards != self.worker)
        return replace(
            node,
            pod=pod if node.pod else "",
            cni=tuple(replace(c, subnet=self.subnet) if c.file == self.file else c for c in node.cni),
            links=tuple(
                replace(link, addresses=at) if link.name == self.bridge else link for link in node.links
            ),
            ways=(*others, way) if node.ways else (),
        )


def with_node(evidence: Evidence, worker: str, change: Callable[[Node], Node]) -> Evidence:
    """With that node changed, where it was seen."""
    node = evidence.nodes.get(worker)
    return replace(evidence, nodes={**evidence.nodes, worker: change(node)}) if node else evidence


def _is_for(way: Way, around: IPv4Network) -> bool:
    """Whether the entry that takes it now is for as much, or more; not one of another table, or unknown."""
    words = way.route.split()
    # Its destination is the first word, or comes after "blackhole" and the like.
    for word in () if "table" in words else words:
        try:
            return ranges.network(word).prefixlen <= around.prefixlen
        except ValueError:
            continue
    return False


def _next_best(node: Node, routes: tuple[KernelRoute, ...], way: Way) -> Way:
    found = max(_candidates(node, routes, way), key=lambda each: each[0], default=None)
    if found:
        return found[1]
    usual = next((each for each in node.ways if each.route.startswith("default ")), None)
    if usual:
        return replace(usual, towards=way.towards, address=way.address)
    return replace(way, device="", via="", kind="none", route="")


def _candidates(node: Node, routes: tuple[KernelRoute, ...], way: Way) -> Iterator[tuple[int, Way]]:
    """The ways that its address may take by an entry, with how much of it each is for."""
    address = IPv4Address(way.address)
    for route in routes:
        around = ranges.network(route.destination)
        if address in around:
            text = f"{route.destination} via {route.via} dev {route.device}"
            taken = replace(way, device=route.device, via=route.via, kind="unicast", route=text)
            yield around.prefixlen, taken
    for link in node.links:
        for each in filter(None, link.addresses):
            around = ranges.network(each)
            if address in around and link.up:
                text = f"{around} dev {link.name}"
                yield around.prefixlen, replace(way, device=link.name, via="", kind="unicast", route=text)
