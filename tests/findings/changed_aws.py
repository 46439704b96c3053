"""Ways to change one thing in what AWS answers about a cluster."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import (
    AclEntry,
    Evidence,
    Instance,
    Inventory,
    NetworkAcl,
    Route,
    RouteTable,
    Subnet,
    UserData,
)
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import (
    ACL_2,
    GROUP,
    OK,
    OPEN_ACL,
    SUBNET,
    SUBNET_2,
    TABLE,
    TABLE_2,
    VPC,
    by_default,
    healthy,
)


def inventory_of(evidence: Evidence) -> Inventory:
    assert evidence.inventory is not None
    return evidence.inventory


def with_inventory(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, inventory=replace(inventory_of(evidence), **changes))


def with_instance(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    found = inventory_of(evidence).instances
    return with_inventory(
        evidence, instances=tuple(replace(i, **changes) if i.name == worker else i for i in found)
    )


def with_more_instances(evidence: Evidence, *more: Instance) -> Evidence:
    return with_inventory(evidence, instances=(*inventory_of(evidence).instances, *more))


def without_instance(evidence: Evidence, worker: str) -> Evidence:
    left = tuple(i for i in inventory_of(evidence).instances if i.name != worker)
    return with_inventory(evidence, instances=left)


def with_interface(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    """Change the worker's primary ENI."""
    found = next(i for i in inventory_of(evidence).instances if i.name == worker)
    first, *others = found.network_interfaces
    return with_instance(evidence, worker, network_interfaces=(replace(first, **changes), *others))


def with_second_interface(evidence: Evidence, n: int, **changes: Any) -> Evidence:
    """Give worker number ``n`` an ``eni-1n`` in the same subnet, source/dest check off."""
    worker = evidence.intended.workers[n]
    found = next(i for i in inventory_of(evidence).instances if i.name == worker)
    second = replace(
        found.network_interfaces[0],
        id=f"eni-1{n}",
        addresses=(f"10.0.1.{120 + n}",),
        device_index=1,
        **changes,
    )
    return with_instance(evidence, worker, network_interfaces=(*found.network_interfaces, second))


def with_user_data(evidence: Evidence, worker: str, text: str = "", **pairs: str) -> Evidence:
    named = {key.replace("_", "-"): value for key, value in pairs.items()}
    return with_instance(evidence, worker, user_data=UserData(pairs=named, text=text))


def with_table(evidence: Evidence, table: str = TABLE, **changes: Any) -> Evidence:
    found = inventory_of(evidence).route_tables
    return with_inventory(
        evidence, route_tables=tuple(replace(t, **changes) if t.id == table else t for t in found)
    )


def with_more_tables(evidence: Evidence, *more: RouteTable) -> Evidence:
    return with_inventory(evidence, route_tables=(*inventory_of(evidence).route_tables, *more))


def table_of(evidence: Evidence, table: str = TABLE) -> RouteTable:
    return next(t for t in inventory_of(evidence).route_tables if t.id == table)


def with_route(evidence: Evidence, *more: Route, table: str = TABLE) -> Evidence:
    """Add routes, each instead of the one for the same destination."""
    taken = {new.destination for new in more}
    kept = [r for r in table_of(evidence, table).routes if r.destination not in taken]
    return with_table(evidence, table, routes=(*kept, *more))


def without_route(evidence: Evidence, *destinations: str, table: str = TABLE) -> Evidence:
    kept = tuple(r for r in table_of(evidence, table).routes if r.destination not in destinations)
    return with_table(evidence, table, routes=kept)


def with_group(evidence: Evidence, **changes: Any) -> Evidence:
    found = inventory_of(evidence).security_groups
    changed = tuple(replace(g, **changes) if g.id == GROUP else g for g in found)
    return with_inventory(evidence, security_groups=changed)


def in_two_subnets(evidence: Evidence, *, moved: str = "worker-2", table: str = TABLE_2) -> Evidence:
    """Move one worker to a subnet of its own, with its own ACL, and its own table of the same routes."""
    seen = inventory_of(evidence)
    address = "10.0.2.22"
    evidence = with_interface(evidence, moved, subnet=SUBNET_2, addresses=(address,))
    evidence = with_instance(evidence, moved, subnet=SUBNET_2, address=address)
    node_ = evidence.nodes[moved]
    card, *links = node_.links
    evidence = with_node(
        evidence,
        moved,
        links=(replace(card, addresses=(f"{address}/24",)), *links),
        ways=tuple(
            by_default(way.towards, way.address, "10.0.2.1") if way.towards != moved else way
            for way in node_.ways
        ),
    )
    second = Subnet(id=SUBNET_2, vpc=VPC, cidr="10.0.2.0/24")
    acl = NetworkAcl(id=ACL_2, vpc=VPC, subnets=(SUBNET_2,), entries=OPEN_ACL)
    evidence = with_inventory(
        evidence, subnets=(*seen.subnets, second), network_acls=(*seen.network_acls, acl)
    )
    if table == TABLE:
        return with_table(evidence, subnets=(SUBNET, SUBNET_2))
    copy = replace(table_of(evidence), id=table, subnets=(SUBNET_2,))
    return with_more_tables(evidence, copy)


def with_acl(evidence: Evidence, *entries: AclEntry, acl: str = ACL_2, only: bool = False) -> Evidence:
    """Add entries to an ACL; ``only``: instead of all that is there."""
    found = inventory_of(evidence).network_acls
    changed = tuple(
        replace(a, entries=(*(() if only else a.entries), *entries)) if a.id == acl else a for a in found
    )
    return with_inventory(evidence, network_acls=changed)


def both(one: Evidence, other: Evidence) -> Evidence:
    """What differs from the healthy three workers in ``one``, and in ``other``, at once."""
    usual = healthy()
    changed: dict[str, Any] = {}
    for field in Inventory.__struct_fields__:
        was, now = getattr(inventory_of(usual), field), getattr(inventory_of(other), field)
        if was == now:
            changed[field] = getattr(inventory_of(one), field)
        elif getattr(inventory_of(one), field) == was:
            changed[field] = now
        else:
            changed[field] = _merged(getattr(inventory_of(one), field), was, now)
    nodes_ = {w: n if n != usual.nodes[w] else one.nodes[w] for w, n in other.nodes.items()}
    return replace(one, inventory=Inventory(**changed), nodes=nodes_)


def _merged(one: tuple[Any, ...], was: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two changed lists of things with an id, where each thing was changed in one of them only."""
    before, second = {thing.id: thing for thing in was}, {thing.id: thing for thing in other}
    merged = [second[t.id] if t.id in second and t == before.get(t.id) else t for t in one]
    return (*merged, *(t for t in other if t.id not in {m.id for m in merged}))


def by_eni(*destinations: str) -> list[Route]:
    """Routes to the second ENI of worker-1."""
    return [Route(destination=each, network_interface="eni-11") for each in destinations]


TWO = in_two_subnets(OK)
