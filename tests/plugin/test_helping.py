"""Help is one screen of our own options, and what is misspelt is told with what was meant."""

from __future__ import annotations

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from tests.plugin.conftest import PROJECT, Run
from tests.plugin.test_options import is_one_sentence

SUITES = ("routes", "cleanup")
MISSPELT = {
    "an option": (["--langauge", "en"], "--language"),
    "an option with its value": (["--taget=aws"], "--target"),
    "an option of pytest's": (["--maxfial=1"], "--maxfail"),
    "a target": (["--target", "awss"], "aws"),
    "a network": (["--network", "vpc-route"], "vpc-routes"),
    "a chapter": (["--after", "worker"], "workers"),
    "a language": (["--language", "pt_BR"], "pt-BR"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("suite", SUITES)
def test_help_is_one_screen_of_our_options_in_the_reader_s_language(
    suite: str, language: str, run_pytest: Run
) -> None:
    folder = f"{PROJECT}/suites/{suite}"
    ran = run_pytest(folder, "--language", language, "--help", KTHW_SUITE=folder)
    assert ran.code == 0
    assert 24 <= len(ran.output.splitlines()) <= 40
    assert max(map(len, ran.output.splitlines())) <= 80
    words = catalogue(language)
    assert ran.lines[0] == words.say("help-usage", command=f"./run {suite}")
    # An option without words would show its key.
    assert "help-" not in ran.output.replace("--help-pytest", "")
    assert " ".join(words.say(f"help-{suite}").split()[:6]) in ran.output


def test_every_option_of_ours_stands_in_the_help(run_pytest: Run) -> None:
    ours = run_pytest("--help").output
    everything = run_pytest("--help-pytest").output
    start = everything.index(catalogue("en").say("run-help"))
    group = everything[start:].split("\n\n")[0]
    known = {word.split("=")[0] for word in group.split() if word.startswith("--")} - {"--help-pytest"}
    assert {"--target", "--reports"} <= known
    assert [option for option in sorted(known) if f"  {option} " not in ours] == []


def test_pytest_s_own_help_is_behind_an_option_of_its_own(run_pytest: Run) -> None:
    everything = run_pytest("suites/routes", "--help-pytest")
    assert everything.code == 0
    assert "--maxfail" in everything.output
    assert "PYTEST_ADDOPTS" in everything.output
    assert "--maxfail" in run_pytest("tests/plugin/test_helping.py", "--help").output


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("typed", "meant"), MISSPELT.values(), ids=MISSPELT)
def test_what_is_misspelt_is_told_with_what_was_meant(
    typed: list[str], meant: str, language: str, run_pytest: Run
) -> None:
    ran = run_pytest("suites/routes", *typed, LC_ALL=f"{language.replace('-', '_')}.UTF-8")
    assert is_one_sentence(ran), ran.output
    words = catalogue(language)
    if meant.startswith("--"):
        said = words.say("help-near", typed=typed[0], near=meant, command="pytest suites/routes")
    else:
        said = words.say("command-meant", near=meant)
    assert said in ran.output


def test_an_option_that_is_near_to_nothing_is_told_where_all_are(run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "--zzz")
    assert is_one_sentence(ran), ran.output
    assert "--zzz: there is no such option. All there are: pytest suites/routes --help" in ran.output


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_value_that_is_missing_is_told_in_the_reader_s_language(language: str, run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "--language", language, "--after")
    assert is_one_sentence(ran), ran.output
    assert catalogue(language).say("command-one-value") in ran.output
