"""Every check of the routes suite, asked of a piece of evidence without pytest in between."""

from __future__ import annotations

from kthw.errors import CouldNotLook
from kthw.findings.finding import Finding
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.judged import JUDGES


def findings(evidence: Evidence) -> list[Finding]:
    """All findings about all intended workers, in the suite's order; a check that cannot look finds none."""
    network = Network(evidence)
    found: list[Finding] = []
    for judge in JUDGES.values():
        for worker in network.workers:
            try:
                found += judge(network, worker)
            except CouldNotLook:
                continue
    return found
