"""The entries of prefix lists: read where they may decide something about a worker, and only there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Inventory, PrefixList
from kthw.target import Target
from tests.observed.api_answers import HEALTHY, WORKERS, Api, serving
from tests.provision.account import THREE, Account

CALLS = len(WORKERS) + 8


def made(account: Account, *cidrs: str, family: str = "IPv4") -> str:
    answer = account.ec2.create_managed_prefix_list(
        PrefixListName="x",
        MaxEntries=len(cidrs) or 1,
        AddressFamily=family,
        Entries=[{"Cidr": cidr} for cidr in cidrs],
    )
    return str(answer["PrefixList"]["PrefixListId"])


def routed(account: Account, list_id: str) -> None:
    account.ec2.create_route(
        RouteTableId=account.table, DestinationPrefixListId=list_id, InstanceId=account.instance("worker-0")
    )


def let_in(account: Account, list_id: str, group: str = "") -> None:
    """Into the group of the workers, or into another."""
    (found,) = account.ec2.describe_instances(InstanceIds=[account.instance("worker-0")])["Reservations"]
    worn = found["Instances"][0]["SecurityGroups"][0]["GroupId"]
    account.ec2.authorize_security_group_ingress(
        GroupId=group or worn,
        IpPermissions=[{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": list_id}]}],
    )


def test_a_list_costs_one_call_where_it_concerns_a_worker_and_none_where_not(aws_account: Account) -> None:
    aws_account.build()
    pods, nodes = made(aws_account, "10.200.9.0/24", "10.200.0.0/24"), made(aws_account, "10.0.0.0/16")
    (vpc,) = (table.vpc for table in aws_account.look().route_tables if table.id == aws_account.table)
    unworn = aws_account.ec2.create_security_group(GroupName="unworn", Description="x", VpcId=vpc)["GroupId"]
    routed(aws_account, pods)
    let_in(aws_account, nodes)
    let_in(aws_account, pods)
    let_in(aws_account, made(aws_account, "192.0.2.0/24"), group=unworn)
    reader = Reader(aws_account.target)
    told: list[tuple[int, int]] = []
    inventory, errors = read_inventory(reader, THREE, progress=lambda *said: told.append(said))
    assert errors == ()
    seen = {each.id: each.entries for each in inventory.prefix_lists}
    assert seen == {pods: ("10.200.0.0/24", "10.200.9.0/24"), nodes: ("10.0.0.0/16",)}
    assert reader.calls == CALLS + 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (CALLS, CALLS)


def test_a_long_list_is_read_to_its_end_and_one_of_ipv6_has_no_entry_for_us(aws_account: Account) -> None:
    aws_account.build()
    long = made(aws_account, *(f"10.201.{n}.0/24" for n in range(101)))
    six = made(aws_account, "fd00::/64", family="IPv6")
    let_in(aws_account, long)
    let_in(aws_account, six)
    inventory, _ = read_inventory(Reader(aws_account.target), THREE)
    seen = {each.id: len(each.entries) for each in inventory.prefix_lists}
    assert seen == {long: 101, six: 0}


def test_a_list_that_may_not_be_read_is_told_with_the_permission_and_costs_no_other(
    aws_account: Account,
) -> None:
    aws_account.build()
    pods = made(aws_account, "10.200.0.0/24")
    routed(aws_account, pods)
    reader = Reader(aws_account.target)

    def deny(model: object, **_event: object) -> None:
        if getattr(model, "name", "") == "GetManagedPrefixListEntries":
            error: Any = {"Error": {"Code": "UnauthorizedOperation", "Message": "You are not authorized"}}
            raise ClientError(error, "GetManagedPrefixListEntries")

    reader.ec2.meta.events.register("before-call", deny)
    inventory, errors = read_inventory(reader, THREE)
    (seen,) = inventory.prefix_lists
    assert errors == ()
    assert seen.unread
    assert (seen.unread.code, seen.unread.subject) == ("access-denied", pods)
    assert seen.unread.facts["action"] == "ec2:GetManagedPrefixListEntries"


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as served:
        yield served


BY_LIST = "<item><destinationPrefixListId>pl-0a</destinationPrefixListId>{}<state>active</state></item>"
TABLES = HEALTHY["DescribeRouteTables"]
ENTRIES = (
    '<GetManagedPrefixListEntriesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    "<requestId>r</requestId><entrySet>{}</entrySet></GetManagedPrefixListEntriesResponse>"
)


def _seen(api: Api, target: str, answer: bytes | Callable[..., bytes]) -> Inventory:
    route = BY_LIST.format(target)
    api.hostile["DescribeRouteTables"] = TABLES.replace("</routeSet>", f"{route}</routeSet>").encode()
    api.hostile["GetManagedPrefixListEntries"] = answer
    reader = Reader(
        Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("any", "any"))
    )
    inventory, errors = read_inventory(reader, THREE)
    assert errors == ()
    return inventory


def test_what_leads_to_an_endpoint_is_not_asked_for(api: Api) -> None:
    """Nobody answers here."""
    assert _seen(api, "<gatewayId>vpce-0a</gatewayId>", b"").prefix_lists == ()


@pytest.mark.parametrize(
    "entries",
    [
        "<item><cidr>10.200.0.0</cidr></item>",
        "<item><cidr>10.200.0.0/24</cidr></item><item><cidr>10.200.1.0/99</cidr></item>",
        "<item><cidr>$(touch x)</cidr></item>",
        "<item><description>no range</description></item>",
        "<item><cidr>ten\u001b[31m</cidr></item>".replace("\u001b", "&#155;"),
    ],
)
def test_a_list_of_which_one_entry_is_garbled_is_not_read(api: Api, entries: str) -> None:
    (seen,) = _seen(api, "<instanceId>i-00</instanceId>", ENTRIES.format(entries).encode()).prefix_lists
    assert seen.entries == ()
    assert seen.unread
    assert (seen.unread.code, seen.unread.subject) == ("aws-unreadable", "pl-0a")
    assert seen.unread.detail.isprintable()


@pytest.mark.parametrize("answer", [b"", b"<html></html>", TABLES.encode()], ids=["none", "page", "other"])
def test_an_answer_that_is_none_leaves_the_list_unread(api: Api, answer: bytes) -> None:
    (seen,) = _seen(api, "<instanceId>i-00</instanceId>", answer).prefix_lists
    assert seen.unread
    assert seen.unread.code == "aws-unreadable"


def test_what_fits_is_sorted_by_address_and_each_once(api: Api) -> None:
    cidrs = ("10.200.10.0/24", "10.200.9.0/24", "10.200.9.0/24", "fd00::/64")
    entries = "".join(f"<item><cidr>{cidr}</cidr></item>" for cidr in cidrs)
    seen = _seen(api, "<instanceId>i-00</instanceId>", ENTRIES.format(entries).encode())
    assert seen.prefix_lists == (PrefixList(id="pl-0a", entries=("10.200.9.0/24", "10.200.10.0/24")),)
