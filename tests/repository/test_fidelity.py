"""The page on the sandbox beside AWS names tests that there are, and every belief."""

from __future__ import annotations

import re

import pytest

from sandbox.beliefs.__main__ import ALL
from tests.repository.machine import PROJECT

PAGE = (PROJECT / "docs" / "fidelity.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| behaviour")
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_says_how_we_know_and_names_a_test_that_there_is(row: list[str]) -> None:
    behaviour, known, ours, tests = row[:4]
    assert behaviour
    assert known
    assert ours
    named = re.findall(r"`(\S+)::(\w+)`", tests)
    assert named
    for file, name in named:
        source = (PROJECT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), f"{file} has no {name}"


def test_every_belief_is_in_one_row_and_says_whether_it_is_no_more_than_that() -> None:
    told = {
        name: row[1] for row in ROWS for name in re.findall(r"`([\w-]+)`", row[4] if len(row) > 4 else "")
    }
    assert told.keys() == {each.name for each in ALL}
    inferred = {each.name for each in ALL if each.source == "inferred"}
    assert {name for name, known in told.items() if "belief only" in known or "inferred" in known} == inferred
