"""A moment is told as its reader writes it, with its zone."""

from __future__ import annotations

import pytest

from kthw.foreign import printable
from kthw.words.messages import catalogue
from kthw.words.moments import moment


@pytest.mark.parametrize(
    ("at", "english", "portuguese"),
    [
        ("2026-11-27T01:43:09Z", "27 Nov 2026, 01:43 UTC", "27 nov 2026 01:43 UTC"),
        ("2026-02-03T23:05:00-03:00", "03 Feb 2026, 23:05 UTC-03:00", "03 fev 2026 23:05 UTC-03:00"),
        ("2026-02-03T23:05:00", "03 Feb 2026, 23:05", "03 fev 2026 23:05"),
        ("yesterday <b>", "yesterday <b>", "yesterday <b>"),
        ("\x1b[2J", printable("\x1b[2J", 40), printable("\x1b[2J", 40)),
    ],
)
def test_a_moment_is_in_the_reader_s_form(at: str, english: str, portuguese: str) -> None:
    assert [moment(at, catalogue(each)) for each in ("en", "pt-BR")] == [english, portuguese]
