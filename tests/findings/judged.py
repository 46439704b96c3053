"""What the checks say about evidence."""

from __future__ import annotations

from collections.abc import Iterable

from kthw.findings import needs
from kthw.findings.check import Check, Judge
from kthw.findings.finding import Finding, once
from kthw.findings.registry import CHECKS
from kthw.network.model import Network
from kthw.observed.evidence import Evidence

Faults = dict[str, tuple[Evidence, tuple[str, ...]]]
Healthy = dict[str, Evidence]
_OF_MODELS = (needs.vpc_routes, needs.own_network, needs.checked_interfaces)


def _meant(check: Check) -> Judge:
    """The check's judgement, where the network model is the one it is about."""
    about = [need for need in check.needs if need in _OF_MODELS]
    return lambda network, worker: (
        [] if any(need(network, worker) for need in about) else check.judge(network, worker)
    )


JUDGES: dict[str, Judge] = {check.name: _meant(check) for check in CHECKS}


def everything(evidence: Evidence) -> list[Finding]:
    """What all checks say about all workers, each cause once."""
    network = Network(evidence)
    return once(f for worker in network.workers for judge in JUDGES.values() for f in judge(network, worker))


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]
