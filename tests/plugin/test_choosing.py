"""Workers that are asked for otherwise than by name: found once, before any test has an id."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import Ran, Run, asked
from tests.plugin.test_options import is_one_sentence
from tests.provision.account import Account

SUITE = "suites/routes"
PROGRESS = {catalogue(language).say("run-workers-looking") for language in LANGUAGES}
"""Said where it takes a while."""
LOOKING = (SUITE, "--target", "aws", "--after", "machines")
"""Looks at AWS only: there is nobody to log in to at an API without machines."""


@pytest.fixture
def group(aws_account: Account) -> Account:
    """The tutorial's workers with one Name for all, and a tag."""
    account = aws_account.build()
    ids = [account.instance(f"worker-{n}") for n in range(3)]
    account.ec2.create_tags(
        Resources=ids, Tags=[{"Key": "Name", "Value": "k8s-worker"}, {"Key": "Role", "Value": "worker"}]
    )
    return account


def complaint(ran: Ran) -> list[str]:
    """What a run said that did not come to look."""
    assert ran.code == 4, ran.output
    assert "Traceback" not in ran.output
    return [line for line in ran.lines if line not in PROGRESS]


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_workers_of_one_name_are_told_apart_by_address(
    processes: tuple[str, ...], group: Account, run_pytest: Run
) -> None:
    ran = run_pytest(*LOOKING, "--workers", "tag:Name=k8s-worker", *processes, **group.environment)
    assert ran.code == 0, ran.output
    names = [f"k8s-worker@10.0.1.2{n}" for n in range(3)]
    assert f"Workers by --workers tag:Name=k8s-worker (3, region us-east-1): {', '.join(names)}" in ran.lines
    assert ran.document["evidence"]["intended"]["workers"] == names
    assert ran.document["summary"]["aws_calls"] == 1 + 3 + 8
    assert ran.junit["tests"] == asked(3)


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_another_number_of_workers_than_expected_is_one_finding(
    processes: tuple[str, ...], group: Account, run_pytest: Run
) -> None:
    workers = ("--workers", "tag:Role=worker", "--expect-workers", "4")
    ran = run_pytest(*LOOKING, *workers, *processes, **group.environment)
    assert ran.code == 1, ran.output
    assert ran.codes == ["workers-unexpected"]
    assert ran.junit["tests"] == asked(3) + 1
    assert ran.junit["failures"] == 1


