"""What the tables of the judgement say is what was read and committed: see ``tables.py``."""

from __future__ import annotations

import pytest

from kthw.findings.codes import Stage
from tests.findings.tables import FOLDER, TABLES


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_what_it_said(name: str) -> None:
    """Meant otherwise? ``python -m tests.findings.tables``, and read what changed."""
    assert TABLES[name]() == (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def test_no_two_stages_are_one() -> None:
    assert len(Stage) == len(Stage.__members__)
