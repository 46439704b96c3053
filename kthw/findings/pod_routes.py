"""Judging one route table for one worker: does it lead the worker's pod CIDR to the worker?"""

from __future__ import annotations

import shlex

from kthw.findings.aws_changes import Associated, PropagationOff, RouteGone, RouteMade
from kthw.findings.finding import Finding
from kthw.findings.fix import Change
from kthw.network import ranges
from kthw.network.model import RUNNING, Network
from kthw.network.prefix_lists import ListedRoute
from kthw.network.routing import ACTIVE, BLACKHOLE, PROPAGATED, Ruling, is_own
from kthw.observed.evidence import Instance, Route, RouteTable


def way_to(network: Network, ruling: Ruling, worker: str) -> list[Finding]:
    """Whether the table leads the worker's pod CIDR to it; a blackhole is told by ``blackhole``.

    A wider route that leads exactly to this worker carries the packets, and so do narrower ones that
    cover the whole CIDR: these are not the tutorial's routes, but nothing is wrong with them. Raises
    ``CouldNotLook`` where it is for a prefix list to say that was not read.
    """
    cidr, found = network.pod_cidrs[worker], not_associated(network, ruling)
    lookup = network.lookup(ruling.meant.id)
    exact = lookup.exactly(cidr)
    if exact is None or not is_own(exact):
        _refuse_to_guess(network, ruling.meant, worker)
    if exact:
        wrong = exact.state == ACTIVE and not network.goes_to(exact, worker)
        return [*found, _wrong_target(network, ruling.meant, worker, exact)] if wrong else found
    if carrying(network, ruling.meant, worker):
        return found
    unused = _holding(network, worker)
    if unused:
        return [*found, _in_unused_table(network, ruling, worker, *unused)]
    return [*found, _missing(network, ruling.meant, worker)]


def carrying(network: Network, table: RouteTable, worker: str) -> list[Route]:
    """The routes that lead the worker's whole pod CIDR to it: one for all of it, else narrower ones."""
    lookup = network.lookup(table.id)
    return lookup.carrying(network.pod_cidrs[worker], lambda route: _leads(network, route, worker))


def may_lead(network: Network, table: RouteTable, worker: str) -> list[Route]:
    """The routes to the worker by a prefix list that was not read."""
    return [route for route in network.lookup(table.id).unread if _leads(network, route, worker)]


def _refuse_to_guess(network: Network, table: RouteTable, worker: str) -> None:
    """Where the table does not name the pod CIDR, a list that was not read may: to the worker or not."""
    cidr, lookup = network.pod_cidrs[worker], network.lookup(table.id)
    doubtful = may_lead(network, table, worker)
    if carrying(network, table, worker):
        whole = lookup.for_all(cidr, lambda route: _leads(network, route, worker))
        # Narrower routes that carry all of it decide; what is narrower still is for ``diverted`` to tell.
        doubtful = [route for route in lookup.unread if route not in doubtful] if whole else []
    for route in doubtful:
        raise network.prefix_lists.unread(route.prefix_list)


def _leads(network: Network, route: Route, worker: str) -> bool:
    return route.state == ACTIVE and network.goes_to(route, worker)


def blackhole(network: Network, table: RouteTable, worker: str) -> list[Finding]:
    """Whether the table's route for the worker's pod CIDR drops what it takes, or AWS passes it over.

    Raises ``CouldNotLook`` where a prefix list that was not read may do so, or may not.
    """
    lookup, (instance,) = network.lookup(table.id), network.meant[worker]
    route = lookup.exactly(network.pod_cidrs[worker])
    idle = route if route and route.state != ACTIVE else None
    if route is None or not is_own(route):
        for unread in lookup.unread:
            if (unread.state == ACTIVE) is (idle is not None):
                raise network.prefix_lists.unread(unread.prefix_list)
    if idle is None:
        return []
    variant = ""
    if idle.state != BLACKHOLE:
        variant = "filtered"
    elif network.goes_to(idle, worker) and instance.state != RUNNING:
        variant = "stopping" if instance.state == "stopping" else "stopped"
    facts = {"state": instance.state, "route_state": idle.state}
    return [_misled("route-blackhole", network, table, worker, idle, variant, **facts)]


