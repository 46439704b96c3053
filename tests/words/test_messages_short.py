"""A sentence is short enough for a student at 23:00."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kthw.words.messages import LANGUAGES, catalogue

MOST_WORDS = 25
_END = re.compile(r"(?<=[.!?:;])\s+")


def _texts(table: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """What is read, by where it stands; a fix is pasted."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _texts(value, f"{where}.{key}")
        elif isinstance(value, str) and key != "fix":
            yield f"{where}.{key}", value


def _words(sentence: str) -> int:
    """A fact is one, and so is a choice of words."""
    return len([word for word in re.sub(r"\{[^}]*\}", "x", sentence).split() if re.search(r"\w", word)])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_has_more_than_twenty_five_words(language: str) -> None:
    words = catalogue(language)
    tables: dict[str, Mapping[str, Any]] = {
        "finding": words.findings,
        "error": words.errors,
        "remark": words.remarks,
        "say": words.phrases,
    }
    sentences = [
        (where, sentence)
        for kind, table in tables.items()
        for where, text in _texts(table, kind)
        for sentence in _END.split(text)
    ]
    assert len(sentences) > 1000
    assert [(where, sentence) for where, sentence in sentences if _words(sentence) > MOST_WORDS] == []
