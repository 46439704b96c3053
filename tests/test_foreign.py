"""Text of others is printable, and what was cut of it is said."""

from __future__ import annotations

import pytest

from kthw.foreign import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("worker-0", "worker-0"),
        ("João Ünïcödé 漢字 ไทย", "João Ünïcödé 漢字 ไทย"),
        ("👩‍🚀", "👩‍🚀"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07 nul\x00 c1\x9b", "bell\\x07 nul\\x00 c1\\x9b"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("lone \ud800", "lone \\ud800"),
        ("two\nlines\tand a tab\r", "two\\nlines\\tand a tab\\r"),
        ("no\u00a0break", "no break"),
        ("line\u2028separator", "line\\u2028separator"),
    ],
)
def test_nothing_steers_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_where_they_are_wanted() -> None:
    assert printable("a\n\tb\x1b\r\n", lines=True) == "a\n\tb\\x1b\\r\n"


def test_a_cut_is_counted() -> None:
    assert printable("x" * 10, 4) == "xxxx… (+6)"
    assert printable("x" * 4, 4) == "xxxx"
