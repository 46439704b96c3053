"""Managed prefix lists: sets of ranges that a route or a security rule names instead of one.

A route that names a list is a route for each of its entries. Of routes for the same range AWS takes the one
that names the range itself before one by a list, and that before a propagated one; which of two lists it
takes it does not tell (VPC User Guide, *How route priority works*).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Final

from msgspec.structs import asdict, replace

from kthw.errors import CouldNotLook, LookError
from kthw.network import ranges
from kthw.observed.evidence import Inventory, PrefixList, Route, RouteTable

_CALL: Final = "GetManagedPrefixListEntries"


class ListedRoute(Route, frozen=True, kw_only=True):
    """What a route by the prefix list ``listed_in`` does with one of the list's entries."""

    listed_in: str


class PrefixLists:
    """The lists that were looked at, by id."""

    def __init__(self, seen: Iterable[PrefixList]) -> None:
        self._seen = {each.id: each for each in seen}
        self.entries: Mapping[str, tuple[IPv4Network, ...]] = {
            each.id: tuple(ranges.network(entry) for entry in each.entries)
            for each in self._seen.values()
            if each.unread is None
        }
        """Of those that were read."""

    def unread(self, prefix_list: str) -> CouldNotLook:
        """Why the entries of a list are not known."""
        seen = self._seen.get(prefix_list)
        untold = LookError(code="aws-refused", subject=prefix_list, detail=_CALL)
        return CouldNotLook((seen and seen.unread) or untold)

    def spread(self, table: RouteTable) -> RouteTable:
        """The table with a route for each entry in place of those by a list that was read."""
        return replace(table, routes=tuple(each for route in table.routes for each in self._spread(route)))

    def _spread(self, route: Route) -> Iterable[Route]:
        if route.prefix_list not in self.entries:
            return (route,)
        by_list = {**asdict(route), "foreign": False, "listed_in": route.prefix_list}
        return (ListedRoute(**{**by_list, "destination": str(e)}) for e in self.entries[route.prefix_list])


def with_lists_spread(inventory: Inventory, lists: PrefixLists) -> Inventory:
    """``inventory`` with its tables' routes by a list spread out."""
    return replace(inventory, route_tables=tuple(lists.spread(table) for table in inventory.route_tables))
