"""What the fix of a finding does alone, in words, and as the document has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from kthw.findings.finding import Cause
from kthw.findings.promise import Pair, Promise, told
from kthw.words.messages import Catalogue

_MOST_PAIRS: Final = 4
_MOST_CAUSES: Final = 3
_MOST_STAYS: Final = 3


def promised(promise: Promise | None, words: Catalogue) -> list[str]:
    """Sentences: what it mends, and what stays broken by what else. That it cuts off any is in the fix."""
    if promise is None:
        return []
    said = []
    if promise.mends:
        said.append(words.say("report-mends", count=len(promise.mends), pairs=_some_pairs(promise.mends)))
    shown = [stays for stays in promise.stays if stays.by][:_MOST_STAYS]
    for stays in shown:
        causes = _some_causes(stays.by)
        said.append(words.say("report-stays", pairs=_some_pairs(stays.pairs), causes=causes))
    more = sum(len(stays.pairs) for stays in promise.stays) - sum(len(stays.pairs) for stays in shown)
    return [*said, words.say("report-stays-more", count=more)] if more else said


def promise_document(promise: Promise | None) -> dict[str, Any]:
    """The keys of a finding in ``report.json``; none where its fix could not be tried."""
    if promise is None:
        return {}
    return {
        "mends": list(map(told, promise.mends)),
        "stays": [
            {
                "by": [{"code": code, "subject": subject} for code, subject in stays.by],
                "pairs": list(map(told, stays.pairs)),
            }
            for stays in promise.stays
        ],
        "cuts": list(map(told, promise.cuts)),
    }


def _some_pairs(pairs: Sequence[Pair]) -> str:
    return _some([told(pair) for pair in pairs[:_MOST_PAIRS]], len(pairs))


def _some_causes(causes: Sequence[Cause]) -> str:
    return _some([" · ".join(cause) for cause in causes[:_MOST_CAUSES]], len(causes), "; ")


def _some(shown: Sequence[str], count: int, between: str = ", ") -> str:
    return between.join(shown) + (f"{between}… ({count})" if count > len(shown) else "")
