"""What was measured is told with its cause, once per worker; what was not measured is never a pass."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings import reachability as reach
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, SecurityRule
from tests.findings.changed_aws import (
    with_group,
    with_interface,
    with_inventory,
    with_user_data,
    without_route,
)
from tests.findings.changed_nodes import (
    failing,
    masquerade_off,
    with_forward_chain,
    with_node,
    with_trace,
    with_way,
)
from tests.findings.clusters import healthy
from tests.findings.judged import codes, everything

OK = healthy()
ONE = "10.200.1.0/24"
TO_1 = (("worker-0", "worker-1"), ("worker-2", "worker-1"))


def test_a_failing_pair_carries_the_code_that_explains_it() -> None:
    evidence = failing(without_route(OK, ONE), *TO_1)
    (found,) = reach.is_reached_by_others(Network(evidence), "worker-1")
    assert found.explained_by == ("route-missing",)
    assert len(found.lost) == 4
    assert str(found.lost[0].probe) == "10.200.0.2@worker-0 → 10.200.1.2@worker-1: icmp no answer in 3.0 s"


def test_only_the_ends_of_a_failing_pair_are_red() -> None:
    evidence = failing(without_route(OK, ONE), *TO_1)
    assert not reach.reaches_others(Network(evidence), "worker-1")
    assert not reach.is_reached_by_others(Network(evidence), "worker-0")
    assert codes(reach.reaches_others(Network(evidence), "worker-0")) == ["pod-unreachable"]


def test_a_pair_that_fails_without_a_cause_says_so() -> None:
    (found,) = reach.reaches_others(Network(failing(OK, ("worker-0", "worker-1"))), "worker-0")
    assert found.explained_by == ()
    assert found.variant == "pod"


def test_a_cause_for_one_pair_does_not_hide_that_another_has_none() -> None:
    evidence = failing(without_route(OK, ONE), ("worker-0", "worker-1"), ("worker-0", "worker-2"))
    found = reach.reaches_others(Network(evidence), "worker-0")
    assert [f.explained_by for f in found] == [("route-missing",), ()]
    assert len({f.subject for f in found}) == 2


def test_a_filter_of_one_protocol_explains_only_that_protocol() -> None:
    tcp_only = SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/16",))
    evidence = with_group(OK, ingress=(tcp_only,))
    (icmp,) = reach.reaches_others(
        Network(failing(evidence, ("worker-0", "worker-1"), protocols=("icmp",))), "worker-0"
    )
    (tcp,) = reach.reaches_others(
        Network(failing(evidence, ("worker-0", "worker-1"), protocols=("tcp",))), "worker-0"
    )
    assert icmp.explained_by == ("security-group-blocks",)
    assert tcp.explained_by == ()


def test_one_protocol_that_fails_is_enough() -> None:
    evidence = failing(OK, ("worker-0", "worker-1"), protocols=("tcp",))
    assert codes(reach.reaches_others(Network(evidence), "worker-0")) == ["pod-unreachable"]


def test_a_probe_that_never_succeeded_is_not_believed() -> None:
    dead = failing(OK, ("worker-0", "*"))
    for kind in ("node", "internet"):
        dead = failing(dead, ("worker-0", "*"), ("worker-0", ""), kind=kind)
    (found,) = reach.reaches_others(Network(dead), "worker-0")
    assert found.variant == "unvouched"
    vouched = Network(dead).probes.vouched
    assert ("worker-0", "icmp") not in vouched
    assert ("worker-1", "icmp") in vouched


def test_own_node_is_judged_by_its_own_probe() -> None:
    evidence = failing(OK, ("worker-1", "worker-1"), kind="node")
    assert codes(reach.reaches_own_node(Network(evidence), "worker-1")) == ["pod-unreachable"]
    assert not reach.reaches_own_node(Network(evidence), "worker-0")


def test_either_protocol_proves_the_internet() -> None:
    assert not reach.reaches_internet(
        Network(failing(OK, ("*", ""), kind="internet", protocols=("tcp",))), "worker-0"
    )
    (found,) = reach.reaches_internet(Network(failing(OK, ("*", ""), kind="internet")), "worker-0")
    assert found.explained_by == ()


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        (without_route(OK, "0.0.0.0/0"), "internet-route-missing"),
        (with_node(OK, "worker-0", ip_forward=False), "forwarding-off"),
        (with_forward_chain(OK, "worker-0", "-d 1.1.1.1/32 -j DROP"), "forward-dropped"),
        (
            with_way(OK, "worker-0", "worker-0", device="ens5", route="10.200.0.0/24 via 10.0.1.1"),
            "node-route-conflict",
        ),
    ],
)
def test_what_keeps_pods_from_the_internet_is_told(evidence: Evidence, code: str) -> None:
    (found,) = reach.reaches_internet(Network(failing(evidence, ("*", ""), kind="internet")), "worker-0")
    assert found.explained_by == (code,)


def test_without_masquerade_no_pod_is_expected_to_reach_the_internet() -> None:
    bare = masquerade_off(OK)
    assert not reach.expects_internet(Network(bare), "worker-0")
    assert reach.expects_internet(Network(OK), "worker-0")
    assert not reach.reaches_internet(Network(failing(bare, ("*", ""), kind="internet")), "worker-0")


def test_pairs_that_were_not_measured_are_named() -> None:
    kept = [p for p in OK.probes if (p.source, p.destination) != ("worker-0", "worker-2")]
    kept = [p for p in kept if (p.source, p.destination, p.protocol) != ("worker-0", "worker-1", "tcp")]
    evidence = replace(OK, probes=tuple(kept))
    assert reach.unmeasured(Network(evidence), "worker-0") == ["worker-1", "worker-2"]
    assert reach.unmeasured(Network(evidence), "worker-1") == []
    assert reach.unmeasured_towards(Network(evidence), "worker-2") == ["worker-0"]
    assert reach.unmeasured(Network(OK), "worker-0") == []


def test_a_pair_between_which_only_large_packets_were_tried_was_not_measured() -> None:
    kept = tuple(p for p in OK.probes if p.size or (p.source, p.destination) != ("worker-0", "worker-2"))
    network = Network(replace(OK, probes=kept))
    assert reach.unmeasured(network, "worker-0") == ["worker-2"]
    assert reach.unmeasured_by_udp(network, "worker-0") == ["worker-2"]
    assert reach.unmeasured_towards(network, "worker-2") == ["worker-0"]


def test_a_kind_that_was_not_measured_is_known() -> None:
    evidence = replace(OK, probes=tuple(p for p in OK.probes if p.kind == "pod"))
    assert reach.measured(Network(OK), "worker-0", "internet")
    assert not reach.measured(Network(evidence), "worker-0", "internet")
    assert reach.unmeasured(Network(evidence), "worker-0") == []


def test_a_cause_is_told_once_however_many_pairs_it_breaks() -> None:
    every = [(a, b) for a in OK.intended.workers for b in OK.intended.workers if a != b]
    found = everything(failing(with_group(OK, ingress=()), *every))
    assert codes(found).count("security-group-blocks") == 1
    assert {f.explained_by for f in found if f.code == "pod-unreachable"} == {("security-group-blocks",)}


def test_two_faults_at_once_are_both_told() -> None:
    evidence = with_interface(without_route(OK, ONE), "worker-1", source_dest_check=True)
    assert set(codes(everything(evidence))) == {"route-missing", "source-dest-check-on"}
    (found,) = reach.is_reached_by_others(Network(failing(evidence, *TO_1)), "worker-1")
    assert found.explained_by == ("route-missing", "source-dest-check-on")


@pytest.mark.parametrize(
    ("request_", "reply", "situation", "where"),
    [
        (1, 0, "request-on-node", "worker-0"),
        (2, 0, "request-on-node", "worker-0"),
        (3, 0, "request-in-vpc", "worker-0"),
        (4, 0, "request-on-node", "worker-1"),
        (5, 0, "request-on-node", "worker-1"),
        (6, 0, "reply-on-node", "worker-1"),
        (6, 2, "reply-on-node", "worker-1"),
        (6, 3, "reply-in-vpc", "worker-1"),
        (6, 4, "reply-on-node", "worker-0"),
        (6, 5, "reply-on-node", "worker-0"),
        (6, 6, "through", "worker-0"),
    ],
)
def test_a_pair_without_a_cause_tells_how_far_its_packets_came(
    request_: int, reply: int, situation: str, where: str
) -> None:
    pair = ("worker-0", "worker-1")
    (found,) = reach.reaches_others(
        Network(with_trace(failing(OK, pair), *pair, request_, reply)), "worker-0"
    )
    assert (found.variant, found.facts["where"]) == (situation, where)


def test_a_packet_seen_at_a_third_node_went_astray() -> None:
    pair = ("worker-0", "worker-1")
    evidence = with_trace(failing(OK, pair), *pair, 3, astray=("eni worker-2",))
    (found,) = reach.reaches_others(Network(evidence), "worker-0")
    assert (found.variant, found.facts["astray"]) == ("astray", "eni worker-2")
    assert found.facts["way"] == "pod worker-0 → bridge worker-0 → eni worker-0 → eni worker-2 ✗"


def test_a_pair_with_a_cause_needs_no_trace() -> None:
    evidence = with_trace(failing(without_route(OK, ONE), *TO_1), "worker-0", "worker-1", 3)
    (found,) = reach.reaches_others(Network(evidence), "worker-0")
    assert found.variant == "explained"
    assert "way" not in found.facts


def test_what_explains_pairs_that_meet_the_same_is_made_once() -> None:
    evidence = failing(with_group(OK, ingress=()), ("worker-0", "*"))
    (found,) = reach.reaches_others(Network(evidence), "worker-0")
    first, *others = [lost.causes for lost in found.lost if lost.probe.protocol == "icmp"]
    assert [code for code, _ in first] == ["security-group-blocks"]
    assert len(others) == 1
    assert others[0] is first


def test_packets_that_get_through_in_spite_of_a_finding_are_no_secret() -> None:
    """Our idea of the network was wrong, or it changed while we looked: the finding stands, with them."""
    evidence = failing(without_route(OK, ONE), ("worker-0", "worker-1"))
    assert "route-missing" in codes(everything(evidence))
    ((code, _), pairs), *more = reach.surprises(Network(evidence), everything(evidence)).items()
    assert (code, more) == ("route-missing", [])
    assert {(pair.source, pair.destination) for pair in pairs} == {("worker-2", "worker-1")}


def test_only_what_was_told_can_be_surprised() -> None:
    evidence = with_interface(without_route(OK, ONE), "worker-1", source_dest_check=True)
    told = everything(evidence)
    assert [code for code, _ in reach.surprises(Network(evidence), told)] == [
        "route-missing",
        "source-dest-check-on",
    ]
    assert [code for code, _ in reach.surprises(Network(evidence), told[:1])] == codes(told[:1])


def test_where_the_range_itself_is_wrong_no_packet_is_a_surprise() -> None:
    """What was made of it, and the rest of our idea of that worker, may be as its pods have it."""
    evidence = with_user_data(without_route(OK, ONE), "worker-1", pod_cidr="10.200.0.0/24")
    told = everything(with_interface(evidence, "worker-1", source_dest_check=True))
    assert set(codes(told)) >= {"pod-cidr-overlap", "source-dest-check-on"}
    assert not reach.surprises(Network(with_interface(evidence, "worker-1", source_dest_check=True)), told)


def test_only_packets_between_workers_pods_are_surprises() -> None:
    """A pod's packets to its own node, and to the internet, do not pass there; large ones are told apart."""
    evidence = with_group(OK, ingress=())
    every = [(a, b) for a in OK.intended.workers for b in OK.intended.workers if a != b]
    ((_, probes), *_) = reach.surprises(Network(evidence), everything(evidence)).items()
    assert {(probe.source, probe.destination) for probe in probes} == set(every)
    assert {(probe.kind, probe.size) for probe in probes} == {("pod", 0)}
    lost = failing(with_way(OK, "worker-0", "worker-0", device="ens5"), *every)
    assert reach.surprises(Network(lost), everything(lost)) == {}


