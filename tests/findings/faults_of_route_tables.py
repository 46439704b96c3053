"""Several routes, tables or blocks, of which some are right, as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, InternetGateway, Route, RouteTable, Vpc
from tests.findings.changed_aws import (
    by_eni,
    in_two_subnets,
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
    VPC,
    healthy,
    instance,
    route,
)
from tests.findings.faults_of_workers import CHOSEN, UNSAID, pods
from tests.findings.judged import Faults, Healthy

SPARE = RouteTable(id="rtb-0spare", vpc=VPC, routes=(LOCAL,))
SIX = Route(destination="fd00::/56", gateway="local", foreign=True)
FIREWALL = "eni-0fw"
TO_FIREWALL = replace(LOCAL, gateway="", network_interface=FIREWALL)
ELSEWHERE = Route(destination="198.51.100.0/24", gateway=GATEWAY)
NAT = Route(destination="0.0.0.0/0", other="nat-0a")
ONE_SUBNET = in_two_subnets(OK, table=TABLE)
PARTS = ("10.200.1.0/26", "10.200.1.64/26", "10.200.1.128/27", "10.200.1.160/27")
BLOCKS = ("10.0.0.0/16", "10.9.0.0/16", "10.10.0.0/16")


def _never_associated_and_wrong() -> Evidence:
    """Of the table's routes one is wrong, one lacks, one is in another table, one in two halves."""
    evidence = with_route(with_table(healthy(8), subnets=()), INTERNET, table=MAIN)
    evidence = without_route(evidence, "10.200.2.0/24", "10.200.3.0/24", "10.200.4.0/24")
    evidence = with_route(evidence, route(0, ONE), route(4, "10.200.4.0/25"), route(4, "10.200.4.128/25"))
    return with_more_tables(evidence, replace(SPARE, routes=(LOCAL, route(3, "10.200.3.0/24"))))


def _in_spare() -> Evidence:
    """Both subnets ask one table, and the routes are in another."""
    moved = tuple(r for r in table_of(ONE_SUBNET).routes if r.instance)
    evidence = without_route(ONE_SUBNET, *(r.destination for r in moved))
    return with_more_tables(evidence, replace(SPARE, routes=(LOCAL, *moved)))


def two_ranges(evidence: Evidence, n: int = 2) -> Evidence:
    """One worker's pods live in a range of their own."""
    evidence = with_route(without_route(evidence, f"10.200.{n}.0/24"), route(n, f"172.20.{n}.0/24"))
    return pods(evidence, f"worker-{n}", f"172.20.{n}.0/24")


def _blocks(evidence: Evidence, *local: str) -> Evidence:
    """A VPC of three blocks."""
    evidence = with_inventory(evidence, vpcs=(Vpc(id=VPC, cidrs=BLOCKS),))
    return with_route(evidence, *(replace(LOCAL, destination=each) for each in local))


def _private(default: Route) -> Evidence:
    evidence = with_route(OK, default)
    for worker in evidence.intended.workers:
        evidence = with_instance(evidence, worker, public_address="")
    return evidence


def _other_default(*routes: Route) -> Evidence:
    """The main table has a default route elsewhere, a spare one the right one."""
    evidence = with_route(without_route(OK, "0.0.0.0/0"), *routes, table=TABLE)
    evidence = with_route(evidence, NAT, table=MAIN)
    return with_more_tables(evidence, replace(SPARE, routes=(LOCAL, ELSEWHERE, INTERNET)))


