"""Shapes that were recorded on AWS, with ids and words of our own: keys, old ids, what is absent."""

from __future__ import annotations

from typing import Any

import pytest

from kthw.observed.aws import shapes
from kthw.observed.evidence import RouteTable, SecurityRule, Subnet, Vpc
from tests.observed.recorded_account import (
    GROUP,
    TABLE,
    association,
    by_instance,
    group,
    pings,
    port,
    table,
    through,
)

OLD = "rtb-1a2b3c4d"
TABLES: dict[str, tuple[dict[str, Any], bool, int, list[tuple[str, str]]]] = {
    "never associated": (
        table(TABLE, [], through("GatewayId", "igw-0fffffffffffffff1")),
        False,
        0,
        [("igw-0fffffffffffffff1", "active"), ("local", "active")],
    ),
    "the main one": (table(TABLE, [association(TABLE, Main=True)]), True, 0, [("local", "active")]),
    "of three subnets, to a NAT gateway that is gone": (
        table(
            TABLE,
            [association(TABLE, Main=False, SubnetId=f"subnet-0999999999999999{n}") for n in range(3)],
            through("NatGatewayId", "nat-08888888888888881", "blackhole"),
        ),
        False,
        3,
        [("nat-08888888888888881", "blackhole"), ("local", "active")],
    ),
    "of a default VPC with ids of eight digits": (
        table(OLD, [association(OLD, Main=True)], through("GatewayId", "igw-5e6f7a8b")),
        True,
        0,
        [("igw-5e6f7a8b", "active"), ("local", "active")],
    ),
    "the finished chapter's": (
        table(TABLE, [], *(by_instance(n, f"10.200.{n}.0/24") for n in range(2))),
        False,
        0,
        [("local", "active"), ("i-0aaaaaaaaaaaaaa00", "active"), ("i-0aaaaaaaaaaaaaa01", "active")],
    ),
}


@pytest.mark.parametrize(("answer", "main", "subnets", "led"), TABLES.values(), ids=TABLES)
def test_a_route_table_as_it_was_recorded(
    answer: dict[str, Any], main: bool, subnets: int, led: list[tuple[str, str]]
) -> None:
    seen = shapes.route_table(answer)
    assert (seen.id, seen.main, len(seen.subnets)) == (answer["RouteTableId"], main, subnets)
    assert [(route.target, route.state) for route in seen.routes] == led


def test_a_route_to_an_instance_has_its_interface_too() -> None:
    seen = shapes.route(by_instance(1, "10.200.1.0/24"))
    assert (seen.instance, seen.network_interface) == ("i-0aaaaaaaaaaaaaa01", "eni-0bbbbbbbbbbbbbb01")


def test_what_a_call_of_2016_answered_is_read_without_the_keys_that_came_later() -> None:
    vpc, subnet = "vpc-9c8d7e6f", "subnet-a1b2c3d4"
    made = {"VpcId": vpc, "InstanceTenancy": "default", "State": "pending", "CidrBlock": "10.4.0.0/16"}
    assert shapes.vpc(made) == Vpc(id=vpc, cidrs=("10.4.0.0/16",))
    within = {"VpcId": vpc, "CidrBlock": "10.4.1.0/24", "State": "pending", "SubnetId": subnet}
    assert shapes.subnet(within) == Subnet(id=subnet, vpc=vpc, cidr="10.4.1.0/24")
    empty = {"Associations": [], "RouteTableId": OLD, "VpcId": vpc, "PropagatingVgws": [], "Routes": []}
    assert shapes.route_table(empty) == RouteTable(id=OLD, vpc=vpc)


def test_a_security_group_with_ranges_only_and_an_exit_without_ports() -> None:
    seen = shapes.security_group(group(GROUP, [port(22, "0.0.0.0/0"), pings("0.0.0.0/0")]))
    everywhere = ("0.0.0.0/0",)
    assert seen.ingress == (
        SecurityRule(protocol="icmp", cidrs=everywhere),
        SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=everywhere),
    )
    assert seen.egress == (SecurityRule(protocol="-1", cidrs=everywhere),)
