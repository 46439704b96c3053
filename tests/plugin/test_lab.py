"""A lab file in the suite: found in the current folder or named, and what is said of it first."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import NOT_ALL_SEEN, PROJECT, Ran, Run, asked
from tests.plugin.test_options import is_one_sentence
from tests.provision.account import Account

SUITE = str(PROJECT / "suites/routes")
HERE = (SUITE, "--rootdir", str(PROJECT), "-c", str(PROJECT / "pytest.ini"))
"""From any folder, as ``./run routes`` runs it."""
LOOKING = (*HERE, "--target", "aws", "--after", "machines")


@pytest.fixture
def run_here(tmp_path: Path, run_pytest: Run) -> Run:
    """The suite from the test's own folder, with its ``kthw.toml`` unless KTHW_LAB says otherwise."""

    def run(*arguments: str, **environment: str) -> Ran:
        around = {"KTHW_LAB": "", "PYTHONPATH": str(PROJECT), **environment}
        return run_pytest(*arguments, project=tmp_path, **around)

    return run


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return tmp_path / "kthw.toml"


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_the_file_of_the_current_folder_is_used_and_named(
    processes: tuple[str, ...], aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    lab.write_text("workers = 'worker-[0-1]'\nexpect-workers = 2\nlanguage = 'pt-BR'\n")
    ran = run_here(*LOOKING, *processes, **aws_account.environment)
    assert ran.code == 0, ran.output
    said = catalogue("pt-BR").say("lab-found", file=str(lab), what="workers, expect-workers, language")
    assert said in ran.lines[:6]
    assert ran.junit["tests"] == asked(2) + 1
    assert ran.document["evidence"]["intended"]["workers"] == ["worker-0", "worker-1"]
    assert "requisitos" in ran.output


def test_region_pod_cidrs_and_network_are_the_files(aws_account: Account, lab: Path, run_here: Run) -> None:
    aws_account.build()
    lab.write_text("region = 'us-east-1'\npod-cidrs = '10.200.{n}.0/24'\nnetwork = 'vpc-routes'\n")
    environment = {**aws_account.environment, "AWS_REGION": ""}
    ran = run_here(*LOOKING, "--lab", "kthw.toml", **environment)
    assert ran.code == 0, ran.output
    evidence = ran.document["evidence"]
    assert evidence["target"]["region"] == "us-east-1"
    assert evidence["intended"]["network"] == "vpc-routes"
    assert evidence["intended"]["pod_cidrs"]["worker-2"] == "10.200.2.0/24"
    assert any(line.endswith(": export AWS_REGION=us-east-1") for line in ran.lines[:6])


def test_what_a_shell_needs_stands_above_what_is_pasted_there(
    aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    lab.write_text("region = 'us-east-1'\n")
    ran = run_here(*HERE, "--target", "aws", **{**aws_account.environment, "AWS_REGION": ""})
    assert "route-missing" in ran.codes
    fixes = ran.output[ran.output.index("route-missing ·") - 1000 : ran.output.index("route-missing ·")]
    assert "export AWS_REGION=us-east-1" in fixes


def test_the_files_region_is_overruled_by_the_environment_and_the_run_says_so(
    aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    lab.write_text("region = 'sa-east-1'\n")
    ran = run_here(*LOOKING, **aws_account.environment)
    assert ran.code == 0, ran.output
    facts = {"name": "region", "value": "sa-east-1", "by": "AWS_REGION=us-east-1"}
    assert catalogue("en").say("lab-overruled", **facts) in ran.lines


def test_the_account_that_the_file_expects_is_expected(
    aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    lab.write_text("expect-account = '999999999999'\n")
    ran = run_here(*LOOKING, **aws_account.environment)
    assert ran.code == NOT_ALL_SEEN
    assert {error["code"] for error in ran.document["errors"]} == {"wrong-account"}
    found = run_here(*LOOKING, "--workers", "tag:Name=worker-*", **aws_account.environment)
    assert found.code == 4
    assert "999999999999" in found.output


def test_what_is_found_by_the_files_workers_is_blamed_on_its_line(
    aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    lab.write_text("\nworkers = 'tag:Role=worker'\n")
    ran = run_here(*LOOKING, **aws_account.environment)
    assert ran.code == 4
    assert f"{lab}:2: --workers tag:Role=worker: nobody is found" in ran.output


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bad_file_ends_the_run_with_one_sentence(language: str, lab: Path, run_here: Run) -> None:
    lab.write_text("netwrok = 'auto'\n")
    for arguments in (("--target", "aws"), ()):
        ran = run_here(*HERE, *arguments, "--language", language)
        assert is_one_sentence(ran), ran.output
        told = catalogue(language).say("lab-key-near", name="netwrok", near="network")
        assert f"{lab}:1: {told}" in ran.output


def test_no_program_is_run_by_a_file_that_was_only_found(lab: Path, run_here: Run) -> None:
    ran_it = lab.with_name("ran")
    lab.with_name("ssh_config").write_text(f"Host *\n ProxyCommand touch {ran_it}\n")
    lab.write_text("ssh.config = 'ssh_config'\n")
    ran = run_here(*LOOKING)
    assert is_one_sentence(ran), ran.output
    assert f"--lab {lab}" in ran.output
    assert not ran_it.exists()


def test_a_private_sandbox_has_nothing_of_it_but_the_language(lab: Path, run_here: Run) -> None:
    lab.write_text("workers = 'tag:Role=worker'\nlanguage = 'pt-BR'\n")
    ran = run_here(*HERE, "--collect-only", "-q")
    assert ran.code == 0, ran.output
    assert "[worker-2]" in ran.output
    refused = run_here(*HERE, "--lab", "kthw.toml")
    assert is_one_sentence(refused), refused.output
    assert catalogue("pt-BR").say("lab-no-sandbox") in refused.output


def test_a_recorded_run_has_its_own_lab_unless_one_is_named(lab: Path, tmp_path: Path, run_here: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    lab.write_text("workers = 'worker-1'\nregion = 'sa-east-1'\n")
    whole = run_here(*HERE, "--evidence", "e.json")
    assert (whole.code, whole.junit["tests"]) == (0, asked(3))
    one = run_here(*HERE, "--evidence", "e.json", "--lab", "kthw.toml")
    assert one.junit["tests"] == asked(1)
    assert catalogue("en").say("lab-named", file=str(lab), what="workers") in one.lines


def test_a_file_of_the_environment_counts_as_named_and_none_is_none(
    aws_account: Account, lab: Path, run_here: Run
) -> None:
    aws_account.build()
    other = lab.with_name("class.toml")
    other.write_text("workers = 'worker-1'\n")
    lab.write_text("workers = 'worker-2'\n")
    for value, names in (("class.toml", ["worker-1"]), ("none", ["worker-0", "worker-1", "worker-2"])):
        ran = run_here(*LOOKING, **aws_account.environment, KTHW_LAB=value)
        assert ran.code == 0, ran.output
        assert ran.document["evidence"]["intended"]["workers"] == names
