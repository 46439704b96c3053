"""The score: what a look finds mended counts, hints cost, and what is revealed is worth nothing."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sandbox.practice import session
from sandbox.practice.session import SHARES, Session

NOTHING: set[str] = set()


@pytest.fixture
def two() -> Session:
    """Two faults, easy."""
    return Session.new(99, "easy", 2, "en")


def codes(exercise: Session, *numbers: int) -> set[str]:
    faults = [each.data for each in exercise.drawn.exercises]
    return {code for number in numbers for code in faults[number].codes}


def test_all_mended_without_a_hint_is_all_points(two: Session) -> None:
    assert (two.score, two.best) == (0, 100)
    two.looked(NOTHING, everything=True, right=True)
    assert (two.score, two.solved) == (100, True)


def test_each_fault_has_its_part_and_a_hint_costs_of_the_part_it_is_about(two: Session) -> None:
    given = [two.take_hint() for _ in SHARES]
    assert [(number, place) for _, number, place in filter(None, given)] == [(1, 1), (1, 2), (1, 3)]
    assert two.best == 50 + (100 - sum(SHARES)) // 2
    two.looked(codes(two, 0), everything=True, right=False)
    assert (two.mended, two.score) == ([False, True], 50)
    two.looked(NOTHING, everything=True, right=True)
    assert two.score == 50 + (100 - sum(SHARES)) // 2


def test_hints_are_about_what_is_still_there_and_end(two: Session) -> None:
    two.looked(codes(two, 1), everything=True, right=False)
    given = [two.take_hint() for _ in range(len(SHARES) + 1)]
    assert [number for _, number, _ in filter(None, given)] == [2] * len(SHARES)
    assert given[-1] is None


def test_what_is_revealed_is_worth_nothing_and_what_was_mended_before_keeps_its_worth(two: Session) -> None:
    two.looked(codes(two, 1), everything=True, right=False)
    two.revealed = True
    two.looked(NOTHING, everything=True, right=True)
    assert (two.score, two.best, two.solved) == (50, 50, True)


def test_another_fault_in_its_place_is_no_mending(two: Session) -> None:
    """A route to the wrong machine that was deleted, say: its code is gone, and nothing is right."""
    two.looked({"pod-unreachable"}, everything=True, right=False)
    assert two.score == 0


def test_what_could_not_be_looked_at_is_not_taken_for_mended(two: Session) -> None:
    two.looked(NOTHING, everything=False, right=False)
    assert (two.score, two.solved) == (0, False)


def test_mended_stays_mended_whatever_one_breaks_afterwards(two: Session) -> None:
    two.looked(codes(two, 1), everything=True, right=False)
    two.looked({*codes(two, 1), "worker-missing"}, everything=True, right=False)
    two.looked(codes(two, 0, 1), everything=True, right=False)
    assert two.score == 50


def test_the_score_is_within_its_bounds_whatever_is_done() -> None:
    for count in (1, 2, 3):
        exercise = Session.new(5, "hard", count, "en")
        while exercise.take_hint():
            assert 0 <= exercise.score <= exercise.best <= 100
        exercise.looked(NOTHING, everything=True, right=True)
        assert exercise.score == exercise.best == 100 - sum(SHARES)


def test_two_terminals_take_turns_and_none_loses_what_the_other_wrote(tmp_path: Path) -> None:
    session.write(tmp_path, Session.new(99, "easy", 2, "en"))

    def several() -> None:
        for _ in range(50):
            with session.kept(tmp_path) as exercise:
                exercise.checks += 1

    threads = [threading.Thread(target=several) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.read(tmp_path).checks == 200


def test_the_result_has_what_a_teacher_compares(two: Session) -> None:
    two.take_hint()
    two.looked(NOTHING, everything=True, right=True)
    result = two.result()
    assert result.pop("seconds") >= 0
    assert result == {
        "seed": 99, "level": "easy", "faults": 2, "hints": 1, "checks": 0, "mended": 2, "revealed": False,
        "solved": True, "score": 95,
    }  # fmt: skip
