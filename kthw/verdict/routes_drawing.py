"""A route table as it is drawn: its routes in a useful order, and the ones that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from kthw.findings.finding import Finding
from kthw.findings.pod_routes import carrying, may_lead
from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes, by_plugin
from kthw.observed.evidence import Route, RouteTable
from kthw.verdict.svg import box, element, text, titled

ROW: Final = 30
HEAD: Final = 66
"""From a table's upper edge to its first row: what it is, and below it its name and id."""
TABLE_WIDTH: Final = 420
_MOST_OTHERS: Final = 6
_MOST_PARTS: Final = 4
"""Rows for one worker whose pod CIDR is led to it in pieces; the next ones stand among the others."""
_WIDEST_NAME: Final = 52


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``leads_to`` is the worker at the other end, or empty. ``good``: as intended, or no concern of ours."""

    destination: str
    target: str
    state: str
    good: bool
    leads_to: str = ""


def rows_of(network: Network, table: RouteTable, findings: Sequence[Finding]) -> list[Row]:
    """The VPC's own routes, those to each worker (there or missing), then what else there is."""
    accused = {f.destination for f in findings if f.code.startswith(("route-", "local-", "internet-"))}
    asked = () if by_plugin(network) else network.workers
    workers = [worker for worker in asked if worker in network.pod_cidrs]
    pod_rows = [row for worker in workers for row in _pod_rows(network, table, worker)]
    shown = {row.destination for row in pod_rows}
    others = [route for route in table.routes if route.destination not in shown]
    others.sort(key=lambda route: (route.gateway != "local", route.destination != tutorial.EVERYWHERE))
    codes = {f.code for f in findings if f.table in (table.id, "")}
    own = [_other_row(network, route, accused, codes) for route in others]
    first = [row for row in own if row.target == "local" or row.destination == tutorial.EVERYWHERE]
    rest = [row for row in own if row not in first]
    rest.sort(key=lambda row: row.good)
    if not any(route.destination == tutorial.EVERYWHERE for route in table.routes):
        first.append(Row(destination=tutorial.EVERYWHERE, target="—", state="", good=False))
    return [*first, *pod_rows, *rest[:_MOST_OTHERS]]


def table_markup(say: Callable[..., str], table: RouteTable, rows: Sequence[Row], x: float, y: float) -> str:
    """The table as a box of rows."""
    main = f" · {say('report-main-table')}" if table.main else ""
    name = " ".join(filter(None, (table.name, table.id)))
    parts = [
        box(x, y, TABLE_WIDTH, height_of(rows), "table"),
        text(x + 14, y + 25, f"{say('report-route-table')}{main}", "strong"),
        titled(text(x + 14, y + 46, _shortened(name), "mono faint"), name),
    ]
    for n, row in enumerate(rows):
        parts.append(_row_markup(say, row, x, y + HEAD + ROW * n))
    return "".join(parts)


def height_of(rows: Sequence[Row]) -> float:
    """The height of the box of a table with these rows."""
    return HEAD + ROW * len(rows) + 4


def _shortened(name: str) -> str:
    """As much as fits beside its margins; a person may have given the table any name. The id is last."""
    return name if len(name) <= _WIDEST_NAME else f"…{name[1 - _WIDEST_NAME :]}"


def _row_markup(say: Callable[..., str], row: Row, x: float, y: float) -> str:
    state = "good" if row.good else "bad"
    said = row.state or say("report-missing")
    parts = [
        box(x + 6, y - 4, TABLE_WIDTH - 12, ROW - 4, f"route {state}", 5),
        text(x + 16, y + 14, "●" if row.good else "✗", "dot" if row.good else "cross"),
        text(x + 36, y + 14, row.destination, "mono"),
        text(x + 158, y + 14, f"→ {row.target}", "mono"),
        text(x + TABLE_WIDTH - 14, y + 14, said, "mono faint", text_anchor="end"),
    ]
    return titled(element("g", "".join(parts)), f"{row.destination} → {row.target} {said}")


def _pod_rows(network: Network, table: RouteTable, worker: str) -> list[Row]:
    """The routes that lead the pod CIDR to its worker, or the one that leads it astray, or a missing one.

    None where nobody asks, as the nodes' kernels do not, or where one by a prefix list that was not read,
    among the others, may be it.
    """
    cidr = network.pod_cidrs[worker]
    exact = network.lookup(table.id).exactly(cidr)
    carried = carrying(network, table, worker)[:_MOST_PARTS]
    if carried:
        return [_pod_row(network, route, good=True) for route in carried]
    by_nodes = by_node_routes(network)
    if exact:
        return [_pod_row(network, exact, good=by_nodes)]
    if by_nodes or _is_alone(network, table, worker) or may_lead(network, table, worker):
        return []
    return [Row(destination=str(cidr), target="—", state="", good=False)]


def _is_alone(network: Network, table: RouteTable, worker: str) -> bool:
    """Whether the table rules this worker only, of several: nobody's packets ask it for the way there."""
    ruled = [each for ruling in network.rulings if ruling.effective is table for each in ruling.workers]
    return ruled == [worker] and len(network.rulings) > 1


def _pod_row(network: Network, route: Route, *, good: bool) -> Row:
    target = network.target_instance(route)
    to = network.worker_of(target) if target else ""
    return Row(destination=route.destination, target=route.target, state=route.state, good=good, leads_to=to)


def _other_row(network: Network, route: Route, accused: set[str], codes: set[str]) -> Row:
    wrong = route.destination in accused
    if route.destination == tutorial.EVERYWHERE:
        wrong = any(code.startswith("internet-route") for code in codes)
    target = network.target_instance(route)
    to = network.worker_of(target) if target and wrong else ""
    return Row(
        destination=route.destination, target=route.target, state=route.state, good=not wrong, leads_to=to
    )
