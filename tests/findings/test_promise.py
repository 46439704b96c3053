"""What is promised of a fix is what the model says of the evidence with it; of what was not seen, nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings import promise
from kthw.findings.finding import Cause
from kthw.findings.fix import Change
from kthw.findings.judging import judge
from kthw.findings.path import obstacles
from kthw.findings.promise import Promise, Stays
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, PrefixList, Route
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import (
    with_interface,
    with_inventory,
    with_route,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import failing, losing, not_probed, with_cni, with_forward_chain, with_node
from tests.findings.clusters import OK, ONE, TABLE, healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_installed_networks import FLANNEL, installed
from tests.findings.measured import as_predicted

ROUTE: Final = ("route-missing", f"worker-1 (i-01, 10.0.1.21) · {TABLE}")
FORWARDING: Final = ("forwarding-off", "worker-0 (i-00, 10.0.1.20)")
CHECK: Final = ("source-dest-check-on", "worker-1 (i-01, 10.0.1.21) · eni-01")
NO_ROUTE: Final = without_route(OK, ONE)
BOTH: Final = as_predicted(with_node(NO_ROUTE, "worker-0", ip_forward=False))
ON_ONE_PAIR: Final = as_predicted(with_interface(NO_ROUTE, "worker-1", source_dest_check=True))

LISTED: Final = "pl-0a"
SHARED_LIST: Final = as_predicted(
    with_inventory(
        with_route(
            without_route(OK, ONE),
            Route(destination=LISTED, instance="i-01", network_interface="eni-01", foreign=True),
        ),
        prefix_lists=(PrefixList(id=LISTED, entries=(ONE, "10.0.1.22/32")),),
    )
)
"""A prefix list leads to worker-1 what is for its pods, and what is for the node of worker-2 as well."""
TAKEN: Final = ("local-route-altered", f"{TABLE} · 10.0.1.22/32")


def promises(evidence: Evidence) -> dict[Cause, Promise]:
    """What ``judge`` makes of them; a fault of ours, which it hides, shows here."""
    verdict = judge(evidence)
    if verdict.network:
        assert promise.promises(verdict.network, verdict.findings) == dict(verdict.promises)
    return dict(verdict.promises)


def many(evidence: Evidence, monkeypatch: pytest.MonkeyPatch) -> dict[Cause, Promise]:
    """As of a cluster with more workers than of which each fix is tried alone."""
    with monkeypatch.context() as patched:
        patched.setattr(promise, "_FEW", 0)
        return promises(evidence)


def test_of_two_faults_each_mends_its_own_pairs_and_leaves_the_one_that_meets_both() -> None:
    found = promises(BOTH)
    assert found[ROUTE].mends == (("worker-2", "worker-1"),)
    assert found[ROUTE].stays == (Stays(by=(FORWARDING,), pairs=(("worker-0", "worker-1"),)),)
    alone = (("worker-0", "worker-2"), ("worker-1", "worker-0"), ("worker-2", "worker-0"))
    assert set(found[FORWARDING].mends) == set(alone)
    assert found[FORWARDING].stays == (Stays(by=(ROUTE,), pairs=(("worker-0", "worker-1"),)),)
    assert not found[ROUTE].lacks
    assert not found[ROUTE].cuts


def test_where_each_needs_the_other_neither_is_printed_alone() -> None:
    verdict = judge(ON_ONE_PAIR)
    assert {cause: made.mends for cause, made in verdict.promises.items()} == {ROUTE: (), CHECK: ()}
    lacks = {finding.cause: finding.lacks for finding in verdict.findings if finding.lacks}
    assert lacks == {ROUTE: (CHECK,), CHECK: (ROUTE,)}
    for language in LANGUAGES:
        for finding in verdict.findings:
            first, *commands = catalogue(language).finding(finding).fix.splitlines()
            other = {ROUTE: CHECK, CHECK: ROUTE}.get(finding.cause)
            if other:
                assert first.startswith("# ")
                assert f"'{' · '.join(other)}'" in first
                assert commands[0].startswith("aws ec2 ")


def test_what_cuts_off_others_says_so_before_it_is_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a route by a prefix list go all entries of the list, those for pods too."""
    verdict = judge(SHARED_LIST)
    made = verdict.promises[TAKEN]
    assert set(made.cuts) == {("worker-0", "worker-1")}
    assert made.cuts == many(SHARED_LIST, monkeypatch)[TAKEN].cuts
    (finding,) = (finding for finding in verdict.findings if finding.cause == TAKEN)
    assert finding.cuts == ("worker-0 → worker-1",)
    for language in LANGUAGES:
        fix = catalogue(language).finding(finding).fix.splitlines()
        warned = [line for line in fix if "worker-0 → worker-1" in line]
        assert warned
        assert warned[0].startswith("# ")
        assert fix.index(warned[0]) < len(fix) - 1


