"""What the model says does not come through, sent by the probe pods in the same sessions: it does not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kthw.findings.judging import judge
from kthw.findings.proof import proofs
from kthw.findings.sent import confirmed, to_send
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets
from tests.faults.test_packets import INTENDED, WORKERS, Lab
from tests.faults.volley import run_on

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start(WORKERS) as box:
        yield Lab(box)


def seen_with(lab: Lab, worker: str, rule: str) -> Evidence:
    """What a run sees while the worker's firewall has that rule."""
    try:
        run_on(lab.box.directory, worker, f"iptables -A FORWARD {rule}")
        return gather(lab.box.target, INTENDED, doubt=to_send)
    finally:
        run_on(lab.box.directory, worker, f"iptables -D FORWARD {rule}")


@pytest.mark.parametrize(
    ("rule", "flow"),
    [
        ("-p udp --dport 19 -j DROP", "udp 32768 19"),
        ("-p tcp --dport 9000:9100 -j REJECT --reject-with tcp-reset", "tcp 32768 9000"),
        ("-p tcp --sport 40000 -m conntrack --ctstate NEW -j DROP", "tcp 40000 1"),
    ],
)
def test_one_closed_port_is_no_finding_and_its_smallest_packet_is_sent_and_lost(
    lab: Lab, rule: str, flow: str
) -> None:
    seen = seen_with(lab, "worker-1", rule)
    assert judge(seen).findings == ()
    assert seen.counts.ssh_sessions == len(WORKERS)
    network = Network(seen)
    stopped = [each for each in proofs(network) if each.outcome == "stopped"]
    assert {f"{e.flow.protocol} {e.flow.asker} {e.flow.port}" for e in stopped if e.flow} == {flow}
    assert {(e.source, e.destination) for e in stopped} == {
        (a, b) for a in WORKERS for b in WORKERS if a != b and "worker-1" in (a, b)
    }
    assert {(each.source, each.destination): each.reached for each in seen.sent} == {
        ("worker-0", "worker-1"): False,
        ("worker-1", "worker-0"): False,
        ("worker-1", "worker-2"): False,
    }
    assert confirmed(network, stopped[0]) == "lost"


def test_where_all_is_proved_nothing_is_sent_besides(lab: Lab) -> None:
    seen = seen_with(lab, "worker-1", "-p udp --dport 19 -j ACCEPT")
    assert {each.outcome for each in proofs(Network(seen))} == {"proved"}
    assert seen.sent == ()
