"""The same seed is the same exercise everywhere; what is drawn together can be found one by one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from sandbox.practice.__main__ import hinted
from sandbox.practice.asked import LEVELS, MOST_FAULTS, MOST_SEED, USUAL_FAULTS, Level
from sandbox.practice.draw import drawn, is_apart
from sandbox.practice.pool import EXERCISES, TWO_TABLES, Exercise
from sandbox.practice.session import SHARES

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (*range(200), MOST_SEED)
SEED_EASY = [
    ["half of the range diverted"],
    ["route to the internet gateway"],
    ["half a route"],
    ["route to the internet gateway"],
    ["TCP only"],
    ["leftover to a controller"],
]
SEED_HARD = ["a rule rejects what is forwarded", "route only in the other subnet's table", "ACL denies ping"]


def names(seed: int, level: Level, count: int) -> list[str]:
    return [each.fault for each in drawn(seed, level, count).exercises]


def test_a_seed_means_what_it_meant_before() -> None:
    """A teacher wrote it down: it may change only where a fault is added to the pool that it now draws."""
    assert [names(seed, "easy", 1) for seed in range(6)] == SEED_EASY
    assert names(7, "hard", 3) == SEED_HARD


def test_a_seed_means_the_same_to_every_process() -> None:
    """Whatever order Python's own hashing gives to sets and dictionaries there."""
    script = (
        "from sandbox.practice.draw import drawn\n"
        "for seed in range(40): print(seed, [e.fault for e in drawn(seed, 'hard', 3).exercises])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-P", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hashing},
        ).stdout
        for hashing in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_every_seed_yields_as_many_faults_as_asked_for_and_smaller_counts_are_its_beginning(
    level: Level,
) -> None:
    for seed in SEEDS:
        most = drawn(seed, level, MOST_FAULTS)
        assert len({each.fault for each in most.exercises}) == MOST_FAULTS
        for count in range(1, MOST_FAULTS):
            assert drawn(seed, level, count).exercises == most.exercises[:count]


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_drawn_together_is_apart(level: Level) -> None:
    for seed in SEEDS:
        found = drawn(seed, level, MOST_FAULTS)
        for place, each in enumerate(found.exercises):
            assert found.stage in each.stages
            assert is_apart(each, found.exercises[:place])


def test_the_easy_level_is_of_the_vpc_and_the_hard_one_of_every_side_and_of_two_tables() -> None:
    easy = [each for seed in SEEDS for each in drawn(seed, "easy", 1).exercises]
    assert {each.side for each in easy} == {"routes", "filters"}
    hard = [drawn(seed, "hard", USUAL_FAULTS["hard"]) for seed in SEEDS]
    assert {frozenset(e.side for e in found.exercises) for found in hard} == {
        frozenset({"nodes", "routes", "filters"})
    }
    assert TWO_TABLES in {found.stage for found in hard}


def test_every_exercise_of_the_pool_is_drawn_by_some_seed_and_is_there_once() -> None:
    assert [n for n, times in Counter(each.fault for each in EXERCISES).items() if times > 1] == []
    found = {
        name for level in LEVELS for seed in range(600) for name in names(seed, level, USUAL_FAULTS[level])
    }
    assert found == {each.fault for each in EXERCISES}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.fault)
def test_one_can_log_in_and_what_is_printed_mends_it(exercise: Exercise) -> None:
    """By the catalogue, whose every fault is caught, and mended by what is printed, in its own tests."""
    fault = exercise.data
    assert (fault.errors, fault.restores, fault.rounds) == ((), "", 1)
    assert fault.stage in exercise.stages
    if exercise.easy:
        assert len(fault.expected) == 1
        assert "ssh" not in fault.breaks


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda each: each.fault)
def test_every_exercise_has_hints_that_say_more_and_more_and_never_the_command_itself(
    exercise: Exercise, language: str
) -> None:
    words = catalogue(language)
    hints = [hinted(exercise, place, words.say) for place in range(1, len(SHARES) + 1)]
    assert len(set(hints)) == len(SHARES)
    for hint in hints:
        assert not hint.startswith("practice-hint")
        assert "WORKER" not in hint
        assert "--" not in hint, "an option is half of the command"
