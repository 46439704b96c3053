"""A token bucket: how fast we may ask AWS, kept on our side of the line."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class TokenBucket:
    """Lets ``burst`` calls through at once and then ``per_second`` calls a second, from any thread.

    AWS throttles EC2 the same way, per account, region and action, so a caller that keeps within
    the published numbers is not refused unless others ask as well.
    Source: EC2 developer guide, *Request throttling for the EC2 API*.
    """

    def __init__(
        self,
        per_second: float,
        burst: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._clock = clock
        self._sleep = sleep
        self._filled_at = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take one token; waits until it is there. Who comes first is served first."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._per_second)
            self._filled_at = now
            self._tokens -= 1
            wait = -self._tokens / self._per_second
        if wait > 0:
            self._sleep(wait)
