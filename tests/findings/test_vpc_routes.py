"""The way out that workers without public addresses are told, by what else leads out of their VPC."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.finding import Finding
from kthw.network.routing import PROPAGATED
from kthw.observed.evidence import Evidence, Route, RouteTable
from tests.findings.changed_aws import inventory_of, with_inventory, with_route
from tests.findings.clusters import LOCAL, MAIN, OK, VPC
from tests.findings.faults_of_private_labs import BARE, BESIDE, FRONT, GONE, IN_FRONT, fronted, private
from tests.findings.judged import everything

ELSEWHERE = replace(IN_FRONT, routes=(LOCAL, Route(destination="0.0.0.0/0", other="tgw-0a")))
"""Its subnet goes out by a transit gateway: no NAT gateway can stand there."""


def only(evidence: Evidence) -> Finding:
    (found,) = everything(evidence)
    return found


def without_main_table(evidence: Evidence) -> Evidence:
    left = tuple(each for each in inventory_of(evidence).route_tables if each.id != MAIN)
    return with_inventory(evidence, route_tables=left)


def with_front_by(evidence: Evidence, *tables: RouteTable) -> Evidence:
    return with_inventory(
        evidence,
        subnets=(*inventory_of(evidence).subnets, FRONT),
        route_tables=(*inventory_of(evidence).route_tables, *tables),
    )


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        (fronted(BARE), ("new-nat", FRONT.id)),
        (fronted(BARE, BESIDE), ("nat", FRONT.id)),
        (with_front_by(BARE, ELSEWHERE), ("no-front", "")),
        (with_inventory(fronted(BARE), internet_gateways=()), ("no-front", "")),
        (
            with_inventory(with_front_by(BARE, ELSEWHERE), internet_gateways=()),
            ("no-front", ""),
        ),
    ],
    ids=["a public subnet", "a NAT gateway", "a transit gateway", "no gateway", "no gateway but that one"],
)
def test_a_nat_gateway_may_stand_where_the_internet_gateway_leads_out_only(
    evidence: Evidence, told: tuple[str, str]
) -> None:
    found = only(evidence)
    assert (found.variant, found.facts["front"]) == told


def test_a_subnet_whose_table_was_not_seen_is_no_place_for_one() -> None:
    """No main table is known, and no other one is associated with that subnet."""
    adrift = replace(FRONT, id="subnet-0adrift", cidr="10.0.7.0/24")
    evidence = without_main_table(fronted(BARE))
    evidence = with_inventory(evidence, subnets=(adrift, *inventory_of(evidence).subnets))
    assert only(evidence).facts["front"] == FRONT.id


@pytest.mark.parametrize(("origin", "verb"), [("CreateRoute", "replace-route"), (PROPAGATED, "create-route")])
def test_beside_a_route_that_is_propagated_one_is_made(origin: str, verb: str) -> None:
    found = only(private(with_route(OK, replace(GONE, origin=origin))))
    assert (found.code, found.facts["verb"], found.facts["vpc"]) == ("internet-route-blackhole", verb, VPC)
