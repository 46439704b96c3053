"""What the path predicts, held against what was measured, both ways."""

from __future__ import annotations

from kthw.findings.path import obstacles
from kthw.observed.evidence import Evidence, Probe


def disagreements(evidence: Evidence) -> list[str]:
    """A line for each measured packet between workers whose fate is not the predicted one."""
    return [
        f"{probe}, though predicted {'to arrive' if not predicted else 'not to arrive: '}{', '.join(predicted)}"
        for probe in evidence.probes
        if probe.kind == "pod" and bool(predicted := _obstacles(evidence, probe)) == probe.reached
    ]


def unmeasured(evidence: Evidence) -> set[tuple[str, str]]:
    """The pairs of workers, in order, between which no packet was sent."""
    workers = evidence.intended.workers
    sent = {(probe.source, probe.destination) for probe in evidence.probes if probe.kind == "pod"}
    return {(a, b) for a in workers for b in workers if a != b} - sent


def _obstacles(evidence: Evidence, probe: Probe) -> list[str]:
    found = obstacles(evidence, probe.source, probe.destination)
    return [f.code for f in found if probe.protocol in f.facts.get("protocols", probe.protocol)]
