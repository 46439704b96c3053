"""Which places on a pair's way are too small, and whose rules keep that from the sender."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings import sizes
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Link, Route
from tests.findings.changed_aws import with_inventory, with_route, without_route
from tests.findings.changed_nodes import failing_at, with_mtu, with_nft, with_node, with_way
from tests.findings.clusters import OK, ONE, healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_node_routes import NODES
from tests.findings.faults_of_sizes import JUMBO, SMALL_CARD, sized
from tests.findings.test_sizes import ssh, too_big

TO_1 = ("worker-0", "worker-1")
BY_ROUTE = with_way(OK, "worker-0", "worker-1", route="10.200.1.0/24 via 10.0.1.1 dev ens5 mtu 1400")
SWALLOWS = "icmp type destination-unreachable drop"


def situations(evidence: Evidence) -> list[tuple[str, str]]:
    return [(worker, variant) for worker, variant, _ in too_big(evidence)]


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (with_nft(SMALL_CARD, "worker-0", SWALLOWS), [("worker-1", "eni")]),
        (
            with_nft(FAULTS["one bridge takes less than its pods"][0], "worker-0", SWALLOWS),
            [("worker-1", "bridge")],
        ),
        (with_nft(failing_at(BY_ROUTE, 0, TO_1), "worker-0", SWALLOWS), [("worker-0", "route")]),
        (with_nft(failing_at(BY_ROUTE, 0, TO_1), "worker-1", SWALLOWS), [("worker-0", "route")]),
    ],
    ids=["nobody tells it", "it was heard", "the sender's own node tells it", "it is not told to them"],
)
def test_a_filter_is_not_named_where_it_swallows_nothing(
    evidence: Evidence, told: list[tuple[str, str]]
) -> None:
    assert situations(evidence) == told


def test_what_one_protocol_alone_lost_is_told_as_well() -> None:
    """The place, and the rule that keeps it from the sender."""
    evidence = failing_at(with_mtu(OK, "worker-1", "cnio0", 1300), 1300, TO_1, protocols=("udp",))
    assert situations(evidence) == [("worker-1", "bridge")]
    assert situations(with_nft(evidence, "worker-0", SWALLOWS)) == [
        ("worker-1", "bridge"),
        ("worker-0", "filter"),
    ]


def test_a_cause_is_told_beside_what_nothing_explains() -> None:
    evidence = failing_at(with_mtu(OK, "worker-2", "ens5", 1300), 1304, TO_1, ("worker-1", "worker-2"))
    assert situations(evidence) == [("worker-0", ""), ("worker-2", "eni")]


def test_what_was_told_of_a_worker_that_is_not_judged_is_passed_over() -> None:
    four = healthy(4)
    three = replace(four, intended=replace(four.intended, workers=four.intended.workers[:3]))
    assert situations(failing_at(three, 0, ("worker-0", "worker-3"))) == []


def _twice(protocol: str, size: int, *, lost_at: int) -> Evidence:
    """worker-0 sent worker-1 another packet; of these, those of one size were lost."""
    sent = next(p for p in OK.probes if (p.source, p.destination) == TO_1 and p.protocol == protocol)
    others = [p for p in OK.probes if (p.source, p.destination, p.protocol) != (*TO_1, protocol)]
    own = [replace(sent, size=each, reached=each != lost_at) for each in (0, size, 1500)]
    return replace(OK, probes=(*own, *others))


def test_where_no_small_packet_of_a_protocol_passes_its_large_ones_are_not_asked_about() -> None:
    evidence = _twice("udp", 1400, lost_at=1500)
    assert situations(evidence) == [("worker-0", "")]
    small = replace(evidence.probes[0], reached=False)
    assert situations(replace(evidence, probes=(small, *evidence.probes[1:]))) == []


def test_a_small_packet_that_was_lost_once_was_not_too_big() -> None:
    evidence = _twice("udp", 0, lost_at=1)
    once = replace(evidence.probes[0], reached=False)
    assert (
        sizes.full_size_between(Network(replace(evidence, probes=(once, *evidence.probes[1:]))), "worker-0")
        == []
    )


def _beside(worker: str, link: Link) -> Evidence:
    return with_node(OK, worker, links=(*OK.nodes[worker].links, link))


SECOND_CARD = Link(name="ens6", up=True, mtu=1300, addresses=("10.0.1.121/24",))
DUMMY = Link(name="lb0", kind="dummy", up=True, mtu=1300, addresses=("10.0.1.21/32",))
TUNNEL = Link(name="tun0", kind="ipip", up=True, mtu=1300)
SMALL_BRIDGE = with_mtu(OK, "worker-1", "cnio0", 1300)
UNSEEN = replace(SMALL_BRIDGE, nodes={w: node for w, node in SMALL_BRIDGE.nodes.items() if w != "worker-1"})
AWAY = Route(destination=ONE, other="vgw-0a")

NARROW = {
    "a card by which they do not come in": (_beside("worker-1", SECOND_CARD), []),
    "an interface that is no card and has the node's address": (_beside("worker-1", DUMMY), []),
    "a tunnel that the kernel takes": (
        with_way(_beside("worker-0", TUNNEL), "worker-0", "worker-1", device="tun0"),
        [],
    ),
    "an interface that is not there": (with_way(OK, "worker-0", "worker-1", device="tun0"), []),
    "nothing seen of the other's node": (UNSEEN, []),
    "a card that takes less": (SMALL_CARD, ["eni"]),
    "no table seen": (with_inventory(SMALL_BRIDGE, route_tables=()), ["bridge"]),
    "no route for the pod": (without_route(SMALL_BRIDGE, ONE, "0.0.0.0/0"), ["bridge"]),
    "no probe pod": (with_node(SMALL_BRIDGE, "worker-1", pod=""), ["bridge"]),
    "an MTU that was not read": (with_node(with_mtu(OK, "worker-1", "cnio0", 0), "worker-1", pod_mtu=0), []),
    "a gateway that carries as much": (with_route(OK, AWAY), []),
    "a gateway": (with_route(JUMBO, AWAY), ["gateway"]),
    "a gateway that the nodes' routes leave aside": (sized(with_route(NODES, AWAY), 8900), []),
    "the way back, which is cut into pieces": (with_mtu(OK, "worker-0", "cnio0", 1300), []),
}


@pytest.mark.parametrize("protocol", ["icmp", "udp"])
@pytest.mark.parametrize(("evidence", "kinds"), NARROW.values(), ids=NARROW)
def test_what_is_narrow_on_the_way_there(evidence: Evidence, kinds: list[str], protocol: str) -> None:
    asked_of = [p for p in evidence.probes if p.size and p.protocol == protocol]
    (probe,) = (p for p in asked_of if (p.source, p.destination) == TO_1)
    assert [place.kind for place in sizes.narrow(Network(evidence), probe)] == kinds


@pytest.mark.parametrize(("target", "mtu"), [("igw-0a", 1500), ("vgw-0a", 1500), ("tgw-0a", 8500)])
def test_how_much_aws_carries_beyond_a_gateway(target: str, mtu: int) -> None:
    network = Network(with_route(JUMBO, Route(destination=ONE, other=target)))
    (probe,) = (p for p in network.probes.of_pair(*TO_1) if p.size and p.protocol == "udp")
    assert [(place.name, place.mtu) for place in sizes.narrow(network, probe)] == [(target, mtu)]


def _cards(*mtus: int) -> Evidence:
    """By number of the worker; worker-1's is too small for what worker-0 sends it."""
    evidence = healthy(len(mtus))
    for n, mtu in enumerate(mtus):
        evidence = with_mtu(evidence, f"worker-{n}", "ens5", mtu)
    return failing_at(evidence, 0, TO_1)


