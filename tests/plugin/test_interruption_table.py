"""The page about interruptions tells the cases that are tried, in both languages."""

from __future__ import annotations

import re

import pytest

from kthw.words.messages import LANGUAGES
from tests.plugin.interruption_table import PAGES, filled, replaced, suite
from tests.plugin.test_interruption_matrix import EVERYTHING


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_the_tables_of_the_cases_as_they_are(language: str) -> None:
    page = PAGES[language].read_text(encoding="utf-8")
    assert filled(page, language) == page, "python -m tests.plugin.interruption_table writes them anew"
    assert page.count("written by tests/plugin/interruption_table.py") == page.count("<!-- end -->") == 3
    for table in (suite(language), replaced(language)):
        assert table in page


def test_both_pages_name_the_same_commands_and_signals_in_the_same_order() -> None:
    english, portuguese = (
        [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", page.read_text(encoding="utf-8"))]
        for page in PAGES.values()
    )
    assert english == portuguese


def test_every_case_is_in_its_table() -> None:
    cells = [cell for line in suite().splitlines()[2:] for cell in line.split("|")[2:-1]]
    assert sum(len(cell.split(",")) for cell in cells if cell.strip() != "–") == len(EVERYTHING)
