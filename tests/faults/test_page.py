"""The catalogue's page says what the catalogue says."""

from __future__ import annotations

import pytest

from sandbox.faults.catalogue import FAULTS
from tests.faults import page as generator
from tests.faults import results
from tests.faults.page_words import PAGES, Page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.language)
def test_the_page_is_the_one_the_data_makes(page: Page) -> None:
    """Written again with the figures it has, it stays as it is; ``python -m tests.faults.page`` mends it."""
    text = generator.path_of(page).read_text(encoding="utf-8")
    assert generator.written(page, generator.figures_in(text)) == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.language)
def test_every_fault_has_its_line(page: Page) -> None:
    text = generator.path_of(page).read_text(encoding="utf-8")
    for fault in FAULTS:
        assert text.count(f"| {fault.en if page.language == 'en' else fault.pt} |") == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.language)
def test_the_figures_count_what_was_caught_and_false_alarms(page: Page) -> None:
    ran = [
        results.Result(name="a", kind="fault", found=["x"], exact=True, mended=True, packets=12, agreed=True),
        results.Result(name="b", kind="fault", found=["x"], by_command=False, packets=12),
        results.Result(name="c", kind="pair", found=[]),
        results.Result(name="d", kind="healthy", found=["x"], packets=1000),
    ]
    table = generator.figures(page, ran)
    kinds = page.kinds
    assert f"| {kinds['fault']} | 2 | 2 | 1 | – | 1 / 1 |" in table
    assert f"| {kinds['pair']} | 1 | 0 | 0 | – | 0 / 1 |" in table
    assert f"| {kinds['healthy']} | 1 | – | – | 1 | – |" in table
    assert f"1{page.thousands}024" in table


def test_figures_are_of_one_whole_run_only() -> None:
    """A case that ran twice, or not at all, is refused: a failure is not painted over by a second try."""
    one, other = results.Result(name="a", kind="fault"), results.Result(name="b", kind="fault")
    assert results.why_no_whole_run([one, other], ["a", "b"]) == ""
    assert "more than one result for 'a'" in results.why_no_whole_run([one, other, one], ["a", "b"])
    assert "'b'" in results.why_no_whole_run([one], ["a", "b"])
