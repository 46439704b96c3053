"""How far packets came is told to the last field."""

from __future__ import annotations

import pytest

from kthw.network.traces import Fate, fate
from kthw.observed.evidence import Trace
from tests.findings.changed_nodes import WAY

ENDS = ("worker 0", "worker-1")
"""A Name tag may have a space in it."""


def seen(request: int, reply: int, *strange: str) -> Trace:
    """At so many places of their way, and of the way back."""
    return Trace(
        source=ENDS[0],
        destination=ENDS[1],
        source_address="10.200.0.2",
        destination_address="10.200.1.2",
        protocol="icmp",
        request=(*(place.format(*ENDS) for place in WAY[:request]), *strange),
        reply=tuple(place.format(*reversed(ENDS)) for place in WAY[:reply]),
    )


ALL_THE_WAY = " → ".join(place.format(*ENDS) for place in WAY)
BACK = " → ".join(place.format(*reversed(ENDS)) for place in WAY)
FATES = {
    "nobody saw anything": (
        seen(0, 0),
        Fate(
            situation="request-on-node",
            way="— ✗",
            last="",
            missing="pod worker 0",
            where="worker 0",
            astray=(),
        ),
    ),
    "the pod sent it": (
        seen(1, 0),
        Fate(
            situation="request-on-node",
            way="pod worker 0 ✗",
            last="pod worker 0",
            missing="bridge worker 0",
            where="worker 0",
            astray=(),
        ),
    ),
    "in the VPC": (
        seen(3, 0),
        Fate(
            situation="request-in-vpc",
            way="pod worker 0 → bridge worker 0 → eni worker 0 ✗",
            last="eni worker 0",
            missing="eni worker-1",
            where="worker 0",
            astray=(),
        ),
    ),
    "astray": (
        seen(3, 0, "eni worker-2", "docker0 worker-2"),
        Fate(
            situation="astray",
            way="pod worker 0 → bridge worker 0 → eni worker 0 → eni worker-2 → docker0 worker-2 ✗",
            last="eni worker 0",
            missing="eni worker-1",
            where="worker 0",
            astray=("eni worker-2", "docker0 worker-2"),
        ),
    ),
    "no answer": (
        seen(6, 0),
        Fate(
            situation="reply-on-node",
            way=f"{ALL_THE_WAY} · — ✗",
            last="",
            missing="pod worker-1",
            where="worker-1",
            astray=(),
        ),
    ),
    "the answer lost on the node it comes to": (
        seen(6, 4),
        Fate(
            situation="reply-on-node",
            way=f"{ALL_THE_WAY} · pod worker-1 → bridge worker-1 → eni worker-1 → eni worker 0 ✗",
            last="eni worker 0",
            missing="bridge worker 0",
            where="worker 0",
            astray=(),
        ),
    ),
    "come and go": (
        seen(6, 6),
        Fate(
            situation="through",
            way=f"{ALL_THE_WAY} · {BACK}",
            last="",
            missing="",
            where="worker 0",
            astray=(),
        ),
    ),
}


@pytest.mark.parametrize(("trace", "expected"), FATES.values(), ids=FATES)
def test_where_packets_were_last_seen_and_where_not(trace: Trace, expected: Fate) -> None:
    assert fate(trace) == expected