def test_what_says_nothing_about_packets_is_not_surprised_by_them() -> None:
    """A worker without user data may have working routes all the same."""
    evidence = with_user_data(OK, "worker-1")
    assert reach.surprises(Network(evidence), everything(evidence)) == {}
    assert reach.surprises(Network(OK), everything(OK)) == {}


def test_a_filter_of_one_protocol_is_not_surprised_by_the_other() -> None:
    tcp_only = SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/16",))
    evidence = failing(with_group(OK, ingress=(tcp_only,)), ("*", "*"), protocols=("icmp", "udp"))
    assert reach.surprises(Network(evidence), everything(evidence)) == {}


def test_packets_that_nobody_saw_at_all_accuse_no_node() -> None:
    """Not even leaving: then it is the watching that did not work."""
    pair = ("worker-0", "worker-1")
    (found,) = reach.reaches_others(Network(with_trace(failing(OK, pair), *pair, 0, 0)), "worker-0")
    assert found.variant == "pod"
    assert "way" not in found.facts


def test_a_pod_that_misses_the_internet_is_a_finding_where_no_table_was_seen() -> None:
    """What was not seen is no obstacle, and no reason to keep a measurement back."""
    dead = failing(with_inventory(OK, route_tables=()), ("worker-0", ""), kind="internet")
    (found,) = reach.reaches_internet(Network(with_node(dead, "worker-0", ip_forward=False)), "worker-0")
    assert found.explained_by == ("forwarding-off",)
