"""What the suite's options ask for, without pytest in between."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.intended.pod_cidrs import pod_cidrs
from kthw.intended.selectors import Selector, asked_workers
from kthw.observed.aws.chosen import chosen
from kthw.target import Target


def intended(options: Sequence[str], workers: Sequence[str], target: Target) -> Intended:
    """The lab that ``options``, names and values in turn, ask for at ``target``; else of ``workers``."""
    typed = dict(zip(options[::2], options[1::2], strict=True))
    meant = Intended(workers=tuple(workers), network=typed.pop("--network", Intended(workers=("a",)).network))
    names = typed.pop("--workers", "")
    if names:
        asked = asked_workers(names)
        meant = replace(meant, workers=tuple(map(str, asked)))
        if any(isinstance(each, Selector) for each in asked):
            seen = chosen(target, asked, names).intended
            meant = replace(meant, workers=seen.workers, instances=seen.instances)
    cidrs = typed.pop("--pod-cidrs", "")
    if typed:
        raise ValueError(f"no meaning is known here of {', '.join(typed)}")
    return replace(meant, pod_cidrs=pod_cidrs(cidrs, meant.workers) if cidrs else {})
