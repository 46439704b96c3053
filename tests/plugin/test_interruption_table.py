"""The page about interruptions tells the cases that are tried."""

from __future__ import annotations

from tests.plugin.interruption_table import PAGE, filled, replaced, suite
from tests.plugin.test_interruption_matrix import EVERYTHING


def test_the_page_has_the_tables_of_the_cases_as_they_are() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page, "python -m tests.plugin.interruption_table writes them anew"
    assert page.count("written by tests/plugin/interruption_table.py") == page.count("<!-- end -->") == 3
    for table in (suite(), replaced()):
        assert table in page


def test_every_case_is_in_its_table() -> None:
    cells = [cell for line in suite().splitlines()[2:] for cell in line.split("|")[2:-1]]
    assert sum(len(cell.split(",")) for cell in cells if cell.strip() != "–") == len(EVERYTHING)
