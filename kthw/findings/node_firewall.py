"""Does a node's firewall let pod packets through, on their way out, in, and back?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Final

from kthw.findings.configured import as_configured
from kthw.findings.finding import Finding
from kthw.findings.firewall_commands import is_known_in_part, mending, told
from kthw.findings.node_changes import DropGone
from kthw.findings.workers import valid_pod_cidr
from kthw.intended import tutorial
from kthw.intended.pod_cidrs import SMALLEST
from kthw.network import ranges
from kthw.network.flows import PROTOCOLS, Addresses
from kthw.network.model import Network
from kthw.network.netfilter import Drop, Firewall
from kthw.network.packet import Packet, Protocol, back
from kthw.observed.cni_networks import pod_network

_TO_INTERNET: Final[tuple[Protocol, ...]] = ("icmp", "tcp")
"""What any pod sends there. DNS beyond the cluster is asked by CoreDNS alone, and of the VPC's resolver."""
_INTERNET: Final = IPv4Address(tutorial.INTERNET_HOST)


def dropped(network: Network, worker: str) -> list[Finding]:
    """What the worker's firewall drops of its pods' packets with any other worker's pods, or the internet.

    Of all their pods: a rule may be about some addresses of their ranges, and not about the probe pod's. And
    of a ping to the node that they run on.
    """
    firewall = firewall_of(network, worker)
    if firewall is None:
        return []
    others = [other for other in network.workers if other != worker]
    own = _apart(firewall, _parts(network, worker, firewall))
    packets = []
    for outwards, seen_as in ((True, _parts), (False, _faces)):
        theirs = _apart(firewall, (each for other in others for each in seen_as(network, other, firewall)))
        for mine, each in itertools.product(own, theirs):
            packets += _packets(network, worker, each, outwards=outwards, mine=mine)
    packets += [*_to_internet(network, worker), *_to_node(network, worker)]
    return _findings(network, worker, firewall, packets)


def nowhere(network: Network, worker: str) -> list[Finding]:
    """What leaves no packet to ask a firewall about: neither a pod nor a pod CIDR is known."""
    used = as_configured(network)
    return [] if pod_of(used, worker) else valid_pod_cidr(used, worker)


def _parts(network: Network, worker: str, firewall: Firewall) -> list[IPv4Address | None]:
    """The probe pod's address, and one of each part of the worker's range that the firewall tells apart."""
    probe, cidr = pod_of(network, worker), network.pod_cidrs.get(worker)
    pods = Addresses.of_pods(cidr, probe) if cidr else None
    return [probe, *(pods.apart(firewall.named) if pods else ())]


def _faces(network: Network, worker: str, firewall: Firewall) -> list[IPv4Address | None]:
    """What they look like from another node."""
    masked = network.masquerades(worker)
    return [face(network, worker)] if masked else _parts(network, worker, firewall)


def _apart(firewall: Firewall, addresses: Iterable[IPv4Address | None]) -> Iterable[IPv4Address]:
    """Of the addresses that the firewall treats alike, the first."""
    found: dict[object, IPv4Address] = {}
    for address in addresses:
        if address:
            found.setdefault(firewall.alike(address), address)
    return found.values()


def firewall_of(network: Network, worker: str) -> Firewall | None:
    """The node's, where one was seen that could drop anything."""

    firewall = whole_firewall_of(network, worker)
    return firewall if firewall.may_drop else None


def whole_firewall_of(network: Network, worker: str) -> Firewall:
    """All that was seen of it, whatever it does."""

    def make() -> Firewall:
        node = network.evidence.nodes.get(worker)
        return Firewall((node.firewall if node else None) or ())

    return network.remember(("firewall", worker), make)


def dropped_leaving(network: Network, worker: str, firewall: Firewall, other: str) -> list[Finding]:
    """What it drops of requests to the other's pods, and of the replies that come in."""
    return _dropped(network, worker, firewall, pod_of(network, other), outwards=True)


def dropped_arriving(network: Network, worker: str, firewall: Firewall, other: str) -> list[Finding]:
    """What it drops of requests of the other's pods, and of the replies that go out."""
    return _dropped(network, worker, firewall, face(network, other), outwards=False)


