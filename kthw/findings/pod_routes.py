"""Judging one route table for one worker: does it lead the worker's pod CIDR to the worker?"""

from __future__ import annotations

import re
import shlex
from typing import Final

from kthw.findings.finding import Finding
from kthw.network import ranges
from kthw.network.model import RUNNING, Cluster
from kthw.network.routing import ACTIVE, BLACKHOLE, PROPAGATED, Ruling
from kthw.observed.evidence import Instance, Route, RouteTable

_NUMBER: Final = re.compile(r"\d+")


def way_to(cluster: Cluster, ruling: Ruling, worker: str) -> list[Finding]:
    """Whether the table leads the worker's pod CIDR to it; a blackhole is told by ``blackhole``.

    A wider route that leads exactly to this worker carries the packets, and so do narrower ones that
    cover the whole CIDR: these are not the tutorial's routes, but nothing is wrong with them.
    """
    cidr, found = cluster.pod_cidrs[worker], not_associated(cluster, ruling)
    lookup = cluster.lookup(ruling.meant.id)
    exact = lookup.exactly(cidr)
    if exact:
        wrong = exact.state == ACTIVE and not cluster.goes_to(exact, worker)
        return [*found, _wrong_target(cluster, ruling.meant, worker, exact)] if wrong else found
    wider = lookup.around(cidr)
    if wider and wider.state == ACTIVE and cluster.goes_to(wider, worker):
        return found
    narrower = [r for r in lookup.within(cidr) if r.state == ACTIVE and cluster.goes_to(r, worker)]
    if narrower and lookup.covered(cidr, narrower):
        return found
    unused = _holding(cluster, ruling.meant, worker)
    if unused:
        return [*found, _in_unused_table(cluster, ruling, worker, *unused)]
    return [*found, _missing(cluster, ruling.meant, worker, wider, narrower)]


def blackhole(cluster: Cluster, table: RouteTable, worker: str) -> list[Finding]:
    """Whether the table's route for the worker's pod CIDR drops what it takes, or AWS passes it over."""
    route = cluster.lookup(table.id).exactly(cluster.pod_cidrs[worker])
    instance = cluster.instance(worker)
    if route is None or route.state == ACTIVE or instance is None:
        return []
    variant = ""
    if route.state != BLACKHOLE:
        variant = "filtered"
    elif cluster.goes_to(route, worker) and instance.state != RUNNING:
        variant = "stopping" if instance.state == "stopping" else "stopped"
    facts = {"state": instance.state, "route_state": route.state, "variant": variant}
    return [_misled("route-blackhole", cluster, table, worker, route, facts)]


def diverted(cluster: Cluster, table: RouteTable, worker: str) -> list[Finding]:
    """The routes for a part of the worker's pod CIDR that lead elsewhere, or nowhere."""
    cidr = cluster.pod_cidrs[worker]
    lookup = cluster.lookup(table.id)
    others = {other for name, other in cluster.pod_cidrs.items() if name != worker}
    return [
        _shadowed(cluster, table, worker, route)
        for route in lookup.within(cidr)
        if not (cluster.goes_to(route, worker) and route.state == ACTIVE)
        # A worker whose pod CIDR lies within this one: told as an overlap.
        and ranges.network(route.destination) not in others
    ]


def _shadowed(cluster: Cluster, table: RouteTable, worker: str, route: Route) -> Finding:
    return Finding(
        code="route-shadowed",
        subject=f"{cluster.noun(worker)} · {table.id} · {route.destination}",
        worker=worker,
        expected=_intended_route(cluster, worker),
        observed=cluster.route_noun(route),
        near_miss=_shown(cluster, cluster.lookup(table.id).exactly(cluster.pod_cidrs[worker])),
        facts={
            **_facts(cluster, table, worker),
            "destination": route.destination,
            "target": cluster.target_noun(route),
            "gateway": route.gateway,
            "variant": "propagated" if route.origin == PROPAGATED else "",
        },
    )


def not_associated(cluster: Cluster, ruling: Ruling) -> list[Finding]:
    """The subnets that fall back to the main table while the pod routes are in another."""
    found = []
    for subnet in ruling.unassociated:
        worker = next(w for w in ruling.workers if cluster.located[w].subnet == subnet)
        pods = [cidr for cidr in cluster.pod_cidrs.values() if cluster.lookup(ruling.meant.id).exactly(cidr)]
        found.append(
            Finding(
                code="subnet-not-associated",
                subject=subnet,
                worker=worker,
                expected=f"{subnet} → {ruling.meant.id}",
                observed=f"{subnet} → {ruling.effective.id} (main)",
                near_miss=f"{ruling.meant.id}: {', '.join(map(str, pods[:3]))}",
                facts={
                    "worker_noun": cluster.noun(worker),
                    "subnet": subnet,
                    "table": ruling.meant.id,
                    "main_table": ruling.effective.id,
                },
            )
        )
    return found


def _wrong_target(cluster: Cluster, table: RouteTable, worker: str, route: Route) -> Finding:
    verb = "create-route" if route.origin == PROPAGATED else "replace-route"
    return _misled("route-wrong-target", cluster, table, worker, route, {"verb": verb})


