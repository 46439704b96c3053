"""A belief as data, and what came of looking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from sandbox.beliefs.lab import Lab, NotSeenError

Source = Literal["documented", "recorded", "reported", "inferred"]
"""Where a belief comes from: AWS's documentation, somebody's recorded output, somebody's report, or only what
follows from one of these. None was seen by us on an account."""


@dataclass(frozen=True)
class Belief:
    """``expected``: what ``look`` returns where the belief holds, a few technical words in no language.

    ``look`` leaves the lab as it found it, but for what ends a machine. Its sentence is ``belief-NAME`` in
    the catalogues. It raises ``NotSeenError`` where it could not look.
    """

    name: str
    expected: str
    source: Source
    look: Callable[[Lab], str]


@dataclass(frozen=True)
class Found:
    """``holds`` is None where nobody could look; ``observed`` then says why. ``evidence``: each call and each
    command, with its answer."""

    belief: Belief
    holds: bool | None
    observed: str
    evidence: tuple[dict[str, Any], ...]

    @property
    def row(self) -> dict[str, Any]:
        """As it stands in the document."""
        return {
            "belief": self.belief.name,
            "source": self.belief.source,
            "expected": self.belief.expected,
            "observed": self.observed,
            "holds": self.holds,
            "evidence": list(self.evidence),
        }


def look(belief: Belief, lab: Lab) -> Found:
    """What comes of looking. Whatever goes wrong meanwhile says nothing about the belief."""
    lab.heard.clear()
    try:
        observed = belief.look(lab)
    except NotSeenError as problem:
        return Found(belief, None, str(problem), tuple(lab.heard))
    except (LookupError, TypeError, ValueError) as problem:  # an answer of another shape than EC2's
        return Found(belief, None, repr(problem), tuple(lab.heard))
    return Found(belief, observed == belief.expected, observed, tuple(lab.heard))


ALL_HOLD: Final = 0
ONE_DOES_NOT: Final = 1
NOT_ALL_SEEN: Final = 10


def verdict(found: list[Found]) -> int:
    """The exit code."""
    if any(each.holds is False for each in found):
        return ONE_DOES_NOT
    return NOT_ALL_SEEN if any(each.holds is None for each in found) else ALL_HOLD