def dropped_to_internet(network: Network, worker: str) -> list[Finding]:
    """What it drops of its pods' packets with the internet."""
    firewall = firewall_of(network, worker)
    return _findings(network, worker, firewall, _to_internet(network, worker)) if firewall else []


def dropped_to_node(network: Network, worker: str) -> list[Finding]:
    """What it drops of a pod's ping to the node itself."""
    firewall = firewall_of(network, worker)
    return _findings(network, worker, firewall, _to_node(network, worker)) if firewall else []


def _dropped(
    network: Network, worker: str, firewall: Firewall, theirs: IPv4Address | None, *, outwards: bool
) -> list[Finding]:
    """The same list for all whom the firewall treats alike."""
    if theirs is None:
        return []
    key = ("dropped", worker, outwards, firewall.alike(theirs))
    return network.remember(
        key,
        lambda: _findings(network, worker, firewall, _packets(network, worker, theirs, outwards=outwards)),
    )


def _to_internet(network: Network, worker: str) -> list[Packet]:
    if not network.masquerades(worker):
        return []
    return _packets(network, worker, _INTERNET, outwards=True, protocols=_TO_INTERNET)


def _packets(
    network: Network,
    worker: str,
    theirs: IPv4Address,
    *,
    outwards: bool,
    protocols: tuple[Protocol, ...] = PROTOCOLS,
    mine: IPv4Address | None = None,
) -> list[Packet]:
    """The requests and their replies, as the node of ``worker`` hands them on."""
    mine = mine or pod_of(network, worker)
    if mine is None:
        return []
    bridge, card = interfaces(network, worker)
    masked = seen_as(network, worker) if outwards else None
    packets = []
    for protocol in protocols:
        out = Packet(
            source=mine,
            destination=theirs,
            protocol=protocol,
            entering=bridge,
            leaving=card,
            reply=not outwards,
            masked=masked,
        )
        packets += [out, back(out, course="in")] if outwards else [back(out, course="in"), out]
    return packets


def _to_node(network: Network, worker: str) -> list[Packet]:
    """A pod's ping to its own node, and the answer."""
    mine, node = pod_of(network, worker), _node_address(network, worker)
    if mine is None or node is None:
        return []
    bridge, _ = interfaces(network, worker)
    there = Packet(source=mine, destination=node, protocol="icmp", entering=bridge, course="to-node")
    return [there, back(there, course="from-node")]


def _findings(network: Network, worker: str, firewall: Firewall, packets: Iterable[Packet]) -> list[Finding]:
    """One for each rule or policy that drops any of ``packets``."""
    dropping: dict[Drop, list[Packet]] = {}
    for packet in packets:
        for drop in firewall.drops(packet):
            dropping.setdefault(drop, []).append(packet)
    return [_finding(network, worker, firewall, drop, hit) for drop, hit in dropping.items()]


def _finding(network: Network, worker: str, firewall: Firewall, drop: Drop, packets: list[Packet]) -> Finding:
    chain, first = drop.chain, packets[0]
    said = told(drop)
    protocols = tuple(dict.fromkeys(packet.protocol for packet in packets))
    part = is_known_in_part(drop)
    where = _situation(firewall, drop, packets)
    gone = DropGone(worker=worker, tool=chain.tool, table=chain.table, chain=chain.name, rule=drop.rule)
    return Finding(
        code="forward-dropped",
        subject=f"{network.noun(worker)} · {said}",
        worker=worker,
        expected=f"{first.source} → {first.destination} {', '.join(protocols)}: ACCEPT",
        observed=said,
        near_miss="; ".join(_near(network, worker, firewall)[:3]),
        protocols=protocols,
        changes=() if part or not mending(drop) else (gone,),
        variant="rule-in-part" if part else "-".join(filter(None, ("rule" if drop.rule else "", where))),
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "chain": chain.name,
            "table": chain.table,
            "rule": said,
            "command": mending(drop),
        },
    )


