"""Every check of the routes suite, asked of a piece of evidence without pytest in between."""

from __future__ import annotations

from collections.abc import Sequence

from kthw.errors import CouldNotLook
from kthw.findings.check import Check
from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence
from tests.findings.clusters import CHECKS


def findings(evidence: Evidence) -> list[Finding]:
    """All findings about all intended workers, in the suite's order; a check that cannot look finds none."""
    return [
        found
        for check in CHECKS.values()
        for worker in evidence.intended.workers
        for found in _ask(check, evidence, worker)
    ]


def _ask(check: Check, evidence: Evidence, worker: str) -> Sequence[Finding]:
    try:
        return check(evidence, worker)
    except CouldNotLook:
        return ()
