"""After the last chapter: what is left is told, each by its kind, in the order in which it can be deleted."""

from __future__ import annotations

import subprocess
from typing import get_args

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.cleanup import KINDS
from kthw.findings.codes import CODES, Stage
from kthw.findings.finding import Finding
from kthw.findings.judging import Outcome, judge
from kthw.findings.registry import CHECKS
from kthw.observed.evidence import Evidence, Leftover
from kthw.observed.leftover import LeftoverKind
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.cleaned import ARN, LEFT, cleaned
from tests.findings.clusters import OK

ASKED = [check for check in CHECKS if check.chapter == "cleanup"]
DETACHED = replace(LEFT["internet-gateway"], vpc="")


def asked(evidence: Evidence) -> dict[str, Outcome]:
    """The outcomes of the chapter's own checks."""
    return {each.check: each for each in judge(evidence, ASKED).outcomes}


def only(left: Leftover) -> Finding:
    """What is found of it, where nothing else is left."""
    (found,) = asked(cleaned(left))[f"no-{left.kind}-left"].findings
    return found


def test_where_nothing_is_left_all_holds() -> None:
    assert {each.status for each in asked(cleaned()).values()} == {"passed"}
    assert len(asked(cleaned())) == len(KINDS)
    assert {each.subject for each in asked(cleaned()).values()} == {"lab"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_is_told_by_its_kind_alone(kind: LeftoverKind) -> None:
    outcomes = asked(cleaned(LEFT[kind]))
    told = {check: [each.code for each in outcome.findings] for check, outcome in outcomes.items()}
    assert {check: found for check, found in told.items() if found} == {f"no-{kind}-left": [f"{kind}-left"]}


def test_every_kind_and_every_code_of_the_clean_up_is_asked_about() -> None:
    left = {code for code, about in CODES.items() if about.stage >= Stage.LEFT_INSTANCE}
    assert left == {f"{kind}-left" for kind in KINDS}
    assert set(KINDS) == set(get_args(LeftoverKind)) == set(LEFT)


def test_they_are_told_in_the_order_in_which_aws_lets_them_be_deleted() -> None:
    found = judge(cleaned(*reversed(LEFT.values()))).findings
    assert [finding.code for finding in found] == [f"{kind}-left" for kind in KINDS]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_names_what_is_left_and_the_command_that_deletes_it(kind: LeftoverKind, language: str) -> None:
    found = only(LEFT[kind])
    said = catalogue(language).finding(found)
    assert found.facts["id"] in said.fix
    assert (LEFT[kind].address or found.subject.split()[0]) in said.what
    assert not any(part.isupper() and len(part) > 4 for part in said.what.replace("(", " ").split())
    assert subprocess.run(["sh", "-n"], input=said.fix, text=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (
            replace(LEFT["instance"], state="shutting-down"),
            "aws ec2 wait instance-terminated --instance-ids i-01",
        ),
        (
            replace(LEFT["nat-gateway"], state="deleting"),
            "aws ec2 wait nat-gateway-deleted --nat-gateway-ids nat-01",
        ),
        (replace(LEFT["volume"], state="deleting"), "aws ec2 wait volume-deleted --volume-ids vol-01"),
        (DETACHED, "aws ec2 delete-internet-gateway --internet-gateway-id igw-01"),
        (
            LEFT["internet-gateway"],
            "aws ec2 detach-internet-gateway --internet-gateway-id igw-01 --vpc-id vpc-1\n"
            "aws ec2 delete-internet-gateway --internet-gateway-id igw-01",
        ),
    ],
)
def test_what_is_going_is_waited_for_and_what_hangs_nowhere_is_not_detached(
    left: Leftover, expected: str
) -> None:
    assert catalogue("en").finding(only(left)).fix == expected


@pytest.mark.parametrize(
    ("left", "subject", "observed", "name"),
    [
        (LEFT["instance"], "i-01 (worker-0)", "i-01 worker-0 stopped", "worker-0"),
        (LEFT["nat-gateway"], "nat-01", "nat-01 available", "nat-01"),
        (LEFT["elastic-ip"], "eipalloc-01", "eipalloc-01 203.0.113.7", "eipalloc-01"),
        (LEFT["key-pair"], "kubernetes", "kubernetes", "kubernetes"),
        (DETACHED, "igw-01 (kubernetes)", "igw-01 kubernetes", "kubernetes"),
        (LEFT["load-balancer"], "kubernetes", f"{ARN} kubernetes active", "kubernetes"),
    ],
    ids=["both", "no name", "no name, an address", "one", "hangs nowhere", "an ARN"],
)
def test_it_is_told_by_its_id_and_its_name_and_each_but_once(
    left: Leftover, subject: str, observed: str, name: str
) -> None:
    found = only(left)
    assert (found.subject, found.observed, found.facts["name"]) == (subject, observed, name)
    assert (found.worker, found.variant, found.expected) == ("", "", "—")


@pytest.mark.parametrize("directions", [("ingress",), ("egress",), ("ingress", "egress")])
def test_a_group_that_others_name_is_freed_of_that_before_it_is_deleted(directions: tuple[str, ...]) -> None:
    rules = ("sg-02:sgr-1", "sg-03:sgr-2")
    left = replace(LEFT["security-group"], **dict.fromkeys(directions, rules))
    fix = catalogue("en").finding(only(left)).fix
    aws = 'aws() { echo "$*"; }'
    done = subprocess.run(["sh"], input=f"{aws}\n{fix}", text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == [
        *(
            f"ec2 revoke-security-group-{direction} --group-id sg-0{n} --security-group-rule-ids sgr-{n - 1}"
            for direction in directions
            for n in (2, 3)
        ),
        "ec2 delete-security-group --group-id sg-01",
    ]


def test_where_its_list_could_not_be_read_nothing_is_promised() -> None:
    denied = LookError(code="access-denied", subject="volume", kind="volume")
    outcomes = asked(cleaned(errors=(denied,)))
    assert [each.check for each in outcomes.values() if each.status == "error"] == ["no-volume-left"]
    unseen = LookError(code="access-denied", subject="network-interface", kind="network-interface")
    untold = [each.check for each in asked(cleaned(errors=(unseen,))).values() if each.status == "error"]
    assert set(untold) == {"no-elastic-ip-left", "no-network-interface-left"}
    unknown = LookError(code="access-denied", subject="vpc", kind="vpc")
    assert {each.status for each in asked(cleaned(errors=(unknown,))).values()} == {"error"}


def test_a_recording_that_did_not_look_is_no_pass() -> None:
    outcomes = asked(replace(cleaned(), leftovers=None)).values()
    assert {(each.status, each.error.variant) for each in outcomes if each.error} == {
        ("error", "no-leftovers")
    }
    assert all(each.error for each in outcomes)


def test_after_the_last_chapter_nothing_else_is_asked_and_before_it_nothing_of_it() -> None:
    others = [each for each in judge(cleaned()).outcomes if each.check not in {check.name for check in ASKED}]
    assert {each.status for each in others} == {"skipped"}
    assert {each.skip.reason for each in others if each.skip} == {"run-skip-cleaned-up"}
    assert asked(OK) == {}
