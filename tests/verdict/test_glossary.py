"""Every word has two short sentences and a drawing, and a report explains the words it uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kthw.verdict.glossary import DRAWN, glossary, term
from kthw.words.messages import LANGUAGES, catalogue
from tests.verdict import glossary as page


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_is_told_in_two_short_sentences(language: str) -> None:
    words = catalogue(language)
    keys = {key.removeprefix("glossary-") for key in words.phrases if key.startswith("glossary-")}
    assert {re.sub("-(seen|means)$", "", key) for key in keys} == {*DRAWN, "title", "page"}
    for key in DRAWN:
        told = term(key, words)
        sentences = re.findall(r"[^.]+(?:\.\S[^.]*)*\.(?=\s|$)", told.means)
        assert len(sentences) == 2, told
        assert max(len(each.split()) for each in sentences) <= 20, told
        assert re.search(words.say(f"glossary-{key}-seen"), told.name.split(" (")[-1].rstrip(")")), told


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_explains_the_words_it_uses_and_no_others(language: str) -> None:
    words = catalogue(language)
    told = words.findings["route-blackhole"]
    found = {each.key for each in glossary(f"{told['what']} {told['why']}", words)}
    assert "blackhole" in found
    assert found.isdisjoint({"mtu", "masquerade", "host-key"})
    assert glossary("", words) == []


def test_every_drawing_fits_a_phone() -> None:
    for key in DRAWN:
        width = re.search(r'width="(\d+)"', term(key, catalogue("en")).drawing)
        assert width
        assert int(width[1]) <= 360, key


@pytest.mark.parametrize("path", page.files(), ids=lambda path: path.name)
def test_the_page_of_the_docs_says_the_same(path: Path) -> None:
    """``python -m tests.verdict.glossary`` mends it."""
    assert path.read_text(encoding="utf-8") == page.files()[path]
