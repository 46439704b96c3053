"""How much of what is sent on a way gets lost, from a count; and when that is worth telling.

A count says little of the share behind it: of 200 packets, each lost with 1 %, four may be lost or none. So a
loss is told only where the count could hardly come of a network as good as any, and always with the bounds
within which the share is.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

TOLERATED: Final = 1 - (1 - 0.01) ** 4
"""The share that is no fault yet: 1 % at each of the four interfaces that a packet and its answer pass."""
DOUBT: Final = 1e-6
"""How probable a count at least as bad may be at the share that is tolerated, to be told all the same: of the
39,800 pairs of 200 workers, 4 % of the runs would tell of one if each of their interfaces were that bad."""
LARGE: Final = 0.2
"""The share that may be why nothing came of a connection, or of packets of one kind, though they were tried
again and again: each needs several that are not lost.
"""
_SURE: Final = 2.575829303548901
"""Standard deviations that 99 % of a normal distribution are within."""


class Count(msgspec.Struct, frozen=True):
    """So many packets were sent, and so many of them, or of their answers, were lost."""

    sent: int
    lost: int

    @property
    def in_part(self) -> bool:
        """Some were lost, and some not."""
        return 0 < self.lost < self.sent

    @property
    def may_be_large(self) -> bool:
        """Some and not all were lost, and the share may be ``LARGE``: of 200 packets 25, of 50 three were."""
        return self.in_part and (self.bounds[1] >= LARGE or self.is_told)

    @property
    def is_told(self) -> bool:
        """The rule: some and not all were lost, and hardly ever are so many where ``TOLERATED`` is.

        Exact, by the binomial distribution: of 200 packets it takes 25. At 0 % nothing is lost; at 1 % on all
        nodes one pair in a million is told; at 20 % of the packets 998 of 1000 are, and at 20 % of what one
        node hands on, which a packet and its answer pass each, all but one in 10^13.
        """
        return self.in_part and self.at_least(TOLERATED) < DOUBT

    def at_least(self, share: float) -> float:
        """How probable it is that at least so many are lost where each is with the probability ``share``."""
        if self.lost <= 0:
            return 1.0
        logarithm = (
            math.lgamma(self.sent + 1)
            - math.lgamma(self.lost + 1)
            - math.lgamma(self.sent - self.lost + 1)
            + self.lost * math.log(share)
            + (self.sent - self.lost) * math.log1p(-share)
        )
        total, term = 0.0, math.exp(logarithm)
        for lost in range(self.lost, self.sent + 1):
            total += term
            term *= (self.sent - lost) / (lost + 1) * share / (1 - share)
            if term < total * 1e-16:
                break
        return min(1.0, total)

    @property
    def bounds(self) -> tuple[float, float]:
        """The shares between which the true one is in 99 of 100 such counts: Wilson's score interval."""
        share, square = self.lost / self.sent, _SURE**2
        middle = share + square / (2 * self.sent)
        around = _SURE * math.sqrt(share * (1 - share) / self.sent + square / (4 * self.sent**2))
        both = ((middle + sign * around) / (1 + square / self.sent) for sign in (-1, 1))
        low, high = (min(1.0, max(0.0, each)) for each in both)
        return low, high

    def __str__(self) -> str:
        """``41/200 = 20 % (14 %-29 %)``: the share, and its bounds."""
        low, high = self.bounds
        return f"{self.lost}/{self.sent} = {self.lost / self.sent:.0%} ({low:.0%}-{high:.0%})".replace(
            "%", " %"
        )
