"""The guide's seeds make the exercises that it describes, in both languages, and only its end has answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.faults.fault import Fault
from sandbox.practice.asked import USUAL_FAULTS, Level
from sandbox.practice.draw import drawn

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = {"en": ("practice.md", "## Answers"), "pt": ("pratica.pt-BR.md", "## Respostas")}
_EXERCISE = re.compile(r"^### (\d+)\..*?^```\n(\./run sandbox practice .*?)\n```$", re.MULTILINE | re.DOTALL)
_ANSWER = re.compile(r"^<details><summary>(\d+)</summary>\n(.*?)^</details>$", re.MULTILINE | re.DOTALL)


def parts(language: str) -> tuple[str, str]:
    """What comes before the answers, and the answers."""
    file, heading = GUIDES[language]
    before, _, answers = (DOCS / file).read_text(encoding="utf-8").partition(f"\n{heading}\n")
    return before, answers


def faults(command: str) -> Sequence[Fault]:
    """Those that the command hides, read as the command reads its options."""
    options = dict(re.findall(r"--(\w+) (\S+)", command))
    level: Level = "hard" if options.pop("level", "easy") == "hard" else "easy"
    count = int(options.pop("faults", USUAL_FAULTS[level]))
    seed = int(options.pop("seed"))
    assert options == {}
    return [each.data for each in drawn(seed, level, count).exercises]


def told(fault: Fault, language: str) -> str:
    return fault.en if language == "en" else fault.pt


@pytest.mark.parametrize("language", GUIDES)
def test_each_exercise_hides_what_its_answer_says_and_nothing_else(language: str) -> None:
    before, answers = parts(language)
    exercises, said = _EXERCISE.findall(before), dict(_ANSWER.findall(answers))
    assert [number for number, _ in exercises] == list(said) == [str(n) for n in range(1, len(said) + 1)]
    for number, command in exercises:
        expected = [told(fault, language) for fault in faults(command)]
        assert [
            line for line in said[number].strip().split("\n\n")[:-1] if line.strip() not in expected
        ] == []
        assert [each for each in expected if each not in said[number]] == []


@pytest.mark.parametrize("language", GUIDES)
def test_no_answer_stands_beside_its_exercise(language: str) -> None:
    before, _ = parts(language)
    hidden = [fault for _, command in _EXERCISE.findall(before) for fault in faults(command)]
    assert len(hidden) >= 10
    assert [told(fault, language) for fault in hidden if told(fault, language) in before] == []


def test_both_guides_have_the_same_exercises_from_one_route_to_two_tables_an_acl_and_a_drop() -> None:
    english, portuguese = (_EXERCISE.findall(parts(language)[0]) for language in GUIDES)
    assert english == portuguese
    assert [told.code for told in faults(english[0][1])[0].told] == ["route-missing"]
    last = {code for fault in faults(english[-1][1]) for code in fault.codes}
    assert last == {"route-in-unused-table", "network-acl-blocks", "forward-dropped"}
