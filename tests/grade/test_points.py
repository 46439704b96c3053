"""Points: parts of areas and of checks, what is required, what being late costs; and a file that says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.findings.registry import AREAS, CHECKS
from kthw.grade.points import Scheme, read
from kthw.grade.row import Share
from kthw.intended.cluster import BadNames
from kthw.words.messages import LANGUAGES, catalogue

SHARES = (
    Share("one-running-instance", "workers", 3, 3),
    Share("route-to-worker", "routes", 3, 1),
    Share("route-active", "routes", 3, 3),
    Share("reaches-others", "pods", 0, 0),
)


def test_a_whole_lab_earns_all_and_one_of_which_nothing_holds_nothing() -> None:
    assert Scheme().points([Share("route-active", "routes", 3, 3)]).earned == 100
    assert Scheme().points([Share("route-active", "routes", 3, 0)]).earned == 0
    assert Scheme().points([]).earned == 0


def test_areas_weigh_the_same_and_an_area_of_which_nothing_was_asked_nothing() -> None:
    points = Scheme().points(SHARES)
    assert points.areas == {"workers": (50, 50), "routes": (33.33, 50)}
    assert points.earned == 83.33


def test_a_check_and_an_area_weigh_what_was_said() -> None:
    scheme = Scheme(total=10, areas={"routes": 4.0}, checks={"route-to-worker": 3.0})
    assert scheme.points(SHARES).areas == {"workers": (2, 2), "routes": (4, 8)}


def test_without_parts_a_check_holds_for_all_or_earns_nothing() -> None:
    assert Scheme(partial=False).points(SHARES).areas["routes"] == (25, 50)


def test_what_is_required_bounds_all_the_rest() -> None:
    for name in ("routes", "route-to-worker"):
        points = Scheme(required=(name,), without_required=0.5).points(SHARES)
        assert (points.earned, points.before, points.lacking) == (50, 83.33, (name,))
    assert Scheme(required=("route-active", "workers")).points(SHARES).earned == 83.33


@pytest.mark.parametrize(
    ("hours", "days", "earned"),
    [(0, 0, 100), (12, 0, 100), (12.1, 1, 90), (36, 1, 90), (36.1, 2, 80), (10_000, 417, 50)],
)
def test_each_day_that_was_begun_costs_its_part_and_not_more_than_the_most(
    hours: float, days: int, earned: float
) -> None:
    scheme = Scheme(per_day=0.1, most_late=0.5, grace_hours=12)
    points = scheme.points([Share("route-active", "routes", 3, 3)], hours)
    assert (points.days, points.earned) == (days, earned)


def test_a_file_says_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "points.toml").write_text(
        """
total = 20
partial = false
required = ["one-running-instance", "routes"]
without-required = 0.5
count = ["same-account"]
[areas]
routes = 4
leftovers = 0
[checks]
route-to-worker = 3
[late]
per-day = 0.1
most = 0.5
grace-hours = 12
"""
    )
    assert read(str(tmp_path / "points.toml")) == Scheme(
        total=20, partial=False, required=("one-running-instance", "routes"), without_required=0.5,
        count=("same-account",), areas={"routes": 4, "leftovers": 0}, checks={"route-to-worker": 3},
        per_day=0.1, most_late=0.5, grace_hours=12,
    )  # fmt: skip


REFUSED = {
    "no TOML": ("total = ", "grade-points-no-toml"),
    "no text": ("\x00", "grade-points-no-toml"),
    "a key that is none": ("totl = 1", "grade-points-unknown"),
    "an area that is none": ("[areas]\nroads = 1", "grade-points-unknown"),
    "a check that is none": ("[checks]\nroutes = 1", "grade-points-unknown"),
    "a doubt that is none": ('count = ["late"]', "grade-points-unknown"),
    "a name that is required and is none": ('required = ["x"]', "grade-points-unknown"),
    "a negative weight": ("[areas]\nroutes = -1", "grade-points-bad"),
    "a weight without a number": ("[areas]\nroutes = nan", "grade-points-bad"),
    "a weight without an end": ("[areas]\nroutes = inf", "grade-points-bad"),
    "a truth for a number": ("total = true", "grade-points-bad"),
    "a number for a truth": ("partial = 1", "grade-points-bad"),
    "nothing to earn": ("total = 0", "grade-points-bad"),
    "next to nothing to earn": ("total = 1e-320", "grade-points-bad"),
    "no area that earns": (
        "[areas]\n" + "\n".join(f"{area} = 0" for area in AREAS if area != "leftovers"),
        "grade-points-nothing",
    ),
    "no check that earns": (
        "[checks]\n" + "\n".join(f"{check.name} = 0" for check in CHECKS),
        "grade-points-nothing",
    ),
    "a number without an end": ("total = " + "9" * 5000, "grade-points-no-toml"),
    "a part above one": ("without-required = 2", "grade-points-bad"),
    "a table that is none": ("late = 1", "grade-points-bad"),
    "a list that is none": ('required = "routes"', "grade-points-bad"),
}


@pytest.mark.parametrize(("text", "key"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_scheme_is_one_sentence(text: str, key: str, language: str, tmp_path: Path) -> None:
    (tmp_path / "points.toml").write_text(text)
    with pytest.raises(BadNames) as refused:
        read(str(tmp_path / "points.toml"))
    assert refused.value.key == key
    said = catalogue(language).refusal(refused.value)
    assert "points.toml" in said
    assert "\n" not in said
    assert "sys." not in said


def test_a_scheme_may_be_about_what_is_left_only(tmp_path: Path) -> None:
    (tmp_path / "points.toml").write_text("[areas]\n" + "\n".join(f"{area} = 0" for area in AREAS[:-1]))
    with pytest.raises(BadNames):
        read(str(tmp_path / "points.toml"))
    with (tmp_path / "points.toml").open("a") as file:
        file.write("\nleftovers = 1\n")
    assert read(str(tmp_path / "points.toml")).areas["leftovers"] == 1
