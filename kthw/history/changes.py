"""What is otherwise in one recording than in an earlier one: routes, instances, rules, nodes; in words.

Only what both looked at is compared: what one of them could not read is no change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import zip_longest
from typing import Final, NamedTuple, TypeVar

from kthw.history.node_changes import node_changes
from kthw.history.noted import Change, change
from kthw.network.nouns import instance_noun
from kthw.observed.evidence import (
    AclEntry,
    Evidence,
    Instance,
    Inventory,
    NetworkInterface,
    Route,
    SecurityRule,
)

Key = TypeVar("Key", bound=Hashable)
Thing = TypeVar("Thing")
_PROTOCOLS: Final = {"-1": "all", "1": "icmp", "6": "tcp", "17": "udp"}


class Both(NamedTuple):
    """The two inventories, and who an id is, in the one and in the other."""

    was: Inventory
    now: Inventory

    def noun(self, inventory: Inventory, target: str) -> str:
        """An instance or a network interface with its name; of others the id."""
        for instance in inventory.instances:
            if instance.id == target:
                return instance_noun(instance)
            if any(eni.id == target for eni in instance.network_interfaces):
                return f"{target}, {instance_noun(instance)}"
        return target


def changes(was: Evidence, now: Evidence) -> list[Change]:
    """In the order of a packet's way: machines, routes, security, nodes."""
    found: list[Change] = []
    if was.inventory and now.inventory:
        both = Both(was.inventory, now.inventory)
        for part in (_instances, _interfaces, _tables, _routes, _gateways, _groups, _acls, _lists):
            found += part(both)
    return [*found, *node_changes(was, now)]


def _pairs(
    was: Iterable[Thing], now: Iterable[Thing], key: Callable[[Thing], Key]
) -> Iterator[tuple[Key, Thing | None, Thing | None]]:
    """What both have of one key, in the order of the earlier, then what is new."""
    before, after = {key(each): each for each in was}, {key(each): each for each in now}
    for each in {**before, **after}:
        yield each, before.get(each), after.get(each)


def _instances(both: Both) -> Iterator[Change]:
    gone: dict[str, list[Instance]] = {}
    new: dict[str, list[Instance]] = {}
    for _, was, now in _pairs(both.was.instances, both.now.instances, lambda each: each.id):
        if was and now:
            yield from _instance(was, now)
        elif was:
            gone.setdefault(was.name or was.id, []).append(was)
        elif now:
            new.setdefault(now.name or now.id, []).append(now)
    for name in {**gone, **new}:
        # Of several with one name each new one takes the place of one that is gone.
        for old, made in zip_longest(gone.get(name, ()), new.get(name, ())):
            if old and made:
                yield change("instance-replaced", worker=name, now=_about(made), was=_about(old))
            elif old:
                yield change("instance-gone", it=instance_noun(old))
            elif made:
                yield change("instance-new", it=instance_noun(made), state=made.state)


def _about(instance: Instance) -> str:
    return ", ".join(filter(None, (instance.id, instance.address)))


def _instance(was: Instance, now: Instance) -> Iterator[Change]:
    noun = instance_noun(now)
    if was.state != now.state:
        yield change("instance-state", it=noun, now=now.state, was=was.state)
    if was.name != now.name:
        yield change("instance-name", it=noun, was=was.name or "—")
    if was.address != now.address:
        yield change("instance-address", it=noun, now=now.address or "—", was=was.address or "—")
    if was.public_address != now.public_address:
        public = now.public_address or "—"
        yield change("instance-public", it=noun, now=public, was=was.public_address or "—")
    if was.subnet != now.subnet:
        yield change("instance-subnet", it=noun, now=now.subnet or "—", was=was.subnet or "—")


def _interfaces(both: Both) -> Iterator[Change]:
    def each(inventory: Inventory) -> Iterator[tuple[NetworkInterface, Instance]]:
        return ((eni, each) for each in inventory.instances for eni in each.network_interfaces)

    for _, was, now in _pairs(each(both.was), each(both.now), lambda pair: pair[0].id):
        if was is None or now is None:
            continue
        (old, _), (new, instance) = was, now
        noun = f"{new.id}, {instance_noun(instance)}"
        if old.source_dest_check != new.source_dest_check:
            yield change("check-on" if new.source_dest_check else "check-off", it=noun)
        if set(old.security_groups) != set(new.security_groups):
            yield change(
                "interface-groups", it=noun, now=_names(new.security_groups), was=_names(old.security_groups)
            )


def _names(ids: Iterable[str]) -> str:
    return ", ".join(sorted(ids)) or "—"


def _tables(both: Both) -> Iterator[Change]:
    for table, was, now in _pairs(both.was.route_tables, both.now.route_tables, lambda each: each.id):
        if was is None:
            yield change("table-new", table=table)
        elif now is None:
            yield change("table-gone", table=table)
    then, rules = _ruling(both.was), _ruling(both.now)
    for subnet in {**then, **rules}:
        if subnet in then and subnet in rules and then[subnet] != rules[subnet]:
            yield change("subnet-table", subnet=subnet, now=rules[subnet], was=then[subnet])


