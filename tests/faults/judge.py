"""Every check of the routes suite, asked of a piece of evidence without pytest in between."""

from __future__ import annotations

from collections.abc import Sequence

from kthw.errors import CouldNotLook
from kthw.findings import nodes, reachability, routes, security, workers
from kthw.findings.check import Check
from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence

CHECKS: tuple[Check, ...] = (
    workers.one_running_instance,
    workers.valid_pod_cidr,
    workers.source_dest_check_off,
    routes.route_to_worker,
    routes.route_active,
    routes.route_undiverted,
    routes.no_leftovers,
    routes.local_routes_intact,
    routes.internet_route,
    security.security_groups_allow,
    security.network_acls_allow,
    nodes.forwarding_on,
    nodes.forward_not_dropped,
    nodes.no_route_conflict,
    nodes.cni_configured,
    nodes.cni_subnet_matches,
    reachability.reaches_own_node,
    reachability.reaches_internet,
    reachability.reaches_others,
    reachability.is_reached_by_others,
)


def findings(evidence: Evidence) -> list[Finding]:
    """All findings about all intended workers, in the suite's order; a check that cannot look finds none."""
    return [
        found
        for check in CHECKS
        for worker in evidence.intended.workers
        for found in _ask(check, evidence, worker)
    ]


def _ask(check: Check, evidence: Evidence, worker: str) -> Sequence[Finding]:
    try:
        return check(evidence, worker)
    except CouldNotLook:
        return ()
