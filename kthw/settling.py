"""Asked again until it is so: what takes a moment to become true is waited for, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

_T = TypeVar("_T")

_LONGEST_WAIT: Final = 8.0


def settled(ask: Callable[[], _T], so: Callable[[_T], bool], *, seconds: float, first: float) -> _T:
    """What ``ask`` answers, once ``so`` holds of it; or its last answer, when no other fits in ``seconds``.

    Waits ``first`` seconds before it asks again, then twice that, and so on. What ``ask`` raises is raised.
    """
    answer = ask()
    if so(answer) or first >= seconds:
        return answer
    # Loaded only where something has to be waited for: it costs every run more than all else here.
    from tenacity import Retrying, retry_if_not_result, stop_before_delay, wait_exponential
    from tenacity.nap import sleep

    sleep(first)
    asking = Retrying(
        retry=retry_if_not_result(so),
        wait=wait_exponential(multiplier=2 * first, max=_LONGEST_WAIT),
        stop=stop_before_delay(seconds - first),
        retry_error_callback=lambda tried: tried.outcome and tried.outcome.result(),
    )
    return asking(ask)
