"""The client keeps to a rate on its own side of the line."""

from __future__ import annotations

from kthw.observed.aws.rate import TokenBucket


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_burst_goes_through_at_once_and_the_rest_at_the_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(20, 100, clock=clock, sleep=clock.sleep)
    for _ in range(100):
        bucket.take()
    assert clock.now == 0
    for _ in range(40):
        bucket.take()
    assert round(clock.now, 6) == 2


def test_bucket_fills_up_again_but_not_above_its_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(20, 3, clock=clock, sleep=clock.sleep)
    for _ in range(3):
        bucket.take()
    clock.sleep(60)
    for _ in range(3):
        bucket.take()
    assert clock.now == 60
    bucket.take()
    assert round(clock.now, 6) == 60.05
