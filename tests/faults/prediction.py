"""What the path predicts, held against what was measured, both ways."""

from __future__ import annotations

from kthw.findings.path import obstacles
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe


def lost_unpredicted(evidence: Evidence) -> list[str]:
    """The measured packets between workers that were lost with nothing in their way."""
    network = Network(evidence)
    return [str(p) for p in _between(evidence) if not p.reached and not _obstacles(network, p)]


def arrived_unpredicted(evidence: Evidence) -> list[str]:
    """The measured packets between workers that arrived through what should be in their way."""
    network = Network(evidence)
    return [
        f"{probe}; in its way should be: {', '.join(_obstacles(network, probe))}"
        for probe in _between(evidence)
        if probe.reached and _obstacles(network, probe)
    ]


def disagreements(evidence: Evidence) -> list[str]:
    """Both: every measured packet between workers whose fate is not the predicted one."""
    return [*lost_unpredicted(evidence), *arrived_unpredicted(evidence)]


def unmeasured(evidence: Evidence) -> set[tuple[str, str]]:
    """The pairs of workers, in order, between which no packet was sent."""
    workers = evidence.intended.workers
    sent = {(probe.source, probe.destination) for probe in _between(evidence)}
    return {(a, b) for a in workers for b in workers if a != b} - sent


def _between(evidence: Evidence) -> list[Probe]:
    return [probe for probe in evidence.probes if probe.kind == "pod"]


def _obstacles(network: Network, probe: Probe) -> list[str]:
    found = obstacles(network, probe.source, probe.destination)
    return [finding.code for finding in found if finding.stops(probe.protocol)]
