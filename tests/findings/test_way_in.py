"""Nobody got in to a worker: what AWS's answers explain is a finding, and nothing else is."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import JUMP
from kthw.findings.judging import Outcome, judge, outcome_of
from kthw.findings.registry import CHECKS
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Route
from tests.findings.changed_aws import (
    inventory_of,
    with_group,
    with_instance,
    with_interface,
    with_inventory,
    with_route,
    without_route,
)
from tests.findings.clusters import GROUP, OK
from tests.findings.faults_of_the_way_in import (
    ADDRESS,
    CLOSED,
    EVERYBODY,
    FAULTS,
    MISSING,
    NAT,
    letting_in,
    listed,
    private,
    ssh_from,
    unreached,
)
from tests.findings.faults_of_workers import CHOSEN
from tests.findings.judged import codes

[CHECK] = [check for check in CHECKS if check.name == "can-be-logged-in-to"]


def said(evidence: Evidence, worker: str = "worker-1") -> Outcome:
    return outcome_of(Network(evidence), CHECK, worker)


@pytest.mark.parametrize(("evidence", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_aws_tells_is_a_finding(evidence: Evidence, expected: tuple[str, ...]) -> None:
    """With all that is asked before it; and no other check breaks on it."""
    assert tuple(finding.code for finding in said(evidence).findings) == expected
    assert not [each for each in judge(evidence).outcomes if each.status == "broken"]


@pytest.mark.parametrize(
    "evidence",
    [
        unreached(letting_in(EVERYBODY)),
        unreached(letting_in(ssh_from("203.0.113.7/32"))),
        unreached(letting_in(ssh_from("0.0.0.0/0", from_port=1, to_port=22))),
        unreached(letting_in(ssh_from("0.0.0.0/0", from_port=22, to_port=65535, protocol="6"))),
        unreached(letting_in(ssh_from("0.0.0.0/0", from_port=-1, to_port=-1, protocol="-1"))),
        unreached(letting_in(ssh_from("10.0.0.0/7"))),
        unreached(listed("198.51.100.0/24")),
        unreached(listed(read=False)),
        unreached(letting_in(), variant="refused"),
        unreached(letting_in(), variant="unknown-name"),
        unreached(letting_in(), variant="proxy"),
        unreached(letting_in(), resource="203.0.113.99"),
        unreached(letting_in(), kind=JUMP),
        unreached(private(), variant="private", resource=ADDRESS, kind=JUMP),
        unreached(private(with_route(OK, NAT)), variant="private", resource=ADDRESS),
        unreached(private(without_route(OK, "0.0.0.0/0")), variant="private", resource=ADDRESS),
        unreached(
            private(with_route(OK, Route(destination="0.0.0.0/0", gateway="igw-0a", state="blackhole"))),
            variant="private",
            resource=ADDRESS,
        ),
        unreached(with_group(OK, id="sg-0else")),
        unreached(with_instance(private(), "worker-1", subnet=""), variant="private", resource=ADDRESS),
    ],
)
def test_what_it_does_not_tell_stays_what_could_not_be_looked_at(evidence: Evidence) -> None:
    """A rule for an address outside may be the person's own; who has no address may be meant to have none."""
    outcome = said(evidence)
    assert outcome.status == "error"
    assert outcome.error
    assert outcome.error.code in ("ssh-unreachable", "aws-refused")


def test_the_sandbox_s_own_way_says_what_dialling_would() -> None:
    local = replace(OK.target, endpoint="http://127.0.0.1:9", kind="aws")
    evidence = unreached(letting_in(evidence=replace(OK, target=local)), variant="proxy")
    assert [finding.code for finding in said(evidence).findings] == [CLOSED]
    evidence = unreached(private(replace(OK, target=local)), variant="proxy", resource=ADDRESS)
    assert [finding.code for finding in said(evidence).findings] == [MISSING]
    evidence = unreached(letting_in(evidence=replace(OK, target=local)), variant="refused")
    assert said(evidence).status == "error"


@pytest.mark.parametrize("variant", ["dropped", "no-route", "silent", "timeout"])
def test_however_nobody_answered_the_shut_port_is_told(variant: str) -> None:
    assert codes(said(unreached(letting_in(), variant=variant)).findings) == [CLOSED]


@pytest.mark.parametrize("code", ["ssh-auth-failed", "ssh-host-key-changed", "sudo-denied", "python-missing"])
def test_who_was_answered_was_let_in_by_aws(code: str) -> None:
    assert said(unreached(letting_in(), code=code, variant="")).status == "passed"


def test_where_somebody_got_in_nothing_is_wrong_with_it() -> None:
    """By a tunnel, through a machine of the VPC, or however else."""
    assert said(private(letting_in())).status == "passed"
    later = replace(unreached(letting_in()), nodes=OK.nodes)
    assert said(later).status == "passed", "also where a later login failed"


def test_of_groups_that_were_not_seen_the_question_is_told() -> None:
    outcome = said(unreached(with_group(OK, id="sg-0else")))
    assert outcome.error
    assert outcome.error.detail == "DescribeSecurityGroups"


def test_all_groups_of_the_interface_are_told() -> None:
    evidence = letting_in()
    second = replace(inventory_of(evidence).security_groups[0], id="sg-0b")
    groups = (*inventory_of(evidence).security_groups, second)
    evidence = with_inventory(evidence, security_groups=groups)
    evidence = with_interface(evidence, "worker-1", security_groups=(GROUP, "sg-0b"))
    [closed] = said(unreached(evidence)).findings
    assert (closed.subject, closed.facts["groups"]) == (f"{GROUP}, sg-0b · tcp 22", f"{GROUP}, sg-0b")


def test_who_has_an_address_is_told_by_the_worker_s_name() -> None:
    """Whatever its instance is called; a worker that is missing has none."""
    evidence = with_instance(private(CHOSEN), "worker-0", state="terminated")
    evidence = with_instance(evidence, "worker-2", name="")
    [missing] = said(unreached(evidence, variant="private", resource=ADDRESS)).findings
    assert (missing.near_miss, missing.variant) == ("worker-2 (i-02, 10.0.1.22)", "")


def test_where_nobody_tried_nothing_is_known() -> None:
    outcome = said(replace(OK, nodes={}))
    assert outcome.error
    assert outcome.error.code == "ssh-unreachable"


def test_one_group_is_told_once_and_each_worker_without_an_address_by_itself() -> None:
    evidence = letting_in(ssh_from("10.0.0.0/16"))
    for n in range(3):
        evidence = unreached(evidence, worker=f"worker-{n}", resource=f"203.0.113.{20 + n}")
    [closed] = judge(evidence, [CHECK]).findings
    assert (closed.subject, closed.near_miss) == (
        f"{GROUP} · tcp 22",
        "all ← 10.0.0.0/16, 10.200.0.0/16, tcp 22 ← 10.0.0.0/16",
    )
    evidence = private(OK, "worker-0", "worker-1")
    for n in range(2):
        evidence = unreached(evidence, worker=f"worker-{n}", variant="private", resource=f"10.0.1.{20 + n}")
    missing = judge(evidence, [CHECK]).findings
    assert [each.worker for each in missing] == ["worker-0", "worker-1"]
    assert {each.near_miss for each in missing} == {"worker-2 (i-02, 10.0.1.22)"}
    evidence = private(OK, "worker-0", "worker-1", "worker-2")
    alone = judge(unreached(evidence, variant="private-alone", resource=ADDRESS), [CHECK]).findings
    assert [(each.variant, each.near_miss) for each in alone] == [("all", "")]
