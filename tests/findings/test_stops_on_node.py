"""What a worker's node stops of all packets between its pods and another's, part by part."""

from __future__ import annotations

import itertools
from ipaddress import IPv4Address, IPv4Network

import pytest
from msgspec.structs import replace

from kthw.findings import stops_on_node
from kthw.findings.proof import Proof, proofs
from kthw.findings.stops import Stop
from kthw.findings.stops_on_node import by_firewall, by_kernel, plain_ways
from kthw.network.flows import Addresses, Flow, Span
from kthw.network.model import Network
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain, Evidence, Way
from tests.findings.changed_nodes import with_cni, with_forward_chain, with_node, with_way
from tests.findings.clusters import OK
from tests.findings.faults_of_node_routes import FIRST, NODES, bare, half

DOUBTED = "-m recent --name x -j DROP"
NEVER = "-s 192.0.2.1/32 -j DROP"
ASKING = "-m conntrack --ctstate NEW -j DROP"
SOME_PORT = "-p udp -m udp --dport 80 -j ACCEPT"


def of_first_pair(evidence: Evidence) -> Proof:
    return next(each for each in proofs(Network(evidence)))


def told(evidence: Evidence) -> str:
    """Of worker-0 and worker-1, the outcome, the flow, and by what."""
    found = of_first_pair(evidence)
    assert (found.source, found.destination) == ("worker-0", "worker-1")
    if not found.stop:
        return found.outcome
    return f"{found.outcome}: {found.flow} by {found.stop.code or found.stop.doubt}"


def pods(worker: int) -> Addresses:
    found = Addresses.of_pods(IPv4Network(f"10.200.{worker}.0/24"), None)
    assert found
    return found


def by_rules(*rules: str) -> list[Stop]:
    """What the firewall of worker-0 stops on the way to the pods of worker-1."""
    network = Network(with_forward_chain(OK, "worker-0", *rules))
    return list(by_firewall(network, "worker-0", pods(0), pods(1), Span(), outwards=True))


def entry(cidr: str, via: str) -> Way:
    """One of worker-0's kernel for a part of worker-1's pods."""
    address = str(IPv4Network(cidr)[1])
    return Way(
        towards="worker-1", address=address, device="ens5", via=via, route=f"{cidr} via {via} dev ens5"
    )


def with_entries(*entries: Way) -> Evidence:
    return with_node(OK, "worker-0", ways=(*OK.nodes["worker-0"].ways, *entries))


def only_by(*entries: Way) -> Evidence:
    """Nothing else is known of where worker-0's kernel sends what is for worker-1's pods."""
    left = (way for way in OK.nodes["worker-0"].ways if way.towards != "worker-1")
    return with_node(OK, "worker-0", ways=(*left, *entries))


PLAIN = {
    "all": (OK, {"worker-1", "worker-2"}),
    "a part has an entry of its own": (half("worker-0", "10.0.1.1", OK), {"worker-2"}),
    "the default route of one leads elsewhere": (
        with_way(OK, *FIRST, device="wg0", via="", route="default dev wg0 scope link"),
        {"worker-2"},
    ),
    "it is for kernel routes to lead there": (bare(NODES, FIRST), set()),
    "nobody saw the node": (replace(OK, nodes={"worker-1": OK.nodes["worker-1"]}), set()),
}


@pytest.mark.parametrize(("evidence", "expected"), PLAIN.values(), ids=PLAIN)
def test_pods_to_which_all_is_sent_as_to_anywhere_else(evidence: Evidence, expected: set[str]) -> None:
    assert plain_ways(Network(evidence), "worker-0") == expected


RIGHT, LOST = "10.0.1.1", "10.0.1.99"
CONFLICT = "stopped: icmp 10.200.0.2 → {} by node-route-conflict"
UNKNOWN = "unknown: icmp 10.200.0.2 → {} by kernel-routes"
PARTS = {
    "a part goes astray": (half("worker-0", LOST, OK), CONFLICT.format("10.200.1.128")),
    "a part has an entry that is right": (half("worker-0", RIGHT, OK), "proved"),
    "a part goes astray after one that does not": (
        with_entries(entry("10.200.1.64/26", RIGHT), entry("10.200.1.192/26", LOST)),
        CONFLICT.format("10.200.1.192"),
    ),
    "a part of a part that goes astray is right": (
        with_entries(entry("10.200.1.64/26", RIGHT), entry("10.200.1.64/27", LOST)),
        CONFLICT.format("10.200.1.64"),
    ),
    "of the first part nothing is known, and the second is right": (
        only_by(entry("10.200.1.128/25", RIGHT)),
        UNKNOWN.format("10.200.1.2"),
    ),
    "of the first part nothing is known, and the second goes astray": (
        only_by(entry("10.200.1.128/25", LOST)),
        CONFLICT.format("10.200.1.128"),
    ),
    "of the second part nothing is known": (
        only_by(entry("10.200.1.0/25", RIGHT)),
        UNKNOWN.format("10.200.1.128"),
    ),
    "no way is known": (only_by(), UNKNOWN.format("10.200.1.2")),
    "the kernel knows no way": (
        with_way(OK, "worker-0", "worker-1", kind="none", device="", via="", route=""),
        UNKNOWN.format("10.200.1.2"),
    ),
    "the pods' bridge is not known": (
        with_cni(OK, "worker-0", bridge=""),
        UNKNOWN.format("10.200.1.2"),
    ),
    "no interface has the node's address": (
        with_node(OK, "worker-0", links=OK.nodes["worker-0"].links[1:]),
        UNKNOWN.format("10.200.1.2"),
    ),
}


