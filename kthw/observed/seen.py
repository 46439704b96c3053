"""What one look into the nodes brought."""

from __future__ import annotations

from msgspec import Struct

from kthw.errors import LookError
from kthw.observed.evidence import Node, Probe, Sent, Trace


class Seen(Struct, frozen=True, kw_only=True):
    """``nodes`` by worker name, those that could be logged in to; ``errors`` name the worker they concern."""

    nodes: dict[str, Node] = {}
    probes: tuple[Probe, ...] = ()
    traces: tuple[Trace, ...] = ()
    sent: tuple[Sent, ...] = ()
    errors: tuple[LookError, ...] = ()
    ssh_sessions: int = 0