def diverted(network: Network, table: RouteTable, worker: str) -> list[Finding]:
    """The routes for a part of the worker's pod CIDR that lead elsewhere, or nowhere.

    Raises ``CouldNotLook`` where none was seen, and a prefix list that was not read may be one.
    """
    cidr = network.pod_cidrs[worker]
    lookup = network.lookup(table.id)
    found = [
        _shadowed(network, table, worker, route)
        for route in lookup.within(cidr)
        if not _leads(network, route, worker)
        # A worker whose pod CIDR lies within this one: told as an overlap.
        and not any(o != worker for o in network.pods.owners.of(ranges.network(route.destination)))
    ]
    for route in lookup.unread:
        if not found and not _leads(network, route, worker):
            raise network.prefix_lists.unread(route.prefix_list)
    return found


def _shadowed(network: Network, table: RouteTable, worker: str, route: Route) -> Finding:
    lookup, cidr = network.lookup(table.id), network.pod_cidrs[worker]
    whole = lookup.for_all(cidr, lambda each: _leads(network, each, worker))
    beside = "" if whole and _leads(network, whole, worker) else "alone"
    how = "propagated" if route.origin == PROPAGATED else "" if is_own(route) else "listed"
    change: Change = RouteGone(table=table.id, destination=route.destination)
    if how:
        propagated = PropagationOff(table=table.id, gateway=route.gateway)
        change = propagated if how == "propagated" else _led(network, table, worker, route.destination)
    return Finding(
        code="route-shadowed",
        subject=f"{network.noun(worker)} · {table.id} · {route.destination}",
        worker=worker,
        expected=_intended_route(network, worker),
        observed=network.route_noun(route),
        near_miss=_shown(network, lookup.exactly(cidr)),
        table=table.id,
        destination=route.destination,
        variant="-".join(filter(None, (how, beside))),
        changes=(change,),
        facts={
            **_facts(network, worker),
            "target": network.target_noun(route),
            "gateway": route.gateway,
            "prefix_list": _listed_in(route),
        },
    )


def not_associated(network: Network, ruling: Ruling) -> list[Finding]:
    """The subnets that fall back to the main table while the pod routes are in another."""
    return network.remember(("not associated", ruling.subnets), lambda: _not_associated(network, ruling))


def _not_associated(network: Network, ruling: Ruling) -> list[Finding]:
    found = []
    for subnet in ruling.unassociated:
        worker = next(w for w in ruling.workers if network.located[w].subnet == subnet)
        pods = [cidr for cidr in network.pod_cidrs.values() if network.lookup(ruling.meant.id).exactly(cidr)]
        found.append(
            Finding(
                code="subnet-not-associated",
                subject=subnet,
                worker=worker,
                expected=f"{subnet} → {ruling.meant.id}",
                observed=f"{subnet} → {ruling.effective.id} (main)",
                near_miss=f"{ruling.meant.id}: {', '.join(map(str, pods[:3]))}",
                table=ruling.meant.id,
                changes=(Associated(table=ruling.meant.id, subnet=subnet),),
                facts={
                    "worker_noun": network.noun(worker),
                    "subnet": subnet,
                    "main_table": ruling.effective.id,
                },
            )
        )
    return found


def _wrong_target(network: Network, table: RouteTable, worker: str, route: Route) -> Finding:
    variant = "listed" if _listed_in(route) else ""
    return _misled("route-wrong-target", network, table, worker, route, variant)


def _misled(
    code: str, network: Network, table: RouteTable, worker: str, route: Route, variant: str, **facts: str
) -> Finding:
    """The table has ``route`` for the worker's pod CIDR, and it does not lead there.

    One to a machine that is to be started is right: what its pods are then, nobody has seen.
    """
    return Finding(
        code=code,
        subject=f"{network.noun(worker)} · {table.id}",
        worker=worker,
        expected=_intended_route(network, worker),
        observed=network.route_noun(route),
        near_miss=_nearest(network, table, worker),
        table=table.id,
        destination=str(network.pod_cidrs[worker]),
        variant=variant,
        changes=() if variant in ("stopped", "stopping") else (_led(network, table, worker),),
        facts={
            **_facts(network, worker),
            "target": network.target_noun(route),
            "verb": "replace-route" if is_own(route) else "create-route",
            "prefix_list": _listed_in(route),
            **facts,
        },
    )


