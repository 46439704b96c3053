"""What a finding's fix changes of what was observed, as data, to be tried before it is printed."""

from __future__ import annotations

from collections.abc import Iterable

from kthw.findings.aws_changes import (
    Associated,
    Authorized,
    CheckOff,
    EntryGone,
    EntryMade,
    PropagationOff,
    RouteGone,
    RouteMade,
)
from kthw.findings.node_changes import (
    DropGone,
    ForwardingOn,
    KernelRouteGone,
    KernelRouteMade,
    LooseReversePath,
    PodsMoved,
    PolicyRuleGone,
)
from kthw.observed.evidence import Evidence

Change = (
    CheckOff
    | RouteMade
    | RouteGone
    | PropagationOff
    | Associated
    | Authorized
    | EntryMade
    | EntryGone
    | ForwardingOn
    | DropGone
    | PolicyRuleGone
    | KernelRouteGone
    | KernelRouteMade
    | LooseReversePath
    | PodsMoved
)
"""One command's."""


def fixed(evidence: Evidence, changes: Iterable[Change]) -> Evidence:
    """``evidence`` as it would be afterwards; what was measured stays as it was."""
    for change in changes:
        evidence = change.on(evidence)
    return evidence
