"""Judging one route table for the VPC's own traffic: among the nodes, and to the internet."""

from __future__ import annotations

from collections.abc import Set
from ipaddress import IPv4Address, IPv4Network

from kthw.findings.aws_changes import RouteGone, RouteMade
from kthw.findings.finding import Finding
from kthw.findings.fix import Change
from kthw.intended import tutorial
from kthw.network import ranges
from kthw.network.model import RUNNING, Network
from kthw.network.prefix_lists import ListedRoute
from kthw.network.routing import ACTIVE, BLACKHOLE, effective_table, is_own
from kthw.observed.evidence import InternetGateway, Route, RouteTable

_LOCAL = "local"
_EVERYWHERE = IPv4Network(tutorial.EVERYWHERE)


def local_routes(network: Network, table: RouteTable, worker: str, vpc: str) -> list[Finding]:
    """Whether every CIDR of the VPC, and every node in it, is reached by a ``local`` route."""
    return network.remember(
        ("local routes", table.id, vpc), lambda: _local_routes(network, table, worker, vpc)
    )


def _local_routes(network: Network, table: RouteTable, worker: str, vpc: str) -> list[Finding]:
    lookup = network.lookup(table.id)
    found: list[Finding] = []
    for cidr in network.vpc_cidrs(vpc):
        route = lookup.exactly(cidr)
        if route is None or not is_own(route):
            found.append(_altered(network, table, worker, cidr, None, "missing"))
        elif route.gateway != _LOCAL or route.state != ACTIVE:
            found.append(_altered(network, table, worker, cidr, route, ""))
        for narrower in lookup.within(cidr):
            if narrower.gateway != _LOCAL and _takes_a_node(network, narrower):
                found.append(_altered(network, table, worker, cidr, narrower, "narrower"))
    return found or _read(network, table)


def _read(network: Network, table: RouteTable) -> list[Finding]:
    """Nothing found. Raises ``CouldNotLook`` where the table has a prefix list that was not read."""
    for route in network.lookup(table.id).unread:
        raise network.prefix_lists.unread(route.prefix_list)
    return []


def _takes_a_node(network: Network, route: Route) -> bool:
    """Whether an intended worker's own address is within the route's destination."""
    destination = ranges.network(route.destination)
    addresses = (instance.address for instance in network.located.values() if instance.address)
    return any(IPv4Address(address) in destination for address in addresses)


def _altered(
    network: Network, table: RouteTable, worker: str, cidr: IPv4Network, route: Route | None, variant: str
) -> Finding:
    destination = route.destination if route else str(cidr)
    near = [r for r in table.routes if r.gateway == _LOCAL and not r.foreign]
    listed_in = route.listed_in if isinstance(route, ListedRoute) else ""
    changes: tuple[Change, ...] = ()
    if variant == "narrower":
        changes = (RouteGone(table=table.id, destination=listed_in or destination),)
    elif not variant:
        changes = (RouteMade(table=table.id, destination=destination),)
    return Finding(
        code="local-route-altered",
        subject=f"{table.id} · {destination}",
        worker=worker,
        expected=f"{cidr} → {_LOCAL} {ACTIVE}",
        observed=network.route_noun(route) if route else "—",
        near_miss=", ".join(network.route_noun(r) for r in near if r is not route),
        table=table.id,
        destination=destination,
        variant=f"{variant}-listed" if listed_in else variant,
        changes=changes,
        facts={
            "vpc": table.vpc,
            "vpc_cidr": str(cidr),
            "target": network.target_noun(route) if route else "—",
            "prefix_list": listed_in,
        },
    )


def default_route(network: Network, table: RouteTable, worker: str, vpc: str) -> list[Finding]:
    """Whether ``0.0.0.0/0`` leads to the internet gateway that is attached to the VPC.

    Of workers that have no public address nothing is asked but that it leads somewhere: a gateway
    translates public addresses only, so they are meant to go out by a NAT gateway, say, and are told so.
    """
    return network.remember(
        ("default route", table.id, vpc), lambda: _default_route(network, table, worker, vpc)
    )


