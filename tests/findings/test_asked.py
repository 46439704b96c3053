"""When a check is asked, when it is skipped and why, and whose error it is where nobody could look."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import Outcome, judge, outcome_of
from kthw.findings.registry import CHECKS
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe
from tests.findings.changed_aws import (
    with_interface,
    with_table,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import failing, masquerade_off, with_node
from tests.findings.clusters import ONE, healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_plugins import without_pod

OK = healthy()
NO_FIREWALL = with_node(OK, "worker-1", firewall=None)
NO_WAYS = with_node(OK, "worker-1", ways=())
BY_NAME = {check.name: check for check in CHECKS}


def not_probed(evidence: Evidence, source: str, destination: str, kind: str = "pod") -> Evidence:
    def left(probe: Probe) -> bool:
        return (probe.source, probe.destination, probe.kind) != (source, destination, kind)

    return replace(evidence, probes=tuple(filter(left, evidence.probes)))


def unseen(evidence: Evidence, worker: str) -> Evidence:
    """Nobody got in, so no packet was sent from there or to there."""
    evidence = without_pod(evidence, worker)
    return replace(evidence, nodes={each: node for each, node in evidence.nodes.items() if each != worker})


def with_errors(evidence: Evidence, *errors: tuple[str, str]) -> Evidence:
    """Errors as (code, worker)."""
    told = (LookError(code=code, subject=worker, worker=worker) for code, worker in errors)
    return replace(evidence, errors=(*evidence.errors, *told))


def asked(evidence: Evidence, check: str, worker: str = "worker-1") -> Outcome:
    return outcome_of(Network(evidence), BY_NAME[check], worker)


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
    ],
)
def test_a_pair_that_failed_is_not_hidden_by_one_that_was_not_tried(check: str, evidence: Evidence) -> None:
    assert asked(evidence, check).status == "failed"


# --- what AWS garbled -----------------------------------------------------------------------------------

ROUTES = {
    "route-to-worker",
    "route-active",
    "route-undiverted",
    "no-leftovers",
    "local-routes-intact",
    "internet-route",
}
OF_AWS = {
    *ROUTES,
    "one-running-instance",
    "pod-cidr-of-its-own",
    "source-dest-check-off",
    "security-groups-allow",
    "network-acls-allow",
}
READS: dict[str, set[str]] = {
    "instance": OF_AWS,
    "nameless": {"one-running-instance"},
    "vpc": {"pod-cidr-of-its-own", "no-leftovers", "local-routes-intact"},
    "subnet": {"source-dest-check-off", "security-groups-allow", *ROUTES},
    "route-table": {"source-dest-check-off", "security-groups-allow", *ROUTES},
    "internet-gateway": {"internet-route"},
    "security-group": {"security-groups-allow"},
    "network-acl": {"network-acls-allow"},
    "something else": set(),
}
"""By the kind of what AWS garbled, the checks that cannot pass without it."""


def garbled(evidence: Evidence, kind: str, worker: str = "") -> Evidence:
    error = LookError(code="aws-unreadable", subject="x", worker=worker, kind=kind)
    return replace(evidence, errors=(error,))


@pytest.mark.parametrize("kind", READS)
@pytest.mark.parametrize("worker", ["", "worker-1"])
def test_what_was_garbled_costs_the_checks_that_read_it(kind: str, worker: str) -> None:
    outcomes = judge(garbled(OK, kind, worker)).outcomes
    assert {(o.check, o.subject) for o in outcomes if o.status != "passed"} == {
        (name, subject) for name in READS[kind] for subject in ([worker] if worker else OK.intended.workers)
    }
    assert {o.status for o in outcomes} <= {"passed", "error"}


@pytest.mark.parametrize(
    ("evidence", "check", "kind", "doubted"),
    [
        (FAULTS["leftover to a controller"][0], "no-leftovers", "nameless", True),
        (FAULTS["leftover to a controller"][0], "no-leftovers", "subnet", False),
        (failing(OK, ("*", ""), kind="internet"), "reaches-internet", "internet-gateway", True),
        (failing(OK, ("*", ""), kind="internet"), "reaches-internet", "network-acl", False),
        (without_instance(OK, "worker-1"), "one-running-instance", "nameless", True),
        (with_interface(OK, "worker-1", source_dest_check=True), "source-dest-check-off", "nameless", False),
    ],
)
def test_what_was_garbled_elsewhere_puts_a_finding_in_doubt(
    evidence: Evidence, check: str, kind: str, *, doubted: bool
) -> None:
    """The error is about worker-2: what is found about worker-1 may come of it where it may mislead."""
    owner = "" if check == "one-running-instance" else "worker-2"
    statuses = {o.status for o in judge(garbled(evidence, kind, owner)).outcomes if o.check == check}
    assert ("failed" in statuses) is not doubted
    assert "failed" in {o.status for o in judge(evidence).outcomes if o.check == check}


@pytest.mark.parametrize(
    ("evidence", "check", "kind", "status"),
    [
        (without_instance(OK, "worker-1"), "route-to-worker", "nameless", "error"),
        (without_instance(OK, "worker-1"), "route-to-worker", "vpc", "skipped"),
        (without_instance(OK, "worker-1"), "forwarding-on", "nameless", "error"),
        (with_node(OK, "worker-1", ip_forward=False), "forwarding-on", "instance", "error"),
        (with_node(OK, "worker-1", ip_forward=False), "forwarding-on", "nameless", "failed"),
        (with_node(OK, "worker-1", cni=()), "kernel-routes-right", "instance", "error"),
        (with_node(OK, "worker-1", cni=()), "kernel-routes-right", "nameless", "skipped"),
    ],
)
@pytest.mark.parametrize("about", ["", "worker-1"])
def test_what_was_garbled_puts_in_doubt_what_comes_before_a_check(
    evidence: Evidence, check: str, kind: str, status: str, about: str
) -> None:
    """Who bears the worker's name, where nobody was found to; and in every other case its instance."""
    assert asked(garbled(evidence, kind, about), check).status == status


