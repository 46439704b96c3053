"""The page of the nights as people see it: at a glance on a screen, on a phone, in the dark and on paper."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kthw.history.pages import nights_page
from kthw.words.messages import LANGUAGES, catalogue
from tests.browser.chromium import Chromium
from tests.browser.test_page import CONTRAST
from tests.history.story import BREAKS, FLAPS, MENDED, NIGHTS, at, story

ROW = """
[...document.querySelectorAll('.nights tbody tr')].filter(row => row.textContent.includes('forward-dropped'))
  .map(row => [...row.cells].slice(1).map(cell => cell.className))[0]
"""
SEEN = """
(() => {
  const frame = document.querySelector('.nights').getBoundingClientRect();
  const head = document.querySelector('.nights tbody th').getBoundingClientRect();
  return [...document.querySelectorAll('.nights .day')].filter(day => {
    const box = day.getBoundingClientRect();
    return box.left >= head.right - 1 && box.right <= frame.right + 1;
  }).map(day => day.textContent);
})()
"""
"""The days that are seen beside the names, without a touch."""


@pytest.fixture(params=LANGUAGES)
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "history.html"
    words = catalogue(request.param)
    made = at(NIGHTS) + timedelta(hours=3)
    file.write_text(nights_page(story(), NIGHTS, words, made, lambda *_: ()), encoding="utf-8")
    return file


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_it_fits_the_screen_and_is_read_by_everybody(
    browser: Chromium, page: Path, width: int, dark: bool
) -> None:
    browser.open(page, width=width, dark=dark, scripts=False)
    browser("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(CONTRAST) == []
    assert browser.run("document.querySelectorAll('.nights .day').length") == NIGHTS


def test_all_sixty_nights_are_seen_at_once_and_on_a_phone_the_latest_first(
    browser: Chromium, page: Path
) -> None:
    browser.open(page)
    assert len(browser.run(SEEN)) == NIGHTS
    browser.open(page, width=390)
    seen = browser.run(SEEN)
    assert 10 <= len(seen) < NIGHTS
    assert seen[-1] == str(at(NIGHTS).astimezone().day), "what is of now needs no touch"


def test_a_flapping_night_looks_otherwise_than_a_broken_one_without_its_colour(
    browser: Chromium, page: Path
) -> None:
    browser.open(page)
    looks = browser.run(ROW)
    assert [n for n, look in enumerate(looks, 1) if look == "flap"] == [n for n in FLAPS if n % 2 == 0]
    signs = browser.run(
        "Object.fromEntries([...document.querySelectorAll('.nights td')]"
        ".map(cell => [cell.className, cell.textContent]))"
    )
    assert len({signs[look] for look in ("bad", "flap", "unseen", "good", "absent")}) == 5
    titles = browser.run("document.querySelectorAll('.nights td[title]').length")
    assert titles == browser.run("document.querySelectorAll('.nights td:not([colspan])').length")
    bad = browser.run("document.querySelectorAll('.nights .whole tr:first-child .bad').length")
    assert bad == MENDED - BREAKS


def test_it_prints_on_two_pages(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert browser.printed().count(b"/Type /Page\n") in (1, 2)