def test_the_same_route_by_the_lists_own_owner_is_not_cut_where_pods_have_one_of_their_own() -> None:
    own = with_route(SHARED_LIST, Route(destination=ONE, instance="i-01", network_interface="eni-01"))
    made = promises(as_predicted(own))[TAKEN]
    assert not made.cuts
    assert made.mends


@pytest.mark.parametrize(
    "evidence",
    [
        failing(SHARED_LIST, ("worker-0", "worker-1")),
        not_probed(SHARED_LIST, "worker-0", "worker-1"),
    ],
)
def test_no_pair_is_cut_off_that_did_not_get_through(evidence: Evidence) -> None:
    assert not promises(evidence)[TAKEN].cuts


def test_no_pair_is_cut_off_that_gets_through_in_spite_of_what_is_seen() -> None:
    through = ("worker-0", "worker-1")
    probes = (replace(p, reached=True) if (p.source, p.destination) == through else p for p in BOTH.probes)
    found = promises(replace(BOTH, probes=tuple(probes)))
    assert set(found) == {ROUTE, FORWARDING}
    assert not any(made.cuts for made in found.values())


def test_what_a_pod_loses_with_its_own_node_says_nothing_of_a_pair() -> None:
    evidence = FAULTS["INPUT keeps pods from their node"][0]
    assert any(finding.changes for finding in judge(evidence).findings)
    assert promises(evidence) == {}


def test_to_a_worker_that_is_gone_nothing_is_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = as_predicted(without_instance(NO_ROUTE, "worker-2"))
    for found in (promises(evidence), many(evidence, monkeypatch)):
        assert found[ROUTE].mends == (("worker-0", "worker-1"),)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_fix_that_is_whole_alone_is_printed_as_ever(language: str) -> None:
    (finding,) = (f for f in judge(as_predicted(NO_ROUTE)).findings if f.cause == ROUTE)
    assert "#" not in catalogue(language).finding(finding).fix
    assert (finding.lacks, finding.cuts) == ((), ())


def test_what_would_be_found_once_more_says_that_the_command_is_not_enough() -> None:
    twice = with_forward_chain(OK, "worker-1", "-d 10.200.0.0/16 -j DROP", "-d 10.200.0.0/16 -j DROP")
    (finding,) = (f for f in judge(as_predicted(twice)).findings if f.code == "forward-dropped")
    assert finding.lacks == (finding.cause,)
    for language in LANGUAGES:
        words = catalogue(language)
        assert words.say("report-fix-lacks-itself") in words.finding(finding).fix


UNEXPLAINED: Final = failing(OK, ("*", "worker-1"))


@pytest.mark.parametrize(
    ("name", "evidence"),
    {
        "all is well": OK,
        "nothing was measured": replace(NO_ROUTE, probes=()),
        "packets got through all the same": NO_ROUTE,
        "the other node was not seen": replace(
            as_predicted(NO_ROUTE), nodes={w: n for w, n in OK.nodes.items() if w == "worker-1"}
        ),
        "its pod was not made": as_predicted(with_node(NO_ROUTE, "worker-1", pod="")),
        "some are lost by lot": as_predicted(
            with_forward_chain(NO_ROUTE, "worker-1", "-m statistic --mode random --probability 0.2 -j DROP")
        ),
        "some were lost when they were counted": losing(
            as_predicted(NO_ROUTE), 40, ("*", "worker-1"), reached=False
        ),
        "nobody saw why": UNEXPLAINED,
        "a plugin has ways of its own": as_predicted(
            with_node(installed(FLANNEL), "worker-0", ip_forward=False)
        ),
        "nobody can say what the command does": as_predicted(with_cni(OK, "worker-1", gateway=False)),
    }.items(),
)
def test_nothing_is_promised(name: str, evidence: Evidence) -> None:
    assert promises(evidence) == {}, name


def test_a_pair_that_fails_for_no_reason_too_is_promised_nothing() -> None:
    """UDP is lost for what is seen, pings for nothing that is."""
    evidence = as_predicted(with_forward_chain(OK, "worker-1", "-d 10.200.0.0/16 -p udp -j DROP"))
    assert {pair for made in promises(evidence).values() for pair in made.mends} == {
        pair for pair in _pairs(OK.intended.workers) if "worker-1" in pair
    }
    lost = failing(evidence, ("*", "worker-1"), protocols=("icmp",))
    assert {destination for made in promises(lost).values() for _, destination in made.mends} == {
        "worker-0",
        "worker-2",
    }


