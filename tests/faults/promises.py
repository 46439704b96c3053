"""What was promised of a fix, held against what was measured once it had been pasted."""

from __future__ import annotations

from kthw.findings.finding import Finding
from kthw.findings.judging import judge
from kthw.findings.promise import Pair, Promise, told
from kthw.observed.evidence import Evidence


def promise(evidence: Evidence, finding: Finding) -> Promise | None:
    """Of the finding's fix, as a run would tell it that sees this; ``None`` where it cannot be tried."""
    return judge(evidence).promises.get(finding.cause)


def count(promise: Promise) -> int:
    """The pairs that anything is promised of."""
    return len(promise.mends) + sum(len(stays.pairs) for stays in promise.stays) + len(promise.cuts)


def broken(before: Evidence, promise: Promise, after: Evidence) -> list[str]:
    """What came otherwise: what is mended and is not, stays broken and does not, or is cut off unsaid."""
    was, now = whole(before), whole(after)
    stays = [pair for each in promise.stays for pair in each.pairs]
    return [
        *(f"{told(pair)}: to be mended, and is not" for pair in promise.mends if not now[pair]),
        *(f"{told(pair)}: to stay broken, and is mended" for pair in stays if now[pair]),
        *(f"{told(pair)}: to be cut off, and is not" for pair in promise.cuts if now[pair]),
        *(f"{told(p)}: cut off unsaid" for p in now if was.get(p) and not now[p] and p not in promise.cuts),
    ]


def whole(evidence: Evidence) -> dict[Pair, bool]:
    """By pair of workers whose pods sent small packets, whether all of them got through."""
    found: dict[Pair, bool] = {}
    for probe in evidence.probes:
        if probe.kind == "pod" and not probe.size:
            pair = probe.source, probe.destination
            found[pair] = probe.reached and found.get(pair, True)
    return found
