"""What AWS garbled, or what changed while we looked, puts in doubt: no finding and no pass comes of it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import (
    with_interface,
    with_table,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import failing, losing, not_probed, with_node
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.judged import asked

# --- what AWS garbled -----------------------------------------------------------------------------------

ROUTES = {
    "route-to-worker",
    "route-active",
    "route-undiverted",
    "no-leftovers",
    "local-routes-intact",
    "internet-route",
}
LOGIN = "can-be-logged-in-to"
OF_AWS = {
    *ROUTES,
    LOGIN,
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
    "subnet": {LOGIN, "source-dest-check-off", "security-groups-allow", *ROUTES},
    "route-table": {LOGIN, "source-dest-check-off", "security-groups-allow", *ROUTES},
    "internet-gateway": {"internet-route"},
    "security-group": {LOGIN, "security-groups-allow"},
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
    outcome = asked(
        garbled(without_instance(not_probed(OK, "worker-1", "worker-2"), "worker-2"), "nameless"),
        "reaches-others",
    )
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
    "a route, and a share of its packets": (
        losing(OK, 60, ("worker-1", "worker-0")),
        "no-packets-lost",
        "worker-2",
        "10.200.2.0/24",
        True,
    ),
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