def test_a_peer_that_may_be_one_without_a_name_is_no_missing_peer() -> None:
    outcome = asked(garbled(without_instance(NOT_TRIED, "worker-2"), "nameless"), "reaches-others")
    assert outcome.error
    assert (outcome.status, outcome.error.code) == ("error", "aws-unreadable")


# --- what changed while we looked -------------------------------------------------------------------------

NO_ROUTE = without_route(OK, "10.200.1.0/24")
NO_DEFAULT = without_route(OK, "0.0.0.0/0")
LOST = failing(OK, ("worker-1", "worker-0"))
OFFLINE = failing(OK, ("worker-1", ""), kind="internet")
NODE_LOST = failing(OK, ("worker-1", "worker-1"), kind="node")
CHANGED: dict[str, tuple[Evidence, str, str, str, bool]] = {
    "its own route": (NO_ROUTE, "route-to-worker", "worker-1", "10.200.1.0/24", True),
    "nobody's route": (NO_ROUTE, "route-to-worker", "", "10.9.0.0/24", True),
    "its own route, and a subnet that falls back": (
        with_table(without_route(OK, "10.200.1.0/24"), subnets=()),
        "route-to-worker",
        "worker-1",
        "10.200.1.0/24",
        True,
    ),
    "another's route": (NO_ROUTE, "route-to-worker", "worker-2", "10.200.2.0/24", False),
    "the default route": (NO_DEFAULT, "internet-route", "", "0.0.0.0/0", True),
    "a route, and its packets": (LOST, "reaches-others", "worker-2", "10.200.2.0/24", True),
    "a route, and packets to the internet": (OFFLINE, "reaches-internet", "worker-1", "10.200.1.0/24", False),
    "the default route, and packets to the internet": (OFFLINE, "reaches-internet", "", "0.0.0.0/0", True),
    "some route, and packets to the internet": (OFFLINE, "reaches-internet", "", "", True),
    "a route, and packets to its own node": (NODE_LOST, "reaches-own-node", "", "0.0.0.0/0", False),
    "a route, and the source/dest check": (
        with_interface(OK, "worker-1", source_dest_check=True),
        "source-dest-check-off",
        "worker-1",
        "10.200.1.0/24",
        False,
    ),
}


@pytest.mark.parametrize(
    ("evidence", "check", "worker", "destination", "doubted"), CHANGED.values(), ids=CHANGED
)
def test_a_finding_that_may_come_of_a_change_is_an_error(
    evidence: Evidence, check: str, worker: str, destination: str, *, doubted: bool
) -> None:
    changed = LookError(code="routes-changed", subject="rtb-0a", worker=worker, destination=destination)
    elsewhere = LookError(code="throttled", subject="x")
    outcome = asked(replace(evidence, errors=(elsewhere, changed)), check)
    assert outcome.status == ("error" if doubted else "failed")
    assert outcome.error == (changed if doubted else None)
    assert asked(replace(evidence, errors=(elsewhere,)), check).status == "failed"


def test_what_passes_is_not_doubted_by_a_change() -> None:
    changed = LookError(code="routes-changed", subject="rtb-0a")
    assert {o.status for o in judge(replace(OK, errors=(changed,))).outcomes} == {"passed"}
