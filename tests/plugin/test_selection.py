"""Which tests of the suites a person's own words leave, and what is said when they leave none."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.recording import write
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import healthy
from tests.plugin.conftest import PROJECT, Run

SUITE = "suites/routes"
BY_RUN = (str(PROJECT / SUITE),)
"""What ``./run routes`` puts before the person's own words."""


@pytest.fixture
def recorded(tmp_path: Path) -> tuple[str, str]:
    write(healthy(), tmp_path / "e.json")
    return "--evidence", str(tmp_path / "e.json")


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ((f"{SUITE}/test_pods.py",), {"test_pods.py"}),
        ((f"{SUITE}/test_pods.py::test_pod_reaches_the_internet",), {"test_pods.py"}),
        (
            (str(PROJECT / SUITE / "test_nodes.py"), f"{SUITE}/test_pods.py"),
            {"test_nodes.py", "test_pods.py"},
        ),
        (("--deselect", f"{SUITE}/test_pods.py"), {"nodes", "routes", "security", "workers"}),
    ],
)
def test_tests_that_a_person_names_replace_what_run_adds(
    own: tuple[str, ...], files: set[str], recorded: tuple[str, str], run_pytest: Run
) -> None:
    ran = run_pytest(*BY_RUN, *own, *recorded, "-v", KTHW_SUITE=BY_RUN[0])
    assert ran.code == 0, ran.output
    told = {line.split("::")[0].rpartition("/")[2] for line in ran.lines if "PASSED" in line}
    assert told == {name if name.startswith("test_") else f"test_{name}.py" for name in files}


def test_from_another_folder_tests_are_named_from_the_projects(
    tmp_path: Path, recorded: tuple[str, str], run_pytest: Run
) -> None:
    within = ("sh", "-c", f'cd "{tmp_path}" && PYTHONPATH="{PROJECT}" exec "$@"', "sh")
    options = ("--rootdir", str(PROJECT), "-c", str(PROJECT / "pytest.ini"))
    test = f"{SUITE}/test_pods.py::test_pod_reaches_the_internet[worker-1]"
    ran = run_pytest(*options, *BY_RUN, test, *recorded, through=within, KTHW_SUITE=BY_RUN[0])
    assert ran.code == 0, ran.output
    assert ran.document["summary"]["passed"] == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "options", [("-k", "nosuchword"), ("-m", "chapter"), ("--deselect", SUITE)], ids=" ".join
)
def test_what_matches_no_test_is_said_in_one_sentence_before_anything_is_opened(
    options: tuple[str, str], language: str, run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, *options, "--language", language)
    sentence = catalogue(language).say("run-nothing-selected", selected=" ".join(options))
    assert (ran.code, ran.lines) == (5, [sentence])


@pytest.mark.parametrize("options", [("-k", "a b"), ("-m", "nosuchmarker")], ids=" ".join)
def test_a_selection_that_pytest_does_not_understand_is_refused_before_anything_is_opened(
    options: tuple[str, str], run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, *options)
    assert (ran.code, len(ran.lines)) == (4, 1), ran.output
    assert ran.lines[0].startswith("ERROR: ")


def test_a_word_of_the_tests_names_is_looked_for_in_them_and_not_in_their_folders(
    recorded: tuple[str, str], run_pytest: Run
) -> None:
    ran = run_pytest(SUITE, "-k", "route", *recorded, "-v")
    assert ran.code == 0, ran.output
    told = [line.split(" ")[0] for line in ran.lines if "PASSED" in line]
    assert told
    assert all("route" in test.removeprefix(SUITE) for test in told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_of_a_worker_that_is_not_asked_is_refused_before_anything_is_opened(
    language: str, run_pytest: Run
) -> None:
    test = f"{SUITE}/test_pods.py::test_pod_reaches_the_internet[worker-9]"
    ran = run_pytest(test, "--language", language)
    assert ran.code == 4
    assert ran.lines == [f"ERROR: {catalogue(language).say('run-no-such-test', value=test)}"]
