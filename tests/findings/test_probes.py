"""What is looked up of the probes: who was missed, and which of several probes of a pair speaks for it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kthw.network.probes import Probes
from kthw.observed.evidence import Probe
from tests.findings.clusters import OK

PAIR = ("worker-0", "worker-1")
Sent = dict[str, Any]
WORSE: Sent = {"lost": 60}
BAD: Sent = {"lost": 40}
FEW: Sent = {"sent": 8, "lost": 2}
FEWER: Sent = {"sent": 8, "lost": 1}
"""The first two are told by themselves; of the others it is only not known whether they are bad."""


def probe(source: str = PAIR[0], destination: str = PAIR[1], **changes: Any) -> Probe:
    made = Probe(
        source=source,
        source_address="10.200.0.2",
        destination=destination,
        destination_address="10.200.1.2",
        kind="pod",
        protocol="icmp",
        reached=True,
        sent=200,
    )
    return replace(made, **changes)


def of(*probes: Probe) -> Probes:
    return Probes(replace(OK, probes=probes))


def test_missed_are_the_workers_that_something_did_not_reach_and_not_the_own_node() -> None:
    probes = of(
        probe(),
        probe(destination="worker-2"),
        probe(destination="worker-2", protocol="tcp", reached=False),
        probe(destination="worker-0", kind="node", reached=False),
        probe("worker-1", "worker-1", kind="node"),
    )
    workers = ("worker-0", "worker-1", "worker-2")
    assert [list(probes.missed_by(each)) for each in workers] == [["worker-2"], [], []]
    assert [list(probes.missed_at(each)) for each in workers] == [[], [], ["worker-0"]]


def test_between_two_pods_speaks_the_small_probe_by_that_protocol() -> None:
    node = probe(kind="node", protocol="tcp")
    large, ping, small = probe(protocol="tcp", size=1500), probe(), probe(protocol="tcp")
    assert of(node, large, ping, small).between(*PAIR, "tcp") is small
    assert of(node, large, ping).between(*PAIR, "tcp") is None


@pytest.mark.parametrize(
    ("counts", "stays"),
    [
        ((FEW, FEWER), FEW),
        ((FEW, BAD), BAD),
        ((BAD, FEW), BAD),
        ((BAD, WORSE), BAD),
        (({"lost": 0}, {"lost": 200}, FEW), FEW),
        (({"lost": 1},), None),
    ],
    ids=["first", "told after", "told before", "first told", "all or nothing", "small"],
)
def test_of_several_counts_of_a_pair_the_first_that_is_told_goes_before(
    counts: tuple[Sent, ...], stays: Sent | None
) -> None:
    probes = of(*(probe(**count) for count in counts))
    assert probes.doubted == ({PAIR: probe(**stays)} if stays else {})
    assert probes.lossy(*PAIR) == (probe(**stays) if stays in (BAD, WORSE) else None)


def test_what_is_lost_on_the_way_to_a_node_puts_no_pair_of_pods_in_doubt() -> None:
    assert of(probe(kind="node", **BAD), probe(destination="", kind="internet", **BAD)).doubted == {}


@pytest.mark.parametrize(
    ("sent", "earlier"),
    [
        ((probe(), probe(protocol="tcp")), True),
        ((probe(), probe(kind="node", protocol="udp")), True),
        ((probe(), probe(size=1500)), False),
        ((probe(), probe(protocol="udp")), False),
        ((probe(destination="", kind="internet"),), False),
    ],
    ids=["small", "not to a pod", "of a size", "udp", "none between pods"],
)
def test_an_earlier_version_sent_small_pings_and_connections_alone(
    sent: tuple[Probe, ...], *, earlier: bool
) -> None:
    assert of(*sent).of_earlier_version is earlier
