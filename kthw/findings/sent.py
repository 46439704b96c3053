"""Packets that the model says do not come through, held against what was sent: the model may be wrong.

Only what probe pods can send each other is sent: nobody else's address is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final, Literal

from kthw.errors import CouldNotLook
from kthw.findings.proof import Proof, proofs
from kthw.network.flows import Flow
from kthw.network.model import Network
from kthw.observed.evidence import DNS_PORT, PROBE_PORT, Evidence, Sent

MOST: Final = 64
"""Packets that are sent besides the probes, of one run; of each thing that stops some, the first."""
Confirmed = Literal["lost", "arrived", ""]
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
        if _is_of_probes(network, each, flow) and not _probed(network, each, flow):
            found.setdefault((stop.where, each.destination), _sent(each, flow))
    return tuple(found.values())[:MOST]


def confirmed(network: Network, proof: Proof) -> Confirmed:
    """What came of the flow when it was sent, as a probe or besides; empty where it was not."""
    flow = proof.flow
    if flow is None or not _is_of_probes(network, proof, flow):
        return ""
    for reached in _outcomes(network, proof, flow):
        return "arrived" if reached else "lost"
    return ""


def _outcomes(network: Network, proof: Proof, flow: Flow) -> Iterator[bool]:
    wanted = _key(_sent(proof, flow))
    sent = network.remember(("sent",), lambda: {_key(each): each.reached for each in network.evidence.sent})
    if wanted in sent:
        yield sent[wanted]
    yield from _probed(network, proof, flow)


def _probed(network: Network, proof: Proof, flow: Flow) -> list[bool]:
    """What came of the probe that is such a flow, if one was sent."""
    if flow.port != _PROBED[flow.protocol]:
        return []
    probe = network.probes.between(proof.source, proof.destination, flow.protocol)
    return [probe.reached] if probe else []


def _is_of_probes(network: Network, proof: Proof, flow: Flow) -> bool:
    pods = network.remember(("addresses of probe pods",), lambda: _pods(network))
    ends = pods.get(proof.source), pods.get(proof.destination)
    return ends == (flow.source, flow.destination)


def _pods(network: Network) -> dict[str, IPv4Address]:
    return {worker: IPv4Address(node.pod) for worker, node in network.evidence.nodes.items() if node.pod}


def _sent(proof: Proof, flow: Flow) -> Sent:
    return Sent(
        source=proof.source,
        destination=proof.destination,
        protocol=flow.protocol,
        port=flow.port,
        asker=flow.asker,
    )


def _key(sent: Sent) -> tuple[str, str, str, int, int]:
    return sent.source, sent.destination, sent.protocol, sent.port, sent.asker
