"""What AWS garbled, and the judgements that cannot be made without it: an error there, and no finding.

``kthw.observed.aws.concerned`` says whom an error concerns; its ``kind`` says what was not read. A
recording of an older version has no such errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kthw.errors import CouldNotLook, LookError
from kthw.findings.changed import settled
from kthw.findings.check import Judge
from kthw.findings.finding import Finding
from kthw.network.model import Network

INSTANCE: Final = frozenset({"instance"})
NAMES: Final = INSTANCE | {"nameless"}
"""What tells which instance bears a name."""
ROUTES: Final = INSTANCE | {"subnet", "route-table"}


def unread(network: Network, kinds: frozenset[str], worker: str) -> LookError | None:
    """Why what is read in ``kinds`` cannot be judged of ``worker``."""
    mine = (*network.errors_of(""), *network.errors_of(worker))
    return next((error for error in mine if error.kind in kinds), None)


def founded(
    network: Network, judge: Judge, worker: str, misled_by: frozenset[str] = frozenset()
) -> tuple[Finding, ...]:
    """What ``judge`` finds about ``worker``, where it stands.

    Raises ``CouldNotLook`` where it may be no more than what changed while we looked, or was not read.
    """
    found = tuple(settled(network, judge(network, worker)))
    doubt = _unfounded(network, misled_by, worker, found) if found else None
    if doubt:
        raise CouldNotLook(doubt)
    return found


def as_far_as_seen(judge: Callable[[], list[Finding]]) -> list[Finding]:
    """What ``judge`` finds; what depends on something that was not read is no obstacle."""
    try:
        return judge()
    except CouldNotLook:
        return []


def _unfounded(
    network: Network, misled_by: frozenset[str], worker: str, found: Sequence[Finding]
) -> LookError | None:
    """Why what was ``found`` about ``worker`` may be no more than something that was not read.

    Where no one instance is the worker's, that is all that is found about it.
    """
    error = unread(network, NAMES if found[0].code.startswith("worker-") else INSTANCE, worker)
    return error or next((error for error in network.evidence.errors if error.kind in misled_by), None)
