"""What the checks say about evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kthw.findings import needs
from kthw.findings.check import Check, Judge
from kthw.findings.finding import Finding, once
from kthw.findings.judging import Outcome, outcome_of
from kthw.findings.registry import BY_NAME, CHECKS
from kthw.intended.tutorial import CLEANUP
from kthw.network.model import Network
from kthw.observed.evidence import Evidence

Faults = dict[str, tuple[Evidence, tuple[str, ...]]]
Healthy = dict[str, Evidence]
_OF_MODELS = (needs.vpc_routes, needs.node_routes, needs.own_network, needs.checked_interfaces)


def _meant(check: Check) -> Judge:
    """The check's judgement, of whom it is asked, where the network model is the one it is about."""
    meant = [need for need in _OF_MODELS if need in check.needs]

    def judge(network: Network, worker: str) -> Sequence[Finding]:
        asked = worker in check.subjects(network.evidence.intended)
        if needs.logged_in in check.needs and network.evidence.errors:
            asked = asked and (worker in network.evidence.nodes or not network.errors_on_node(worker))
        return check.judge(network, worker) if asked and not any(n(network, worker) for n in meant) else []

    return judge


NETWORK = [check for check in CHECKS if check.chapter != CLEANUP]
"""The checks of a lab that is there."""
JUDGES: dict[str, Judge] = {check.name: _meant(check) for check in NETWORK}


def everything(evidence: Evidence) -> list[Finding]:
    """What all checks say about all workers, each cause once."""
    network = Network(evidence)
    machines = (*network.workers, *network.evidence.intended.also)
    return once(f for worker in machines for judge in JUDGES.values() for f in judge(network, worker))


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def asked(evidence: Evidence, check: str, worker: str = "worker-1") -> Outcome:
    """What comes of one check on one worker."""
    return outcome_of(Network(evidence), BY_NAME[check], worker)