def _as_sets(made: Promise) -> tuple[object, ...]:
    stays = {(frozenset(stays.by), frozenset(stays.pairs)) for stays in made.stays}
    return set(made.mends), stays, set(made.cuts)


@pytest.mark.parametrize("name", [n for n, (e, _) in FAULTS.items() if e.inventory])
def test_tried_by_kind_no_more_is_promised_than_tried_one_by_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = as_predicted(FAULTS[name][0])
    few = promises(evidence)
    for cause, made in many(evidence, monkeypatch).items():
        assert _as_sets(made) == _as_sets(few[cause])


def test_a_fault_of_ours_hides_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> dict[Cause, Promise]:
        raise ZeroDivisionError

    told = [finding.cause for finding in judge(BOTH).findings]
    monkeypatch.setattr("kthw.findings.judging.promises", wrong)
    verdict = judge(BOTH)
    assert ([finding.cause for finding in verdict.findings], verdict.promises) == (told, {})
    assert {outcome.status for outcome in verdict.outcomes} <= {"passed", "failed", "skipped"}


def _wide(break_: Callable[[Evidence], Evidence], count: int = 14) -> Evidence:
    return as_predicted(break_(healthy(count)))


def _twice(evidence: Evidence) -> Evidence:
    return with_forward_chain(evidence, "worker-1", *["-d 10.200.0.0/16 -j DROP"] * 2)


def test_of_twelve_workers_each_fix_is_tried_alone() -> None:
    """Where one command is not enough, that is said of few; of more, nothing is."""
    assert [bool(made.lacks) for made in promises(_wide(_twice, 12)).values()] == [True]
    assert promises(_wide(_twice, 13)) == {}


def test_of_many_workers_as_much_is_promised_of_each() -> None:
    def without_routes(evidence: Evidence) -> Evidence:
        return without_route(evidence, *(f"10.200.{n}.0/24" for n in range(14)))

    found = promises(_wide(without_routes))
    assert len(found) == 14
    assert all(len(made.mends) == 13 and not made.stays and not made.cuts for made in found.values())


def test_of_many_workers_a_cut_shows_at_those_that_are_looked_at() -> None:
    def with_list(evidence: Evidence) -> Evidence:
        seen = with_route(
            without_route(evidence, ONE),
            Route(destination=LISTED, instance="i-01", network_interface="eni-01", foreign=True),
        )
        listed = PrefixList(id=LISTED, entries=(ONE, "10.0.1.22/32"))
        return with_inventory(seen, prefix_lists=(listed,))

    assert ("worker-0", "worker-1") in promises(_wide(with_list))[TAKEN].cuts


def test_of_two_subnets_that_were_never_associated_each_is_for_its_own_workers() -> None:
    evidence = as_predicted(FAULTS["table never associated to either of two subnets"][0])
    found = promises(evidence)
    ends = {subject: {source for source, _ in made.mends} for (_, subject), made in found.items()}
    network = judge(evidence).network
    assert network is not None
    assert ends == {"subnet-0a": {"worker-0", "worker-1"}, "subnet-0b": {"worker-2"}}
    met = {pair: [f.subject for f in obstacles(network, *pair)] for pair in _pairs(network.workers)}
    assert met["worker-0", "worker-1"] == ["subnet-0a"]


def _pairs(workers: Iterable[str]) -> list[tuple[str, str]]:
    names = list(workers)
    return [(one, other) for one in names for other in names if one != other]


@pytest.mark.parametrize("count", [14, 28])
def test_of_many_workers_there_are_as_many_trials_as_kinds(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    class Counted(promise._Trial):
        def __init__(self, network: Network, changes: Iterable[Change]) -> None:
            super().__init__(network, changes)
            tried.append(1)

    def break_(evidence: Evidence) -> Evidence:
        for n in range(count):
            evidence = with_node(evidence, f"worker-{n}", ip_forward=False)
        return without_route(evidence, *(f"10.200.{n}.0/24" for n in range(count)))

    evidence = _wide(break_, count)
    monkeypatch.setattr(promise, "_Trial", Counted)
    verdict = judge(evidence)
    found = dict(verdict.promises)
    assert len(tried) == 2
    assert len(found) == 2 * count
    assert all(not made.mends and made.lacks for made in found.values())
    sorts = [[stays.by for stays in made.stays] for made in found.values()]
    assert all(by.count(()) == 1 and len(by) == 13 for by in sorts)
    assert {len(finding.lacks) for finding in verdict.findings if finding.cause in found} == {3}
    of_routes = [made for (code, _), made in found.items() if code == "route-missing"]
    assert {sum(len(stays.pairs) for stays in made.stays) for made in of_routes} == {count - 1}
