"""Source/dest checks and route tables as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, InternetGateway, Route, RouteTable, Subnet, Vpc
from tests.findings.changed_aws import (
    TWO,
    by_eni,
    in_two_subnets,
    inventory_of,
    table_of,
    with_instance,
    with_interface,
    with_inventory,
    with_more_instances,
    with_more_tables,
    with_route,
    with_second_interface,
    with_table,
    without_route,
)
from tests.findings.clusters import (
    GATEWAY,
    HALVES,
    INTERNET,
    LOCAL,
    MAIN,
    OK,
    ONE,
    TABLE,
    TABLE_2,
    VPC,
    instance,
    route,
)
from tests.findings.judged import Faults, Healthy

SPARE = RouteTable(id="rtb-0spare", vpc=VPC, routes=(LOCAL,))
OTHER = instance(9, "controller-0")


def _unassociated(*, main_has_internet: bool) -> Evidence:
    evidence = with_table(OK, subnets=())
    return with_route(evidence, INTERNET, table=MAIN) if main_has_internet else evidence


def _routes_moved_to_spare() -> Evidence:
    """The routes are in a table that the subnet is not associated with, and it is with another."""
    moved = tuple(r for r in table_of(OK).routes if r.instance)
    evidence = without_route(OK, *(r.destination for r in moved))
    return with_more_tables(evidence, replace(SPARE, routes=(LOCAL, *moved)))


def _gone_gateway() -> Evidence:
    evidence = with_inventory(OK, internet_gateways=(InternetGateway(id=GATEWAY),))
    return with_route(evidence, replace(INTERNET, state="blackhole"))


def _private(route_to: Route) -> Evidence:
    """Workers without public addresses, behind something that is no internet gateway."""
    evidence = with_route(OK, route_to)
    for worker in evidence.intended.workers:
        evidence = with_instance(evidence, worker, public_address="")
    return evidence


FAULTS: Faults = {
    # The source/dest check.
    "source/dest check on": (
        with_interface(OK, "worker-1", source_dest_check=True),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI a route names": (
        with_route(
            with_second_interface(OK, 1, source_dest_check=True),
            Route(destination=ONE, network_interface="eni-11"),
        ),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI two halves name": (
        with_route(
            with_second_interface(without_route(OK, ONE), 1, source_dest_check=True), *by_eni(*HALVES)
        ),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI that one half names": (
        with_route(with_second_interface(OK, 1, source_dest_check=True), *by_eni(HALVES[0])),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI a wider route names": (
        with_route(
            with_second_interface(without_route(OK, ONE), 1, source_dest_check=True),
            *by_eni("10.200.0.0/20"),
        ),
        ("source-dest-check-on",),
    ),
    # The route tables.
    "table never associated": (_unassociated(main_has_internet=True), ("subnet-not-associated",)),
    "table never associated, no internet either": (
        _unassociated(main_has_internet=False),
        ("subnet-not-associated",),
    ),
    "second subnet not associated": (
        with_table(TWO, TABLE_2, subnets=()),
        ("subnet-not-associated",),
    ),
    "no routes at all": (
        without_route(OK, "10.200.0.0/24", ONE, "10.200.2.0/24"),
        ("route-missing",) * 3,
    ),
    "one route missing": (without_route(OK, ONE), ("route-missing",)),
    "route for a mistyped range": (
        with_route(without_route(OK, ONE), route(1, "10.20.1.0/24")),
        ("route-missing",),
    ),
    "one wide route to the first worker": (
        with_route(without_route(OK, ONE, "10.200.2.0/24"), route(0, "10.200.0.0/16")),
        ("route-missing",) * 2,
    ),
    "half a route": (with_route(without_route(OK, ONE), route(1, "10.200.1.0/25")), ("route-missing",)),
    "route missing in the second table": (without_route(TWO, ONE, table=TABLE_2), ("route-in-unused-table",)),
    "first worker's route missing in its own table": (
        without_route(TWO, "10.200.0.0/24"),
        ("route-in-unused-table",),
    ),
    "routes in a table nobody uses": (_routes_moved_to_spare(), ("route-in-unused-table",) * 3),
    "swapped": (
        with_route(OK, route(1, "10.200.0.0/24"), route(0, ONE)),
        ("route-wrong-target",) * 2,
    ),
    "route to a controller": (
        with_route(with_more_instances(OK, OTHER), route(9, ONE)),
        ("route-wrong-target",),
    ),
    "route to a controller's ENI": (
        with_route(with_more_instances(OK, OTHER), Route(destination=ONE, network_interface="eni-09")),
        ("route-wrong-target",),
    ),
    "route to a NAT gateway": (
        with_route(OK, Route(destination=ONE, other="nat-0a")),
        ("route-wrong-target",),
    ),
    "route to the internet gateway": (
        with_route(OK, Route(destination=ONE, gateway=GATEWAY)),
        ("route-wrong-target",),
    ),
    "node replaced": (
        with_route(OK, Route(destination=ONE, instance="i-0old", state="blackhole")),
        ("route-blackhole",),
    ),
    "ENI deleted": (
        with_route(OK, Route(destination=ONE, network_interface="eni-0old", state="blackhole")),
        ("route-blackhole",),
    ),
    "half diverted": (with_route(OK, route(0, "10.200.1.128/25")), ("route-shadowed",)),
    "half diverted, and no route for the whole": (
        with_route(without_route(OK, ONE), route(0, "10.200.1.128/25")),
        ("route-missing", "route-shadowed"),
    ),
    "half diverted, and the whole to another worker": (
        with_route(OK, route(0, ONE), route(2, "10.200.1.128/25")),
        ("route-shadowed", "route-wrong-target"),
    ),
    "half diverted, and a wider route to the worker": (
        with_route(without_route(OK, ONE), route(1, "10.200.0.0/20"), route(0, "10.200.1.128/25")),
        ("route-shadowed",),
    ),
    "a part of two halves diverted": (
        with_route(
            without_route(OK, ONE),
            *(route(1, "10.200.1.0/25"), route(1, "10.200.1.128/25"), route(0, "10.200.1.64/26")),
        ),
        ("route-shadowed",),
    ),
    "propagated route diverts, and no route for the whole": (
        with_route(
            without_route(OK, ONE),
            Route(destination="10.200.1.0/26", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        ),
        ("route-missing", "route-shadowed"),
    ),
    "one pod diverted to a blackhole": (
        with_route(OK, Route(destination="10.200.1.7/32", instance="i-0old", state="blackhole")),
        ("route-shadowed",),
    ),
    "propagated route diverts": (
        with_route(
            OK, Route(destination="10.200.1.0/26", gateway="vgw-0a", origin="EnableVgwRoutePropagation")
        ),
        ("route-shadowed",),
    ),
    "leftover of a worker that is gone": (
        with_route(OK, Route(destination="10.200.9.0/24", instance="i-0old", state="blackhole")),
        ("route-stale",),
    ),
    "leftover to a controller": (
        with_route(with_more_instances(OK, OTHER), route(9, "10.200.9.0/24")),
        ("route-stale",),
    ),
    "route of a worker that was not asked about": (
        with_route(with_more_instances(OK, instance(9, "worker-3")), route(9, "10.200.9.0/24")),
        ("route-stale",),
    ),
    "local route replaced": (
        with_route(OK, replace(LOCAL, gateway="", network_interface="eni-0fw")),
        ("local-route-altered",),
    ),
    "secondary local route missing": (
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),)),
        ("local-route-altered",),
    ),
    "subnet taken out of the local route": (
        with_route(OK, Route(destination="10.0.1.0/24", network_interface="eni-0fw")),
        ("local-route-altered",),
    ),
    "no default route": (without_route(OK, "0.0.0.0/0"), ("internet-route-missing",)),
    "no default route, gateway not attached": (
        with_inventory(without_route(OK, "0.0.0.0/0"), internet_gateways=(InternetGateway(id=GATEWAY),)),
        ("internet-route-missing",),
    ),
    "no default route, no gateway": (
        with_inventory(without_route(OK, "0.0.0.0/0"), internet_gateways=()),
        ("internet-route-missing",),
    ),
    "default route to a NAT gateway": (
        with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")),
        ("internet-route-wrong-target",),
    ),
    "default route to a worker": (with_route(OK, route(0, "0.0.0.0/0")), ("internet-route-wrong-target",)),
    "default route to a NAT gateway, no gateway": (
        with_inventory(with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")), internet_gateways=()),
        ("internet-route-wrong-target",),
    ),
    "gateway detached": (_gone_gateway(), ("internet-route-blackhole",)),
    "default route to a NAT gateway, gateway detached": (
        with_inventory(
            with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")),
            internet_gateways=(InternetGateway(id=GATEWAY),),
        ),
        ("internet-route-wrong-target",),
    ),
    "gateway detached a moment ago": (
        with_inventory(OK, internet_gateways=(InternetGateway(id=GATEWAY),)),
        ("internet-route-wrong-target",),
    ),
    "NAT instance gone, gateway detached": (
        with_inventory(
            with_route(OK, Route(destination="0.0.0.0/0", instance="i-0nat", state="blackhole")),
            internet_gateways=(InternetGateway(id=GATEWAY),),
        ),
        ("internet-route-blackhole",),
    ),
    "gateway deleted": (
        with_inventory(with_route(OK, replace(INTERNET, state="blackhole")), internet_gateways=()),
        ("internet-route-blackhole",),
    ),
    "default route to a NAT instance that is gone": (
        with_route(OK, Route(destination="0.0.0.0/0", instance="i-0nat", state="blackhole")),
        ("internet-route-blackhole",),
    ),
    "a route of a range beside the VPC's own block in the pod range": (
        with_route(
            with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.128.0/20")),)),
            replace(LOCAL, destination="10.200.128.0/20"),
            Route(destination="10.200.144.0/24", network_interface="eni-0fw"),
        ),
        ("route-stale",),
    ),
    "a route that is filtered": (
        with_route(OK, replace(route(1, ONE), state="filtered")),
        ("route-blackhole",),
    ),
    "a default route that is filtered": (
        with_route(OK, replace(INTERNET, state="filtered")),
        ("internet-route-blackhole",),
    ),
}

HEALTHY: Healthy = {
    "an IPv6-only subnet beside": with_inventory(
        OK, subnets=(*inventory_of(OK).subnets, Subnet(id="subnet-06", vpc=VPC, cidr=""))
    ),
    "a subnet whose range was not seen": with_inventory(
        OK, subnets=tuple(replace(each, cidr="") for each in inventory_of(OK).subnets)
    ),
    "private workers behind a NAT gateway": _private(Route(destination="0.0.0.0/0", other="nat-0a")),
    "two subnets, two tables": TWO,
    "two subnets, one table": in_two_subnets(OK, table=TABLE),
    "a lone worker's table without its own route": without_route(TWO, "10.200.2.0/24", table=TABLE_2),
    "main table on purpose": with_table(
        with_table(OK, MAIN, routes=table_of(OK).routes), TABLE, subnets=(), routes=(LOCAL,)
    ),
    "routes by ENI": with_route(
        OK, *(Route(destination=f"10.200.{n}.0/24", network_interface=f"eni-0{n}") for n in range(3))
    ),
    "route by the second ENI": with_route(
        with_second_interface(OK, 1), Route(destination=ONE, instance="i-01", network_interface="eni-11")
    ),
    "second ENI that nothing is routed through": with_second_interface(OK, 1, source_dest_check=True),
    "second ENI for the whole, no packet of which is left by the halves": with_route(
        with_second_interface(OK, 1, source_dest_check=True),
        *by_eni(ONE),
        *(route(1, half) for half in HALVES),
    ),
    "second ENI for more than the pods, whose own route is to the first": with_route(
        with_second_interface(OK, 1, source_dest_check=True), *by_eni("10.200.0.0/20")
    ),
    "halves by the second ENI": with_route(
        with_second_interface(without_route(OK, ONE), 1), *by_eni(*HALVES)
    ),
    "foreign routes": with_route(
        OK,
        Route(destination="fd00::/56", gateway="local", foreign=True),
        Route(destination="pl-0a", other="vpce-0a", foreign=True),
        Route(destination="192.168.0.0/16", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        Route(destination="10.200.0.0/16", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        Route(destination="10.8.0.0/16", other="pcx-0a", state="blackhole"),
        Route(destination="10.200.77.0/24", other="tgw-0a"),
        Route(destination="172.16.0.0/12", other="nat-0a"),
        Route(destination="192.0.2.0/24", instance="i-0vpn"),
    ),
    "secondary VPC CIDR": with_route(
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),)),
        replace(LOCAL, destination="10.9.0.0/16"),
    ),
    "one wide route per worker": with_route(
        without_route(OK, *(f"10.200.{n}.0/24" for n in range(3))),
        route(0, "10.200.0.0/24"),
        route(1, "10.200.1.0/25"),
        route(1, "10.200.1.128/25"),
        route(2, "10.200.2.0/23"),
    ),
    "a route of a VPC's own block in the pod range, to a firewall": with_route(
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.128.0/20")),)),
        replace(LOCAL, destination="10.200.128.0/20"),
        Route(destination="10.200.128.0/24", network_interface="eni-0fw"),
    ),
}
