"""Whose a file is, by its name: as learning platforms give it out, and as people name their files."""

from __future__ import annotations

import pytest

from kthw.grade.naming import Naming, words
from kthw.grade.roster import Roster, Student

NAMES = {
    "Moodle": ("Ana Souza_12345_assignsubmission_file_report.json", "Ana Souza"),
    "Moodle, in folders": ("Ana Souza_12345_assignsubmission_file/report.json", "Ana Souza"),
    "Moodle, in folders of old": ("Ana Souza_12345_assignsubmission_file_/report.json", "Ana Souza"),
    "Moodle, text online": ("Ana Souza_12345_assignsubmission_onlinetext_report.json", "Ana Souza"),
    "Canvas": ("souzaana_12345_67890_report.json", "souzaana"),
    "Canvas, late": ("souzaana_LATE_12345_67890_report-1.json", "souzaana"),
    "Blackboard": ("Lab 5_souza.ana_attempt_2026-03-01-10-00-00_report.json", "souza.ana"),
    "a folder each": ("ana/report.json", "ana"),
    "a repository each": ("ana/reports/report.json", "ana"),
    "no folder at all": ("reports/report.json", ""),
    "a file each": ("ana.json", "ana"),
    "a report each": ("report-ana.json", "ana"),
    "a report each, the name first": ("ana_report.json", "ana"),
    "two reports": ("ana report 2.json", "ana"),
    "a packed one": ("ana.json.gz", "ana"),
    "a reporter": ("reporter.json", "reporter"),
    "no name at all": ("report.json", ""),
}


@pytest.mark.parametrize(("file", "name"), NAMES.values(), ids=NAMES)
def test_a_file_s_name_says_whose_it_is(file: str, name: str) -> None:
    assert Naming([file]).submitter(file).name == name


def test_what_all_have_in_common_tells_nobody_apart() -> None:
    files = [f"class/lab-5-{name}/reports/report.json" for name in ("octocat", "hubot", "mona-lisa")]
    naming = Naming(files)
    assert [naming.submitter(file).name for file in files] == ["octocat", "hubot", "mona-lisa"]


def test_all_files_of_one_are_theirs() -> None:
    files = [f"Ana Souza_12345_assignsubmission_file_{name}" for name in ("report.json", "notes.pdf")]
    files.append("Ana Souza_99999_assignsubmission_file_report.json")
    naming = Naming(files)
    first, second, namesake = (naming.submitter(file).key for file in files)
    assert first == second != namesake


def test_names_are_compared_without_case_accents_and_signs() -> None:
    assert words("João d'ÁVILA-Núñez") == ("joao", "d", "avila", "nunez")


ROSTER = Roster(
    [
        Student(name="Ana Souza", account="111111111111"),
        Student(name="Mariana Souza"),
        Student(name="Ana Souza Lima", student="anal"),
        Student(name="João Ávila", file="octocat"),
        Student(name="José Ávila"),
        Student(name="Li"),
    ]
)
FOUND = {
    "Ana Souza_12345_assignsubmission_file_report.json": ["Ana Souza"],
    "Ana Souza Lima_12_assignsubmission_file_report.json": ["Ana Souza Lima"],
    "souzaana_12345_67890_report.json": ["Ana Souza"],
    "avilajose_1_2_report.json": ["José Ávila"],
    "lab-octocat/reports/report.json": ["João Ávila"],
    "joão ávila.json": [],
    "Mariana.json": [],
    "mariana-souza.json": ["Mariana Souza"],
    "li.json": ["Li"],
    "lili.json": [],
}


@pytest.mark.parametrize("file", FOUND)
def test_the_roster_knows_a_file_by_whole_words_of_a_name(file: str) -> None:
    assert [student.name for student in ROSTER.by_file(file)] == FOUND[file]


def test_a_file_that_may_be_of_two_is_of_nobody() -> None:
    roster = Roster([Student(name="Ana A", file="ana"), Student(name="Ana B", file="ana")])
    assert len(roster.by_file("ana.json")) == 2


def test_an_account_and_a_name_given_at_the_run_are_known() -> None:
    assert [student.name for student in ROSTER.by_account("111111111111")] == ["Ana Souza"]
    assert [student.name for student in ROSTER.by_said("ANAL")] == ["Ana Souza Lima"]
    assert [student.name for student in ROSTER.by_said("jose avila")] == ["José Ávila"]
    assert ROSTER.by_account("") == ROSTER.by_said("") == []
