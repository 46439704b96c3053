"""Pages of a Describe call: ``MaxResults`` and ``NextToken``, which moto mostly ignores."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.responses import ActionResult

from sandbox.api.refusals import Refusal

_LEAST = 5


def paged(describe: Callable[[Any], ActionResult], key: str, most: int) -> Callable[[Any], ActionResult]:
    """``describe`` with pages of 5 to ``most`` items of its result ``key``; whole without MaxResults."""

    def one_page(request: Any) -> ActionResult:
        result: Any = describe(request).result
        items, token = page(result[key], request.params, most)
        return ActionResult({**result, key: items, "NextToken": token})

    return one_page


def page(items: list[Any], parameters: Mapping[str, Any], most: int) -> tuple[list[Any], str | None]:
    """The page that was asked for, and the token of the next one if there is one.

    Raises ``Refusal``: ``InvalidParameterValue`` for a size out of range, ``InvalidNextToken``.
    """
    size = parameters.get("MaxResults")
    start = _position(parameters.get("NextToken"))
    if size is None:
        return items[start:], None
    if not _LEAST <= int(size) <= most:
        raise Refusal(
            "InvalidParameterValue",
            f"Value ( {size} ) for parameter maxResults is invalid. "
            f"Expecting a value between {_LEAST} and {most}.",
        )
    end = start + int(size)
    return items[start:end], _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"from {position}".encode()).decode()


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode().partition(" ")
        if word == "from" and number.isdecimal():
            return int(number)
    except (binascii.Error, UnicodeDecodeError):
        pass
    raise Refusal("InvalidNextToken", f"The token '{token}' is invalid")
