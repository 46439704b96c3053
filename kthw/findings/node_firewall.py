"""Does a node's firewall let pod packets through, on their way out, in, and back?"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from ipaddress import IPv4Address
from typing import Final, Literal

from kthw.findings.finding import Finding
from kthw.intended import tutorial
from kthw.network import ranges
from kthw.network.firewall_rules import handle
from kthw.network.model import Network
from kthw.network.netfilter import Drop, Firewall, Packet
from kthw.observed.cni_networks import pod_network
from kthw.secrets import MASK

_PROTOCOLS: Final[tuple[Literal["icmp", "tcp"], ...]] = ("icmp", "tcp")
_TOOLS: Final = ("iptables", "iptables-legacy", "iptables-nft", "nft")
_INTERNET: Final = IPv4Address(tutorial.INTERNET_HOST)


def dropped(network: Network, worker: str) -> list[Finding]:
    """What the worker's firewall drops of its pods' packets with any other worker's pods, or the internet."""
    others = _representatives(network, worker)
    packets = [packet for other in others for packet in _leaving(network, worker, other)]
    packets += [packet for other in others for packet in _arriving(network, worker, other)]
    return _findings(network, worker, [*packets, *_to_internet(network, worker)])


def _representatives(network: Network, worker: str) -> list[str]:
    """Of the other workers that the firewall treats alike, one each."""
    firewall = _firewall(network, worker)
    found: dict[tuple[object, ...], str] = {}
    for other in network.workers if firewall else ():
        ends = (_pod(network, other), face(network, other))
        if firewall and other != worker:
            found.setdefault(tuple(end and firewall.alike(end) for end in ends), other)
    return list(found.values())


def may_drop(network: Network, worker: str) -> bool:
    """Whether a firewall was seen on the worker that could drop anything."""
    return _firewall(network, worker) is not None


def dropped_leaving(network: Network, worker: str, other: str) -> list[Finding]:
    """What it drops of requests to the other's pods, and of the replies that come in."""
    firewall, theirs = _firewall(network, worker), _pod(network, other)
    if firewall is None or theirs is None:
        return []
    key = ("leaving", worker, firewall.alike(theirs))
    return network.remember(key, lambda: _findings(network, worker, _leaving(network, worker, other)))


def dropped_arriving(network: Network, worker: str, other: str) -> list[Finding]:
    """What it drops of requests of the other's pods, and of the replies that go out."""
    firewall, theirs = _firewall(network, worker), face(network, other)
    if firewall is None or theirs is None:
        return []
    key = ("arriving at", worker, firewall.alike(theirs))
    return network.remember(key, lambda: _findings(network, worker, _arriving(network, worker, other)))


def dropped_to_internet(network: Network, worker: str) -> list[Finding]:
    """What it drops of its pods' packets with the internet."""
    return _findings(network, worker, _to_internet(network, worker))


def _leaving(network: Network, worker: str, other: str) -> list[Packet]:
    mine, theirs = _pod(network, worker), _pod(network, other)
    return _there_and_back(network, worker, mine, theirs, outwards=True) if mine and theirs else []


def _arriving(network: Network, worker: str, other: str) -> list[Packet]:
    mine, theirs = _pod(network, worker), face(network, other)
    return _there_and_back(network, worker, theirs, mine, outwards=False) if mine and theirs else []


def _to_internet(network: Network, worker: str) -> list[Packet]:
    mine = _pod(network, worker)
    if not mine or not network.masquerades(worker):
        return []
    return _there_and_back(network, worker, mine, _INTERNET, outwards=True)


def _there_and_back(
    network: Network, worker: str, source: IPv4Address, destination: IPv4Address, *, outwards: bool
) -> list[Packet]:
    """The requests and their replies, as the node of ``worker`` forwards them.

    The chains see a pod's own address on both ways: masquerading comes after them, and is undone before.
    """
    if _firewall(network, worker) is None:
        return []
    bridge, card = interfaces(network, worker)
    entering, leaving = (bridge, card) if outwards else (card, bridge)
    packets = []
    for protocol in _PROTOCOLS:
        packets.append(
            Packet(
                source=source,
                destination=destination,
                protocol=protocol,
                entering=entering,
                leaving=leaving,
            )
        )
        packets.append(
            Packet(
                source=destination,
                destination=source,
                protocol=protocol,
                entering=leaving,
                leaving=entering,
                reply=True,
            )
        )
    return packets


def _findings(network: Network, worker: str, packets: Iterable[Packet]) -> list[Finding]:
    """One for each rule or policy that drops any of ``packets``."""
    firewall = _firewall(network, worker)
    if firewall is None:
        return []
    dropping: dict[Drop, list[Packet]] = {}
    for packet in packets:
        for drop in firewall.drops(packet):
            dropping.setdefault(drop, []).append(packet)
    return [_finding(network, worker, firewall, drop, hit) for drop, hit in dropping.items()]


def _firewall(network: Network, worker: str) -> Firewall | None:
    """The node's, where one was seen that could drop anything."""

    def make() -> Firewall | None:
        node = network.evidence.nodes.get(worker)
        firewall = Firewall(node.firewall) if node and node.firewall else None
        return firewall if firewall and firewall.may_drop else None

    return network.remember(("firewall", worker), make)


