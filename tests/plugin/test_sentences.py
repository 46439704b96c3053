"""The suites' sentences: one a test and a check, in English and translated."""

from __future__ import annotations

import ast

import pytest

from kthw.findings.registry import CHECKS
from kthw.words.messages import LANGUAGES, catalogue
from tests.plugin.conftest import PROJECT

FUNCTIONS = {
    function.name: (path.stem.removeprefix("test_"), function)
    for path in sorted(PROJECT.glob("suites/*/test_*.py"))
    for function in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(function, ast.FunctionDef)
}


def _asked(function: ast.FunctionDef) -> list[object]:
    """What it gives to ``confirm``."""
    return [
        node.args[0].value
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "confirm"
        and isinstance(node.args[0], ast.Constant)
    ]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_suite_test_is_one_sentence_that_names_its_check(name: str) -> None:
    _, function = FUNCTIONS[name]
    sentence = ast.get_docstring(function) or ""
    assert sentence.endswith((".", ").")), sentence
    assert len(sentence.splitlines()) == 1
    assert len(function.body) == 2
    assert len(_asked(function)) == 1


def test_every_check_is_asked_by_exactly_one_sentence_in_the_file_of_its_area() -> None:
    asked = sorted((area, check) for area, function in FUNCTIONS.values() for check in _asked(function))
    assert asked == sorted((check.area, check.name) for check in CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_sentence_is_in_the_catalogues(name: str) -> None:
    key = f"sentence-{name}"
    assert catalogue("en").say(key) == ast.get_docstring(FUNCTIONS[name][1])
    assert all(catalogue(language).say(key) != key for language in LANGUAGES)


def test_the_catalogues_tell_no_sentence_of_a_test_that_is_gone() -> None:
    told = {key for key in catalogue("en").phrases if key.startswith("sentence-")}
    assert told == {f"sentence-{name}" for name in FUNCTIONS}
