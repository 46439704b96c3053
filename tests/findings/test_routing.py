"""What a route table does with an address, which table rules a subnet, and which one was meant to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from kthw.network.prefix_lists import ListedRoute
from kthw.network.routing import ACTIVE, BLACKHOLE, PROPAGATED, Lookup, Ruling, effective_table, rulings
from kthw.observed.evidence import Inventory, Route, RouteTable, Subnet

ONE, TWO = IPv4Network("10.200.1.0/24"), IPv4Network("10.200.2.0/24")
LOCAL = Route(destination="10.0.0.0/16", gateway="local")
SIX = Route(destination="2600::/56", gateway="local", foreign=True)
"""Not IPv4: nothing to look at."""
TO_ONE, TO_TWO = (Route(destination=str(cidr), instance="i-01") for cidr in (ONE, TWO))


def lookup(*destinations: str) -> Lookup:
    routes = (SIX, *(Route(destination=each, gateway=each) for each in destinations))
    return Lookup(RouteTable(id="rtb", vpc="vpc", routes=routes))


def named(route: Route | None) -> str:
    return route.destination if route else ""


@pytest.mark.parametrize(
    ("destinations", "around"),
    [
        (("10.200.0.0/16", "10.192.0.0/10"), "10.200.0.0/16"),
        (("10.192.0.0/10",), "10.192.0.0/10"),
        (("0.0.0.0/1",), "0.0.0.0/1"),
        (("0.0.0.0/0",), ""),
        (("10.200.1.0/24",), ""),
        (("10.200.1.0/25",), ""),
        (("10.201.0.0/16",), ""),
        ((), ""),
    ],
)
def test_around_a_range_is_the_narrowest_of_the_wider_ones(
    destinations: tuple[str, ...], around: str
) -> None:
    assert named(lookup(*destinations).around(ONE)) == around


@pytest.mark.parametrize(
    ("address", "taking"),
    [
        ("10.200.1.2", "10.200.1.2/32"),
        ("10.200.1.3", "10.200.1.0/24"),
        ("10.200.2.2", "0.0.0.0/0"),
    ],
)
def test_a_route_for_one_address_takes_it_and_no_other(address: str, taking: str) -> None:
    table = lookup("0.0.0.0/0", "10.200.1.0/24", "10.200.1.2/32")
    assert named(table.taking(IPv4Address(address))) == taking


def test_where_no_route_leads_nothing_takes_a_packet() -> None:
    assert lookup("10.200.2.0/24").taking(IPv4Address("10.200.1.2")) is None


def test_the_routes_within_a_range_come_in_order_of_address() -> None:
    table = lookup(
        "10.200.1.128/25", "10.200.2.0/25", "10.200.1.0/24", "10.200.0.255/32", "10.200.1.0/25",
        "10.200.1.255/32", "10.200.0.0/16", "10.200.1.0/32",
    )  # fmt: skip
    assert [named(route) for route in table.within(ONE)] == [
        "10.200.1.0/25", "10.200.1.0/32", "10.200.1.128/25", "10.200.1.255/32",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("destinations", "covered"),
    [
        (("10.200.1.0/25", "10.200.1.128/25"), True),
        (("10.200.1.0/25", "10.200.1.128/26"), False),
        (("10.200.1.0/24",), True),
        (("10.200.0.0/16",), True),
        ((), False),
    ],
)
def test_a_range_is_covered_where_no_address_of_it_is_left(
    destinations: tuple[str, ...], covered: bool
) -> None:
    routes = [Route(destination=each) for each in destinations]
    assert lookup().covered(ONE, routes) is covered


def test_narrower_routes_carry_what_a_wider_one_leads_elsewhere() -> None:
    halves = ("10.200.1.0/25", "10.200.1.128/25")

    def leads(route: Route) -> bool:
        return route.destination != "10.200.0.0/16"

    assert [named(route) for route in lookup("10.200.0.0/16", *halves).carrying(ONE, leads)] == list(halves)
    assert lookup("10.200.0.0/16", halves[0]).carrying(ONE, leads) == []
    assert lookup("10.200.0.0/16").for_all(ONE, leads) is None


@pytest.mark.parametrize("turned", [False, True])
def test_of_routes_for_one_range_aws_prefers_its_own_then_a_lists_then_a_propagated(*, turned: bool) -> None:
    propagated = Route(destination=str(ONE), gateway="vgw-1", origin=PROPAGATED)
    listed = ListedRoute(destination=str(ONE), gateway="igw-1", listed_in="pl-1")

    def first(*routes: Route) -> Route | None:
        table = RouteTable(id="rtb", vpc="vpc", routes=routes[::-1] if turned else routes)
        return Lookup(table).exactly(ONE)

    assert first(propagated, listed) is listed
    assert first(propagated, listed, TO_ONE) is TO_ONE


# --- which table ------------------------------------------------------------------------------------------


def table(name: str, *routes: Route, vpc: str = "vpc", main: bool = False, at: str = "") -> RouteTable:
    subnets = tuple(at.split())
    return RouteTable(id=name, vpc=vpc, main=main, subnets=subnets, routes=(SIX, LOCAL, *routes))


def account(*tables: RouteTable) -> Inventory:
    subnets = tuple(Subnet(id=name, vpc="vpc", cidr="10.0.0.0/16") for name in ("one", "two"))
    return Inventory(account="1", region="r", route_tables=tables, subnets=subnets)


OTHER_MAIN = table("other-main", vpc="vpc-2", main=True)


def test_the_main_table_is_the_one_of_the_subnets_own_vpc() -> None:
    inventory = account(OTHER_MAIN, table("spare"), table("main", main=True))
    assert getattr(effective_table(inventory, "one"), "id", "") == "main"
    assert effective_table(inventory, "unknown") is None


def told(*tables: RouteTable, subnets: str = "one") -> list[tuple[str, str, str, str]]:
    """(effective, meant, workers, unassociated) of each ruling; a worker in each subnet."""
    subnet_of = {f"w-{name}": name for name in subnets.split()}
    found: tuple[Ruling, ...] = rulings(account(*tables), subnet_of, [ONE, TWO])
    return [(r.effective.id, r.meant.id, " ".join(r.workers), " ".join(r.unassociated)) for r in found]


def test_a_table_that_a_subnet_was_given_is_the_one_to_judge() -> None:
    spare = table("spare", TO_ONE)
    assert told(spare, table("given", at="one"), table("main", main=True)) == [
        ("given", "given", "w-one", "")
    ]


@pytest.mark.parametrize(
    ("others", "meant"),
    [
        ([table("spare", TO_ONE)], "spare"),
        ([table("poor", TO_ONE), table("rich", TO_ONE, TO_TWO)], "rich"),
        ([table("theirs", TO_ONE, vpc="vpc-2")], "main"),
        ([table("bare")], "main"),
        ([], "main"),
    ],
)
def test_where_nobody_gave_one_the_table_with_the_most_pod_routes_was_meant(
    others: list[RouteTable], meant: str
) -> None:
    unassociated = "" if meant == "main" else "one"
    assert told(*others, table("main", main=True)) == [("main", meant, "w-one", unassociated)]


def test_a_main_table_with_a_pod_route_was_meant_itself() -> None:
    spare = table("spare", TO_ONE, TO_TWO)
    assert told(spare, table("main", TO_ONE, main=True)) == [("main", "main", "w-one", "")]


def test_a_main_table_that_may_have_them_by_a_list_that_was_not_read_was_meant_itself() -> None:
    unread = Route(destination="pl-1", instance="i-01", foreign=True)
    spare = table("spare", TO_ONE, TO_TWO)
    assert told(spare, table("main", unread, main=True)) == [("main", "main", "w-one", "")]


def test_a_subnet_that_was_given_the_main_table_keeps_it_while_another_falls_back_to_it() -> None:
    main, spare = table("main", main=True, at="two"), table("spare", TO_ONE)
    assert told(spare, main, subnets="one two") == [
        ("main", "main", "w-two", ""),
        ("main", "spare", "w-one", "one"),
    ]


def test_two_subnets_of_one_table_are_ruled_together() -> None:
    assert told(table("given", at="one two"), subnets="two one") == [("given", "given", "w-two w-one", "")]


def test_a_subnet_whose_table_was_not_seen_is_ruled_by_none() -> None:
    assert told(OTHER_MAIN) == []


def test_states_and_origins_are_aws_s_own_words() -> None:
    """API reference, *Route*."""
    assert (ACTIVE, BLACKHOLE, PROPAGATED) == ("active", "blackhole", "EnableVgwRoutePropagation")
