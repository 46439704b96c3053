"""Packets that the model says do not come through, held against what was sent: the model may be wrong.

They are sent by the probe pods, or by further pods of ours with the addresses that such a packet has: but no
pod's own address is taken for it.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final, Literal

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.proof import Proof, proofs
from kthw.network.flows import Flow
from kthw.network.model import Network
from kthw.observed.evidence import DNS_PORT, PROBE_PORT, Evidence, Sent

MOST: Final = 64
"""Packets that are sent besides the probes, of one run; of each thing that stops some, the first."""
Confirmed = Literal["lost", "arrived", "taken", ""]
_PROBED: Final = {"icmp": 0, "tcp": PROBE_PORT, "udp": DNS_PORT}


def to_send(evidence: Evidence) -> tuple[Sent, ...]:
    """The smallest flows that do not come through and that no probe was sent for; not yet sent."""
    try:
        network = Network(evidence)
        each_pair = proofs(network)
    except CouldNotLook:
        return ()
    found: dict[tuple[str, str], Sent] = {}
    for each in each_pair:
        stop, flow = each.stop, each.flow
        if each.outcome != "stopped" or stop is None or flow is None:
            continue
        if _has_pods(network, each) and not _probed(network, each, flow):
            found.setdefault((stop.where, each.destination), _sent(network, each, flow))
    return tuple(found.values())[:MOST]


def confirmed(network: Network, proof: Proof) -> Confirmed:
    """What came of the flow when it was sent, as a probe or besides; empty where it was not.

    ``taken``: it was not, because somebody has an address of it.
    """
    flow = proof.flow
    if flow is None or not _has_pods(network, proof):
        return ""
    found = _sent_besides(network).get(_sent(network, proof, flow)) if network.evidence.sent else None
    if found and found.taken:
        return "taken"
    for reached in [found.reached] if found else _probed(network, proof, flow):
        return "arrived" if reached else "lost"
    return ""


def _sent_besides(network: Network) -> dict[Sent, Sent]:
    each = network.evidence.sent
    return network.remember(
        ("sent",), lambda: {replace(sent, reached=False, taken=False): sent for sent in each}
    )


def _probed(network: Network, proof: Proof, flow: Flow) -> list[bool]:
    """What came of the probe that is such a flow, if one was sent."""
    pods = _pods(network)
    ends = pods.get(proof.source), pods.get(proof.destination)
    if flow.port != _PROBED[flow.protocol] or ends != (flow.source, flow.destination):
        return []
    probe = network.probes.between(proof.source, proof.destination, flow.protocol)
    return [probe.reached] if probe else []


def _has_pods(network: Network, proof: Proof) -> bool:
    """Whether both have a pod of ours: elsewhere nobody could make another."""
    pods = _pods(network)
    return proof.source in pods and proof.destination in pods


def _pods(network: Network) -> dict[str, IPv4Address]:
    """The addresses of the probe pods, by worker."""
    nodes = network.evidence.nodes.items()
    return network.remember(
        ("probe pods",), lambda: {worker: IPv4Address(node.pod) for worker, node in nodes if node.pod}
    )


def _sent(network: Network, proof: Proof, flow: Flow) -> Sent:
    """As it is sent: its ends' addresses are told only where they are not the probe pods'."""
    pods = _pods(network)
    return Sent(
        source=proof.source,
        destination=proof.destination,
        protocol=flow.protocol,
        port=flow.port,
        asker=flow.asker,
        source_address="" if flow.source == pods[proof.source] else str(flow.source),
        destination_address="" if flow.destination == pods[proof.destination] else str(flow.destination),
    )
