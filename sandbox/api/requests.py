"""The EC2 endpoint: which requests are refused before moto sees them, and which ones change things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from moto.ec2.responses import EC2Response

_READS = ("Describe", "Get", "List")


def _nothing() -> None:
    """Until someone wants to know of changes."""


class Ec2(EC2Response):
    """moto's EC2 with this package's refusals and answers in front."""

    changed: ClassVar[Callable[[], None]] = staticmethod(_nothing)

    def call_action(self) -> Any:
        answer = super().call_action()
        if answer[0] < 300 and not self._get_action().startswith(_READS):
            type(self).changed()
        return answer
