"""Which instances look like a lab's workers, where nobody said: by their names and tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct

from kthw.intended.cluster import BadNames, is_worker_name
from kthw.intended.selectors import NAME, asked_workers
from kthw.observed.choosing import Tagged, by_name_and_address
from kthw.observed.evidence import Instance
from kthw.observed.namesakes import GONE

_NO_WORKER: Final = re.compile(r"control|master|etcd|bastion|jump|\bnat\b|balancer|\blb\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"\d+(?![A-Za-z])|(?<=[-_.])[A-Za-z]$")
"""What tells the workers of one cluster apart: worker-0, node-b; and not the 8 of k8s."""


class Group(Struct, frozen=True, kw_only=True):
    """Instances of one ``vpc`` that look like the workers of one lab, in their order.

    ``sign``: what makes them look so: ``name`` (it reads like a worker's), ``tag`` (one says worker),
    ``cidr`` (a tag says a pod CIDR) or ``node`` (the name reads like a node's); ``what`` they have in common:
    a pattern of names, or ``tag:KEY=VALUE``, as ``--workers`` takes it.
    """

    vpc: str
    sign: str
    what: str
    instances: tuple[Instance, ...]


def groups(there: Iterable[Tagged]) -> list[Group]:
    """Those that look like workers by the strongest sign that any instance has; several labs are several."""
    alive = [each for each in there if each.instance.state not in GONE]
    for sign, common in _SIGNS.items():
        found: dict[tuple[str, str], list[Instance]] = {}
        for each in alive:
            what = common(each)
            if what:
                found.setdefault((each.instance.vpc, what), []).append(each.instance)
        if found:
            return [
                Group(vpc=vpc, sign=sign, what=what, instances=tuple(sorted(each, key=by_name_and_address)))
                for (vpc, what), each in sorted(found.items())
            ]
    return []


def asked_for(meant: Sequence[Instance], there: Iterable[Tagged], what: str = "") -> tuple[str, ...]:
    """What ``--workers`` has to say so that these, and no others of the region, are the workers.

    Their names, where each is one's alone: those stay when a lab is built again. Else a tag that all of them
    have and nobody else (``what``, if it is one), else ids for those whose name is not enough.
    """
    alive = [each for each in there if each.instance.state not in GONE]
    bearing = [each.instance.name for each in alive]
    named = {each.id: each.name for each in meant if bearing.count(each.name) == 1 and _is_plain(each.name)}
    if len(named) == len(meant):
        return tuple(named.values())
    ids = {each.id for each in meant}
    names = {each.name for each in meant}
    for selector in (f"{NAME}={names.pop()}" if len(names) == 1 else "", what):
        if _meets_exactly(selector, alive, ids):
            return (selector,)
    return tuple(named.get(each.id) or _with_id(each) for each in meant)


def _meets_exactly(selector: str, alive: Iterable[Tagged], ids: set[str]) -> bool:
    if not selector.startswith("tag:"):
        return False
    try:
        (asked,) = asked_workers(selector)
    except (BadNames, ValueError):
        return False
    return not isinstance(asked, str) and ids == {
        each.instance.id for each in alive if asked.meets(each.facts)
    }


def _with_id(instance: Instance) -> str:
    named = f"{instance.name}@{instance.id}"
    return named if is_worker_name(instance.name) and not _is_plain(named) else instance.id


def _is_plain(name: str) -> bool:
    """Whether ``--workers`` takes it for a Name tag, as it is."""
    try:
        return asked_workers(name) == (name,)
    except BadNames:
        return False


def _pattern(instance: Instance) -> str:
    return _NUMBER.sub("*", instance.name)


def _by_name(word: str) -> Callable[[Tagged], str]:
    def common(each: Tagged) -> str:
        name = each.instance.name
        return _pattern(each.instance) if word in name.lower() and not _NO_WORKER.search(name) else ""

    return common


def _by_tag(each: Tagged) -> str:
    said = (
        (key, value)
        for key, value in sorted(each.tags.items())
        if key != "Name" and "worker" in value.lower() and not _NO_WORKER.search(value)
    )
    return next((f"tag:{key}={value}" for key, value in said), "")


def _by_cidr(each: Tagged) -> str:
    return _pattern(each.instance) or "*" if each.instance.pod_cidr_tags else ""


_SIGNS: Final[dict[str, Callable[[Tagged], str]]] = {
    "name": _by_name("work"),
    "tag": _by_tag,
    "cidr": _by_cidr,
    "node": _by_name("node"),
}
