"""Evidence in which came of the packets between pods what its own network says of them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe


def as_predicted(evidence: Evidence) -> Evidence:
    """Packets between other workers' pods are lost where something seen stops their protocol; all else is."""
    network = Network(evidence)

    def come(probe: Probe) -> Probe:
        if probe.kind != "pod":
            return probe
        met = obstacles(network, probe.source, probe.destination)
        lost = any(finding.stops(probe.protocol) for finding in met)
        return replace(probe, reached=not lost, detail="no answer in 3.0 s" if lost else "")

    return replace(evidence, probes=tuple(map(come, evidence.probes)))
