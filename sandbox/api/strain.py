"""What a client of AWS meets in bad moments: what was just made is not found yet; too many requests."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from sandbox.api.refusals import Refusal

_NOT_FOUND: Final = {
    "eipalloc": ("InvalidAllocationID.NotFound", "allocation ID"),
    "eni": ("InvalidNetworkInterfaceID.NotFound", "networkInterface ID"),
    "i": ("InvalidInstanceID.NotFound", "instance ID"),
    "igw": ("InvalidInternetGatewayID.NotFound", "internetGateway ID"),
    "rtb": ("InvalidRouteTableID.NotFound", "routeTable ID"),
    "sg": ("InvalidGroup.NotFound", "security group"),
    "subnet": ("InvalidSubnetID.NotFound", "subnet ID"),
    "vpc": ("InvalidVpcID.NotFound", "vpc ID"),
}
_ID: Final = re.compile(rf"\b({'|'.join(_NOT_FOUND)})-[0-9a-f]{{17}}\b")
_MAKES: Final = ("Create", "Run", "Allocate")

_READS: Final = ("Describe", "Get", "List")
_BUCKETS: Final = {
    "CreateTags": (100, 10),
    "ModifyNetworkInterfaceAttribute": (100, 5),
    "RunInstances": (5, 2),
    "StartInstances": (5, 2),
    "StopInstances": (5, 2),
    "TerminateInstances": (100, 5),
}
_READING, _CHANGING = (100, 20), (50, 5)
"""(Tokens at most, tokens a second) of each action (EC2 Developer Guide, *Request throttling*)."""


class Throttled(Refusal):
    """Too many requests: HTTP 503, which clients try again."""

    status = 503

    def __init__(self) -> None:
        super().__init__("RequestLimitExceeded", "Request limit exceeded.")


class Lag:
    """Ids that are younger than ``seconds``: AWS does not know them everywhere yet."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, float] = {}

    def refuse(self, parameters: Mapping[str, Any]) -> None:
        """``Invalid….NotFound`` where a parameter names a young one."""
        now = time.monotonic()
        for value in _texts(parameters) if self._seconds else ():
            if self._known.get(value, 0.0) > now - self._seconds:
                code, noun = _NOT_FOUND[value.rpartition("-")[0]]
                raise Refusal(code, f"The {noun} '{value}' does not exist")

    def learn(self, action: str, answer: str) -> None:
        """The ids that ``answer`` is the first to say."""
        if self._seconds and action.startswith(_MAKES):
            for found in _ID.finditer(answer):
                self._known.setdefault(found[0], time.monotonic())


class Throttle:
    """A bucket of tokens for each action; a request takes one."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def refuse(self, action: str) -> None:
        most, a_second = _BUCKETS.get(action, _READING if action.startswith(_READS) else _CHANGING)
        now = time.monotonic()
        left, then = self._left.get(action, (float(most), now))
        left = min(float(most), left + (now - then) * a_second)
        if left < 1:
            self._left[action] = left, now
            raise Throttled
        self._left[action] = left - 1, now


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
