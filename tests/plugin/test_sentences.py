"""The suites' sentences: one a test, the docstring in English, and a translation that is told in reports."""

from __future__ import annotations

import ast

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from tests.plugin.conftest import PROJECT

FUNCTIONS = {
    function.name: function
    for path in sorted(PROJECT.glob("suites/*/test_*.py"))
    for function in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(function, ast.FunctionDef)
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_suite_test_is_one_sentence_and_a_few_lines(name: str) -> None:
    function = FUNCTIONS[name]
    sentence = ast.get_docstring(function) or ""
    assert sentence.endswith((".", ").")), sentence
    assert len(sentence.splitlines()) == 1
    assert len(function.body) <= 4


@pytest.mark.parametrize("name", FUNCTIONS)
def test_its_sentence_is_in_the_catalogues(name: str) -> None:
    key = f"sentence-{name}"
    assert catalogue("en").say(key) == ast.get_docstring(FUNCTIONS[name])
    assert all(catalogue(language).say(key) != key for language in LANGUAGES)


def test_the_catalogues_tell_no_sentence_of_a_test_that_is_gone() -> None:
    told = {key for key in catalogue("en").phrases if key.startswith("sentence-")}
    assert told == {f"sentence-{name}" for name in FUNCTIONS}


def test_what_a_skipped_test_points_at_exists() -> None:
    text = (PROJECT / "suites/routes/conftest.py").read_text(encoding="utf-8")
    named = {value.split("::")[1] for value in _constants(text) if "::test_" in value}
    assert named
    assert named <= set(FUNCTIONS)


def _constants(text: str) -> list[str]:
    each = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    return [value for value in each if isinstance(value, str)]
