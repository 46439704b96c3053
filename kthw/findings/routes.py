"""Does the VPC know the way: to every worker's pods, among the nodes, and to the internet?

Each judgement is made for one worker and one table by a function that ``path`` uses too; a check asks
it for every table that concerns the worker. Order is never compared: AWS promises none. Routes of
others (VPN, peering, NAT, IPv6) are no concern unless they divert pod traffic. What depends on a prefix list
that was not read is no finding: ``CouldNotLook``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kthw.errors import CouldNotLook
from kthw.findings.finding import Finding, once
from kthw.findings.pod_routes import blackhole, diverted, not_associated, way_to
from kthw.findings.stale_routes import leftovers
from kthw.findings.vpc_routes import default_route, local_routes
from kthw.findings.workers import ground, one_running_instance
from kthw.network.model import Network
from kthw.network.routing import Ruling
from kthw.observed.evidence import RouteTable


def route_to_worker(network: Network, worker: str) -> list[Finding]:
    """Every table that rules another worker's subnet leads the pod CIDR to this worker's instance."""
    rulings = network.rulings_towards(worker)
    return ground(network, worker) or _found(rulings, lambda each: way_to(network, each, worker))


def route_active(network: Network, worker: str) -> list[Finding]:
    """The route for the worker's pod CIDR is no blackhole, whatever it points at."""
    rulings = network.rulings_towards(worker)
    return ground(network, worker) or _found(rulings, lambda each: blackhole(network, each.meant, worker))


def route_undiverted(network: Network, worker: str) -> list[Finding]:
    """No more specific route takes a part of the worker's pod CIDR elsewhere."""
    rulings = network.rulings_towards(worker)
    return ground(network, worker) or _found(rulings, lambda each: diverted(network, each.meant, worker))


def _found(rulings: Iterable[Ruling], judge: Callable[[Ruling], list[Finding]]) -> list[Finding]:
    """What ``judge`` finds. Where it finds nothing and could not look at one, it raises ``CouldNotLook``."""
    found, unseen = [], None
    for ruling in rulings:
        try:
            found += judge(ruling)
        except CouldNotLook as problem:
            unseen = problem
    if unseen and not found:
        raise unseen
    return once(found)


def no_leftovers(network: Network, worker: str) -> list[Finding]:
    """No route in the pod range leads to an instance or ENI that is no intended worker's.

    A table's leftovers are told once, at the first intended worker whose subnet it rules.
    """
    told = [ruling.meant for ruling in network.rulings if ruling.workers[0] == worker]
    return once(finding for table in told for finding in leftovers(network, table, worker))


def local_routes_intact(network: Network, worker: str) -> list[Finding]:
    """In the table of the worker's subnet, every VPC CIDR is still ``local``.

    Told with the same subject by every worker whose subnet the table rules.
    """
    return _in_own_table(network, worker, local_routes)


def internet_route(network: Network, worker: str) -> list[Finding]:
    """The default route of the worker's subnet leads to the internet gateway attached to its VPC.

    Told with the same subject by every worker whose subnet the table rules.
    """
    return _in_own_table(network, worker, default_route)


def _in_own_table(
    network: Network, worker: str, judge: Callable[[Network, RouteTable, str, str], list[Finding]]
) -> list[Finding]:
    """What ``judge`` finds in the worker's effective table, or the cause of it.

    Where the subnet fell back to a main table that is wrong, and the table it was meant to have is
    right, the cause is that it was not associated.
    """
    ruling = network.ruling(worker)
    if ruling is None:
        return one_running_instance(network, worker)
    vpc = network.located[worker].vpc
    found = judge(network, ruling.effective, worker, vpc)
    return found and (judge(network, ruling.meant, worker, vpc) or not_associated(network, ruling))
