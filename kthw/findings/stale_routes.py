"""Routes in the pods' range that lead to no worker: left over from another attempt, or somebody's worker."""

from __future__ import annotations

import re
from typing import Final

from kthw.findings.aws_changes import RouteGone
from kthw.findings.finding import Finding
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.nouns import name_tag
from kthw.network.routing import BLACKHOLE, is_own
from kthw.observed.evidence import Instance, Route, RouteTable

_NUMBER: Final = re.compile(r"\d+")


def leftovers(network: Network, table: RouteTable, worker: str) -> list[Finding]:
    """Routes in the pod range, for no worker's pod CIDR, to an instance or ENI that is no worker's.

    A prefix list's entries are for whoever else uses the list, too: it keeps nobody from making a route.
    """
    instance = network.located[worker]
    beside = network.vpc_cidrs(instance.vpc)
    found = []
    for route in table.routes:
        if route.foreign or not is_own(route) or not (route.instance or route.network_interface):
            continue
        destination = ranges.network(route.destination)
        if not any(destination.subnet_of(whole) for whole in network.pod_ranges):
            continue
        of_a_pod = any(True for _ in network.pods.owners.holding(destination))
        if (
            of_a_pod
            or any(destination.subnet_of(cidr) for cidr in beside)
            or network.leads_to_a_worker(route)
        ):
            continue
        target = network.target_instance(route)
        variant = _leftover(network, route, target)
        gone = RouteGone(table=table.id, destination=route.destination)
        found.append(
            Finding(
                code="route-stale",
                subject=f"{table.id} · {route.destination}",
                worker=worker,
                expected="—",
                observed=network.route_noun(route),
                table=table.id,
                destination=route.destination,
                variant=variant,
                changes=() if variant == "sibling" else (gone,),
                facts={
                    "target": network.target_noun(route),
                    "name": target.name if target else "",
                    "workers": ",".join([*network.workers, _asked_as(network, target)]),
                },
            )
        )
    return found


def _asked_as(network: Network, target: Instance | None) -> str:
    """What ``--workers`` finds it by; several may bear its name."""
    if target is None:
        return ""
    shared = any(name_tag(network.instance(each), each) == target.name for each in network.workers)
    return f"{target.name}@{target.address or target.id}" if shared else target.name


def _leftover(network: Network, route: Route, target: Instance | None) -> str:
    """``gone``: nothing takes the packets; ``sibling``: a machine that is named as the workers are."""
    if route.state == BLACKHOLE:
        return "gone"
    style = {_NUMBER.sub("0", name_tag(network.instance(each), each)) for each in network.workers}
    return "sibling" if target and _NUMBER.sub("0", target.name) in style else ""
