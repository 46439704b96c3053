"""Which of the instances that bear a worker's name is the worker, and in which VPC the workers are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from kthw.intended.cluster import Intended
from kthw.observed.evidence import Instance

GONE: Final = frozenset({"terminated", "shutting-down"})
"""Instance states there is no way back from: such a namesake is no candidate."""


class Roll:
    """Which worker an instance is, or may be."""

    def __init__(self, intended: Intended) -> None:
        self._by_id = {instance: worker for worker, instance in intended.instances.items()}
        self._taken = intended.instances.keys()
        self._by_name = frozenset(intended.workers) - intended.instances.keys()

    def worker(self, instance: str, name: str) -> str:
        """The worker that is this instance, else the one of that Name tag; empty where it is nobody's."""
        return self._by_id.get(instance) or (name if name in self._by_name else "")

    def known_as(self, instance: Instance) -> str:
        """That worker, else the Name tag; none of a stranger with the name of a worker found otherwise."""
        name = "" if instance.name in self._taken else instance.name
        return self.worker(instance.id, instance.name) or name

    @property
    def calls_by_name(self) -> bool:
        """Whether a Name tag makes any instance a worker."""
        return bool(self._by_name)


def candidates(instances: Iterable[Instance], intended: Intended) -> dict[str, list[Instance]]:
    """By worker name, those that could be meant: the running ones, or else all that are not gone.

    Every intended name is there, with an empty list where nothing bears it. A terminated namesake is
    listed by AWS for about an hour and is no candidate, nor is one that is about to be. For a worker that was
    found by something else than its name it is that instance, if it is still there.
    """
    roll = Roll(intended)
    named: defaultdict[str, list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.state not in GONE:
            named[roll.worker(instance.id, instance.name)].append(instance)
    found: dict[str, list[Instance]] = {}
    for worker in intended.workers:
        running = [instance for instance in named[worker] if instance.state == "running"]
        found[worker] = running or named[worker]
    return found


def unambiguous(meant: Mapping[str, Sequence[Instance]]) -> dict[str, Instance]:
    """By worker name, the one candidate, where there is one and it is in the VPC of the workers."""
    home = home_of(meant)
    return {w: found[0] for w, found in meant.items() if len(found) == 1 and at_home(found, home)}


def also_there(instances: Iterable[Instance], intended: Intended, home: str) -> dict[str, Instance]:
    """By name, the machines of ``--also``, running ones first, in the VPC of the workers; of two, neither."""
    found: dict[str, Instance] = {}
    alive = [each for each in at_home(instances, home) if each.state not in GONE] if intended.also else []
    for name, known in intended.also.items():
        its = [each for each in alive if (each.id == known if known else each.name == name)]
        running = [each for each in its if each.state == "running"] or its
        if len(running) == 1:
            found[name] = running[0]
    return found


def machines_running(instances: Sequence[Instance], intended: Intended) -> dict[str, Instance]:
    """By name, whom there is to log in to, where it runs: the machines of ``--also``, and each worker's one
    instance, in their VPC: a namesake elsewhere may be anybody's.
    """
    meant = candidates(instances, intended)
    there = {**also_there(instances, intended, home_of(meant)), **unambiguous(meant)}
    return {name: instance for name, instance in there.items() if instance.state == "running"}


def home_of(meant: Mapping[str, Iterable[Instance]]) -> str:
    """The VPC of the workers: where most of the names are, of several the first name's; empty for nobody's.

    No route table of it leads to an instance of another VPC, so whoever is there is none of these workers.
    """
    vpcs = Counter(vpc for bearers in meant.values() for vpc in dict.fromkeys(i.vpc for i in bearers) if vpc)
    return vpcs.most_common(1)[0][0] if vpcs else ""


def at_home(instances: Iterable[Instance], home: str) -> list[Instance]:
    """Those in the VPC of the workers, or in none that was seen."""
    return [instance for instance in instances if instance.vpc in ("", home)]


def letters(name: str) -> str:
    """The name without what people get wrong in it: case, hyphens, spaces."""
    return re.sub(r"[\W_]", "", name.lower())
