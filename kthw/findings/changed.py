"""Whether a finding may be no more than what somebody else did to the routes while we looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kthw.errors import CouldNotLook
from kthw.findings.finding import Finding
from kthw.network.model import Network

_ABOUT_ROUTES: Final = ("route-", "local-route-", "internet-route-")
_PACKETS: Final = "pod-unreachable"


def settled(network: Network, found: Sequence[Finding]) -> Sequence[Finding]:
    """``found``, where it stands. Raises ``CouldNotLook`` (``routes-changed``) where it may not.

    A change of one worker's route may be why its own findings were found, and why any packets were lost;
    one that is nobody's may be why anything about routes was. Nothing that passed is doubted.
    """
    for error in network.evidence.errors:
        if error.code == "routes-changed" and any(_may_come_of(error.worker, each) for each in found):
            raise CouldNotLook(error)
    return found


def _may_come_of(worker: str, finding: Finding) -> bool:
    if finding.code == _PACKETS:
        return True
    return finding.code.startswith(_ABOUT_ROUTES) and worker in ("", finding.worker)
