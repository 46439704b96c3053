"""What is said of all packets of a pair holds of single ones: of that which is told, and of smaller ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Final

import pytest

from kthw.findings.configured import as_configured
from kthw.findings.proof import Proof, fate, proofs
from kthw.network.flows import PROTOCOLS, Addresses, Flow
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.faults import FAULTS, HEALTHY

PORTS: Final = (1, 9000)
ASKER: Final = 32768


def pods(network: Network, worker: str) -> Addresses:
    node, cidr = network.evidence.nodes.get(worker), network.pod_cidrs[worker]
    found = Addresses.of_pods(cidr, IPv4Address(node.pod) if node and node.pod else None)
    assert found
    return found


def some(here: Addresses, there: Addresses) -> Iterator[Flow]:
    """The smallest first."""
    for source in sorted({here.smallest, here.cidr[-2]}, key=here.rank):
        for destination in sorted({there.smallest, there.cidr[-2]}, key=there.rank):
            yield Flow(source=source, destination=destination, protocol="icmp")
            for protocol, port in itertools.product(PROTOCOLS[1:], PORTS):
                yield Flow(source=source, destination=destination, protocol=protocol, port=port, asker=ASKER)


def rank(flow: Flow, here: Addresses, there: Addresses) -> tuple[object, ...]:
    order = PROTOCOLS.index(flow.protocol)
    return here.rank(flow.source), there.rank(flow.destination), order, flow.port, flow.asker


def told(proof: Proof) -> object:
    stop = proof.stop
    return proof.outcome, proof.flow, stop and (stop.where, stop.code, stop.doubt)


def by_single_packets(evidence: Evidence) -> None:
    """Each proof of it, by single packets."""
    network = Network(evidence)
    used = as_configured(network)
    for proof in proofs(network):
        pair = proof.source, proof.destination
        if proof.flow:
            assert told(fate(network, *pair, proof.flow)) == told(proof)
        elif proof.outcome != "proved":
            # Of one of the ends no pod is known.
            continue
        here, there = (pods(used, worker) for worker in pair)
        for flow in some(here, there):
            if proof.flow and rank(flow, here, there) >= rank(proof.flow, here, there):
                break
            found = fate(network, *pair, flow).outcome
            assert found == "proved" or (proof.outcome, found) == ("stopped", "unknown"), (str(flow), proof)


CASES: Final[dict[str, Evidence]] = {
    **{name: evidence for name, (evidence, _) in FAULTS.items()},
    **HEALTHY,
}


@pytest.mark.parametrize("name", [name for name, evidence in CASES.items() if evidence.inventory])
def test_what_is_said_of_all_packets_is_so_of_single_ones(name: str) -> None:
    by_single_packets(CASES[name])
