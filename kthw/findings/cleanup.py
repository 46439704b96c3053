"""Is anything left of the lab that costs money, or stands in the next attempt's way?"""

from __future__ import annotations

from typing import Final, get_args

from kthw.errors import CouldNotLook, LookError
from kthw.findings.check import Judge
from kthw.findings.finding import Finding
from kthw.network.model import Network
from kthw.observed.evidence import Leftover, LeftoverKind

KINDS: Final[tuple[LeftoverKind, ...]] = get_args(LeftoverKind)
HANGS_ON: Final[dict[LeftoverKind, tuple[LeftoverKind, ...]]] = {"elastic-ip": ("network-interface",)}
"""What a resource may belong to the lab by, beside its VPC and the machines."""
_NOTHING: Final = "—"


def none_left(kind: LeftoverKind) -> Judge:
    """The judgement that no resource of that kind is left of the lab."""

    def judge(network: Network, _lab: str) -> list[Finding]:
        left = network.evidence.leftovers
        if left is None:
            raise CouldNotLook(LookError(code="evidence-unreadable", subject=kind, variant="no-leftovers"))
        return [_finding(each) for each in left if each.kind == kind]

    return judge


def _finding(left: Leftover) -> Finding:
    # Nobody reads an ARN, and a load balancer's name is its own.
    known_as = left.name if left.id.startswith("arn:") else left.id
    return Finding(
        code=f"{left.kind}-left",
        subject=known_as if left.name in ("", known_as) else f"{known_as} ({left.name})",
        worker="",
        expected=_NOTHING,
        observed=" ".join(filter(None, dict.fromkeys((left.id, left.name, left.address, left.state)))),
        variant=_variant(left),
        facts={
            "id": left.id,
            "name": left.name or left.id,
            "state": left.state,
            "address": left.address,
            "vpc": left.vpc,
            "ingress": " ".join(left.ingress),
            "egress": " ".join(left.egress),
        },
    )


def _variant(left: Leftover) -> str:
    if left.is_going:
        return "going"
    if left.kind == "internet-gateway":
        return "attached" if left.vpc else ""
    named = [name for name, rules in (("ingress", left.ingress), ("egress", left.egress)) if rules]
    return "-".join(named)
