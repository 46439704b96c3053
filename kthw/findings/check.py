"""A check: one question about one worker that the evidence answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence

Check = Callable[[Evidence, str], Sequence[Finding]]
"""``check(evidence, worker)``: what is wrong; nothing when all is as intended.

Raises ``CouldNotLook`` where the evidence does not hold what the question needs.
"""
Confirm = Callable[[Check], None]
Require = Callable[[Check, str], None]
"""What a test is given to ask with: that a check finds nothing, or else to fail; or else to be skipped,
naming the test that tells it."""
