"""Whose verdict a garbled resource costs, and no more: one worker's, every worker's, or nobody's.

Each error carries its ``kind``: what was not read. ``kthw.findings.unread`` has the checks that need it.
What no worker depends on is left out and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.intended.cluster import Intended
from kthw.observed import unfit
from kthw.observed.aws import wire
from kthw.observed.evidence import Instance, Inventory
from kthw.observed.namesakes import GONE, Roll, candidates
from kthw.observed.unfit import Unfit
from kthw.observed.values import Name

NAMELESS: Final = "nameless"
"""The kind of an instance that may be any worker's, because its name cannot be read."""
EVERYBODY: Final = ("",)
_NOBODY: Final = ()
_MOST_TOLD: Final = 10
"""Garbled resources of one kind that are told: the eleventh says nothing new."""
_Bearers = Mapping[str, Sequence[Instance]]


def by_instances(
    garbled: Iterable[Unfit], intended: Intended, vpcs: Iterable[str], facts: Mapping[str, str]
) -> list[LookError]:
    """The errors about instances: of the worker that it is, or of all where its name is garbled too.

    One of another name is no worker's, nor is one that is gone, or nameless and in no VPC of the workers.
    """
    errors: dict[tuple[str, str], LookError] = {}
    roll = Roll(intended)
    for each in garbled:
        seen = each.answer if isinstance(each.answer, Mapping) else {}
        state, vpc, name = _state(seen), unfit.identifier(seen.get("VpcId")), _name(seen)
        worker = roll.worker(each.id, name or "")
        maybe = name is None and roll.calls_by_name and not (vpc and vpc not in vpcs)
        if state in GONE or not (worker or maybe):
            continue
        kind = "instance" if worker else NAMELESS
        about = f"{worker} ({each.id})" if worker and each.id else worker or each.id or each.kind
        told = replace(error(replace(each, kind=kind), facts), subject=about, worker=worker)
        errors.setdefault((worker, each.id), told)
    return _some(errors.values())


def by_network(
    inventory: Inventory, intended: Intended, unread: Mapping[str, Sequence[LookError]]
) -> list[LookError]:
    """The errors of the other kinds, each once for every worker that it concerns.

    ``unread``: by kind, errors about the resources, or about all of that kind, without a worker.
    """
    bearers = candidates(inventory.instances, intended)
    found = []
    for kind, errors in unread.items():
        for each in _some(errors):
            found += [
                replace(each, worker=worker) for worker in _CONCERNED[kind](inventory, bearers, each.resource)
            ]
    return found


def prefix_lists(inventory: Inventory, intended: Intended) -> list[str]:
    """The lists named by what concerns a worker: a route of the VPCs, or a rule of its security groups."""
    bearers = [each for found in candidates(inventory.instances, intended).values() for each in found]
    worn = {group for each in bearers for eni in each.network_interfaces for group in eni.security_groups}
    groups = [group for group in inventory.security_groups if group.id in worn]
    rules = [rule for group in groups for rule in (*group.ingress, *group.egress)]
    routes = [route for table in inventory.route_tables for route in table.routes]
    named = {each for rule in rules for each in rule.prefix_lists} | {route.prefix_list for route in routes}
    return sorted(named - {""})


def error(garbled: Unfit, facts: Mapping[str, str]) -> LookError:
    """``garbled`` as an error about nobody yet."""
    return LookError(
        code="aws-unreadable",
        subject=garbled.id or garbled.kind,
        detail=garbled.detail,
        kind=garbled.kind,
        resource=garbled.id,
        facts=dict(facts),
    )


def _some(errors: Iterable[LookError]) -> list[LookError]:
    """As many as are worth telling, of each worker at least one."""
    told: list[LookError] = []
    workers: set[str] = set()
    for each in errors:
        if len(told) < _MOST_TOLD or each.worker not in workers:
            told.append(each)
            workers.add(each.worker)
    return told


def _by_vpc(inventory: Inventory, bearers: _Bearers, which: str) -> Sequence[str]:
    seen = {vpc.id for vpc in inventory.vpcs} | {""}
    return _lacking(bearers, lambda each: {each.vpc} - seen, which)


def _by_subnet(inventory: Inventory, bearers: _Bearers, which: str) -> Sequence[str]:
    """Which main table rules a subnet is known by the subnet's VPC; where it has its own, nothing lacks."""
    seen = {subnet.id for subnet in inventory.subnets} | _explicit(inventory) | {""}
    return EVERYBODY if _lacking(bearers, lambda each: {each.subnet} - seen, which) else _NOBODY


def _by_route_table(inventory: Inventory, bearers: _Bearers, _which: str) -> Sequence[str]:
    """A subnet has one table at most of its own: where all of the workers' have, no other can rule one."""
    explicit = _explicit(inventory) | {""}
    return EVERYBODY if _lacking(bearers, lambda each: {each.subnet} - explicit) else _NOBODY


def _by_internet_gateway(inventory: Inventory, bearers: _Bearers, _which: str) -> Sequence[str]:
    """A VPC has one gateway at most: where the workers' have theirs, another can be in none of them."""
    attached = {vpc for gateway in inventory.internet_gateways for vpc in gateway.vpcs} | {""}
    return EVERYBODY if _lacking(bearers, lambda each: {each.vpc} - attached) else _NOBODY


def _by_security_group(inventory: Inventory, bearers: _Bearers, which: str) -> Sequence[str]:
    seen = {group.id for group in inventory.security_groups}
    return _lacking(
        bearers,
        lambda each: {g for eni in each.network_interfaces for g in eni.security_groups} - seen,
        which,
    )


def _by_network_acl(inventory: Inventory, bearers: _Bearers, _which: str) -> Sequence[str]:
    seen = {subnet for acl in inventory.network_acls for subnet in acl.subnets} | {""}
    return _lacking(bearers, lambda each: {each.subnet} - seen)


_CONCERNED: Final[Mapping[str, Callable[[Inventory, _Bearers, str], Sequence[str]]]] = {
    "vpc": _by_vpc,
    "subnet": _by_subnet,
    "route-table": _by_route_table,
    "internet-gateway": _by_internet_gateway,
    "security-group": _by_security_group,
    "network-acl": _by_network_acl,
}


def _lacking(bearers: _Bearers, unseen: Callable[[Instance], set[str]], which: str = "") -> list[str]:
    """The workers that may be an instance of which something was ``unseen``: that one, where it is known."""
    return [
        worker
        for worker, found in bearers.items()
        if any(which in lacking if which else lacking for lacking in map(unseen, found))
    ]


def _explicit(inventory: Inventory) -> set[str]:
    return {subnet for table in inventory.route_tables for subnet in table.subnets}


def _state(seen: Mapping[str, object]) -> str:
    state = seen.get("State")
    return str(state.get("Name")) if isinstance(state, Mapping) else ""


def _name(seen: Mapping[str, object]) -> str | None:
    """The Name tag; empty where there is none, ``None`` where that cannot be known."""
    tags = seen.get("Tags", [])
    if not seen or not isinstance(tags, list):
        return None
    read = [
        (tag.get("Key"), tag.get("Value", "")) if isinstance(tag, Mapping) else (None, None) for tag in tags
    ]
    named = [value for key, value in read if key == wire.NAME_TAG]
    if not named:
        return "" if all(isinstance(key, str) for key, _ in read) else None
    try:
        return msgspec.convert(named[0], Name)
    except msgspec.ValidationError:
        return None
