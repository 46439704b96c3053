"""Which of the failed probes are sent again and watched for."""

from __future__ import annotations

import pytest

from kthw.observed import tracing
from kthw.observed.evidence import Probe


def probe(protocol: str, size: int = 0, *, reached: bool = False) -> Probe:
    return Probe(
        source="worker-0", source_address="10.200.0.2", destination="worker-1",
        destination_address="10.200.1.2", kind="pod", protocol=protocol, reached=reached, size=size,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "traced"),
    [
        ([probe("icmp"), probe("tcp"), probe("udp")], ["icmp"]),
        ([probe("tcp"), probe("tcp", 1500)], ["tcp"]),
        ([probe("icmp", 1500), probe("tcp", 1500), probe("udp", 1500)], []),
        ([probe("udp"), probe("udp", 1500)], []),
    ],
    ids=["all", "TCP", "full size", "UDP"],
)
def test_a_pair_is_traced_by_icmp_or_tcp_and_only_where_small_packets_fail(
    failed: list[Probe], traced: list[str]
) -> None:
    plan = tracing.plan(failed, {"worker-0": "10.0.1.20", "worker-1": "10.0.1.21"})
    assert [each.protocol for each in plan.pairs] == traced
