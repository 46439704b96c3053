"""Packets that the model says do not come through, held against what was sent: the model may be wrong.

They are sent by the probe pods, or by further pods of ours with the addresses that such a packet has: but no
pod's own address is taken for it.
"""

from __future__ import annotations

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
    sent = network.remember(("sent",), lambda: {_key(each): each for each in network.evidence.sent})
    found = sent.get(_key(_sent(network, proof, flow)))
    if found and found.taken:
        return "taken"
    for reached in [found.reached] if found else _probed(network, proof, flow):
        return "arrived" if reached else "lost"
    return ""


def _probed(network: Network, proof: Proof, flow: Flow) -> list[bool]:
    """What came of the probe that is such a flow, if one was sent."""
    if flow.port != _PROBED[flow.protocol] or any(_further(network, proof, flow)):
        return []
    probe = network.probes.between(proof.source, proof.destination, flow.protocol)
    return [probe.reached] if probe else []


def _has_pods(network: Network, proof: Proof) -> bool:
    """Whether both have a pod of ours: elsewhere nobody could make another."""
    return all(_pod(network, worker) for worker in (proof.source, proof.destination))


def _pod(network: Network, worker: str) -> str:
    node = network.evidence.nodes.get(worker)
    return node.pod if node else ""


def _further(network: Network, proof: Proof, flow: Flow) -> tuple[str, str]:
    """The addresses of its ends, empty where they are the probe pods'."""
    source, destination = str(flow.source), str(flow.destination)
    return (
        "" if source == _pod(network, proof.source) else source,
        "" if destination == _pod(network, proof.destination) else destination,
    )


def _sent(network: Network, proof: Proof, flow: Flow) -> Sent:
    source_address, destination_address = _further(network, proof, flow)
    return Sent(
        source=proof.source,
        destination=proof.destination,
        protocol=flow.protocol,
        port=flow.port,
        asker=flow.asker,
        source_address=source_address,
        destination_address=destination_address,
    )


def _key(sent: Sent) -> Sent:
    return replace(sent, reached=False, taken=False)
