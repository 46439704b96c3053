"""The client keeps to a rate on its own side of the line."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kthw.errors import CouldNotLook
from kthw.observed.aws import reader
from kthw.observed.aws.errors import UNREADABLE
from kthw.observed.aws.pages import pages
from kthw.observed.aws.rate import TokenBucket
from kthw.target import Target
from sandbox.api.strain import Throttle, Throttled
from tests.observed.api_answers import HEALTHY, reply, serving

THROTTLED = (
    b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>slow down</Message></Error></Errors>"
    b"<RequestID>r-1</RequestID></Response>"
)


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


def test_all_that_a_reader_sends_takes_from_one_bucket_retries_and_pages_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server that asks for patience every other time gets no more requests than the bucket gives."""
    monkeypatch.setattr(reader, "_AT_ONCE", 4)
    monkeypatch.setattr(reader, "_PER_SECOND", 25)
    came: list[float] = []

    def busy(handler: http.server.BaseHTTPRequestHandler, asked: dict[str, str]) -> bytes | None:
        came.append(time.monotonic())
        if len(came) % 2:
            reply(handler, THROTTLED, 503)
            return None
        return HEALTHY[asked["Action"]].encode()

    with serving() as api:
        api.hostile = dict.fromkeys(HEALTHY, busy)
        target = Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("a", "b"))
        looking = reader.Reader(target)
        begun = time.monotonic()
        for _ in range(2):
            with contextlib.suppress(CouldNotLook):
                looking.account()
        with ThreadPoolExecutor(6) as pool:
            seen = [pool.submit(list, pages(looking.ec2, "describe_vpcs", "Vpcs", size=9)) for _ in range(3)]
    assert any(call.exception() is None for call in seen)
    assert len(came) > looking.calls > 4
    for number, moment in enumerate(came, start=1):
        assert number <= 4 + 25 * (moment - begun) + 1


@pytest.mark.parametrize("ring", [("a",), ("a", "b"), ("a", "b", "c")], ids=len)
def test_pages_that_name_each_other_in_a_ring_are_an_error_after_one_round(ring: tuple[str, ...]) -> None:
    came: list[str] = []

    def round_and_round(_handler: object, asked: dict[str, str]) -> bytes:
        came.append(asked.get("NextToken", ""))
        token = ring[(len(came) - 1) % len(ring)]
        return (
            HEALTHY["DescribeVpcs"].replace("</vpcSet>", f"</vpcSet><nextToken>{token}</nextToken>").encode()
        )

    with serving() as api:
        api.hostile["DescribeVpcs"] = round_and_round
        target = Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("a", "b"))
        ec2 = reader.Reader(target).ec2
        with pytest.raises(UNREADABLE):
            list(pages(ec2, "describe_vpcs", "Vpcs", size=9))
    assert len(came) == len(ring) + 1


@pytest.mark.parametrize("other", [False, True], ids=["alone", "beside another user"])
def test_who_keeps_to_the_published_numbers_is_not_refused_unless_others_ask_as_well(other: bool) -> None:
    """The buckets are those of the sandbox's ``--throttle``, which has them from AWS's documentation."""
    throttle, lock = Throttle(), threading.Lock()
    refused: list[str] = []

    def paced(handler: http.server.BaseHTTPRequestHandler, asked: dict[str, str]) -> bytes | None:
        try:
            with lock:
                while other and not refused:  # the other user takes whatever there is, once
                    throttle.refuse(asked["Action"])
                throttle.refuse(asked["Action"])
        except Throttled:
            refused.append(asked["Action"])
            reply(handler, THROTTLED, 503)
            return None
        return HEALTHY[asked["Action"]].encode()

    with serving() as api:
        api.hostile["DescribeVpcs"] = paced
        target = Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("a", "b"))
        ec2 = reader.Reader(target).ec2
        with ThreadPoolExecutor(6) as pool:
            calls = [pool.submit(ec2.describe_vpcs) for _ in range(8 if other else 120)]
    assert all(call.result()["Vpcs"] for call in calls)
    assert bool(refused) == other
