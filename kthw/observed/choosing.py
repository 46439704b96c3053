"""Which instances are meant by selectors, and what each is called as a worker."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from kthw.intended.cluster import BadNames, Intended, is_worker_name
from kthw.intended.selectors import ADDRESS, ID, NAME, FoundNobody, Selector, refuse_too_many
from kthw.observed.evidence import Evidence, Instance
from kthw.observed.namesakes import GONE, candidates, letters

Asked = Sequence[str | Selector]

_MOST_THERE: Final = 12
"""Instances that are told of where none is meant: what a screen holds beside the rest."""
_DIGITS: Final = re.compile(r"(\d+)")
_NUMBER: Final = re.compile(r"\d+(?![A-Za-z])")
"""What tells workers apart, and not the 8 of k8s."""


class Tagged(Struct, frozen=True):
    """An instance with all its tags."""

    instance: Instance
    tags: Mapping[str, str]

    @property
    def facts(self) -> dict[str, tuple[str, ...]]:
        """What a selector may ask of it, by the name of EC2's filter."""
        inside = (address for eni in self.instance.network_interfaces for address in eni.addresses)
        return {
            **{f"tag:{key}": (value,) for key, value in self.tags.items()},
            ID: (self.instance.id,),
            ADDRESS: (self.instance.address, *inside),
        }


def chosen(asked: Asked, there: Iterable[Tagged], text: str, facts: Mapping[str, str]) -> Intended:
    """The workers in the order they were asked for; those of one selector by name, then by address.

    One is called by its Name tag, with its address where several of them bear that
    (``k8s-worker@10.0.1.20``), and by its id where neither is fit for a name. A name that is asked for as
    such, and that instances found by a selector bear, is those. Raises ``FoundNobody`` for a selector that
    no living instance meets, and ``BadNames`` for more workers than are ever judged at once; ``text`` is what
    was typed.
    """
    alive = [each for each in there if each.instance.state not in GONE]
    met: dict[Selector, list[Instance]] = {}
    for selector in asked:
        if isinstance(selector, Selector):
            met[selector] = [each.instance for each in alive if selector.meets(each.facts)]
            if not met[selector]:
                raise _nobody(selector, alive, text, facts)
    every = {each.id: each for found in met.values() for each in found}
    called = _called(every)
    bearing: dict[str, list[Instance]] = {}
    for each in every.values():
        bearing.setdefault(each.name, []).append(each)
    instances: dict[str, str] = {}
    workers: dict[str, None] = {}
    for one in asked:
        found = met[one] if isinstance(one, Selector) else bearing.get(one, [])
        for each in sorted(found, key=by_name_and_address):
            workers[called[each.id]] = None
            instances[called[each.id]] = each.id
        if not found:
            workers[str(one)] = None
    refuse_too_many(workers, text)
    return Intended(workers=tuple(workers), instances=instances)


def among(asked: Asked, recorded: Evidence, text: str) -> tuple[str, ...]:
    """Those of a recorded run's workers that are asked for, in that order.

    Of its tags a recording has the Name only. Raises ``BadNames``.
    """
    instances = recorded.inventory.instances if recorded.inventory else ()
    meant = candidates(instances, recorded.intended)
    workers: dict[str, None] = {}
    unseen = []
    for one in asked:
        found = [w for w, bearers in meant.items() if _is_meant(one, w, bearers, text)]
        unseen += [] if found else [one.text if isinstance(one, Selector) else one]
        workers |= dict.fromkeys(found)
    if unseen:
        known = ", ".join(recorded.intended.workers)
        raise BadNames("run-not-recorded", unseen=", ".join(unseen), recorded=known)
    return tuple(workers)


def _is_meant(one: str | Selector, worker: str, bearers: Iterable[Instance], text: str) -> bool:
    if isinstance(one, str):
        return one == worker
    for key, _ in one.filters:
        if key.startswith("tag:") and key != NAME:
            raise BadNames("run-recorded-no-tags", value=text, part=one.text)
    # A worker that was not there is known by the name that was meant.
    seen = [Tagged(each, {"Name": each.name}).facts for each in bearers] or [{NAME: (worker,)}]
    return one.text == worker or any(one.meets(each) for each in seen)


def _called(found: Mapping[str, Instance]) -> dict[str, str]:
    """By id, what each is called; no two alike."""
    bearing = Counter(each.name for each in found.values())
    first = {one: _name(each, bearing[each.name]) for one, each in found.items()}
    twice = Counter(first.values())
    return {one: one if twice[name] > 1 else name for one, name in first.items()}


def _name(instance: Instance, bearing: int) -> str:
    name = f"{instance.name}@{instance.address or instance.id}" if bearing > 1 else instance.name
    # An empty tag, or one that no list of names can hold.
    return name if instance.name and is_worker_name(name) else instance.id


def by_name_and_address(instance: Instance) -> tuple[object, ...]:
    """Numbers in names as numbers: worker-10 comes after worker-9."""
    parts = _DIGITS.split(instance.name)
    address = int(ipaddress.IPv4Address(instance.address)) if instance.address else 0
    numbered = [(int(part), "") if n % 2 else (0, part) for n, part in enumerate(parts)]
    return (numbered, address, instance.id)


def _nobody(selector: Selector, there: Sequence[Tagged], text: str, facts: Mapping[str, str]) -> FoundNobody:
    shown = sorted((each.instance for each in there), key=_by_likeness)
    nouns = [noun(each) for each in shown[:_MOST_THERE]]
    better = next(_better(selector, there), "")
    return FoundNobody(selector, nouns, len(shown), better, **facts, value=text)


def _by_likeness(instance: Instance) -> tuple[object, ...]:
    """Those first whose names read like a worker's, those without one last."""
    return (-_likeness(instance.name), not instance.name, by_name_and_address(instance))


def noun(instance: Instance) -> str:
    """``worker-1 (i-0ab…, 10.0.1.21) running vpc-0cd…``."""
    about = ", ".join(filter(None, (instance.id, instance.address)))
    return " ".join(filter(None, (instance.name or "—", f"({about})", instance.state, instance.vpc)))


def _better(selector: Selector, there: Sequence[Tagged]) -> Iterator[str]:
    """What might have been meant: the same in other letters, another value of that tag, names of many."""
    (key, wanted), *_ = selector.filters
    values = Counter(value for each in there for value in each.facts.get(key, ()))
    if key.startswith("tag:"):
        yield from (f"{key}={value}" for value in sorted(values) if letters(value) == letters(wanted) != "")
        yield from (f"{key}={value}" for value, _ in values.most_common(1) if key != NAME)
    names = Counter(_NUMBER.sub("*", each.instance.name) for each in there if each.instance.name)
    for name in sorted(names, key=lambda name: (-_likeness(name), -names[name], name)):
        yield name if "*" in name else f"{NAME}={name}"


def _likeness(name: str) -> int:
    """How much it reads like a worker's name."""
    return next((n for n, word in ((2, "work"), (1, "node")) if word in name.lower()), 0)