@pytest.mark.parametrize(
    ("mtus", "wanted"),
    [((1500, 1300, 1500), 1500), ((3000, 1300, 1500, 1500), 1500), ((1500, 1300, 3000), 3000)],
    ids=["just enough", "most of them", "of as many the larger"],
)
def test_a_card_is_given_the_mtu_of_most_others(mtus: tuple[int, ...], wanted: int) -> None:
    assert too_big(_cards(*mtus)) == [("worker-1", "eni", f"{ssh(1)} 'sudo ip link set ens5 mtu {wanted}'")]


def test_pods_whose_mtu_was_not_read_do_not_count_as_the_usual_ones() -> None:
    evidence = sized(healthy(4), 1400, "worker-1")
    for worker in ("worker-2", "worker-3"):
        evidence = with_node(evidence, worker, pod_mtu=0)
    ((worker, variant, fix),) = too_big(failing_at(evidence, 1400, TO_1))
    assert (worker, variant) == ("worker-0", "pods")
    assert fix.endswith(" 1400'")


def test_where_no_cni_file_was_seen_none_is_named() -> None:
    evidence = FAULTS["jumbo pods, and the way is through a gateway"][0]
    bare = with_node(evidence, "worker-0", cni=())
    nothing = replace(evidence, nodes={w: node for w, node in evidence.nodes.items() if w != "worker-0"})
    for each in (bare, nothing):
        (found,) = sizes.full_size_between(Network(each), "worker-0")
        assert (found.worker, found.variant, found.facts["file"]) == ("worker-0", "gateway", "")
