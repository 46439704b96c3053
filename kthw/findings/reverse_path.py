"""Does a node's kernel drop what comes in for its pods by another interface than its answers leave by?

With ``rp_filter`` 1 (strict) it takes a packet only from the interface by which it would answer the sender;
with 2 (loose) from any, if it knows a way back at all. It applies the larger of ``all``'s value and the
interface's (the kernel's ``ip-sysctl``). With one network interface there is one way in and out; a second one
that the VPC's route names is where the two may differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Final

from kthw.findings.finding import Finding, once
from kthw.findings.node_changes import LooseReversePath
from kthw.findings.node_firewall import face
from kthw.findings.workers import ground
from kthw.network import ranges
from kthw.network.arrival import interfaces, interfaces_of_probe
from kthw.network.model import Network
from kthw.observed.evidence import Link, NetworkInterface, Node

_STRICT: Final = 1
_SYSCTL: Final = "net.ipv4.conf.{}.rp_filter"


def may_filter(network: Network, worker: str) -> bool:
    """Whether the worker's kernel was seen to be strict at any interface."""
    node = network.evidence.nodes.get(worker)
    return node is not None and any(_is_strict(node, link) for link in node.links)


def filtered(network: Network, worker: str, source: str) -> list[Finding]:
    """Whether the worker's kernel drops what the pods of ``source`` send to its probe pod."""
    ruling = network.ruling_seen(source)
    if ruling is None:
        return []
    arrived_at = interfaces_of_probe(network, worker, ruling.effective.id)
    return filtered_at(network, worker, source, arrived_at)


def filtered_at(
    network: Network, worker: str, source: str, arrived_at: Iterable[NetworkInterface]
) -> list[Finding]:
    """Whether it drops what they send and what comes in by any of these."""
    strict = _strict_links(network, worker, arrived_at)
    return once(found for link in strict for found in _judged(network, worker, source, link))


def all_filtered(network: Network, worker: str) -> list[Finding]:
    """Whether it drops what any other worker's pods send to its pods; each interface once."""
    if worker not in network.located or worker not in network.pod_cidrs or ground(network, worker):
        return []
    return once(
        found
        for ruling in network.rulings
        for link in _strict_links(network, worker, interfaces(network, worker, ruling.effective.id))
        for source in ruling.workers
        if source != worker
        for found in _judged(network, worker, source, link)
    )


def _strict_links(network: Network, worker: str, arrived_at: Iterable[NetworkInterface]) -> list[Link]:
    """Those of the node's that are such an interface, the primary one aside, and that are strict."""
    node, primary = network.evidence.nodes[worker], network.located[worker].primary_interface
    addresses = {address for eni in arrived_at if eni != primary for address in eni.addresses}
    return [link for link in node.links if _is_strict(node, link) and addresses & {*_addresses(link)}]


def _is_strict(node: Node, link: Link) -> bool:
    if node.rp_filter is None or link.rp_filter is None:
        return False
    return max(node.rp_filter, link.rp_filter) == _STRICT


def _addresses(link: Link) -> Iterable[str]:
    return (address.split("/")[0] for address in link.addresses)


def _judged(network: Network, worker: str, source: str, link: Link) -> list[Finding]:
    sender = face(network, source)
    device = _answers_by(network, worker, source, sender) if sender else ""
    if not device or device == link.name:
        return []
    interface, everything = (_SYSCTL.format(each) for each in (link.name, "all"))
    return [
        Finding(
            code="node-route-conflict",
            subject=f"{network.noun(worker)} · {interface} = {_STRICT}",
            worker=worker,
            expected=f"{everything} = 2",
            observed=f"{interface} = {_STRICT}",
            near_miss=f"{sender} dev {device}",
            variant="reverse-path",
            changes=(LooseReversePath(worker=worker),),
            facts={
                "worker_noun": network.noun(worker),
                "login": network.login(worker),
                "towards_noun": network.noun(source),
                "address": str(sender),
                "device": link.name,
                "answers_by": device,
                "route": f"{interface} = {_STRICT}",
            },
        )
    ]


def _answers_by(network: Network, worker: str, source: str, sender: IPv4Address) -> str:
    """The interface by which the worker's kernel sends to that address; empty where that is not known.

    It was asked about the pods' addresses. A node's own is in the range of one of its interfaces, or else
    where everything goes; of two with one range, nobody knows which.
    """
    node = network.evidence.nodes[worker]
    if not network.masquerades(source):
        way = network.probes.way(worker, source)
        return way.device if way else ""
    near = [
        link.name
        for link in node.links
        if link.up and any(sender in ranges.network(address) for address in link.addresses if address)
    ]
    if near:
        return near[0] if len(near) == 1 else ""
    usual = {way.device for way in node.ways if way.route.startswith("default ")}
    return usual.pop() if len(usual) == 1 else ""