def _situation(firewall: Firewall, drop: Drop, packets: Iterable[Packet]) -> str:
    """Which words are right: those of the chain of forwarded packets, or of a hook that fewer people know."""
    if all(packet.course in ("to-node", "from-node") for packet in packets):
        return "own-node"
    if "forward" not in firewall.hooks_of(drop.chain):
        return "hook"
    return "udp" if all(packet.protocol == "udp" for packet in packets) else ""


def at_random(network: Network, source: str, destination: str) -> list[tuple[str, Drop]]:
    """The rules of either node's firewall that drop some of the pair's packets by chance, and whose."""
    found = []
    for worker, other, outwards in ((source, destination, True), (destination, source, False)):
        firewall = firewall_of(network, worker)
        theirs = pod_of(network, other) if outwards else face(network, other)
        if firewall and theirs:
            packets = _packets(network, worker, theirs, outwards=outwards)
            drops = (drop for packet in packets for drop in firewall.at_random(packet))
            found += [(worker, drop) for drop in dict.fromkeys(drops)]
    return found


def drops_by_lot(network: Network, worker: str) -> bool:
    """Whether any rule of the worker's firewall drops some of the packets that are alike, and others not."""
    firewall = firewall_of(network, worker)
    return firewall is not None and firewall.by_lot


def swallowing(network: Network, worker: str, teller: str) -> list[Drop]:
    """What in the worker's firewall keeps from its pods that packets are too big for a link of the node of
    ``teller``, which tells their sender so.
    """
    firewall, pod, node = (
        firewall_of(network, worker),
        pod_of(network, worker),
        _node_address(network, teller),
    )
    if firewall is None or pod is None or node is None:
        return []
    bridge, card = interfaces(network, worker)
    told_so = Packet(
        source=node,
        destination=pod,
        protocol="icmp",
        entering=card,
        leaving=bridge,
        too_big=True,
        course="in",
        masked=seen_as(network, worker),
    )
    return list(firewall.drops(told_so))


def _near(network: Network, worker: str, firewall: Firewall) -> list[str]:
    """The accepting rules that are about the pods: what was meant to let them through, maybe."""
    bridge, _ = interfaces(network, worker)
    names = [bridge, str(pod_of(network, worker)).rsplit(".", 2)[0]]
    return [rule for rule in firewall.accepting() if any(name and name in rule for name in names)]


def interfaces(network: Network, worker: str) -> tuple[str, str]:
    """The bridge of the pods and the network card, by name; empty where not known."""

    def find() -> tuple[str, str]:
        node = network.evidence.nodes[worker]
        config = pod_network(node)
        instance = network.instance(worker)
        cards = [
            link.name
            for link in node.links
            if instance and instance.address in (each.split("/")[0] for each in link.addresses)
        ]
        return (config.bridge if config else ""), next(iter(cards), "")

    return network.remember(("interfaces", worker), find)


def pod_of(network: Network, worker: str) -> IPv4Address | None:
    """The address of the worker's probe pod, else one that a pod of its pod CIDR would have."""
    return network.remember(("pod", worker), lambda: _find_pod(network, worker))


def _find_pod(network: Network, worker: str) -> IPv4Address | None:
    node = network.evidence.nodes.get(worker)
    if node and node.pod:
        return IPv4Address(node.pod)
    cidr = network.pod_cidrs.get(worker)
    return cidr[2] if cidr and cidr.prefixlen <= SMALLEST else None


def seen_as(network: Network, worker: str) -> IPv4Address | None:
    """The address that stands for its pods' on the VPC's side, where they are masqueraded."""
    return _node_address(network, worker) if network.masquerades(worker) else None


def face(network: Network, worker: str) -> IPv4Address | None:
    """What the worker's pods look like from another: its node's address where they are masqueraded."""
    if not network.masquerades(worker):
        return pod_of(network, worker)
    return network.remember(("face", worker), lambda: _node_address(network, worker))


def _node_address(network: Network, worker: str) -> IPv4Address | None:
    instance = network.instance(worker)
    return ranges.network(instance.address).network_address if instance and instance.address else None