@pytest.mark.parametrize(("evidence", "expected"), PARTS.values(), ids=PARTS)
def test_each_part_of_the_pods_goes_where_its_narrowest_entry_leads(
    evidence: Evidence, expected: str
) -> None:
    assert told(evidence) == expected


def test_each_part_that_goes_astray_is_told() -> None:
    network = Network(with_entries(entry("10.200.1.64/26", LOST), entry("10.200.1.192/26", LOST)))
    found = by_kernel(network, "worker-0", "worker-1", pods(1), "destination")
    assert [str(stop.destination) for stop in found] == ["10.200.1.64", "10.200.1.192"]


PORTS = {
    "the first after a span": (
        ("-p udp -m udp --dport 1:18 -j ACCEPT", f"-p udp {ASKING}"),
        "stopped: udp 10.200.0.2:32768 → 10.200.1.2:19 by forward-dropped",
    ),
    "the last of all": (
        ("-p udp -m udp --dport 65535 -j DROP",),
        "stopped: udp 10.200.0.2:32768 → 10.200.1.2:65535 by forward-dropped",
    ),
    "the last that asks": (
        (f"-p udp -m udp --sport 60999 {ASKING}",),
        "stopped: udp 10.200.0.2:60999 → 10.200.1.2:1 by forward-dropped",
    ),
    "none that asks is above": ((f"-p udp -m udp --sport 61000:65535 {ASKING}",), "proved"),
    "none that asks is below": ((f"-p udp -m udp --sport 1:32767 {ASKING}",), "proved"),
    "a span from below": (
        ("-p udp -m udp --sport 1:40000 -j ACCEPT", f"-p udp {ASKING}"),
        "stopped: udp 10.200.0.2:40001 → 10.200.1.2:1 by forward-dropped",
    ),
}


@pytest.mark.parametrize(("rules", "expected"), PORTS.values(), ids=PORTS)
def test_the_smallest_port_is_told_that_a_rule_takes(rules: tuple[str, ...], expected: str) -> None:
    assert told(with_forward_chain(OK, "worker-0", *rules)) == expected


def test_of_a_ping_no_ports_are_told() -> None:
    (found,) = by_rules("-p icmp -j DROP")
    assert (found.protocol, found.port, found.asker) == ("icmp", 0, 0)


def test_what_may_drop_packets_is_told_once_and_is_no_finding() -> None:
    """Many flows meet it; after it, what certainly drops one is looked for all the same."""
    (found,) = by_rules(SOME_PORT, DOUBTED)
    assert (found.doubt, found.code, found.subject) == ("rule", "", "")
    doubt, certain = by_rules(SOME_PORT, "-p udp -m udp --dport 443 -j DROP", DOUBTED)
    assert (doubt.doubt, doubt.protocol) == ("rule", "icmp")
    assert (certain.code, certain.port, certain.source) == (
        "forward-dropped",
        443,
        IPv4Address("10.200.0.2"),
    )


@pytest.mark.parametrize(
    ("most", "expected"), [(7, "proved"), (6, "unknown: {} by many"), (0, "unknown: {} by many")]
)
def test_what_is_too_much_to_be_gone_through_is_not_known(
    monkeypatch: pytest.MonkeyPatch, most: int, expected: str
) -> None:
    """A ping, and three ports each of TCP and UDP: below the rule's, the rule's, and above."""
    monkeypatch.setattr(stops_on_node, "_MOST", most)
    shut = with_forward_chain(OK, "worker-0", SOME_PORT, NEVER)
    assert told(shut) == expected.format("icmp 10.200.0.2 → 10.200.1.2")


@pytest.mark.parametrize(("count", "doubts"), [(20_000, []), (20_001, ["many"])])
def test_twenty_thousand_packets_are_gone_through_and_no_more(
    monkeypatch: pytest.MonkeyPatch, count: int, doubts: list[str]
) -> None:
    flow = Flow(source=pods(0).smallest, destination=pods(1).smallest, protocol="icmp")
    each: tuple[Flow, list[Packet]] = flow, []
    monkeypatch.setattr(stops_on_node, "_packets", lambda *_, **__: itertools.repeat(each, count))
    assert [stop.doubt for stop in by_rules(NEVER)] == doubts


def test_what_drops_nothing_at_all_is_never_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stops_on_node, "_MOST", 0)
    assert told(with_forward_chain(OK, "worker-0", SOME_PORT)) == "proved"


def test_what_is_for_a_pod_leaves_the_node_by_the_bridge() -> None:
    chain = Chain(
        tool="nft",
        table="bridge filter",
        name="output",
        hook="output",
        policy="ACCEPT",
        rules=("udp dport 19 drop # handle 4",),
    )
    evidence = with_node(OK, "worker-1", firewall=(chain,))
    assert told(evidence) == "stopped: udp 10.200.0.2:32768 → 10.200.1.2:19 by forward-dropped"
