"""A list of AWS's, page by page, to its end: one that has none is told as that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kthw.observed.aws.answers import UnreadableAnswerError

MOST_PAGES: Final = 1000
_TOKENS: Final = ("NextToken", "NextMarker")
"""What names the next page: EC2's, and that of Elastic Load Balancing."""


def pages(
    client: Any, operation: str, key: str, *, size: int, most: int = 0, **asked: Any
) -> Iterator[Mapping[str, Any]]:
    """The pages of a list of ``key``, ``size`` entries each; ``most`` pages at most (``MOST_PAGES`` if 0).

    Raises ``UnreadableAnswerError`` where there are more, and where a page names one as the next that was
    named before. (botocore only sees a page that names itself; a ring of two it would follow for ever.)
    """
    named: set[str] = set()
    answers = client.get_paginator(operation).paginate(**asked, PaginationConfig={"PageSize": size})
    for number, page in enumerate(answers, start=1):
        if number > (most or MOST_PAGES):
            raise UnreadableAnswerError(detail=f"{key}: > {number - 1} pages")
        after = next((str(page[token]) for token in _TOKENS if page.get(token)), "")
        if after in named:
            raise UnreadableAnswerError(detail=f"{key}: two pages name the same next one")
        named |= {after} - {""}
        yield page


def inside(answer: object, key: str) -> list[object]:
    """What it lists under ``key``. Raises ``UnreadableAnswerError`` where it lists nothing there."""
    entries = answer.get(key) if isinstance(answer, Mapping) else None
    if not isinstance(entries, list):
        raise UnreadableAnswerError(detail=f"{key}: —")
    return entries
