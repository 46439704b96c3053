"""Sixty made nights of one lab: it breaks on night 20, flaps from 30 to 35, and is mended on night 41.

Night 1 is the first; each is judged from evidence, as a run would be. Besides, on night 50 nobody could look,
on night 55 there was no run, and night 58 was slow.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import judge
from kthw.history.run import Run, run_of
from kthw.observed.evidence import Evidence, TargetSeen
from tests.findings.changed_aws import with_route
from tests.findings.changed_nodes import failing, with_forward_chain
from tests.findings.clusters import OK, route

FIRST: Final = datetime(2026, 9, 26, 4, 23, tzinfo=UTC)
NIGHTS: Final = 60
BREAKS, FLAPS, MENDED, BLIND, MISSING, SLOW = 20, range(30, 36), 41, 50, 55, 58
ACCOUNT: Final = "123456789012"


def at(night: int) -> datetime:
    """When the run of that night looked."""
    return FIRST + timedelta(days=night - 1)


def evidence(night: int) -> Evidence:
    """What the run of that night saw."""
    seen = replace(OK, target=TargetSeen(kind="aws", account=ACCOUNT, region="us-east-1"))
    if BREAKS <= night < MENDED:
        # The route of worker-1's pods leads to worker-2.
        astray = replace(route(1, "10.200.1.0/24"), instance="i-02", network_interface="eni-02")
        seen = failing(with_route(seen, astray), ("*", "worker-1"))
    if night in FLAPS and night % 2 == 0:
        seen = failing(
            with_forward_chain(seen, "worker-0", policy="DROP"), ("*", "worker-0"), ("worker-0", "*")
        )
    seen = replace(seen, gathered_at=at(night).isoformat())
    if night == BLIND:
        error = LookError(code="credentials-expired", subject="account", detail="the token expired")
        return Evidence(
            gathered_at=seen.gathered_at,
            target=TargetSeen(kind="aws"),
            intended=seen.intended,
            errors=(error,),
        )
    return seen


@functools.cache
def story() -> tuple[Run, ...]:
    """The lines of the history."""
    runs = []
    for night in range(1, NIGHTS + 1):
        if night == MISSING:
            continue
        probes = 40.0 if night == SLOW else 6.0 + night % 4
        phases = {"aws": 2.0 + night % 3 / 10, "ssh": 4.0 + night % 5 / 5, "pods": 3.0, "probes": probes}
        if night == BLIND:
            phases = {"aws": 0.4}
        runs.append(run_of(judge(evidence(night)), seconds=sum(phases.values()) + 1, phases=phases))
    return tuple(runs)
