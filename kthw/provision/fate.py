"""What became of a request that brought no yes: refused, refused for now, never sent, or nobody knows."""

from __future__ import annotations

import time
from typing import Final, Literal

from botocore import exceptions as boto

from kthw.observed.aws.errors import THROTTLED
from kthw.observed.aws.reader import aws_code, look_error

Fate = Literal["refused", "throttled", "not-ready", "unsent", "unknown"]

PATIENCE_SECONDS: Final = 60.0
"""What waiting for AWS, or for instances to be ready, may cost a whole run of ``apply`` or ``rollback``."""
_SHORTEST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 8.0
_BEFORE_SENDING: Final = ("credentials-missing", "credentials-expired")


def fate_of(problem: Exception) -> Fate:
    """The fate of the one request that ended with ``problem``, an exception of botocore's.

    ``refused``, ``throttled``, ``not-ready``: EC2 said no in an error of its own, for good or until itself or
    the instance is ready; nothing was done. ``unsent``: no connection came about. All else is ``unknown``:
    EC2 or a proxy broke down (5xx), the connection broke, the answer was none; the request may have been
    carried out, or still be.
    """
    if isinstance(problem, boto.ClientError):
        code = aws_code(problem)
        if code in THROTTLED:
            return "throttled"
        if code == "IncorrectInstanceState":
            return "not-ready"
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # A proxy's own answer has no code, or the status for one.
        return "refused" if 400 <= status < 500 and code[:1].isalpha() else "unknown"
    if isinstance(problem, boto.ParamValidationError) or (
        isinstance(problem, boto.ConnectionError) and not isinstance(problem, boto.SSLError)
    ):
        return "unsent"
    return "unsent" if look_error(problem, "").code in _BEFORE_SENDING else "unknown"


class Patience:
    """``seconds`` of waiting for everything together; time in which something was done costs nothing."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self._left = seconds
        self._wait = _SHORTEST_WAIT

    @property
    def is_over(self) -> bool:
        return self._left <= 0

    def charge(self, since: float) -> None:
        """Count what has passed since ``since`` (``time.monotonic()``): it was in vain."""
        self._left -= time.monotonic() - since

    def wait(self) -> None:
        """Wait a little, each time longer until something succeeds; no longer than is left."""
        wait = max(0.0, min(self._wait, self._left))
        time.sleep(wait)
        self._left -= wait
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def succeeded(self) -> None:
        """Wait shortly again from now on."""
        self._wait = _SHORTEST_WAIT
