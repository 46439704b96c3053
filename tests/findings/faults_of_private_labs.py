"""Workers without public addresses and their way to the internet, as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, Route, RouteTable, Subnet
from tests.findings.changed_aws import (
    inventory_of,
    with_instance,
    with_inventory,
    with_more_tables,
    with_route,
    without_route,
)
from tests.findings.clusters import INTERNET, LOCAL, OK, VPC
from tests.findings.judged import Faults, Healthy

NAT = Route(destination="0.0.0.0/0", other="nat-0a")
GONE = replace(NAT, state="blackhole")
FRONT = Subnet(id="subnet-0front", vpc=VPC, cidr="10.0.0.0/24")
IN_FRONT = RouteTable(id="rtb-0front", vpc=VPC, subnets=(FRONT.id,), routes=(LOCAL, INTERNET))
BESIDE = RouteTable(id="rtb-0c", vpc=VPC, routes=(LOCAL, NAT))


def private(evidence: Evidence) -> Evidence:
    for worker in evidence.intended.workers:
        evidence = with_instance(evidence, worker, public_address="")
    return evidence


def fronted(evidence: Evidence, *more: RouteTable) -> Evidence:
    """With a public subnet."""
    evidence = with_inventory(evidence, subnets=(*inventory_of(evidence).subnets, FRONT))
    return with_more_tables(evidence, IN_FRONT, *more)


BARE = private(without_route(OK, "0.0.0.0/0"))
BEHIND = private(with_route(OK, NAT))
LOST = private(with_route(OK, GONE))
MISSING, BLACKHOLE = ("internet-route-missing",), ("internet-route-blackhole",)

FAULTS: Faults = {
    "private workers without a default route": (fronted(BARE), MISSING),
    "private workers without a default route, and another table has a NAT gateway": (
        fronted(BARE, BESIDE),
        MISSING,
    ),
    "private workers without a default route, and another VPC has a NAT gateway": (
        fronted(BARE, replace(BESIDE, vpc="vpc-0else")),
        MISSING,
    ),
    "private workers without a default route, and nothing leads out": (BARE, MISSING),
    "private workers without a default route, and no gateway": (
        with_inventory(fronted(BARE), internet_gateways=()),
        MISSING,
    ),
    "private workers whose NAT gateway is gone": (fronted(LOST), BLACKHOLE),
    "private workers whose NAT gateway is gone, and another table's is there": (
        fronted(LOST, BESIDE),
        BLACKHOLE,
    ),
    "private workers whose NAT gateway is gone, and that of another table too": (
        fronted(LOST, replace(BESIDE, routes=(LOCAL, GONE))),
        BLACKHOLE,
    ),
    "private workers behind an internet gateway that is gone": (
        private(with_route(OK, replace(INTERNET, gateway="igw-0gone", state="blackhole"))),
        BLACKHOLE,
    ),
    "private workers whose route is set aside": (
        private(with_route(OK, replace(NAT, state="filtered"))),
        BLACKHOLE,
    ),
    "one worker has a public address, and no default route": (
        with_instance(fronted(BARE), "worker-2", public_address="203.0.113.22"),
        MISSING,
    ),
}

HEALTHY: Healthy = {
    "private workers behind a NAT gateway, with a public subnet": fronted(BEHIND),
    "private workers behind an internet gateway": private(OK),
}
