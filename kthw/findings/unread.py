"""What AWS garbled, and the checks that cannot be judged without it: an error there, and no finding.

``kthw.observed.aws.concerned`` says whom an error concerns; the fact ``kind`` says what was not read. A recording
of an older version has no such errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from kthw.errors import LookError
from kthw.findings import reachability, routes, security, workers
from kthw.findings.check import Check
from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence

_ROUTES: Final = frozenset({"instance", "subnet", "route-table"})
NEEDS: Final[Mapping[Check, frozenset[str]]] = {
    workers.one_running_instance: frozenset({"instance", "nameless"}),
    workers.valid_pod_cidr: frozenset({"instance", "vpc"}),
    workers.source_dest_check_off: _ROUTES,
    routes.route_to_worker: _ROUTES,
    routes.route_active: _ROUTES,
    routes.route_undiverted: _ROUTES,
    routes.no_leftovers: _ROUTES | {"vpc"},
    routes.local_routes_intact: _ROUTES | {"vpc"},
    routes.internet_route: _ROUTES | {"internet-gateway"},
    security.security_groups_allow: _ROUTES | {"security-group"},
    security.network_acls_allow: frozenset({"instance", "network-acl"}),
}
"""What a check cannot pass without. Those that ask the nodes, or measure packets, need nothing of AWS's."""
_MISLED_BY: Final[Mapping[Check, frozenset[str]]] = {
    routes.no_leftovers: frozenset({"instance", "nameless"}),
    reachability.reaches_internet: frozenset({"internet-gateway"}),
}
"""What a check may find something wrong without, whichever worker it concerns: its passing stands."""
_GROUND: Final = frozenset({"instance"})


def unread(evidence: Evidence, check: Check, worker: str) -> LookError | None:
    """Why ``check`` cannot be asked about ``worker``."""
    kinds = NEEDS.get(check, frozenset())
    return _first(evidence, kinds, worker)


def unfounded(evidence: Evidence, check: Check, worker: str, found: Iterable[Finding]) -> LookError | None:
    """Why what ``check`` ``found`` about ``worker`` may be no more than something that was not read."""
    absent = any(finding.code.startswith("worker-") for finding in found)
    kinds = NEEDS.get(check, _GROUND) | ({"nameless"} if absent else set())
    error = _first(evidence, kinds, worker)
    misled = _MISLED_BY.get(check, frozenset())
    return error or next((each for each in evidence.errors if each.facts.get("kind") in misled), None)


def _first(evidence: Evidence, kinds: frozenset[str], worker: str) -> LookError | None:
    mine = (each for each in evidence.errors if each.worker in ("", worker))
    return next((each for each in mine if each.facts.get("kind") in kinds), None)
