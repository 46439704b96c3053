"""What is called as a witness of lost packets, and what is not: where, and in whose words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.witnesses import witnesses
from kthw.network.model import Network
from kthw.network.traces import fate
from kthw.observed.evidence import Chain, Evidence, Moved
from tests.findings.changed_nodes import with_node, with_trace
from tests.findings.clusters import OK, healthy
from tests.findings.faults_of_witnesses import ANOTHER, EGRESS, FILTER, QDISC, RPF, RULE, TURNING, XDP

LEAVING = Moved(
    chain=Chain(tool="iptables", table="filter", name="OUTPUT"), text="-A OUTPUT -j DROP", packets=90
)
BY_HAND = Moved(
    chain=Chain(tool="nft", table="inet guide", name="INPUT"), text="counter drop # handle 4", packets=3
)
"""Its hook may be another than its name says."""
ONCE = replace(RULE, packets=1)


def called(evidence: Evidence, *, protocol: str = "icmp") -> tuple[str, str]:
    """The situation, and what counted, of the one trace."""
    (trace,) = evidence.traces
    trace = replace(trace, protocol=protocol)
    situation, facts = witnesses(Network(evidence), trace, fate(trace))
    return situation, facts.get("counted", "")


def on_node(*moved: Moved, seen: tuple[int, int] = (4, 0)) -> Evidence:
    """From worker-0 to worker-1, lost on worker-1 if nothing else is said, where these counters moved."""
    return with_node(with_trace(OK, "worker-0", "worker-1", *seen), "worker-1", moved=moved)


RULED = "iptables -t raw -A PREROUTING -m length --length 1:9999 -j DROP"


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ((RULE,), ("on-node-rule", f"{RULED} +3")),
        ((BY_HAND,), ("on-node-rule", "inet guide INPUT: counter drop # handle 4 +3")),
        ((ANOTHER, RPF), ("on-node-counted", "IPReversePathFilter +3")),
        ((LEAVING, RPF), ("on-node-counted", "IPReversePathFilter +3")),
        ((replace(TURNING, packets=9), RPF), ("on-node-counted", "IPReversePathFilter +3")),
        ((RPF, QDISC), ("on-node-counted", "IPReversePathFilter +3; tc qdisc clsact dev ens5: dropped +3")),
        ((ONCE,), ("", "")),
        ((replace(RPF, packets=2),), ("", "")),
    ],
    ids=["rule", "nft's INPUT", "INPUT", "OUTPUT", "DNAT", "two counters", "rule, once", "counter, twice"],
)
def test_what_may_have_counted_them_is_called(moved: tuple[Moved, ...], expected: tuple[str, str]) -> None:
    """No packet between pods passes the chains of the node itself; what turns packets takes none away."""
    assert called(on_node(*moved)) == expected


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_of_what_is_not_sent_thrice_one_is_enough(protocol: str) -> None:
    assert called(on_node(ONCE), protocol=protocol) == ("on-node-rule", f"{RULED} +1")
    once = replace(RPF, packets=1)
    assert called(on_node(once), protocol=protocol) == ("on-node-counted", "IPReversePathFilter +1")


def test_packets_that_came_through_have_no_witness() -> None:
    """Nor have those that got lost where nobody logged in."""
    through = with_node(on_node(RULE, RPF, seen=(6, 6)), "worker-0", moved=(RULE, RPF), programs=(FILTER,))
    assert called(through) == ("", "")
    lost = on_node(RULE)
    assert called(replace(lost, nodes={"worker-0": lost.nodes["worker-0"]})) == ("", "")


def test_what_takes_packets_away_sends_none_astray() -> None:
    evidence = with_trace(OK, "worker-0", "worker-1", 3, astray=("eni worker-2",))
    evidence = with_node(evidence, "worker-0", moved=(RULE, RPF), programs=(FILTER, EGRESS))
    assert called(evidence) == ("", "")


def test_a_program_at_the_other_end_is_found_by_all_of_its_name() -> None:
    """A Name tag may have spaces in it."""
    evidence = with_trace(healthy(names="worker {}"), "worker 0", "worker 1", 3)
    assert called(evidence) == ("", "")
    evidence = with_node(evidence, "worker 1", programs=(XDP, FILTER, replace(XDP, device="ens6")))
    assert called(evidence) == ("in-vpc-program", "xdp ens5: XDP id 4; xdp ens6: XDP id 4")
    alone = replace(evidence, nodes={"worker 0": evidence.nodes["worker 0"]})
    assert called(alone) == ("", "")
