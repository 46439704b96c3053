"""Which of the instances that bear a worker's name is the worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from kthw.intended.cluster import Intended
from kthw.observed.evidence import Instance

_GONE: Final = ("terminated", "shutting-down")


def candidates(instances: Iterable[Instance], intended: Intended) -> dict[str, list[Instance]]:
    """By worker name, those that could be meant: the running ones, or else all that are not gone.

    Every intended name is there, with an empty list where nothing bears it. A terminated namesake is
    listed by AWS for about an hour and is no candidate, nor is one that is about to be.
    """
    named: defaultdict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.state not in _GONE:
            named[instance.name].append(instance)
    found: dict[str, list[Instance]] = {}
    for worker in intended.workers:
        running = [instance for instance in named[worker] if instance.state == "running"]
        found[worker] = running or named[worker]
    return found
