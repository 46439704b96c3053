"""Every fault yields its findings and no other; what is healthy yields none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.codes import CODES, Stage
from kthw.findings.finding import once
from kthw.findings.judging import judge
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from kthw.verdict.drawing import drawing
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import both, with_route
from tests.findings.clusters import healthy, route
from tests.findings.faults import FAULTS, HEALTHY
from tests.findings.judged import JUDGES, codes, everything


@pytest.mark.parametrize(("evidence", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_yields_exactly_its_findings(evidence: Evidence, expected: tuple[str, ...]) -> None:
    assert sorted(codes(everything(evidence))) == sorted(expected)


@pytest.mark.parametrize("evidence", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_variant_yields_no_finding(evidence: Evidence) -> None:
    assert everything(evidence) == []


def test_every_code_is_reached_by_some_fault() -> None:
    reached = {code for evidence, _ in FAULTS.values() for code in codes(everything(evidence))}
    # What the clean-up leaves is told where there is no network any more: test_cleanup.py.
    assert reached == {code for code, about in CODES.items() if about.stage < Stage.LEFT_INSTANCE}


@pytest.mark.parametrize(("evidence", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_finding_names_what_it_is_about(evidence: Evidence, expected: tuple[str, ...]) -> None:
    for finding in everything(evidence):
        assert finding.worker in (*evidence.intended.workers, *evidence.intended.also)
        assert finding.subject
        assert finding.expected
        assert finding.observed
        assert all(isinstance(value, str) for value in finding.facts.values())


@pytest.mark.parametrize("fault", ["a route that is filtered", "a default route that is filtered"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_filtered_route_is_not_told_as_a_blackhole(fault: str, language: str) -> None:
    evidence, _ = FAULTS[fault]
    (found,) = everything(evidence)
    said = catalogue(language).finding(found)
    assert "filtered" in said.what
    assert "blackhole" not in said.what
    assert str(found.observed).endswith(" filtered")
    assert ">filtered<" in drawing(judge(evidence), catalogue(language))


def test_a_worker_is_not_told_what_it_does_not_let_in_from_itself() -> None:
    """Its TCP is not let in either, but it never crosses the ENI."""
    (found,) = everything(FAULTS["the worker itself and pings of the others not in the rule"][0])
    assert found.expected.startswith("icmp 8, udp 53 ←")
    assert found.protocols == ("icmp", "udp")


DIVERTED = {
    "half diverted": True,
    "half diverted, and a wider route to the worker": True,
    "propagated route diverts": True,
    "half diverted, and no route for the whole": False,
    "half diverted, and the whole to another worker": False,
    "a part of two halves diverted": False,
    "propagated route diverts, and no route for the whole": False,
}


@pytest.mark.parametrize(("fault", "right"), DIVERTED.items(), ids=DIVERTED)
def test_the_route_for_the_whole_is_called_right_only_where_it_is(fault: str, *, right: bool) -> None:
    found = next(f for f in everything(FAULTS[fault][0]) if f.code == "route-shadowed")
    for language, words in (("en", "is right"), ("pt-BR", "está certa")):
        assert (words in catalogue(language).finding(found).why) is right
    propagated = "propagated" in fault
    assert ("disable-vgw-route-propagation" in catalogue("en").finding(found).fix) is propagated


def test_a_left_over_route_that_is_filtered_is_not_told_as_one_whose_target_is_gone() -> None:
    leftover = replace(route(9, "10.200.9.0/24"), state="filtered")
    (found,) = everything(with_route(healthy(), leftover))
    assert (found.code, found.variant) == ("route-stale", "")


@pytest.mark.parametrize("idle", JUDGES)
def test_without_any_one_check_some_fault_goes_unreported(idle: str) -> None:
    def missed(evidence: Evidence, expected: tuple[str, ...]) -> bool:
        others = [judge for name, judge in JUDGES.items() if name != idle]
        network = Network(evidence)
        found = once(f for worker in network.workers for judge in others for f in judge(network, worker))
        return sorted(codes(found)) != sorted(expected)

    assert any(missed(evidence, expected) for evidence, expected in FAULTS.values())


PAIRS = (
    ("one route missing", "source/dest check on"),
    ("swapped", "forwarding off"),
    ("no user data", "no rule for the nodes"),
    ("node replaced", "egress to the nodes only"),
    ("half diverted", "CNI subnet of nobody"),
    ("table never associated", "no ICMP"),
    ("leftover to a controller", "no CNI file"),
    ("one route missing", "policy DROP"),
    ("source/dest check on", "a node drops what is for a peer"),
    ("swapped", "a rule rejects all"),
)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_of_two_faults_at_once_neither_hides_the_other(one: str, other: str) -> None:
    evidence = both(FAULTS[one][0], FAULTS[other][0])
    assert sorted(codes(everything(evidence))) == sorted(FAULTS[one][1] + FAULTS[other][1])
