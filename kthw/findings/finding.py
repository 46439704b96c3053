"""A finding: one failure mode, as data. Its words live in the message catalogues."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

CODES: Final = (
    "worker-missing",
    "worker-not-running",
    "worker-ambiguous",
    "pod-cidr-missing",
    "pod-cidr-invalid",
    "pod-cidr-overlap",
    "pod-cidr-inside-vpc",
    "source-dest-check-on",
    "subnet-not-associated",
    "route-missing",
    "route-wrong-target",
    "route-blackhole",
    "route-in-unused-table",
    "route-shadowed",
    "route-stale",
    "local-route-altered",
    "internet-route-missing",
    "internet-route-wrong-target",
    "internet-route-blackhole",
    "security-group-blocks",
    "network-acl-blocks",
    "forwarding-off",
    "forward-dropped",
    "cni-config-missing",
    "cni-subnet-mismatch",
    "node-route-conflict",
    "pod-unreachable",
)
"""Every code, in the order of the path from the inventory to the packet; none is ever renamed."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, always in the order expected, observed, nearest miss.

    ``subject`` is a noun that prints itself (``worker-1 (i-0ab…, 10.0.1.21)``). ``expected``,
    ``observed`` and ``near_miss`` are notation, the same in every language
    (``10.200.1.0/24 → i-0ab… active``); ``observed`` is ``—`` for nothing at all, ``near_miss`` empty
    when nothing similar was seen. ``worker`` is the intended worker's name. ``facts`` fills the
    placeholders of the message: ids, CIDRs, addresses. ``pairs`` lists failing pairs
    (``10.200.0.2@worker-0 → 10.200.1.2@worker-1: …``); ``explained_by`` the codes that explain them.
    """

    code: str
    subject: str
    worker: str
    expected: str
    observed: str
    near_miss: str = ""
    facts: dict[str, str] = {}
    pairs: tuple[str, ...] = ()
    explained_by: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown finding code {self.code!r}")


def once(findings: Iterable[Finding]) -> list[Finding]:
    """Each (code, subject) once, the first one told, in order: one cause may be seen from many places."""
    told: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        told.setdefault((finding.code, finding.subject), finding)
    return list(told.values())