def _finding(network: Network, worker: str, firewall: Firewall, drop: Drop, packets: list[Packet]) -> Finding:
    chain, first = drop.chain, packets[0]
    said = drop.rule or f"{chain.tool} -P {chain.name} {chain.policy}"
    if chain.tool == "nft":
        said = f"{chain.table} {chain.name}: {drop.rule or f'policy {chain.policy.lower()}'}"
    protocols = tuple(dict.fromkeys(packet.protocol for packet in packets))
    part = bool(drop.rule) and not _is_nameable(drop)
    return Finding(
        code="forward-dropped",
        subject=f"{network.noun(worker)} · {said}",
        worker=worker,
        expected=f"{first.source} → {first.destination} {', '.join(protocols)}: ACCEPT",
        observed=said,
        near_miss="; ".join(_near(network, worker, firewall)[:3]),
        protocols=protocols,
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "chain": chain.name,
            "rule": said,
            "command": shlex.quote(command)
            if (command := _listing(drop) if part else _mending(drop))
            else "",
            "variant": "rule-in-part" if part else "rule" if drop.rule else "",
        },
    )


def _is_nameable(drop: Drop) -> bool:
    """Whether a command can say which rule: nft's by its number, iptables' by all that is in it."""
    return bool(handle(drop.rule)) if drop.chain.tool == "nft" else MASK not in drop.rule


def _listing(drop: Drop) -> str:
    """The command line that lists the rules of the chain with their numbers."""
    chain = drop.chain
    if chain.tool not in _TOOLS:
        return ""
    if chain.tool == "nft":
        return shlex.join(["sudo", "nft", "-a", "list", "chain", *chain.table.split(" "), chain.name])
    of_table = [] if chain.table == "filter" else ["-t", chain.table]
    return shlex.join(["sudo", chain.tool, *of_table, "-L", chain.name, "-n", "--line-numbers"])


def _mending(drop: Drop) -> str:
    """The command line that takes the rule away, or turns the policy; every word of the node's is quoted."""
    chain = drop.chain
    table = chain.table.split(" ")
    if chain.tool not in _TOOLS or _runs_programs(drop.rule):
        return ""
    if chain.tool == "nft" and drop.rule:
        return shlex.join(["sudo", "nft", "delete", "rule", *table, chain.name, "handle", handle(drop.rule)])
    if chain.tool == "nft":
        return shlex.join(["sudo", "nft", "add", "chain", *table, chain.name, "{ policy accept; }"])
    of_table = [] if chain.table == "filter" else ["-t", chain.table]
    if drop.rule:
        return shlex.join(["sudo", chain.tool, *of_table, "-D", *shlex.split(drop.rule)[1:]])
    return shlex.join(["sudo", chain.tool, *of_table, "-P", chain.name, "ACCEPT"])


def _runs_programs(rule: str) -> bool:
    """Whether it holds what iptables never prints: a recorded run may come from anybody."""
    try:
        words = shlex.split(rule)
    except ValueError:  # a quote without its other half
        return True
    return any(word.startswith(("--modprobe", "-M")) for word in words)


def _near(network: Network, worker: str, firewall: Firewall) -> list[str]:
    """The accepting rules that are about the pods: what was meant to let them through, maybe."""
    bridge, _ = interfaces(network, worker)
    cidr = network.pod_cidrs.get(worker)
    names = [bridge, *(str(each).rsplit(".", 2)[0] for each in ([cidr] if cidr else []))]
    return [rule for rule in firewall.accepting() if any(name and name in rule for name in names)]


def interfaces(network: Network, worker: str) -> tuple[str, str]:
    """The bridge of the pods and the network card, by name; empty where not known."""

    def find() -> tuple[str, str]:
        node = network.evidence.nodes[worker]
        config = pod_network(node)
        instance = network.instance(worker)
        address = instance.address if instance else ""
        cards = [link.name for link in node.links if address in (a.split("/")[0] for a in link.addresses)]
        return (config.bridge if config else ""), next(iter(cards), "")

    return network.remember(("interfaces", worker), find)


def _pod(network: Network, worker: str) -> IPv4Address | None:
    """The address of the worker's probe pod, else one that a pod of its pod CIDR would have."""
    return network.remember(("pod", worker), lambda: _find_pod(network, worker))


def _find_pod(network: Network, worker: str) -> IPv4Address | None:
    node = network.evidence.nodes.get(worker)
    if node and node.pod:
        return IPv4Address(node.pod)
    cidr = network.pod_cidrs.get(worker)
    return cidr[2] if cidr and cidr.num_addresses > 2 else None


def face(network: Network, worker: str) -> IPv4Address | None:
    """What the worker's pods look like from another: its node's address where they are masqueraded."""
    if not network.masquerades(worker):
        return _pod(network, worker)
    return network.remember(("face", worker), lambda: _node_address(network, worker))


def _node_address(network: Network, worker: str) -> IPv4Address | None:
    instance = network.instance(worker)
    return ranges.network(instance.address).network_address if instance and instance.address else None
