"""A browser for the tests of this folder, and pages to show in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import INSTALL, PROGRAM, Chromium
from tests.browser.pages import page_of

Made = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Started once."""
    if PROGRAM is None:
        pytest.skip(INSTALL)
    with Chromium(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """``made(name, language)``: the page of that run, as a person gets it; each once."""
    known: dict[tuple[str, str], Path] = {}

    def make(name: str, language: str = "en") -> Path:
        if (name, language) not in known:
            known[name, language] = page_of(name, language, tmp_path_factory.mktemp(f"{name}-{language}"))
        return known[name, language]

    return make