def _in_unused_table(
    network: Network, ruling: Ruling, worker: str, unused: RouteTable, route: Route
) -> Finding:
    return Finding(
        code="route-in-unused-table",
        subject=f"{network.noun(worker)} · {ruling.meant.id}",
        worker=worker,
        expected=f"{ruling.meant.id}: {_intended_route(network, worker)}",
        observed="—",
        near_miss=f"{unused.id}: {network.route_noun(route)}",
        table=ruling.meant.id,
        destination=str(network.pod_cidrs[worker]),
        changes=(_led(network, ruling.meant, worker),),
        facts={
            **_facts(network, worker),
            "unused_table": unused.id,
            "subnet": ", ".join(ruling.subnets),
        },
    )


def _missing(network: Network, table: RouteTable, worker: str) -> Finding:
    cidr, lookup = network.pod_cidrs[worker], network.lookup(table.id)
    wider = lookup.around(cidr)
    narrower = [route for route in lookup.within(cidr) if _leads(network, route, worker)]
    near = _shown(network, wider) or ", ".join(network.route_noun(route) for route in narrower[:3])
    return Finding(
        code="route-missing",
        subject=f"{network.noun(worker)} · {table.id}",
        worker=worker,
        expected=_intended_route(network, worker),
        observed="—",
        near_miss=near or _nearest(network, table, worker),
        table=table.id,
        destination=str(network.pod_cidrs[worker]),
        changes=(_led(network, table, worker),),
        facts=_facts(network, worker),
    )


def _holding(network: Network, worker: str) -> tuple[RouteTable, Route] | None:
    """Another table that has the worker's route, and right; that of another VPC cannot."""
    cidr = network.pod_cidrs[worker]
    held = ((other, network.lookup(other.id).exactly(cidr)) for other in network.inventory.route_tables)
    return next(((other, route) for other, route in held if route and network.goes_to(route, worker)), None)


def _nearest(network: Network, table: RouteTable, worker: str) -> str:
    """A route of the table that leads to the worker, though not for its pod CIDR."""
    cidr = network.pod_cidrs[worker]
    mine = network.routes_to(table, network.instance(worker))
    return _shown(network, next((r for r in mine if ranges.network(r.destination) != cidr), None))


def _shown(network: Network, route: Route | None) -> str:
    return network.route_noun(route) if route else ""


def _listed_in(route: Route) -> str:
    return route.listed_in if isinstance(route, ListedRoute) else ""


def _intended_route(network: Network, worker: str) -> str:
    return f"{network.pod_cidrs[worker]} → {network.noun(worker)} {ACTIVE}"


def _facts(network: Network, worker: str) -> dict[str, str]:
    """``target_option`` is what ``create-route`` takes: AWS refuses an instance id where it has two ENIs."""
    (instance,) = network.meant[worker]
    interface = _named_by(instance)
    option = ["--network-interface-id", interface] if interface else ["--instance-id", instance.id]
    return {
        "worker_noun": network.noun(worker),
        "instance": instance.id,
        "pod_cidr": str(network.pod_cidrs[worker]),
        "target_option": shlex.join(option),
    }


def _named_by(instance: Instance) -> str:
    """The ENI that a route to it has to name; empty where its own id will do."""
    interface = instance.primary_interface
    return interface.id if interface and len(instance.network_interfaces) > 1 else ""


def _led(network: Network, table: RouteTable, worker: str, destination: str = "") -> RouteMade:
    """A route to it for its pod CIDR, or for a part."""
    (instance,) = network.meant[worker]
    interface = _named_by(instance)
    return RouteMade(
        table=table.id,
        destination=destination or str(network.pod_cidrs[worker]),
        instance="" if interface else instance.id,
        interface=interface,
    )