def test_the_expected_number_is_right_or_told_in_a_recorded_run(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    recorded = (f"{SUITE}/test_workers.py", "--evidence", str(tmp_path / "e.json"))
    for count, codes in (("3", []), ("2", ["workers-unexpected"])):
        ran = run_pytest(*recorded, "--expect-workers", count)
        assert (ran.codes, ran.code) == (codes, int(bool(codes)))
        assert ran.junit["tests"] == asked(3, area="workers") + 1
    refused = run_pytest(*recorded, "--expect-workers", "many")
    assert is_one_sentence(refused), refused.output


def test_a_list_of_tests_says_how_the_workers_were_found(group: Account, run_pytest: Run) -> None:
    ran = run_pytest(*LOOKING, "--workers", "10.0.1.22,worker-9", "--collect-only", **group.environment)
    assert ran.code == 0, ran.output
    assert "Workers by --workers 10.0.1.22,worker-9 (2, region us-east-1): k8s-worker, worker-9" in ran.lines
    assert "test_source_dest_check_is_off[k8s-worker]" in ran.output


def test_routes_of_workers_that_were_chosen_are_made_and_taken_back(group: Account, run_pytest: Run) -> None:
    workers = ("--workers", "tag:Role=w*")
    ran = run_pytest(*LOOKING, *workers, "--provision", **group.environment)
    assert ran.code == 0, ran.output
    assert [s["outcome"] for s in ran.document["evidence"]["provisioned"]] == ["created"] * 3
    left = group.ec2.describe_route_tables(RouteTableIds=[group.table])["RouteTables"][0]["Routes"]
    assert [r["DestinationCidrBlock"] for r in left if r["DestinationCidrBlock"].startswith("10.200.")] == []


def test_a_recorded_run_of_chosen_workers_is_judged_again(
    group: Account, tmp_path: Path, run_pytest: Run
) -> None:
    first = run_pytest(*LOOKING, "--workers", "tag:Role=worker", **group.environment)
    recording = str((first.reports / "report.json").rename(tmp_path / "recorded.json"))
    whole = run_pytest(SUITE, "--evidence", recording)
    assert (whole.code, whole.document["summary"]["passed"]) == (0, first.document["summary"]["passed"])
    test = f"{SUITE}/test_workers.py"
    one = run_pytest(test, "--evidence", recording, "--workers", "k8s-worker@10.0.1.21")
    assert one.code == 0, one.output
    assert list(one.document["evidence"]["intended"]["instances"]) == ["k8s-worker@10.0.1.21"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_found_is_told_with_who_is_there_before_anything_is_looked_at(
    language: str, group: Account, run_pytest: Run
) -> None:
    ran = run_pytest(*LOOKING, "--workers", "tag:Role=wrker", "--language", language, **group.environment)
    assert ran.code == 4, ran.output
    assert any(line.startswith("ERROR: --workers tag:Role=wrker") for line in ran.lines[:2])
    assert any(
        line.startswith("  k8s-worker (i-") and "10.0.1.20) running vpc-" in line for line in ran.lines
    )
    assert ran.lines[-1] == "  ./run routes --target aws --workers tag:Role=worker"
    assert len(ran.lines) < 24
    assert "Traceback" not in ran.output


def test_workers_of_another_region_are_told_with_the_command_to_look_there(
    group: Account, run_pytest: Run
) -> None:
    elsewhere = {**group.environment, "AWS_REGION": "eu-west-1"}
    ran = run_pytest(*LOOKING, "--workers", "tag:Role=work*", **elsewhere)
    lines = complaint(ran)
    assert f"k8s-worker ({group.instance('k8s-worker')}, us-east-1) running" in ran.output
    assert "  AWS_REGION=us-east-1 ./run routes --target aws --workers 'tag:Role=work*'" in lines


def test_without_credentials_there_is_one_sentence(run_pytest: Run, tmp_path: Path) -> None:
    nobody = {
        "AWS_CONFIG_FILE": str(tmp_path), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1",
    }  # fmt: skip
    ran = run_pytest(*LOOKING, "--workers", "*worker*", **nobody)
    (sentence,) = complaint(ran)
    assert "credentials" in sentence


def test_another_account_than_expected_is_not_listed(group: Account, run_pytest: Run) -> None:
    expected = ("--expect-account", "999999999999")
    ran = run_pytest(*LOOKING, "--workers", "*worker*", *expected, **group.environment)
    (sentence,) = complaint(ran)
    assert "999999999999" in sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("typed", ["*worker*", "worker-0,tag:Role=worker"])
def test_a_sandbox_that_is_still_to_be_booted_has_nobody_to_find(
    typed: str, language: str, run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, "--workers", typed, "--language", language)
    assert is_one_sentence(ran), ran.output
    part = typed.rpartition(",")[2]
    assert catalogue(language).say("run-selector-in-sandbox", value=typed, part=part) in ran.output


def test_a_pattern_chooses_among_the_workers_of_a_recorded_run(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    evidence = ("--evidence", str(tmp_path / "e.json"))
    ran = run_pytest(f"{SUITE}/test_workers.py", *evidence, "--workers", "*-[1-2]")
    assert ran.code == 0, ran.output
    assert ran.document["evidence"]["intended"]["workers"] == ["worker-1", "worker-2"]
    refused = run_pytest(SUITE, *evidence, "--workers", "tag:Role=worker")
    assert is_one_sentence(refused), refused.output
