"""Kernel routes of one VPC: what its route tables mean to packets. Pure.

Each AWS route table is a kernel table, chosen by the mark the firewall puts on a packet for the ENI
it came from; the kernel's own longest-prefix match does the rest. ``local`` means "go on and look
among the VPC's ENIs" (``throw`` to the table of ENIs); what no route matches is dropped silently, as
AWS drops it. Unmarked packets, from the internet gateway, look among the ENIs at once.
What came in a frame for a peer bears the peer's mark (``sandbox.subnet``), whose table leads to that ENI.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.firewall import GATEWAY_LINK, link_name
from sandbox.state import Eni, Route, State

ENIS: Final = 1000
"""The kernel table with one /32 for each private address in the VPC."""
FIRST_TABLE: Final = 2000
LAST_TABLE: Final = 30000
"""One kernel table for each route table and each ENI, and a rule of the same number: from the first to below
the last."""
MARKS: Final = 0x7FFF_FFFF
"""The bits of a packet's mark that choose a table."""

Routes = dict[int, dict[str, str]]
"""Kernel table → destination → the rest of the ``ip route`` command."""


def routes(state: State, vpc: str, tables: dict[str, int], gateway: str) -> Routes:
    """The kernel routes of ``vpc``; ``tables``: kernel table of each route table's and ENI's id;
    ``gateway``: the address of the internet's end of the gateway link."""
    wanted: Routes = {ENIS: {"0.0.0.0/0": "blackhole"}}
    for eni in state.enis.values():
        if eni.vpc == vpc:
            for address in eni.addresses:
                wanted[ENIS][f"{address}/32"] = f"dev {link_name(eni.id)}"
            wanted[tables[eni.id]] = {"0.0.0.0/0": _towards(eni)}
    for table in state.route_tables.values():
        if table.vpc == vpc:
            its = {route.destination: _route(route, state, gateway) for route in table.routes}
            wanted[tables[table.id]] = {"0.0.0.0/0": "blackhole", **its}
    return wanted


def _route(route: Route, state: State, gateway: str) -> str:
    if route.kind == "local":
        return "throw"
    if route.kind == "igw" or (route.kind == "nat" and route.target in state.nat_gateways):
        return f"via {gateway} dev {GATEWAY_LINK}"
    if route.kind == "eni":
        return _towards(state.enis[route.target])
    return "blackhole"


def _towards(eni: Eni) -> str:
    return f"via {eni.addresses[0]} dev {link_name(eni.id)} onlink"


_TYPES: Final = {"6": "blackhole", "9": "throw"}
"""By the kernel's number for them (``RTN_BLACKHOLE``, ``RTN_THROW``)."""


def difference(before: Routes, after: Routes) -> tuple[list[str], list[str]]:
    """The ``ip`` commands that turn ``before`` into ``after``: (to remove first, to add last)."""
    remove, add = [], []
    for table in sorted(before.keys() | after.keys()):
        old, new = before.get(table, {}), after.get(table, {})
        for destination, how in old.items():
            if new.get(destination) != how:
                remove.append(_command("del", table, destination, how))
        for destination, how in new.items():
            if old.get(destination) != how:
                add.append(_command("add", table, destination, how))
    return remove, add


def common(before: Routes, after: Routes) -> Routes:
    """What is the same in both."""
    return {
        table: {to: how for to, how in routes.items() if after.get(table, {}).get(to) == how}
        for table, routes in before.items()
    }


def without_link(routes: Routes, link: str) -> Routes:
    """``routes`` but for those that lead out of the interface ``link``."""
    return {
        table: {to: how for to, how in its.items() if f" dev {link} " not in f" {how} "}
        for table, its in routes.items()
    }


def held(rows: Iterable[Mapping[str, Any]]) -> Routes:
    """The routes in our tables, from what ``ip -N -json route show table all`` answers."""
    found: Routes = {}
    for row in rows:
        table = str(row.get("table", ""))
        if not table.isdecimal() or not ENIS <= int(table) < LAST_TABLE:
            continue
        destination = "0.0.0.0/0" if row["dst"] == "default" else row["dst"]
        destination = destination if "/" in destination else f"{destination}/32"
        found.setdefault(int(table), {})[destination] = _TYPES.get(row.get("type", "")) or _how(row)
    return found


def _how(row: Mapping[str, Any]) -> str:
    via = f"via {row['gateway']} " if "gateway" in row else ""
    onlink = " onlink" if "onlink" in row.get("flags", ()) else ""
    return f"{via}dev {row['dev']}{onlink}"


def _command(action: str, table: int, destination: str, how: str) -> str:
    if how in _TYPES.values():
        return f"route {action} {how} {destination} table {table}"
    return f"route {action} {destination} {how} table {table}"
