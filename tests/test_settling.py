"""What takes a moment to become true is asked again, with a deadline."""

from __future__ import annotations

import itertools
import time

import pytest

from kthw.settling import settled


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited, none of them in earnest: the clock goes on by as much."""
    waited: list[float] = []
    clock = time.monotonic
    monkeypatch.setattr(time, "sleep", waited.append)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(waited))
    return waited


def test_what_is_so_at_once_is_not_waited_for(waits: list[float]) -> None:
    assert settled(lambda: 1, bool, seconds=10, first=1) == 1
    assert waits == []


def test_what_becomes_so_is_waited_for_a_little_longer_each_time(waits: list[float]) -> None:
    count = itertools.count()
    assert settled(lambda: next(count), lambda number: number == 3, seconds=10, first=1) == 3
    assert waits == [1, 2, 4]


def test_what_never_becomes_so_is_answered_as_it_is_before_the_time_is_over(waits: list[float]) -> None:
    count = itertools.count()
    assert settled(lambda: next(count), lambda _: False, seconds=8, first=1) == 3
    assert sum(waits) < 8
    assert settled(lambda: "no", lambda _: False, seconds=1, first=2) == "no"


def test_what_asking_raises_is_raised(waits: list[float]) -> None:
    answers = iter([0])
    with pytest.raises(StopIteration):
        settled(lambda: next(answers), bool, seconds=10, first=1)
    assert waits == [1]
