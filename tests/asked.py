"""What the suite's options ask for, without pytest in between."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.intended.pod_cidrs import pod_cidrs
from kthw.intended.selectors import Selector, asked_workers
from kthw.observed.aws.chosen import chosen
from kthw.target import Target

_JUMP: Final = "--ssh-jump"
_USER: Final = "--ssh-user"


def by_jump_host(target: Target, host: str) -> Target:
    """``target``, whose workers are reached through that machine."""
    return replace(target, ssh=replace(target.ssh, jump=host))


def with_keys_only(target: Target, folder: Path) -> Target:
    """``target`` by a copy in ``folder`` of its ssh_config that does not say who logs in where."""
    lines = Path(target.ssh.config).read_text().splitlines(keepends=True)
    mine = folder / "ssh_config"
    mine.touch(0o600)
    mine.write_text("".join(line for line in lines if not line.startswith("    User ")))
    return replace(target, ssh=replace(target.ssh, config=str(mine)))


def way_in(options: Sequence[str], target: Target) -> Target:
    """``target``, with the way in that ``options``, names and values in turn, ask for."""
    typed = dict(zip(options[::2], options[1::2], strict=True))
    user = typed.get(_USER, target.ssh.user)
    return by_jump_host(replace(target, ssh=replace(target.ssh, user=user)), typed.get(_JUMP, ""))


def intended(options: Sequence[str], workers: Sequence[str], target: Target) -> Intended:
    """The lab that ``options``, names and values in turn, ask for at ``target``; else of ``workers``."""
    typed = dict(zip(options[::2], options[1::2], strict=True))
    for each in (_JUMP, _USER):
        typed.pop(each, "")
    meant = Intended(workers=tuple(workers), network=typed.pop("--network", Intended(workers=("a",)).network))
    names, also = typed.pop("--workers", ""), typed.pop("--also", "")
    if names:
        asked = asked_workers(names)
        meant = replace(meant, workers=tuple(map(str, asked)))
        if any(isinstance(each, Selector) for each in asked):
            seen = chosen(target, asked, names).intended
            meant = replace(meant, workers=seen.workers, instances=seen.instances)
    cidrs = typed.pop("--pod-cidrs", "")
    if typed:
        raise ValueError(f"no meaning is known here of {', '.join(typed)}")
    meant = replace(meant, pod_cidrs=pod_cidrs(cidrs, meant.workers) if cidrs else {})
    return meant.with_also(Intended(workers=tuple(also.split(","))), also) if also else meant