def _default_route(network: Network, table: RouteTable, worker: str, vpc: str) -> list[Finding]:
    gateways = network.inventory.internet_gateways
    attached = next((gateway for gateway in gateways if vpc in gateway.vpcs), None)
    route = network.lookup(table.id).exactly(_EVERYWHERE)
    if route and route.state == ACTIVE and attached and route.gateway == attached.id:
        return []
    if route and route.state == ACTIVE and not network.is_public(table):
        return []
    code = "internet-route-wrong-target"
    if route is None or not is_own(route):
        _read(network, table)
    if route is None:
        code = "internet-route-missing"
    elif route.state != ACTIVE:
        code = "internet-route-blackhole"
    if _goes_out_by_nat(network, table, route):
        return [_by_nat(network, table, worker, code, route, attached)]
    to_attach = _to_attach(gateways, route)
    return [
        Finding(
            code=code,
            subject=f"{table.id} · {tutorial.EVERYWHERE}",
            worker=worker,
            expected=f"{tutorial.EVERYWHERE} → {attached.id if attached else 'igw-…'} {ACTIVE}",
            observed=network.route_noun(route) if route else "—",
            near_miss=_near_gateway(network, table, attached, to_attach),
            table=table.id,
            destination=tutorial.EVERYWHERE,
            variant=_gateway_variant(attached, to_attach, route),
            facts={
                "vpc": vpc,
                "gateway": attached.id if attached else to_attach,
                "target": network.target_noun(route) if route else "—",
                "route_state": route.state if route else "",
                "verb": "replace-route" if route and is_own(route) else "create-route",
            },
        )
    ]


def _goes_out_by_nat(network: Network, table: RouteTable, route: Route | None) -> bool:
    """Whether an internet gateway would be no way out: workers run behind the table, none with a public
    address. What is set aside, or was to lead to such a gateway, is told as that.
    """
    ruled = [worker for each in network.rulings if each.effective is table for worker in each.workers]
    seen = any(network.located[worker].state == RUNNING for worker in ruled)
    meant = route is None or (route.state == BLACKHOLE and not route.gateway.startswith("igw-"))
    return seen and meant and not network.is_public(table)


def _by_nat(
    network: Network,
    table: RouteTable,
    worker: str,
    code: str,
    route: Route | None,
    attached: InternetGateway | None,
) -> Finding:
    """The way out that is told: a NAT gateway that another table leads to, else one to look for or make."""
    near, front = network.remember(
        ("out by NAT", table.vpc), lambda: _out_by_nat(network, table.vpc, attached)
    )
    nat = near[1].other if near else ""
    return Finding(
        code=code,
        subject=f"{table.id} · {tutorial.EVERYWHERE}",
        worker=worker,
        expected=f"{tutorial.EVERYWHERE} → {nat or 'nat-…'} {ACTIVE}",
        observed=network.route_noun(route) if route else "—",
        near_miss=f"{near[0].id}: {network.route_noun(near[1])}" if near else "",
        table=table.id,
        destination=tutorial.EVERYWHERE,
        variant="nat" if nat else "new-nat" if front else "no-front",
        facts={
            "vpc": table.vpc,
            "nat": nat,
            "front": front,
            "target": network.target_noun(route) if route else "—",
            "verb": "replace-route" if route and is_own(route) else "create-route",
        },
    )


def _out_by_nat(
    network: Network, vpc: str, attached: InternetGateway | None
) -> tuple[tuple[RouteTable, Route] | None, str]:
    """The first table of the VPC that leads to a NAT gateway, with that route, and the first subnet that the
    internet gateway leads out of: where a NAT gateway may stand; empty for none.
    """
    others = [
        (other, network.lookup(other.id).exactly(_EVERYWHERE))
        for other in network.inventory.route_tables
        if other.vpc == vpc
    ]
    active = [(other, way) for other, way in others if way and way.state == ACTIVE]
    near = next(((other, way) for other, way in active if way.other.startswith("nat-")), None)
    out = {other.id for other, way in active if attached and way.gateway == attached.id}
    fronts = (each.id for each in network.inventory.subnets if _is_ruled_by(network, each.id, out))
    return near, next(fronts, "")


def _is_ruled_by(network: Network, subnet: str, tables: Set[str]) -> bool:
    table = effective_table(network.inventory, subnet)
    return table is not None and table.id in tables


def _to_attach(gateways: tuple[InternetGateway, ...], route: Route | None) -> str:
    """The internet gateway that is attached to nothing: the route's own, else any."""
    free = [gateway.id for gateway in gateways if not gateway.vpcs]
    wanted = [gateway for gateway in free if route and gateway == route.gateway]
    return next(iter([*wanted, *free]), "")


def _gateway_variant(attached: InternetGateway | None, to_attach: str, route: Route | None) -> str:
    if attached:
        return "filtered" if route and route.state not in (ACTIVE, BLACKHOLE) else ""
    if not to_attach:
        return "no-gateway"
    return "attach-only" if route and route.gateway == to_attach else "attach"


def _near_gateway(
    network: Network, table: RouteTable, attached: InternetGateway | None, to_attach: str
) -> str:
    elsewhere = [
        f"{other.id}: {network.route_noun(route)}"
        for other in network.inventory.route_tables
        if attached and other.id != table.id
        for route in other.routes
        if route.gateway == attached.id and route.destination == tutorial.EVERYWHERE
    ]
    partial = [network.route_noun(r) for r in table.routes if r.gateway.startswith("igw-") and not r.foreign]
    partial = [text for text in partial if not text.startswith(tutorial.EVERYWHERE)]
    return next(iter([*partial, *elsewhere]), to_attach)
