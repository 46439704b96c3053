"""What is to be done a while after an answer."""

from __future__ import annotations

import time

import pytest

from sandbox.api.later import Later


def test_without_a_delay_and_for_the_builder_it_is_done_at_once() -> None:
    done: list[int] = []
    later = Later()
    later.after_a_while(lambda: done.append(1))
    later.delay, later.at_once = 60.0, True
    later.after_a_while(lambda: done.append(2))
    assert done == [1, 2]
    assert not later.do_what_is_due()


def test_it_is_done_in_its_order_when_it_is_due_and_a_failure_is_nobody_else_s(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[int] = []
    later = Later()
    later.delay = 0.05

    def fails() -> None:
        raise OSError("no such interface")

    for step in (lambda: done.append(1), fails, lambda: done.append(2)):
        later.after_a_while(step)
    assert not done
    later.wait_for_something_due()
    time.sleep(later.delay)
    assert later.do_what_is_due()
    assert done == [1, 2]
    assert "no such interface" in caplog.text
    began = time.monotonic()
    later.wait_until_nothing_is()
    assert time.monotonic() - began < 1
