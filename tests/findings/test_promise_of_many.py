"""Of many workers a fix is tried with its like: what it cuts off shows all the same, and is no other's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from kthw.findings import promise
from kthw.findings.finding import Cause
from kthw.findings.fix import Change
from kthw.findings.judging import judge
from kthw.findings.registry import CHECKS
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, PrefixList, Route
from tests.findings.changed_aws import (
    in_two_subnets,
    inventory_of,
    with_inventory,
    with_route,
    with_table,
    without_route,
)
from tests.findings.changed_nodes import losing, with_forward_chain, with_node
from tests.findings.clusters import OK, TABLE, healthy, instance_id, interface_id
from tests.findings.measured import as_predicted
from tests.findings.test_promise import TAKEN, many, promises


def shared(evidence: Evidence, pods: int, node: int) -> Evidence:
    """One prefix list leads to a worker what is for its pods, and what is for the node of another."""
    listed, cidr = f"pl-{pods}", f"10.200.{pods}.0/24"
    entries = (cidr, f"10.0.1.{20 + node}/32")
    led = Route(
        destination=listed,
        instance=instance_id(pods),
        network_interface=interface_id(pods),
        foreign=True,
    )
    lists = inventory_of(evidence).prefix_lists
    return with_inventory(
        with_route(without_route(evidence, cidr), led),
        prefix_lists=(*lists, PrefixList(id=listed, entries=entries)),
    )


STOPPED: Final = as_predicted(
    with_forward_chain(shared(healthy(4), 3, 2), "worker-0", "-d 10.200.3.0/24 -j DROP")
)
"""A pair that a route by a list leads, and that its fix would cut off, does not get through as it is."""


def taken(node: int) -> Cause:
    return TAKEN[0], f"{TABLE} · 10.0.1.{20 + node}/32"


@pytest.mark.parametrize("pods", [1, 13])
def test_a_cut_shows_at_whoever_is_led_elsewhere(pods: int) -> None:
    """Not only at the first of many."""
    found = promises(as_predicted(shared(healthy(14), pods, 2)))[taken(2)]
    assert ("worker-0", f"worker-{pods}") in found.cuts


@pytest.mark.parametrize(("count", "of_its_own"), [(2, True), (4, True), (5, False)])
def test_of_few_routes_each_cuts_off_its_own_and_of_more_it_is_said_of_all(
    count: int, of_its_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first none is asked: mended alone, it frees a pair that all the others seemed to stop too."""
    evidence, led = healthy(2 * count + 1), range(1, count + 1)
    for n in led:
        evidence = shared(evidence, n, count + n)
    found = many(as_predicted(evidence), monkeypatch)
    for n in led[1:]:
        ends = {destination for _, destination in found[taken(count + n)].cuts}
        assert ends == ({f"worker-{n}"} if of_its_own else {f"worker-{each}" for each in led})


def test_of_more_routes_than_that_eight_of_those_led_elsewhere_are_looked_at() -> None:
    evidence = healthy(19)
    for n in range(1, 10):
        evidence = shared(evidence, n, 9 + n)
    cuts = promises(as_predicted(evidence))[taken(10)].cuts
    assert {destination for _, destination in cuts} == {f"worker-{n}" for n in range(1, 9)}


def test_of_few_workers_too_the_fixes_of_one_kind_are_tried_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class Counted(promise._Trial):
        def __init__(self, network: Network, changes: Iterable[Change]) -> None:
            super().__init__(network, changes)
            tried.append(1)

    evidence = healthy(14)
    for worker in ("worker-0", "worker-1"):
        evidence = with_node(evidence, worker, ip_forward=False)
    monkeypatch.setattr(promise, "_Trial", Counted)
    assert len(judge(as_predicted(evidence)).promises) == 2
    assert len(tried) == 1


def test_what_is_broken_already_and_would_stay_so_by_more_is_told() -> None:
    stays = {pair: each.by for each in promises(STOPPED)[TAKEN].stays for pair in each.pairs}
    codes = {code for code, _ in stays["worker-0", "worker-3"]}
    assert codes == {"forward-dropped", "route-missing"}


def test_of_many_what_others_would_meet_by_it_keeps_no_promise_back(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ("worker-2", "worker-0") in many(STOPPED, monkeypatch)[TAKEN].mends


@pytest.mark.parametrize("told", [True, False])
def test_a_pair_that_is_stopped_and_loses_by_chance_too_is_promised_nothing(told: bool) -> None:
    """Whether the check that tells of losses is among those that are asked, or not."""
    dropping = as_predicted(with_forward_chain(OK, "worker-1", "-d 10.200.0.0/16 -p udp -j DROP"))
    evidence = losing(dropping, 40, ("worker-0", "worker-1"))
    verdict = judge(evidence, [check for check in CHECKS if told or check.name != "no-packets-lost"])
    assert any(finding.code == "packets-lost" for finding in verdict.findings) == told
    mended = {pair for made in verdict.promises.values() for pair in made.mends}
    assert ("worker-1", "worker-0") in mended
    assert ("worker-0", "worker-1") not in mended


def test_a_table_that_leads_others_astray_cuts_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody uses it yet: the fix associates a subnet with it, and replies to the other go to worker-1."""
    evidence = with_table(in_two_subnets(OK), subnets=())
    astray = Route(destination="10.0.2.22/32", instance="i-01", network_interface="eni-01")
    evidence = as_predicted(with_route(evidence, astray))
    for found in (promises(evidence), many(evidence, monkeypatch)):
        (made,) = found.values()
        assert ("worker-2", "worker-0") in made.cuts
