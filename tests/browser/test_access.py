"""Who does not see the page, or has no mouse, reads it too: axe-core finds nothing against WCAG 2.2 AA."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from kthw.words.messages import LANGUAGES
from tests.browser.chromium import Chromium
from tests.browser.conftest import Made
from tests.grade.made_class import made
from tests.plugin.conftest import PROJECT, clean

AXE: Final = Path(__file__).with_name("axe")
RULES: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
UNFOLD: Final = "document.querySelectorAll('details').forEach(each => each.open = true)"


def violations(browser: Chromium) -> list[str]:
    """What is wrong with the page that is open: the rule, and the first element."""
    browser.run(UNFOLD)
    browser.run((AXE / "axe.min.js").read_text(encoding="utf-8") + ";0")
    how = json.dumps({"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    found: list[dict[str, Any]] = browser.run(f"axe.run(document, {how}).then(told => told.violations)")
    return [f"{each['id']}: {each['help']}: {each['nodes'][0]['html'][:200]}" for each in found]


def test_axe_is_the_release_that_is_named() -> None:
    digest = hashlib.sha256((AXE / "axe.min.js").read_bytes()).hexdigest()
    assert digest in (AXE / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["healthy", "worst", "fifty", "by-nodes"])
def test_a_run_s_page_has_no_violation(name: str, language: str, browser: Chromium, made: Made) -> None:
    browser.open(made(name, language))
    assert violations(browser) == []


def test_neither_has_a_dark_page_on_a_phone(browser: Chromium, made: Made) -> None:
    browser.open(made("worst", "en"), width=390, dark=True)
    assert violations(browser) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nor_has_a_class_s_page_nor_a_student_s(language: str, browser: Chromium, tmp_path: Path) -> None:
    roster = made(tmp_path / "in")
    typed = ["in", "--roster", str(roster), "--out", "out", "--language", language]
    subprocess.run(
        [sys.executable, "-m", "kthw.grade", *typed],
        cwd=tmp_path, env={**clean(os.environ), "PYTHONPATH": str(PROJECT)}, capture_output=True, check=False,
    )  # fmt: skip
    students = sorted((tmp_path / "out" / "students").glob("*.html"), key=lambda page: page.stat().st_size)
    for page in (tmp_path / "out" / "class.html", students[0], students[-1]):
        browser.open(page)
        assert violations(browser) == [], page.name


def test_what_is_wrong_is_found(browser: Chromium, made: Made, tmp_path: Path) -> None:
    broken = (
        made("healthy", "en")
        .read_text(encoding="utf-8")
        .replace('<p class="kthw-when">', "<p><img src=x>", 1)
    )
    (tmp_path / "broken.html").write_text(broken, encoding="utf-8")
    browser.open(tmp_path / "broken.html")
    assert any(each.startswith("image-alt") for each in violations(browser))
