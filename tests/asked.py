"""What the suite's options ask for, without pytest in between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.intended.pod_cidrs import pod_cidrs
from kthw.intended.selectors import Selector, asked_workers
from kthw.observed.aws.chosen import chosen
from kthw.target import Target

_JUMP: Final = "--ssh-jump"


def by_jump_host(target: Target, host: str) -> Target:
    """``target``, whose workers are reached through that machine."""
    return replace(target, ssh=replace(target.ssh, jump=host))


def way_in(options: Sequence[str], target: Target) -> Target:
    """``target``, with the way in that ``options``, names and values in turn, ask for."""
    typed = dict(zip(options[::2], options[1::2], strict=True))
    return by_jump_host(target, typed.get(_JUMP, ""))


def intended(options: Sequence[str], workers: Sequence[str], target: Target) -> Intended:
    """The lab that ``options``, names and values in turn, ask for at ``target``; else of ``workers``."""
    typed = dict(zip(options[::2], options[1::2], strict=True))
    typed.pop(_JUMP, "")
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
