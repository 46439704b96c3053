"""Whether a finding may be no more than what somebody else did to the routes while we looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kthw.errors import CouldNotLook, LookError
from kthw.findings.finding import Finding
from kthw.intended import tutorial
from kthw.network.model import Network

_ABOUT_ROUTES: Final = ("route-", "local-route-", "internet-route-")
_PACKETS: Final = ("pod-unreachable", "packets-lost")


def settled(network: Network, found: Sequence[Finding]) -> Sequence[Finding]:
    """``found``, where it stands. Raises ``CouldNotLook`` (``routes-changed``) where it may not.

    A change of one worker's route may be why its own findings were found, and why packets between pods were
    lost; one that is nobody's may be why anything about routes was. A pod's packets to its own node meet no
    route of the VPC, and those to the internet the default route only. Nothing that passed is doubted.
    """
    for error in network.changed:
        if any(_may_come_of(error, each) for each in found):
            raise CouldNotLook(error)
    return found


def _may_come_of(error: LookError, finding: Finding) -> bool:
    if finding.code in _PACKETS:
        kinds = {lost.probe.kind for lost in finding.lost}
        by_default = error.destination in ("", tutorial.EVERYWHERE)
        return "pod" in kinds or ("internet" in kinds and by_default)
    return finding.code.startswith(_ABOUT_ROUTES) and error.worker in ("", finding.worker)
