"""What AWS does a while after it has answered: an instance runs, a load balancer is active."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

_LOG: Final = logging.getLogger(__name__)


class Later:
    """Things to do, each at its time. Whoever does them holds the endpoint's lock; ``at_once`` is for the
    request that is being answered."""

    def __init__(self) -> None:
        self.delay, self.at_once = 0.0, False
        self._count = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._news = threading.Condition()

    def after_a_while(self, done: Callable[[], None]) -> None:
        """Do it ``delay`` seconds from now, or now."""
        if self.at_once or not self.delay:
            done()
            return
        with self._news:
            heapq.heappush(self._due, (time.monotonic() + self.delay, next(self._count), done))
            self._news.notify_all()

    def forget(self) -> None:
        with self._news:
            self._due.clear()

    def do_what_is_due(self) -> bool:
        """Whether anything was."""
        any_was = False
        while True:
            with self._news:
                if not self._due or self._due[0][0] > time.monotonic():
                    self._news.notify_all()
                    return any_was
                _, _, done = heapq.heappop(self._due)
            try:
                done()
            except Exception:  # noqa: BLE001 -- it is logged, and there is nobody to be told
                # Whoever asks for something else meanwhile has nothing to do with it.
                _LOG.exception("the sandbox's API failed, a while after a request")
            any_was = True

    def wait_for_something_due(self) -> None:
        """Returns when something is, if it takes for ever."""
        with self._news:
            while not self._due or self._due[0][0] > time.monotonic():
                self._news.wait(self._due[0][0] - time.monotonic() if self._due else None)

    def wait_until_nothing_is(self) -> None:
        """Until all that is to be done now is done, or twice the delay has passed."""
        with self._news:
            self._news.wait_for(lambda: not self._due, 2 * self.delay)


LATER: Final = Later()
"""The process's one."""