def _misled(
    code: str, cluster: Cluster, table: RouteTable, worker: str, route: Route, facts: dict[str, str]
) -> Finding:
    """The table has ``route`` for the worker's pod CIDR, and it does not lead there."""
    return Finding(
        code=code,
        subject=f"{cluster.noun(worker)} · {table.id}",
        worker=worker,
        expected=_intended_route(cluster, worker),
        observed=cluster.route_noun(route),
        near_miss=_nearest(cluster, table, worker),
        facts={**_facts(cluster, table, worker), "target": cluster.target_noun(route), **facts},
    )


def _in_unused_table(
    cluster: Cluster, ruling: Ruling, worker: str, unused: RouteTable, route: Route
) -> Finding:
    return Finding(
        code="route-in-unused-table",
        subject=f"{cluster.noun(worker)} · {ruling.meant.id}",
        worker=worker,
        expected=f"{ruling.meant.id}: {_intended_route(cluster, worker)}",
        observed="—",
        near_miss=f"{unused.id}: {cluster.route_noun(route)}",
        facts={
            **_facts(cluster, ruling.meant, worker),
            "unused_table": unused.id,
            "subnet": ", ".join(ruling.subnets),
        },
    )


def _missing(
    cluster: Cluster, table: RouteTable, worker: str, wider: Route | None, narrower: list[Route]
) -> Finding:
    near = _shown(cluster, wider) or ", ".join(cluster.route_noun(route) for route in narrower[:3])
    return Finding(
        code="route-missing",
        subject=f"{cluster.noun(worker)} · {table.id}",
        worker=worker,
        expected=_intended_route(cluster, worker),
        observed="—",
        near_miss=near or _nearest(cluster, table, worker),
        facts=_facts(cluster, table, worker),
    )


def _holding(cluster: Cluster, table: RouteTable, worker: str) -> tuple[RouteTable, Route] | None:
    """Another table of the VPC that has the worker's route, and right."""
    cidr = cluster.pod_cidrs[worker]
    held = [
        (other, route)
        for other in cluster.inventory.route_tables
        if other.vpc == table.vpc and other.id != table.id
        if (route := cluster.lookup(other.id).exactly(cidr))
    ]
    return next((pair for pair in held if cluster.goes_to(pair[1], worker)), None)


def _nearest(cluster: Cluster, table: RouteTable, worker: str) -> str:
    """A route of the table that leads to the worker, though not for its pod CIDR."""
    cidr = cluster.pod_cidrs[worker]
    mine = (route for route in table.routes if not route.foreign and cluster.goes_to(route, worker))
    return _shown(cluster, next((r for r in mine if ranges.network(r.destination) != cidr), None))


def _shown(cluster: Cluster, route: Route | None) -> str:
    return cluster.route_noun(route) if route else ""


def _intended_route(cluster: Cluster, worker: str) -> str:
    return f"{cluster.pod_cidrs[worker]} → {cluster.noun(worker)} {ACTIVE}"


def _facts(cluster: Cluster, table: RouteTable, worker: str) -> dict[str, str]:
    """``target_option`` is what ``create-route`` takes: AWS refuses an instance id where it has two ENIs."""
    instance = cluster.instance(worker)
    interface = instance.primary_interface if instance else None
    several = instance is not None and len(instance.network_interfaces) > 1
    option = ["--network-interface-id", interface.id] if interface and several else None
    return {
        "worker_noun": cluster.noun(worker),
        "instance": instance.id if instance else "",
        "table": table.id,
        "pod_cidr": str(cluster.pod_cidrs[worker]),
        "target_option": shlex.join(option or ["--instance-id", instance.id if instance else ""]),
    }


def leftovers(cluster: Cluster, table: RouteTable, worker: str) -> list[Finding]:
    """Routes in the pod range, for no worker's pod CIDR, to an instance or ENI that is no worker's."""
    known = set(cluster.pod_cidrs.values())
    instance = cluster.located[worker]
    beside = cluster.vpc_cidrs(instance.vpc)
    found = []
    for route in table.routes:
        if route.foreign or not (route.instance or route.network_interface):
            continue
        destination = ranges.network(route.destination)
        if not any(destination.subnet_of(whole) for whole in cluster.pod_ranges):
            continue
        judged_elsewhere = any(destination.subnet_of(cidr) for cidr in (*known, *beside))
        if judged_elsewhere or cluster.leads_to_a_worker(route):
            continue
        target = cluster.target_instance(route)
        found.append(
            Finding(
                code="route-stale",
                subject=f"{table.id} · {route.destination}",
                worker=worker,
                expected="—",
                observed=cluster.route_noun(route),
                facts={
                    "table": table.id,
                    "destination": route.destination,
                    "target": cluster.target_noun(route),
                    "name": target.name if target else "",
                    "workers": ",".join([*cluster.workers, target.name if target else ""]),
                    "variant": _leftover(cluster, route, target),
                },
            )
        )
    return found


def _leftover(cluster: Cluster, route: Route, target: Instance | None) -> str:
    """``gone``: nothing takes the packets; ``sibling``: a machine that is named as the workers are."""
    if route.state == BLACKHOLE:
        return "gone"
    style = {_NUMBER.sub("0", worker) for worker in cluster.workers}
    return "sibling" if target and _NUMBER.sub("0", target.name) in style else ""
