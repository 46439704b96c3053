"""Kernel routes of one VPC: what its route tables mean to packets. Pure.

Each AWS route table is a kernel table, chosen by the mark the firewall puts on a packet for the ENI
it came from; the kernel's own longest-prefix match does the rest. ``local`` means "go on and look
among the VPC's ENIs" (``throw`` to the table of ENIs); what no route matches is dropped silently, as
AWS drops it. Unmarked packets, from the internet gateway, look among the ENIs at once.
"""

from __future__ import annotations

from typing import Final

from sandbox.firewall import GATEWAY_LINK, link_name
from sandbox.state import Eni, Route, State

ENIS: Final = 1000
"""The kernel table with one /32 for each private address in the VPC."""
FIRST_TABLE: Final = 2000

Routes = dict[int, dict[str, str]]
"""Kernel table → destination → the rest of the ``ip route`` command."""


def routes(state: State, vpc: str, tables: dict[str, int], gateway: str) -> Routes:
    """The kernel routes of ``vpc``; ``tables``: kernel table of each route table id;
    ``gateway``: the address of the internet's end of the gateway link."""
    wanted: Routes = {ENIS: {"0.0.0.0/0": "blackhole"}}
    for eni in state.enis.values():
        if eni.vpc == vpc:
            for address in eni.addresses:
                wanted[ENIS][f"{address}/32"] = f"dev {link_name(eni.id)}"
    for table in state.route_tables.values():
        if table.vpc == vpc:
            its = {route.destination: _route(route, state.enis, gateway) for route in table.routes}
            wanted[tables[table.id]] = {"0.0.0.0/0": "blackhole", **its}
    return wanted


def _route(route: Route, enis: dict[str, Eni], gateway: str) -> str:
    if route.kind == "local":
        return "throw"
    if route.kind == "igw":
        return f"via {gateway} dev {GATEWAY_LINK}"
    if route.kind == "eni":
        eni = enis[route.target]
        return f"via {eni.addresses[0]} dev {link_name(eni.id)} onlink"
    return "blackhole"


_TYPES: Final = ("throw", "blackhole")


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


def _command(action: str, table: int, destination: str, how: str) -> str:
    if how in _TYPES:
        return f"route {action} {how} {destination} table {table}"
    return f"route {action} {destination} {how} table {table}"
