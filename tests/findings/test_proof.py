"""All packets between two workers' pods: proved, or the smallest that does not come through, or not known."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings.path import obstacles
from kthw.findings.proof import Proof, fate, proofs
from kthw.intended.cluster import CNI_PLUGIN
from kthw.network.flows import Flow
from kthw.network.model import Network
from kthw.observed.evidence import DNS_PORT, PROBE_PORT, AclEntry, Evidence, PolicyRule, Route, SecurityRule
from tests.findings.changed_aws import (
    TWO,
    by_eni,
    with_acl,
    with_group,
    with_instance,
    with_interface,
    with_route,
    with_second_interface,
    with_user_data,
)
from tests.findings.changed_nodes import masquerade_off, with_forward_chain, with_nft, with_node
from tests.findings.clusters import ACL, OK, ONE, TABLE_2, route
from tests.findings.faults import FAULTS, HEALTHY

PORTS: Final = {"icmp": 0, "tcp": PROBE_PORT, "udp": DNS_PORT}

UNLIKE: Final = frozenset(
    [
        # Of a range that a table has no route for, or only for a part, the path says that all of it is lost.
        "half a route",
        "routes for parts only",
        "half of the pods in a list",
        # Which link is meant is not known, and here that is no obstacle.
        "another bridge has the range of a peer that is gone",
        "one kernel route missing, and the card's name is not known",
        # A node whose address AWS does not tell: the path asks no firewall about it.
        "what other nodes hand over is dropped, and of one the address was not seen",
        "what other nodes hand over is dropped and lost, and of one the address was not seen",
    ]
)


def of_pair(evidence: Evidence, source: str = "worker-0", destination: str = "worker-1") -> Proof:
    pair = (source, destination)
    return next(each for each in proofs(Network(evidence)) if (each.source, each.destination) == pair)


def smallest(evidence: Evidence, source: str = "worker-0", destination: str = "worker-1") -> str:
    """The outcome, the flow, and by what."""
    found = of_pair(evidence, source, destination)
    if not found.stop:
        return found.outcome
    return f"{found.outcome}: {found.flow} by {found.stop.code or found.stop.doubt or '—'}"


def acl(number: int, *, egress: bool, **what: object) -> AclEntry:
    entry = AclEntry(number=number, egress=egress, allow=False, cidr="0.0.0.0/0")
    return replace(entry, **what)


def test_every_pair_of_a_healthy_cluster_is_proved() -> None:
    assert [(each.source, each.destination, each.outcome) for each in proofs(Network(OK))] == [
        (f"worker-{a}", f"worker-{b}", "proved") for a in range(3) for b in range(3) if a != b
    ]


def test_what_was_not_seen_of_the_nodes_is_no_proof() -> None:
    assert proofs(Network(replace(OK, nodes={}))) == ()
    assert smallest(with_node(OK, "worker-1", firewall=None)) == (
        "unknown: icmp 10.200.0.2 → 10.200.1.2 by firewall"
    )
    assert smallest(with_node(OK, "worker-1", ways=())).endswith("by kernel-routes")
    bare = with_instance(OK, "worker-1", network_interfaces=())
    assert smallest(bare, "worker-1", "worker-0") == "unknown: icmp 10.200.1.2 → 10.200.0.2 by group"
    unseen = {worker: node for worker, node in OK.nodes.items() if worker != "worker-1"}
    assert smallest(replace(OK, nodes=unseen)).endswith("by node")
    assert smallest(replace(OK, nodes=unseen), "worker-1", "worker-0") == (
        "unknown: icmp 10.200.1.2 → 10.200.0.2 by node"
    )


@pytest.mark.parametrize("evidence", [masquerade_off(OK), with_instance(OK, "worker-1", address="")])
def test_of_a_node_that_was_not_seen_nothing_is_known_whatever_address_its_pods_have(
    evidence: Evidence,
) -> None:
    seen = {worker: node for worker, node in evidence.nodes.items() if worker != "worker-1"}
    for pair in (("worker-0", "worker-1"), ("worker-1", "worker-0")):
        found = of_pair(replace(evidence, nodes=seen), *pair)
        assert found.stop
        assert (found.outcome, found.stop.where, found.stop.doubt) == ("unknown", "worker-1", "node")


def test_the_ways_of_a_plugin_are_not_proved() -> None:
    assert proofs(Network(replace(OK, intended=replace(OK.intended, network=CNI_PLUGIN)))) == ()


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (
            with_route(OK, Route(destination="10.200.1.128/25", gateway="igw-0a")),
            "stopped: icmp 10.200.0.2 → 10.200.1.128 by route-shadowed",
        ),
        (
            with_route(OK, route(1, "10.200.1.0/25"), route(0, "10.200.1.255/32")),
            "proved",
        ),
        (FAULTS["half a route"][0], "stopped: icmp 10.200.0.2 → 10.200.1.128 by route-missing"),
        (
            with_group(
                OK,
                ingress=(
                    SecurityRule(protocol="tcp", from_port=1, to_port=8999, cidrs=("10.0.0.0/8",)),
                    SecurityRule(protocol="tcp", from_port=9001, to_port=65535, cidrs=("10.0.0.0/8",)),
                    SecurityRule(protocol="udp", cidrs=("10.0.0.0/8",)),
                    SecurityRule(protocol="icmp", cidrs=("10.0.0.0/8",)),
                ),
            ),
            "stopped: tcp 10.200.0.2:32768 → 10.200.1.2:9000 by security-group-blocks",
        ),
        (
            with_forward_chain(OK, "worker-1", "-p udp -m udp --dport 19 -j DROP"),
            "stopped: udp 10.200.0.2:32768 → 10.200.1.2:19 by forward-dropped",
        ),
        (
            with_forward_chain(OK, "worker-1", "-d 10.200.1.64/26 -p tcp --dport 80:90 -j REJECT"),
            "stopped: tcp 10.200.0.2:32768 → 10.200.1.64:80 by forward-dropped",
        ),
        (
            with_forward_chain(OK, "worker-1", "-p tcp --sport 50000 -m conntrack --ctstate NEW -j DROP"),
            "stopped: tcp 10.200.0.2:50000 → 10.200.1.2:1 by forward-dropped",
        ),
        (
            with_forward_chain(OK, "worker-1", "-s 10.200.1.77/32 -j DROP"),
            "stopped: icmp 10.200.0.2 → 10.200.1.77 by forward-dropped",
        ),
        (
            with_forward_chain(OK, "worker-1", "-m recent --name x -j DROP"),
            "unknown: icmp 10.200.0.2 → 10.200.1.2 by rule",
        ),
        (
            with_forward_chain(OK, "worker-1", "-p udp -m statistic --mode random --probability 0.1 -j DROP"),
            "unknown: udp 10.200.0.2:32768 → 10.200.1.2:1 by rule",
        ),
        (
            with_forward_chain(OK, "worker-1", "-p tcp -j NFQUEUE --queue-num 1"),
            "unknown: tcp 10.200.0.2:32768 → 10.200.1.2:1 by rule",
        ),
        (
            with_nft(OK, "worker-1", "tcp dport 22 drop"),
            "stopped: tcp 10.200.0.2:32768 → 10.200.1.2:22 by forward-dropped",
        ),
        (
            with_nft(OK, "worker-1", "tcp dport 22 counter packets 3 bytes 9"),
            "proved",
        ),
        (
            with_node(
                OK,
                "worker-1",
                rules=(
                    PolicyRule(priority=99, kind="blackhole", text="to 10.200.1.8/29 blackhole",
                               destination="10.200.1.8/29"),
                ),
            ),
            "stopped: icmp 10.200.0.2 → 10.200.1.8 by node-route-conflict",
        ),
        (
            with_node(
                masquerade_off(OK),
                "worker-1",
                rules=(PolicyRule(priority=99, kind="blackhole", text="a part", source="10.200.0.8/29"),),
            ),
            "stopped: icmp 10.200.0.8 → 10.200.1.2 by node-route-conflict",
        ),
    ],
)  # fmt: skip
def test_the_smallest_flow_that_does_not_come_through_is_told(evidence: Evidence, told: str) -> None:
    assert smallest(evidence) == told


@pytest.mark.parametrize(
    ("evidence", "entry", "told"),
    [
        (TWO, acl(90, egress=False, cidr="10.200.0.16/28"), "proved"),
        (
            masquerade_off(TWO),
            acl(90, egress=False, cidr="10.200.0.16/28"),
            "stopped: icmp 10.200.0.16 → 10.200.2.2 by network-acl-blocks",
        ),
        (
            TWO,
            acl(90, egress=True, protocol="6", from_port=40000, to_port=40009),
            "stopped: tcp 10.200.0.2:40000 → 10.200.2.2:1 by network-acl-blocks",
        ),
        (TWO, acl(90, egress=False, protocol="17", from_port=40000, to_port=40009),
            "stopped: udp 10.200.0.2:32768 → 10.200.2.2:40000 by network-acl-blocks"),
    ],
)  # fmt: skip
def test_an_acl_stops_a_part_of_what_enters_and_of_what_is_answered(
    evidence: Evidence, entry: AclEntry, told: str
) -> None:
    assert smallest(with_acl(evidence, entry), "worker-0", "worker-2") == told


NO_TCP_OUT: Final = tuple(SecurityRule(protocol=each, cidrs=("0.0.0.0/0",)) for each in ("udp", "icmp"))
NO_UDP_OUT: Final = tuple(SecurityRule(protocol=each, cidrs=("0.0.0.0/0",)) for each in ("tcp", "icmp"))
FIRST_HALF: Final = SecurityRule(protocol="-1", cidrs=("10.200.1.0/25", "10.200.2.0/24"))
BARE: Final = masquerade_off(TWO)
UPPER_SHUT: Final = with_forward_chain(masquerade_off(OK), "worker-1", "-s 10.200.0.128/25 -j DROP")
"""Bare pods, and what those of worker-0 with the upper addresses send is dropped at worker-1."""
BY_SECOND: Final = with_route(with_second_interface(masquerade_off(OK), 1), *by_eni(ONE))
"""Bare pods, and what is for those of worker-1 comes in by another ENI than what they send goes out by."""


@pytest.mark.parametrize(
    ("evidence", "pair", "told"),
    [
        (
            with_forward_chain(with_group(OK, egress=NO_TCP_OUT), "worker-1", "-p icmp -j DROP"),
            "0 1",
            "icmp 10.200.0.2 → 10.200.1.2 by forward-dropped · worker-1 (i-01, 10.0.1.21) · "
            "-A FORWARD -p icmp -j DROP",
        ),
        (
            with_group(OK, egress=(FIRST_HALF,)),
            "0 1",
            "icmp 10.200.0.2 → 10.200.1.128 by security-group-blocks · sg-0a · egress",
        ),
        (
            with_acl(TWO, acl(90, egress=True, cidr="10.200.2.128/25"), acl=ACL),
            "0 2",
            "icmp 10.200.0.2 → 10.200.2.128 by network-acl-blocks · acl-0a · egress",
        ),
        (
            with_acl(TWO, acl(90, egress=False, cidr="10.200.2.128/25"), acl=ACL),
            "0 2",
            "icmp 10.200.0.2 → 10.200.2.128 by network-acl-blocks · acl-0a · ingress",
        ),
        (
            with_acl(BARE, acl(90, egress=False, cidr="10.200.0.128/25")),
            "0 2",
            "icmp 10.200.0.128 → 10.200.2.2 by network-acl-blocks · acl-0b · ingress",
        ),
        (
            with_acl(BARE, acl(90, egress=True, cidr="10.200.0.128/25")),
            "0 2",
            "icmp 10.200.0.128 → 10.200.2.2 by network-acl-blocks · acl-0b · egress",
        ),
        (
            with_route(BARE, Route(destination="10.200.0.128/25", gateway="igw-0a"), table=TABLE_2),
            "0 2",
            "icmp 10.200.0.128 → 10.200.2.2 by route-shadowed · worker-0 (i-00, 10.0.1.20) · rtb-0b · "
            "10.200.0.128/25",
        ),
        (
            with_interface(masquerade_off(OK), "worker-0", source_dest_check=True),
            "0 1",
            "icmp 10.200.0.2 → 10.200.1.2 by source-dest-check-on · worker-0 (i-00, 10.0.1.20) · eni-00",
        ),
        (
            with_interface(BY_SECOND, "worker-1", source_dest_check=True),
            "1 0",
            "icmp 10.200.1.2 → 10.200.0.2 by source-dest-check-on · worker-1 (i-01, 10.0.1.21) · eni-01",
        ),
        (
            UPPER_SHUT,
            "0 1",
            "icmp 10.200.0.128 → 10.200.1.2 by forward-dropped · worker-1 (i-01, 10.0.1.21) · "
            "-A FORWARD -s 10.200.0.128/25 -j DROP",
        ),
        (with_interface(OK, "worker-0", source_dest_check=True), "0 1", ""),
        (with_acl(OK, acl(90, egress=False, cidr="10.200.0.0/16"), acl=ACL), "0 1", ""),
        (with_acl(OK, acl(90, egress=False, cidr="10.0.0.0/16"), acl=ACL), "0 1", ""),
        (
            with_forward_chain(OK, "worker-1", "-s 10.0.1.20/32 -p udp -j DROP"),
            "0 1",
            "udp 10.200.0.2:32768 → 10.200.1.2:1 by forward-dropped · worker-1 (i-01, 10.0.1.21) · "
            "-A FORWARD -s 10.0.1.20/32 -p udp -j DROP",
        ),
        (
            with_forward_chain(with_group(OK, egress=NO_UDP_OUT), "worker-1", "-p tcp --dport 80 -j DROP"),
            "0 1",
            "tcp 10.200.0.2:32768 → 10.200.1.2:80 by forward-dropped · worker-1 (i-01, 10.0.1.21) · "
            "-A FORWARD -p tcp --dport 80 -j DROP",
        ),
        (
            with_acl(TWO, acl(90, egress=True, protocol="6", from_port=80, to_port=80), acl=ACL),
            "0 2",
            "tcp 10.200.0.2:32768 → 10.200.2.2:80 by network-acl-blocks · acl-0a · egress",
        ),
        (
            with_forward_chain(
                UPPER_SHUT, "worker-1", "-s 10.9.0.0/16 -j ACCEPT", "-s 10.200.0.128/25 -j DROP"
            ),
            "0 1",
            "icmp 10.200.0.128 → 10.200.1.2 by forward-dropped · worker-1 (i-01, 10.0.1.21) · "
            "-A FORWARD -s 10.200.0.128/25 -j DROP",
        ),
        (UPPER_SHUT, "2 1", ""),
        (with_forward_chain(OK, "worker-1", "-s 10.0.1.20/32 -p udp -j DROP"), "2 1", ""),
        (with_forward_chain(OK, "worker-1", "-s 10.200.0.0/25 -p udp -j DROP"), "0 1", ""),
    ],
)
def test_of_several_places_the_one_is_told_that_stops_the_smallest(
    evidence: Evidence, pair: str, told: str
) -> None:
    found = of_pair(evidence, *(f"worker-{n}" for n in pair.split()))
    assert (f"{found.flow} by {found.stop.code} · {found.stop.subject}" if found.stop else "") == told


@pytest.mark.parametrize(
    ("name", "pair", "told"),
    [
        ("policy DROP, and a peer's range is too small for pods", "2 0", "unknown by worker-2"),
        ("policy DROP, and a peer's range is too small for pods", "0 2", "stopped by cni-subnet-mismatch"),
        ("same pod CIDR twice", "0 1", "stopped by pod-cidr-overlap"),
    ],
)
def test_of_pods_that_have_no_addresses_of_their_own_no_packet_is_told(
    name: str, pair: str, told: str
) -> None:
    found = of_pair(FAULTS[name][0], *(f"worker-{n}" for n in pair.split()))
    assert found.flow is None
    assert found.stop
    assert f"{found.outcome} by {found.stop.code or found.stop.where}" == told


def test_where_neither_end_is_known_to_have_addresses_both_are_told() -> None:
    """Neither user data has room for a pod, and nobody saw the nodes."""
    evidence = replace(OK, nodes={"worker-2": OK.nodes["worker-2"]})
    for n in range(2):
        evidence = with_user_data(evidence, f"worker-{n}", pod_cidr=f"10.200.{n}.1/31")
    found = of_pair(evidence)
    assert found.stop
    assert (found.outcome, found.flow, found.stop.where) == ("unknown", None, "worker-0, worker-1")


def test_answers_that_another_table_takes_along_do_not_come_through() -> None:
    evidence = FAULTS["a policy rule by source takes answers and the internet along"][0]
    assert smallest(evidence) == "stopped: icmp 10.200.0.2 → 10.200.1.2 by node-route-conflict"


def test_what_is_not_known_hides_nothing_that_is() -> None:
    doubted = with_forward_chain(OK, "worker-0", "-m recent --name x -j DROP")
    assert smallest(doubted).startswith("unknown: icmp 10.200.0.2 → 10.200.1.2")
    assert smallest(with_group(doubted, egress=NO_TCP_OUT)) == (
        "stopped: tcp 10.200.0.2:32768 → 10.200.1.2:1 by security-group-blocks"
    )


def test_what_probe_pods_can_send_is_smaller_than_all_else() -> None:
    """The probe pod has the address 9; what is closed for the others is closed for it, too."""
    evidence = with_node(with_group(OK, ingress=()), "worker-0", pod="10.200.0.9")
    assert smallest(evidence) == "stopped: icmp 10.200.0.9 → 10.200.1.2 by security-group-blocks"
    shut = with_forward_chain(OK, "worker-1", "-s 10.200.1.4/30 -d 10.200.0.0/24 -j DROP")
    assert smallest(with_node(shut, "worker-1", pod="10.200.1.6"), "worker-1", "worker-0") == (
        "stopped: icmp 10.200.1.6 → 10.200.0.2 by forward-dropped"
    )


@pytest.mark.parametrize("name", [*FAULTS, *HEALTHY])
def test_the_packets_of_the_probe_pods_have_the_fate_that_the_path_predicts(name: str) -> None:
    """The model asked for one packet, and the obstacles that the checks tell of: never two opinions."""
    evidence = HEALTHY[name] if name in HEALTHY else FAULTS[name][0]
    if evidence.inventory is None:
        return
    network = Network(evidence)
    if name in UNLIKE or not proofs(network):
        return
    for probe in evidence.probes:
        if probe.kind != "pod" or probe.size or not {probe.source, probe.destination} <= set(network.workers):
            continue
        if not all(
            node and node.pod == address and cidr and IPv4Address(address) in cidr
            for worker, address in (
                (probe.source, probe.source_address),
                (probe.destination, probe.destination_address),
            )
            for node, cidr in [(evidence.nodes.get(worker), network.pod_cidrs.get(worker))]
        ):
            continue
        port = PORTS[probe.protocol]
        flow = Flow(
            source=IPv4Address(probe.source_address),
            destination=IPv4Address(probe.destination_address),
            protocol=probe.protocol,  # type: ignore[arg-type]
            port=port,
            asker=40000 if port else 0,
        )
        met = [f for f in obstacles(network, probe.source, probe.destination) if f.stops(probe.protocol)]
        asked = fate(network, probe.source, probe.destination, flow)
        assert (asked.outcome == "stopped") == bool(met), (str(flow), asked, met)
