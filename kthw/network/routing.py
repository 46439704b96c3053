"""Route tables as a packet meets them: which table rules a subnet, which route takes an address."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Final

import msgspec

from kthw.network import ranges
from kthw.network.prefix_lists import ListedRoute
from kthw.observed.evidence import Inventory, Route, RouteTable

ACTIVE: Final = "active"
BLACKHOLE: Final = "blackhole"
"""The state of a route whose target cannot take packets; AWS's third one is ``filtered``."""
PROPAGATED: Final = "EnableVgwRoutePropagation"


def effective_table(inventory: Inventory, subnet_id: str) -> RouteTable | None:
    """The table that rules a subnet: its explicit association, else its VPC's main table.

    AWS does not list implicit associations. ``None`` when the subnet or its VPC's tables are unknown.
    """
    explicit = next((table for table in inventory.route_tables if subnet_id in table.subnets), None)
    if explicit:
        return explicit
    vpc = next((subnet.vpc for subnet in inventory.subnets if subnet.id == subnet_id), None)
    return next((table for table in inventory.route_tables if table.main and table.vpc == vpc), None)


def is_own(route: Route) -> bool:
    """Whether the table names the route's destination itself, so that it can be replaced and deleted.

    Beside a route that is propagated, or by a prefix list, one can be made that AWS prefers.
    """
    return _rank(route) == 0


def _rank(route: Route) -> int:
    """In which order AWS prefers routes for the same destination."""
    return 2 if route.origin == PROPAGATED else int(isinstance(route, ListedRoute))


class Lookup:
    """The IPv4 routes of one table, by longest prefix.

    ``unread``: its routes by a prefix list that was not read, which may be for any range.
    """

    def __init__(self, table: RouteTable) -> None:
        self.unread = tuple(route for route in table.routes if route.prefix_list)
        # Of several for one destination the one that AWS prefers is the last, and stays.
        routes = sorted((r for r in table.routes if not r.foreign), key=_rank, reverse=True)
        self._exact = {ranges.network(route.destination): route for route in routes}
        self._sorted = sorted(self._exact)
        self._starts = [int(network.network_address) for network in self._sorted]
        self._prefixes = sorted({network.prefixlen for network in self._exact} - {0}, reverse=True)

    def exactly(self, network: IPv4Network) -> Route | None:
        """The route whose destination is ``network``."""
        return self._exact.get(network)

    def around(self, network: IPv4Network) -> Route | None:
        """The most specific route that is wider than ``network``, the default route not counted."""
        for prefix in self._prefixes:
            if prefix < network.prefixlen:
                route = self._exact.get(network.supernet(new_prefix=prefix))
                if route:
                    return route
        return None

    def within(self, network: IPv4Network) -> list[Route]:
        """The routes for a part of ``network`` only, in order of address."""
        first = bisect.bisect_left(self._starts, int(network.network_address))
        last = bisect.bisect_right(self._starts, int(network.broadcast_address))
        return [self._exact[n] for n in self._sorted[first:last] if n.prefixlen > network.prefixlen]

    def taking(self, address: IPv4Address) -> Route | None:
        """The route that takes a packet for ``address``."""
        single = IPv4Network(address)
        return self.exactly(single) or self.around(single) or self._exact.get(ranges.network("0.0.0.0/0"))

    def carrying(self, network: IPv4Network, leads: Callable[[Route], bool]) -> list[Route]:
        """The routes that lead all of ``network`` where it should go: one for all of it, else narrower ones.

        ``leads``: whether a route leads there.
        """
        whole = self.for_all(network, leads)
        if whole:
            return [whole] if leads(whole) else []
        narrower = [route for route in self.within(network) if leads(route)]
        return narrower if self.covered(network, narrower) else []

    def for_all(self, network: IPv4Network, leads: Callable[[Route], bool]) -> Route | None:
        """The route for the whole of ``network``, or a wider one that leads where it should go."""
        wider = self.around(network)
        return self.exactly(network) or (wider if wider and leads(wider) else None)

    def covered(self, network: IPv4Network, routes: Iterable[Route]) -> bool:
        """Whether ``routes`` together take every address of ``network``."""
        destinations = [ranges.network(route.destination) for route in routes]
        return all(
            any(cell.subnet_of(destination) for destination in destinations)
            for cell in ranges.cells(network, destinations)
        )


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """One effective table and the intended workers it rules.

    ``meant`` is the table to judge: ``effective`` itself, unless the subnets fall back to a main table
    without a single pod route while another table of the VPC holds them. Then that one is meant, and
    ``unassociated`` are the subnets it was not associated with.
    """

    effective: RouteTable
    meant: RouteTable
    subnets: tuple[str, ...]
    workers: tuple[str, ...]

    @property
    def unassociated(self) -> tuple[str, ...]:
        """The subnets that ``meant`` should be associated with; empty when all is well."""
        return () if self.meant is self.effective else self.subnets


def rulings(
    inventory: Inventory, subnet_of: Mapping[str, str], pod_cidrs: Iterable[IPv4Network]
) -> tuple[Ruling, ...]:
    """The tables that rule the workers, in the order of the workers. ``subnet_of`` by worker name."""
    cidrs = set(pod_cidrs)
    workers: dict[str, list[str]] = {}
    for worker, subnet in subnet_of.items():
        workers.setdefault(subnet, []).append(worker)
    by_table: dict[str, tuple[RouteTable, list[str]]] = {}
    for subnet in workers:
        table = effective_table(inventory, subnet)
        if table:
            by_table.setdefault(table.id, (table, []))[1].append(subnet)
    found = []
    for table, subnets in by_table.values():
        meant = table
        implicit = tuple(subnet for subnet in subnets if subnet not in table.subnets)
        # By a list that was not read the table may have them.
        if not _pod_routes(table, cidrs) and not any(r.prefix_list for r in table.routes):
            others = [other for other in inventory.route_tables if other.vpc == table.vpc]
            meant = max(others, key=lambda other: _pod_routes(other, cidrs), default=table)
            meant = meant if _pod_routes(meant, cidrs) else table
        explicit = tuple(subnet for subnet in subnets if meant is table or subnet in table.subnets)
        for group, judged in ((explicit, table), (() if meant is table else implicit, meant)):
            names = tuple(name for subnet in group for name in workers[subnet])
            if group:
                found.append(Ruling(effective=table, meant=judged, subnets=group, workers=names))
    return tuple(found)


def _pod_routes(table: RouteTable, cidrs: set[IPv4Network]) -> int:
    return sum(1 for r in table.routes if not r.foreign and ranges.network(r.destination) in cidrs)
