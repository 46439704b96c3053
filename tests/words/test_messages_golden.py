"""The commonest findings and errors read, letter by letter, as they were approved."""

from __future__ import annotations

import pytest

from kthw.words.messages import LANGUAGES
from tests.words import golden_texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_commonest_messages_read_as_they_were_approved(language: str) -> None:
    """Where a change is meant: ``python -m tests.words.golden_texts``, and read the difference."""
    assert golden_texts.text(language) == golden_texts.file_of(language).read_text(encoding="utf-8")
