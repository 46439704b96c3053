"""How AWS behaves beside what it answers: how long things take, how much there may be of them. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """``delay``: seconds from ``pending`` to ``running``, from ``stopping`` to ``stopped``, from
    ``shutting-down`` to ``terminated`` and the like. ``lag``: seconds in which what was just made is not
    found by its id (EC2 Developer Guide, *Eventual consistency*). ``throttled``: more requests than an
    account may make are refused. ``quotas``: so is more than a new account may have.
    """

    delay: float = 0.0
    lag: float = 0.0
    throttled: bool = False
    quotas: bool = False
    routes_per_table: int = 500
    """Of non-propagated routes (quota L-93826ACB of *Amazon VPC quotas*; it can be raised to 1,000)."""


AT_ONCE = Habits()
"""For tests, and for whoever builds a lab."""
USUAL = Habits(delay=5.0, quotas=True)
"""For a person: long enough that a missing ``wait`` shows, short enough not to bore."""
AT_ONCE_HEADER = "X-Sandbox-At-Once"
"""A request with it is answered as if everything happened at once: the builder's."""
