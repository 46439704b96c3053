"""What a person may type, and what is said about the rest: one sentence, exit code 4, nothing opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import PROJECT, Ran, Run

SUITE = "suites/routes"
REFUSED = {
    "no such target": (["--target", "gcp"], "--target gcp"),
    "no such chapter": (["--after", "lunch"], "--after lunch"),
    "no such network": (["--network", "overlay"], "--network overlay"),
    "VPC routes for a network without": (["--network", "node-routes", "--provision"], "--network"),
    "backward range": (["--workers", "worker-[3-1]"], "--workers worker-[3-1]"),
    "name given twice": (["--workers", "a,a"], "--workers a,a"),
    "no ssh_config": (["--target", "aws", "--ssh-config", ""], "--ssh-config"),
    "no lab file": (["--target", "aws", "--lab", ""], "--lab"),
    "no key": (["--target", "aws", "--ssh-key", ""], "--ssh-key"),
    "no recording": (["--evidence", ""], "--evidence"),
    "empty name": (["--workers", "a,"], "--workers a,"),
    "account too short": (["--expect-account", "123"], "--expect-account 123"),
    "no such language": (["--language", "tlh"], "--language tlh"),
    "no user name": (["--target", "aws", "--ssh-user", "a b"], "--ssh-user a b"),
    "two jump hosts": (["--target", "aws", "--ssh-jump", "a,b"], "--ssh-jump a,b"),
    "jump host for a sandbox": (["--ssh-jump", "jumpbox"], "--ssh-jump"),
    "no such key": (["--target", "aws", "--ssh-key", "nowhere.pem"], "--ssh-key nowhere.pem"),
    "key of nobody's": (["--target", "aws", "--ssh-key", "~nosuchuser/key"], "--ssh-key ~nosuchuser/key"),
    "page of nobody's": (["--html", "~nosuchuser/r.html"], "~nosuchuser/r.html"),
    "evidence of nobody's": (["--evidence", "~nosuchuser/x.json"], "~nosuchuser/x.json"),
    "no such ssh_config": (["--target", "aws", "--ssh-config", "nowhere"], "--ssh-config nowhere"),
    "key for a sandbox": (["--ssh-key", "pytest.ini"], "--ssh-key"),
    "nothing to keep on an account": (["--target", "aws", "--keep-routes"], "--keep-routes"),
    "nothing to keep unprovisioned": (["--no-provision", "--keep-routes"], "--keep-routes"),
    "no such evidence": (["--evidence", "nowhere.json"], "nowhere.json"),
    "no evidence at all": (["--evidence", "pytest.ini"], "pytest.ini"),
    "evidence and provision": (["--evidence", "x.json", "--provision"], "--provision"),
    "evidence and no provision": (["--evidence", "x.json", "--no-provision"], "--no-provision"),
    "evidence and keep routes": (["--evidence", "x.json", "--keep-routes"], "--keep-routes"),
    "evidence and a target": (["--evidence", "x.json", "--target", "aws"], "--target"),
    "evidence and a key": (["--evidence", "x.json", "--ssh-key", "pytest.ini"], "--ssh-key"),
    "evidence and a student": (["--evidence", "x.json", "--student", "Ana"], "--student"),
    "a student without a name": (["--student", " "], "--student"),
    "a student who is an escape": (["--student", "Ana\x1b[2J"], "student"),
    "evidence and an account": (
        ["--evidence", "x.json", "--expect-account", "123456789012"],
        "--expect-account",
    ),
}


def is_one_sentence(ran: Ran) -> bool:
    return ran.code == 4 and len(ran.lines) == 1 and ran.lines[0].startswith("ERROR: ")


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_a_bad_value_is_refused_in_one_sentence_that_names_it(
    arguments: list[str], said: str, run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, *arguments)
    assert is_one_sentence(ran), ran.output
    assert said in ran.output


def test_complaints_are_in_the_chosen_language(run_pytest: Run) -> None:
    said = {lang: run_pytest(SUITE, "--language", lang, "--after", "lunch").output for lang in LANGUAGES}
    assert "there is no such chapter" in said["en"]
    assert "não há esse capítulo" in said["pt-BR"]


def test_the_locale_is_the_default_language(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--after", "lunch", LC_ALL="pt_BR.UTF-8")
    assert "não há esse capítulo" in ran.output


def test_a_bad_jump_host_in_the_environment_is_refused_by_its_name(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--target", "aws", KTHW_SSH_JUMP="$(touch x)")
    assert is_one_sentence(ran), ran.output
    assert "KTHW_SSH_JUMP" in ran.output


def test_a_bad_target_in_the_environment_is_refused_by_its_name(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, KTHW_TARGET="gcp")
    assert is_one_sentence(ran), ran.output
    assert "KTHW_TARGET gcp" in ran.output


def test_a_missing_ssh_config_in_the_environment_is_refused_by_its_name(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--target", "aws", KTHW_SSH_CONFIG="/nowhere")
    assert is_one_sentence(ran), ran.output
    assert "KTHW_SSH_CONFIG /nowhere" in ran.output


@pytest.mark.parametrize("directory", ["pytest.ini", "~nosuchuser/reports"])
def test_reports_that_cannot_be_written_are_refused(directory: str, run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--reports", directory, reports=False)
    assert is_one_sentence(ran), ran.output


@pytest.mark.parametrize("name", ["report.json", "report.html", "junit.xml"])
def test_a_report_file_that_cannot_be_written_is_refused_before_anything_is_opened(
    name: str, tmp_path: Path, run_pytest: Run
) -> None:
    # A directory: the superuser, too, cannot write it.
    (tmp_path / "reports" / name).mkdir(parents=True)
    ran = run_pytest(SUITE)
    assert is_one_sentence(ran), ran.output
    assert str(tmp_path / "reports" / name) in ran.output


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write any file")
def test_a_report_file_that_is_write_protected_is_refused(tmp_path: Path, run_pytest: Run) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.json").touch(mode=0o444)
    ran = run_pytest(SUITE)
    assert is_one_sentence(ran), ran.output


def test_a_report_file_named_by_the_person_is_the_one_that_matters(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    (tmp_path / "reports" / "report.html").mkdir(parents=True)
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "e.json"), f"--html={tmp_path / 'mine.html'}")
    assert ran.code == 0, ran.output


@pytest.mark.parametrize(
    "test",
    ["test_nope.py", "nope/test_pods.py", "test_pods.py::test_nope", "test_pods.py::TestNope::test_nope[a]"],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_that_does_not_exist_is_refused_before_anything_is_opened(
    test: str, language: str, run_pytest: Run
) -> None:
    ran = run_pytest(f"{SUITE}/{test}", "--language", language)
    assert is_one_sentence(ran), ran.output
    assert catalogue(language).say("run-no-such-test", value=f"{SUITE}/{test}") in ran.output


def test_a_test_that_exists_may_be_asked_for_by_its_id(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    test = f"{SUITE}/test_pods.py::test_pod_reaches_its_own_node[worker-0]"
    ran = run_pytest(test, "--evidence", str(tmp_path / "e.json"))
    assert ran.code == 0, ran.output
    assert ran.document["summary"]["passed"] == 1


def test_a_recorded_run_is_not_judged_about_workers_it_did_not_see(tmp_path: Path, run_pytest: Run) -> None:
    write(healthy(), tmp_path / "e.json")
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "e.json"), "--workers", "worker-0,worker-9")
    assert is_one_sentence(ran), ran.output
    assert "worker-9" in ran.output


def test_a_recorded_run_is_not_judged_beyond_the_chapter_it_was_looked_at_for(
    tmp_path: Path, run_pytest: Run
) -> None:
    write(healthy(), tmp_path / "e.json")
    ran = run_pytest(SUITE, "--evidence", str(tmp_path / "e.json"), "--after", "dns")
    assert is_one_sentence(ran), ran.output


def test_this_projects_own_tests_ask_for_no_target(run_pytest: Run) -> None:
    ran = run_pytest("tests/plugin/test_options.py", "--collect-only", "-q", KTHW_TARGET="gcp")
    assert ran.code == 0, ran.output


def test_listing_tests_looks_at_nothing_and_leaves_nothing(run_pytest: Run) -> None:
    ran = run_pytest(SUITE, "--collect-only", "-q", "--workers", "a,b", "--target", "aws", AWS_PROFILE="none")
    assert ran.code == 0, ran.output
    assert "test_exactly_one_running_instance_bears_the_name[a]" in ran.output
    assert "[worker-0]" not in ran.output
    assert not list(ran.reports.iterdir())


def test_every_option_is_explained_in_both_languages(run_pytest: Run) -> None:
    english = run_pytest("--help", LC_ALL="C").output
    portuguese = run_pytest("--help", LC_ALL="pt_BR.UTF-8").output
    for option in ("--target", "--keep-routes", "--after", "--evidence", "--expect-account", "--reports"):
        assert option in english
    assert "leave what --provision created" in english
    assert "deixar o que --provision criou" in portuguese


def test_bare_run_pytests_the_suites_and_not_the_tests(run_pytest: Run) -> None:
    ran = run_pytest("--collect-only", "-q")
    assert "suites/routes/" in ran.output
    assert "tests/" not in ran.output.replace("suites/", "")
    assert PROJECT.joinpath("pytest.ini").is_file()
