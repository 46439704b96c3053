"""The verdict as a whole: what is too early, what nobody saw, what is a fault of ours; and a part of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings import judging
from kthw.findings.check import Check
from kthw.findings.finding import Finding
from kthw.findings.judging import judge
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_instance, without_route
from tests.findings.clusters import OK, ONE

EARLY = replace(OK, intended=replace(OK.intended, after="workers"))
BLIND = replace(OK, inventory=None)


def wrong(_network: Network, _worker: str) -> list[Finding]:
    raise ZeroDivisionError


FAULTY = Check(name="faulty", area="routes", chapter="workers", judge=wrong)


def failing(*_: object) -> Network:
    raise ZeroDivisionError


def test_before_its_chapter_no_question_is_asked() -> None:
    verdict = judge(EARLY)
    early = [outcome for outcome in verdict.outcomes if outcome.status == "skipped"]
    assert {outcome.skip.reason for outcome in early if outcome.skip} == {"run-skip-chapter"}
    assert {outcome.skip.told_by for outcome in early if outcome.skip} == {""}
    (facts,) = {tuple(outcome.skip.facts.items()) for outcome in early if outcome.skip}
    assert dict(facts) == {"chapter": "routes", "after": "workers"}
    assert {outcome.status for outcome in verdict.outcomes if outcome not in early} == {"passed"}
    assert {outcome.status for outcome in judge(OK).outcomes} == {"passed"}


def test_what_is_too_early_is_that_even_where_nobody_could_look() -> None:
    statuses = [outcome.status for outcome in judge(EARLY).outcomes]
    assert [outcome.status for outcome in judge(replace(EARLY, inventory=None)).outcomes] == [
        "error" if status == "passed" else status for status in statuses
    ]


def test_without_an_inventory_every_outcome_is_that_error() -> None:
    verdict = judge(BLIND)
    assert verdict.network is None
    (error,) = verdict.errors
    assert error.code == "aws-unreachable"
    assert all((outcome.status, outcome.error) == ("error", error) for outcome in verdict.outcomes)
    assert (verdict.findings, verdict.remarks) == ((), ())


def test_a_fault_of_ours_costs_what_it_touches_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = judge(OK, [FAULTY]).outcomes
    assert {outcome.status for outcome in outcomes} == {"broken"}
    assert all("ZeroDivisionError" in outcome.fault for outcome in outcomes)
    monkeypatch.setattr(judging, "Network", failing)
    verdict = judge(OK)
    assert (verdict.network, verdict.remarks) == (None, ())
    assert {outcome.status for outcome in verdict.outcomes} == {"broken"}
    assert all("ZeroDivisionError" in outcome.fault for outcome in verdict.outcomes)


def test_only_what_is_broken_has_a_fault() -> None:
    unseen: Evidence = with_instance(OK, "worker-1", state="stopped", user_data=None)
    for evidence in (OK, EARLY, BLIND, unseen):
        assert {outcome.fault for outcome in judge(evidence).outcomes} == {""}


def test_what_could_not_be_looked_at_is_told_once_first_what_the_looking_said() -> None:
    said = LookError(code="throttled", subject="x")
    unread = with_instance(OK, "worker-1", user_data=None)
    (missed,) = judge(unread).errors
    told = judge(replace(unread, errors=(said, said, replace(missed, detail="said")))).errors
    assert told == (said, replace(missed, detail="said"))
    assert judge(replace(OK, errors=(said,))).errors == (said,)


def test_a_part_of_a_verdict_is_of_what_was_asked_and_of_the_same_evidence() -> None:
    verdict = judge(without_route(OK, ONE))
    asked = {("route-to-worker", "worker-1"), ("forwarding-on", "worker-0")}
    part = verdict.only(asked)
    assert {(outcome.check, outcome.subject) for outcome in part.outcomes} == asked
    assert (part.evidence, part.network) == (verdict.evidence, verdict.network)


def test_no_finding_has_a_code_that_is_none() -> None:
    with pytest.raises(ValueError, match="route-mising"):
        Finding(code="route-mising", subject="x", worker="worker-1", expected="a", observed="b")
