"""When a check is asked, when it is skipped and why, and whose error it is where nobody could look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import (
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import failing, failing_at, losing, masquerade_off, not_probed, with_node
from tests.findings.clusters import ONE, healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_plugins import without_pod
from tests.findings.judged import asked

OK = healthy()
NO_FIREWALL = with_node(OK, "worker-1", firewall=None)
NO_WAYS = with_node(OK, "worker-1", ways=())


def unseen(evidence: Evidence, worker: str) -> Evidence:
    """Nobody got in, so no packet was sent from there or to there."""
    evidence = without_pod(evidence, worker)
    return replace(evidence, nodes={each: node for each, node in evidence.nodes.items() if each != worker})


def with_errors(evidence: Evidence, *errors: tuple[str, str]) -> Evidence:
    """Errors as (code, worker)."""
    told = (LookError(code=code, subject=worker, worker=worker) for code, worker in errors)
    return replace(evidence, errors=(*evidence.errors, *told))


NOT_TRIED = not_probed(OK, "worker-1", "worker-2")
SKIPPED: dict[str, tuple[Evidence, str, str, dict[str, str]]] = {
    "nothing can be sent": (
        replace(OK, target=replace(OK.target, no_packets="macos")),
        "forwarding-on",
        "run-skip-no-packets",
        {"reason": "macos"},
    ),
    "no program tells of the firewall": (
        with_node(NO_FIREWALL, "worker-1", lacking=("iptables-save", "nft", "ip")),
        "firewall-lets-through",
        "run-skip-no-tool",
        {"tools": "nft, iptables-save"},
    ),
    "no program tells of the kernel's routes": (
        with_node(NO_WAYS, "worker-1", lacking=("ip",)),
        "kernel-routes-right",
        "run-skip-no-tool",
        {"tools": "ip"},
    ),
    "pods keep their addresses": (masquerade_off(OK), "reaches-internet", "run-skip-no-masquerade", {}),
}


@pytest.mark.parametrize(("evidence", "check", "reason", "facts"), SKIPPED.values(), ids=SKIPPED)
def test_a_question_without_sense_is_skipped_with_its_reason(
    evidence: Evidence, check: str, reason: str, facts: dict[str, str]
) -> None:
    outcome = asked(evidence, check)
    assert outcome.status == "skipped"
    assert outcome.skip
    assert (outcome.skip.reason, outcome.skip.facts, outcome.skip.after) == (reason, facts, None)
    assert asked(OK, check).status == "passed"


@pytest.mark.parametrize("check", ["reaches-others", "is-reached-by-others"])
def test_a_lone_worker_has_no_others_to_ask_about(check: str) -> None:
    outcome = asked(healthy(1), check, "worker-0")
    assert outcome.skip
    assert outcome.skip.reason == "run-skip-no-other-worker"
    assert asked(healthy(2), check, "worker-0").status == "passed"


FIRST = {
    "worker stopped": ("forwarding-on", "worker-not-running", "one-running-instance"),
    "worker never launched": ("source-dest-check-off", "worker-missing", "one-running-instance"),
    "two running namesakes": ("source-dest-check-off", "worker-ambiguous", "one-running-instance"),
    "no user data": ("route-to-worker", "pod-cidr-missing", "pod-cidr-of-its-own"),
    "no CNI file": ("kernel-routes-right", "cni-config-missing", "cni-configured"),
}


@pytest.mark.parametrize(
    ("fault", "check", "code", "told_by"), [(k, *v) for k, v in FIRST.items()], ids=FIRST
)
def test_what_is_to_be_mended_first_is_told_with_the_check_that_found_it(
    fault: str, check: str, code: str, told_by: str
) -> None:
    skip = asked(FAULTS[fault][0], check).skip
    assert skip
    assert skip.after
    assert (skip.reason, skip.after.code, skip.told_by) == ("run-skip-after", code, told_by)


def test_a_stopped_worker_is_still_asked_about_its_route() -> None:
    assert asked(FAULTS["worker stopped"][0], "route-to-worker").status == "passed"


@pytest.mark.parametrize(
    ("check", "unmeasured"),
    [
        ("reaches-others", not_probed(OK, "worker-1", "worker-2")),
        ("is-reached-by-others", not_probed(OK, "worker-2", "worker-1")),
    ],
)
def test_a_peer_that_does_not_run_is_why_it_was_not_measured(check: str, unmeasured: Evidence) -> None:
    skip = asked(without_instance(unmeasured, "worker-2"), check).skip
    assert skip
    assert skip.after
    assert (skip.reason, skip.told_by) == ("run-skip-peer", "one-running-instance")
    assert (skip.after.code, skip.after.worker) == ("worker-missing", "worker-2")


UNSEEN: dict[str, tuple[Evidence, str, str, str]] = {
    "nobody got in": (replace(OK, nodes={}), "forwarding-on", "ssh-unreachable", "worker-1"),
    "nobody got in, and no pod CIDR is said": (
        unseen(with_user_data(without_route(OK, ONE), "worker-1"), "worker-1"),
        "cni-subnet-matches",
        "ssh-unreachable",
        "worker-1",
    ),
    "nobody got into a peer": (unseen(OK, "worker-2"), "reaches-others", "probe-timeout", "worker-2"),
    "why nobody got in is known": (
        with_errors(replace(OK, nodes={}), ("throttled", "worker-1"), ("sudo-denied", "worker-1")),
        "forwarding-on",
        "sudo-denied",
        "worker-1",
    ),
    "no firewall was told of": (NO_FIREWALL, "firewall-lets-through", "node-unreadable", "worker-1"),
    "one of its two programs is not there": (
        with_node(NO_FIREWALL, "worker-1", lacking=("nft",)),
        "firewall-lets-through",
        "node-unreadable",
        "worker-1",
    ),
    "another thing was not seen there either": (
        with_errors(NO_FIREWALL, ("ssh-unreachable", "worker-0"), ("cni-failed", "worker-1")),
        "firewall-lets-through",
        "cni-failed",
        "worker-1",
    ),
    "of two things not seen there the one asked about": (
        with_errors(NO_FIREWALL, ("cni-failed", "worker-1"), ("node-unreadable", "worker-1")),
        "firewall-lets-through",
        "node-unreadable",
        "worker-1",
    ),
    "no kernel route was told of": (NO_WAYS, "kernel-routes-right", "node-unreadable", "worker-1"),
    "no probe pod": (with_node(OK, "worker-1", pod=""), "reaches-own-node", "probe-timeout", "worker-1"),
    "its own node was not tried": (
        not_probed(OK, "worker-1", "worker-1", "node"),
        "reaches-own-node",
        "probe-timeout",
        "worker-1",
    ),
    "the internet was not tried": (
        not_probed(OK, "worker-1", "", "internet"),
        "reaches-internet",
        "probe-timeout",
        "worker-1",
    ),
    "a peer was not tried": (NOT_TRIED, "reaches-others", "probe-timeout", "worker-2"),
    "a peer's node says why": (
        with_errors(NOT_TRIED, ("cni-failed", "worker-2")),
        "reaches-others",
        "cni-failed",
        "worker-2",
    ),
    "of two peers one node says why": (
        with_errors(not_probed(NOT_TRIED, "worker-1", "worker-0"), ("cni-failed", "worker-2")),
        "reaches-others",
        "cni-failed",
        "worker-2",
    ),
    "a peer was not tried, and its own node does not answer": (
        failing(NOT_TRIED, ("worker-1", "worker-1"), kind="node"),
        "reaches-others",
        "probe-timeout",
        "worker-2",
    ),
    "its own node says why": (
        with_errors(NOT_TRIED, ("cni-failed", "worker-1")),
        "reaches-others",
        "cni-failed",
        "worker-1",
    ),
    "a peer did not try it": (
        with_errors(not_probed(OK, "worker-2", "worker-1"), ("answer-unreadable", "worker-2")),
        "is-reached-by-others",
        "answer-unreadable",
        "worker-2",
    ),
    "another pair failed, which says nothing of this one": (
        failing(NOT_TRIED, ("worker-0", "worker-2"), ("worker-1", "worker-1")),
        "reaches-others",
        "probe-timeout",
        "worker-2",
    ),
    "its own node does not answer, which says nothing of the pods": (
        failing(not_probed(OK, "worker-2", "worker-1"), ("worker-1", "worker-1"), kind="node"),
        "is-reached-by-others",
        "probe-timeout",
        "worker-2",
    ),
}


@pytest.mark.parametrize(("evidence", "check", "code", "worker"), UNSEEN.values(), ids=UNSEEN)
def test_what_nobody_saw_is_the_error_of_whoever_was_not_seen(
    evidence: Evidence, check: str, code: str, worker: str
) -> None:
    outcome = asked(evidence, check)
    assert (outcome.status, outcome.findings) == ("error", ())
    assert outcome.error
    assert (outcome.error.code, outcome.error.worker) == (code, worker)


def test_an_error_that_nobody_told_names_the_worker_and_its_login() -> None:
    error = asked(NO_WAYS, "kernel-routes-right").error
    assert error
    assert (error.subject, error.detail) == ("worker-1 (i-01, 10.0.1.21)", "—")
    assert error.facts == {"login": "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21"}


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        ("reaches-others", failing(NOT_TRIED, ("worker-1", "worker-0"))),
        ("reaches-others", failing(NOT_TRIED, ("worker-1", "worker-0"), protocols=("tcp",))),
        (
            "is-reached-by-others",
            failing(not_probed(OK, "worker-2", "worker-1"), ("worker-0", "worker-1"), protocols=("tcp",)),
        ),
        ("full-size-between-pods", failing_at(NOT_TRIED, 1400, ("worker-1", "worker-0"))),
        ("no-packets-lost", losing(NOT_TRIED, 60, ("worker-1", "worker-0"))),
    ],
)
def test_a_pair_that_failed_is_not_hidden_by_one_that_was_not_tried(check: str, evidence: Evidence) -> None:
    assert asked(evidence, check).status == "failed"
