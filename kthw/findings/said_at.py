"""Where a worker's pod CIDR is said: what a finding about it shows, and where it is to be changed."""

from __future__ import annotations

from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.network.said import Saying


def place(network: Network, worker: str) -> str:
    """Where the worker's pod CIDR is said, in notation: in the chapter's lab the chapter's key."""
    saying = _saying(network, worker)
    return saying.noun if saying else tutorial.POD_CIDR_KEY


def said_elsewhere(network: Network, worker: str) -> tuple[str, dict[str, str]]:
    """Where it is to be changed, if not in user data: the situation, and the fact that its words need."""
    saying = _saying(network, worker)
    if saying is None:
        return "", {}
    return "tag" if saying.source == "tag" else "elsewhere", {"key": saying.where}


def _saying(network: Network, worker: str) -> Saying | None:
    """What says it, if not user data."""
    said = network.said(worker)
    return said.saying if said and said.source != "user-data" else None
