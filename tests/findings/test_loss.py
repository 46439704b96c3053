"""When a loss of packets is told: by exact computation over the 200 packets of a count, and by lot."""

from __future__ import annotations

import math
import random

import pytest

from kthw.network.loss import DOUBT, TOLERATED, Count

SENT = 200
PAIRS = 6
"""Of three workers."""


def probability(lost: int, share: float) -> float:
    """That just so many of ``SENT`` are lost: the binomial distribution, as it is written."""
    return math.comb(SENT, lost) * share**lost * (1 - share) ** (SENT - lost)


def told(share: float) -> float:
    """The exact probability that one count of one pair is told."""
    return math.fsum(probability(lost, share) for lost in range(SENT + 1) if Count(SENT, lost).is_told)


def there_and_back(share: float, passes: int) -> float:
    """What is lost of packets and their answers, which together pass so many places that lose ``share``."""
    return 1 - (1 - share) ** passes


def test_nothing_lost_is_never_told() -> None:
    assert told(0.0) == 0
    assert not any(Count(sent, 0).is_told for sent in (0, 1, 50, SENT, 100_000))


def test_all_lost_is_another_thing() -> None:
    assert not Count(SENT, SENT).is_told
    assert not Count(1, 1).is_told


@pytest.mark.parametrize("lost", [1, 2, 8, 24])
def test_what_a_good_network_may_lose_is_not_told(lost: int) -> None:
    assert not Count(SENT, lost).is_told


def test_of_200_packets_it_takes_25() -> None:
    assert [lost for lost in range(SENT + 1) if Count(SENT, lost).is_told] == list(range(25, SENT))


@pytest.mark.parametrize(("sent", "least"), [(1, 0), (2, 1), (20, 1), (50, 3), (200, 25)])
def test_a_share_may_be_large_from_so_many_on(sent: int, least: int) -> None:
    """And what else did not arrive may be lost with it; not where nothing, or all of it, was lost."""
    told = [lost for lost in range(sent + 1) if Count(sent, lost).may_be_large]
    assert told == (list(range(least, sent)) if least else [])


@pytest.mark.parametrize("share", [0.001, 0.005, 0.01])
def test_up_to_one_percent_on_every_interface_one_pair_in_a_million_is_told(share: float) -> None:
    """A packet and its answer pass four interfaces: two at the sender's node, two at the other's."""
    assert told(there_and_back(share, 4)) < DOUBT
    assert there_and_back(0.01, 4) == pytest.approx(TOLERATED)


def test_at_twenty_percent_it_is_always_told() -> None:
    """Of what one node hands on, requests and answers: of one way alone, one pair in 500 is missed."""
    assert 1 - told(there_and_back(0.2, 2)) < 1e-12
    assert 1 - told(0.2) < 0.002
    assert 1 - told(there_and_back(0.3, 2)) < 1e-12


def _runs(chosen: random.Random, share: float) -> int:
    """In how many of 200 runs any pair is told."""

    def lost() -> int:
        return sum(chosen.random() < share for _ in range(SENT))

    return sum(any(Count(SENT, lost()).is_told for _ in range(PAIRS)) for _ in range(200))


def test_in_200_runs_no_healthy_lab_is_told_and_every_bad_one_is() -> None:
    chosen = random.Random(9)  # noqa: S311 -- a lot that falls the same each time
    assert [_runs(chosen, share) for share in (0.0, there_and_back(0.01, 4), there_and_back(0.2, 2))] == [
        0,
        0,
        200,
    ]


@pytest.mark.parametrize(
    ("sent", "lost", "share"),
    [(200, 25, TOLERATED), (200, 8, TOLERATED), (50, 12, 0.1), (200, 1, 0.5), (7, 1, 0.3), (7, 7, 0.3)],
)
def test_the_distribution_is_the_exact_one(sent: int, lost: int, share: float) -> None:
    exact = math.fsum(
        math.comb(sent, each) * share**each * (1 - share) ** (sent - each) for each in range(lost, sent + 1)
    )
    assert Count(sent, lost).at_least(share) == pytest.approx(exact, rel=1e-9)
    assert Count(sent, 0).at_least(share) == 1


def test_a_count_of_any_size_is_told_at_once() -> None:
    assert Count(100_000, 50_000).is_told
    assert Count(100_000, 4_500).is_told
    assert not Count(100_000, 3_940).is_told


@pytest.mark.parametrize(
    ("sent", "lost", "said"),
    [
        (200, 41, "41/200 = 20 % (14 %-29 %)"),
        (200, 199, "199/200 = 100 % (96 %-100 %)"),
        (50, 25, "25/50 = 50 % (33 %-67 %)"),
    ],
)
def test_a_share_is_told_with_its_bounds(sent: int, lost: int, said: str) -> None:
    assert str(Count(sent, lost)) == said


def test_the_bounds_hold_the_true_share_in_99_of_100_counts() -> None:
    for share in (0.04, 0.2, 0.36, 0.8):
        within = [
            probability(lost, share)
            for lost in range(SENT + 1)
            for low, high in [Count(SENT, lost).bounds]
            if low <= share <= high
        ]
        assert math.fsum(within) > 0.98