FAULTS: Faults = {
    "source/dest check on at the primary ENI, and another that the route names": (
        with_route(
            with_second_interface(
                with_interface(OK, "worker-1", source_dest_check=True), 1, source_dest_check=False
            ),
            *by_eni(ONE),
        ),
        ("source-dest-check-on",),
    ),
    "source/dest check on at an ENI without an address, of a worker without a pod CIDR": (
        with_interface(UNSAID, "worker-1", source_dest_check=True, addresses=()),
        ("pod-cidr-missing", "source-dest-check-on"),
    ),
    "table never associated, and wrong in many ways": (
        _never_associated_and_wrong(),
        ("subnet-not-associated", "route-wrong-target", "route-missing", "route-in-unused-table"),
    ),
    "table never associated to either of two subnets": (
        with_route(with_table(ONE_SUBNET, subnets=()), INTERNET, table=MAIN),
        ("subnet-not-associated",) * 2,
    ),
    "table never associated, and no internet in it": (
        without_route(with_table(OK, subnets=()), "0.0.0.0/0"),
        ("subnet-not-associated", "internet-route-missing"),
    ),
    "routes of two subnets in a table nobody uses": (_in_spare(), ("route-in-unused-table",) * 3),
    "route missing, and another table has it wrong": (
        with_more_tables(without_route(OK, ONE), replace(SPARE, routes=(LOCAL, route(0, ONE)))),
        ("route-missing",),
    ),
    "route missing, to a worker of two ENIs": (
        with_second_interface(without_route(OK, ONE), 1),
        ("route-missing",),
    ),
    "routes for parts only": (
        with_route(without_route(OK, ONE), *(route(1, part) for part in PARTS)),
        ("route-missing",),
    ),
    "worker stopped, and its halves blackholes": (
        with_route(
            without_route(with_instance(OK, "worker-1", state="stopped"), ONE),
            *(route(1, half, state="blackhole") for half in HALVES),
        ),
        ("worker-not-running", "route-missing", *2 * ("route-shadowed",)),
    ),
    "worker stopped, and its route to another that is gone": (
        with_route(
            with_instance(OK, "worker-1", state="stopped"),
            Route(destination=ONE, instance="i-0old", state="blackhole"),
        ),
        ("worker-not-running", "route-blackhole"),
    ),
    "a blackhole to a worker that runs": (
        with_route(OK, route(1, ONE, state="blackhole")),
        ("route-blackhole",),
    ),
    "leftover among others' routes, of two pod ranges": (
        with_route(
            with_more_instances(two_ranges(OK), instance(9, "controller-0")),
            Route(destination="192.0.2.0/24", instance="i-0vpn"),
            Route(destination="fd00::/56", instance="i-0vpn", foreign=True),
            route(9, "10.200.9.0/24"),
        ),
        ("route-stale",),
    ),
    "leftovers to strangers with a worker's name": (
        with_route(
            with_more_instances(CHOSEN, instance(8, "worker-1"), instance(9, "worker-2", address="")),
            route(8, "10.200.8.0/24"),
            route(9, "10.200.9.0/24"),
        ),
        ("route-stale",) * 2,
    ),
    "one local route of three replaced": (
        with_route(_blocks(OK, *BLOCKS[1:]), SIX, TO_FIREWALL),
        ("local-route-altered",),
    ),
    "a local route that is not active": (
        with_route(_blocks(OK, *BLOCKS[1:]), replace(LOCAL, state="blackhole")),
        ("local-route-altered",),
    ),
    "one node taken out of the local route": (
        with_route(OK, Route(destination="10.0.1.21/32", network_interface=FIREWALL)),
        ("local-route-altered",),
    ),
    "no default route, and another table has it": (_other_default(), ("internet-route-missing",)),
    "no default route but for a part, and another table has it": (
        _other_default(Route(destination="::/0", gateway=GATEWAY, foreign=True), ELSEWHERE),
        ("internet-route-missing",),
    ),
    "gateway detached, and another free": (
        with_inventory(
            with_route(OK, replace(INTERNET, state="blackhole")),
            internet_gateways=(InternetGateway(id="igw-0free"), InternetGateway(id=GATEWAY)),
        ),
        ("internet-route-blackhole",),
    ),
    "no default route, and two gateways free": (
        with_inventory(
            without_route(OK, "0.0.0.0/0"),
            internet_gateways=(InternetGateway(id="igw-0free"), InternetGateway(id=GATEWAY)),
        ),
        ("internet-route-missing",),
    ),
    "private workers, and their NAT gateway gone": (
        _private(replace(NAT, state="blackhole")),
        ("internet-route-blackhole",),
    ),
}

HEALTHY: Healthy = {
    "pods of two ranges": two_ranges(OK),
    "a subnet that was not seen": with_inventory(OK, subnets=()),
    "an address that was not seen, and a route for a part of the VPC where nobody is": with_route(
        with_instance(OK, "worker-1", address=""),
        Route(destination="10.0.77.0/24", network_interface=FIREWALL),
    ),
    "a local route for the workers' subnet": with_route(OK, replace(LOCAL, destination="10.0.1.0/24")),
}