def _ruling(inventory: Inventory) -> dict[str, str]:
    """By subnet, the table that rules it."""
    explicit = {subnet: table.id for table in inventory.route_tables for subnet in table.subnets}
    main = {table.vpc: table.id for table in inventory.route_tables if table.main}
    return {each.id: explicit.get(each.id, main.get(each.vpc, "—")) for each in inventory.subnets}


def _routes(both: Both) -> Iterator[Change]:
    for table, was, now in _pairs(both.was.route_tables, both.now.route_tables, lambda each: each.id):
        if was is None and now is not None and all(route.target == "local" for route in now.routes):
            continue  # it was told that the table is new
        old, new = was.routes if was else (), now.routes if now else ()
        for destination, one, other in _pairs(old, new, lambda route: route.destination):
            yield from _route(both, table, destination, one, other)


def _route(
    both: Both, table: str, destination: str, was: Route | None, now: Route | None
) -> Iterator[Change]:
    before = both.noun(both.was, was.target) if was else ""
    leads = both.noun(both.now, now.target) if now else ""
    about = {"destination": destination, "table": table}
    if was is None:
        yield change("route-new", **about, now=leads)
    elif now is None:
        yield change("route-gone", **about, was=before)
    elif was.target != now.target:
        yield change("route-target", **about, now=leads, was=before)
    elif was.state != now.state:
        kind = "route-blackhole" if now.state == "blackhole" else "route-state"
        yield change(kind, **about, now=leads, state=now.state, was=was.state)


def _gateways(both: Both) -> Iterator[Change]:
    for gateway, was, now in _pairs(
        both.was.internet_gateways, both.now.internet_gateways, lambda each: each.id
    ):
        old, new = _names(was.vpcs if was else ()), _names(now.vpcs if now else ())
        if old != new:
            yield change("gateway", gateway=gateway, now=new, was=old)


def _groups(both: Both) -> Iterator[Change]:
    for group, was, now in _pairs(both.was.security_groups, both.now.security_groups, lambda each: each.id):
        if was is None or now is None:
            yield change("group-new" if now else "group-gone", group=group)
            continue
        for way, old, new in (("in", was.ingress, now.ingress), ("out", was.egress, now.egress)):
            before, after = set(_each_rule(old)), set(_each_rule(new))
            for rule in sorted(before - after):
                yield change(f"rule-{way}-gone", group=group, rule=rule)
            for rule in sorted(after - before):
                yield change(f"rule-{way}-new", group=group, rule=rule)


def _each_rule(rules: Iterable[SecurityRule]) -> Iterator[str]:
    """``tcp 22 · 0.0.0.0/0``: one for each range, group and list."""
    for rule in rules:
        for peer in (*rule.cidrs, *rule.groups, *rule.prefix_lists):
            yield f"{_packets(rule.protocol, rule.from_port, rule.to_port)} · {peer}"


def _packets(protocol: str, first: int, last: int) -> str:
    name = _PROTOCOLS.get(protocol, protocol)
    if name in ("all", "icmp") or first < 0 or (first, last) == (0, 65535):
        return name
    return f"{name} {first}" if first == last else f"{name} {first}-{last}"


def _acls(both: Both) -> Iterator[Change]:
    for acl, was, now in _pairs(both.was.network_acls, both.now.network_acls, lambda each: each.id):
        if was is None or now is None:
            yield change("acl-new" if now else "acl-gone", acl=acl)
            continue
        if set(was.subnets) != set(now.subnets):
            yield change("acl-subnets", acl=acl, now=_names(now.subnets), was=_names(was.subnets))
        for (egress, number), old, new in _pairs(
            was.entries, now.entries, lambda each: (each.egress, each.number)
        ):
            if old == new:
                continue
            about = {"acl": acl, "number": str(number)}
            way = "out" if egress else "in"
            if old is None or new is None:
                there = new or old
                kind = f"entry-{way}-{'new' if new else 'gone'}"
                yield change(kind, **about, rule=_entry(there) if there else "")
            else:
                yield change(f"entry-{way}", **about, now=_entry(new), was=_entry(old))


def _entry(entry: AclEntry) -> str:
    does = "allow" if entry.allow else "deny"
    return f"{does} {_packets(entry.protocol, entry.from_port, entry.to_port)} · {entry.cidr or '—'}"


def _lists(both: Both) -> Iterator[Change]:
    for listed, was, now in _pairs(both.was.prefix_lists, both.now.prefix_lists, lambda each: each.id):
        if was and now and not (was.unread or now.unread) and set(was.entries) != set(now.entries):
            new, gone = set(now.entries) - set(was.entries), set(was.entries) - set(now.entries)
            yield change("list", listed=listed, new=_names(new), gone=_names(gone))
