"""What the path predicts, held against what was measured, both ways: by protocol, and by size.

What a pair loses by chance no path predicts; of one that lost any when it was counted nothing is compared.
"""

from __future__ import annotations

from collections.abc import Iterator

from kthw.findings.path import obstacles
from kthw.findings.sizes import narrow
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe


def lost_unpredicted(evidence: Evidence) -> list[str]:
    """The measured packets between workers that were lost with nothing in their way."""
    network = Network(evidence)
    return [str(p) for p in _compared(evidence) if not p.reached and not _in_the_way(network, p)]


def arrived_unpredicted(evidence: Evidence) -> list[str]:
    """The measured packets between workers that arrived through what should be in their way."""
    network = Network(evidence)
    return [
        f"{probe}; in its way should be: {', '.join(stopping)}"
        for probe in _compared(evidence)
        if probe.reached and (stopping := _stopping(network, probe))
    ]


def disagreements(evidence: Evidence) -> list[str]:
    """Both: every measured packet between workers whose fate is not the predicted one."""
    return [*lost_unpredicted(evidence), *arrived_unpredicted(evidence)]


def unmeasured(evidence: Evidence) -> set[tuple[str, str, str, bool]]:
    """Of the pairs of workers, in order, by protocol, small and of full size: what was not sent."""
    workers = evidence.intended.workers
    sent = {(p.source, p.destination, p.protocol, p.size > 0) for p in _between(evidence)}
    return {
        (a, b, protocol, large)
        for a in workers
        for b in workers
        for protocol in ("icmp", "tcp", "udp")
        for large in (False, True)
        if a != b
    } - sent


def _between(evidence: Evidence) -> list[Probe]:
    return [probe for probe in evidence.probes if probe.kind == "pod"]


def _compared(evidence: Evidence) -> Iterator[Probe]:
    counted = {(p.source, p.destination) for p in _between(evidence) if 0 < p.lost < p.sent}
    return (p for p in _between(evidence) if (p.source, p.destination) not in counted)


def _in_the_way(network: Network, probe: Probe) -> list[str]:
    """What stops it for certain, or may."""
    return [*_obstacles(network, probe), *_too_small(network, probe)]


def _stopping(network: Network, probe: Probe) -> list[str]:
    """What stops it for certain.

    TCP sends smaller packets where it is told to. And what a card takes in may be a few bytes larger than its
    MTU, where the answer is small.
    """
    if not probe.size or probe.protocol == "tcp":
        return _obstacles(network, probe)
    return [*_obstacles(network, probe), *_too_small(network, probe, slack=4)]


def _obstacles(network: Network, probe: Probe) -> list[str]:
    found = obstacles(network, probe.source, probe.destination)
    return [finding.code for finding in found if finding.stops(probe.protocol)]


def _too_small(network: Network, probe: Probe, slack: int = 0) -> list[str]:
    places = narrow(network, probe)
    return [f"{p.kind} {p.name}" for p in places if not p.silent or p.mtu + slack < probe.size]
