"""Managed prefix lists: what they mean in route tables and groups, and what AWS refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sandbox.state import Route, SecurityRule
from tests.sandbox.api_harness import ROUTES_PER_TABLE
from tests.sandbox.api_lab import Lab

Refused = Callable[..., str]
POD, HALF = "10.200.0.0/24", "10.200.0.128/25"


def made(lab: Lab, *cidrs: str, most: int = 3, family: str = "IPv4") -> str:
    """The id of a new list."""
    answer = lab.ec2.create_managed_prefix_list(
        PrefixListName="pods",
        MaxEntries=most,
        AddressFamily=family,
        Entries=[{"Cidr": cidr} for cidr in cidrs],
    )
    return answer["PrefixList"]["PrefixListId"]


def entries(lab: Lab, list_id: str) -> list[str]:
    answer = lab.ec2.get_managed_prefix_list_entries(PrefixListId=list_id)
    return [entry["Cidr"] for entry in answer["Entries"]]


def by_list(lab: Lab, list_id: str) -> Any:
    (table,) = lab.ec2.describe_route_tables(RouteTableIds=[lab.table])["RouteTables"]
    return next((r for r in table["Routes"] if r.get("DestinationPrefixListId") == list_id), None)


@mock_aws
def test_moto_still_forgets_the_list_of_a_route_to_an_interface() -> None:
    """When this fails, ``RouteRequests._keep_list`` has no use any more."""
    ec2 = boto3.client("ec2", region_name="us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    pods = ec2.create_managed_prefix_list(PrefixListName="x", MaxEntries=1, AddressFamily="IPv4")[
        "PrefixList"
    ]
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    where: Any = {"RouteTableId": table["RouteTableId"], "DestinationPrefixListId": pods["PrefixListId"]}
    ec2.create_route(**where, NetworkInterfaceId=eni)
    (table,) = ec2.describe_route_tables(RouteTableIds=[table["RouteTableId"]])["RouteTables"]
    assert not any(route.get("DestinationPrefixListId") for route in table["Routes"])


@pytest.mark.parametrize("target", ["InstanceId", "NetworkInterfaceId"])
def test_a_route_by_a_list_is_a_route_for_each_of_its_entries(api_lab: Lab, target: str) -> None:
    worker = api_lab.run()
    eni = api_lab.eni_of(worker)
    pods = made(api_lab, POD, "10.200.9.0/24")
    where: Any = {"RouteTableId": api_lab.table, "DestinationPrefixListId": pods}
    api_lab.ec2.create_route(**{**where, target: worker if target == "InstanceId" else eni})
    route = by_list(api_lab, pods)
    assert (route["State"], route["InstanceId"], route["NetworkInterfaceId"]) == ("active", worker, eni)
    assert [api_lab.state_route(cidr) for cidr in (POD, "10.200.9.0/24")] == [
        Route(POD, "eni", eni),
        Route("10.200.9.0/24", "eni", eni),
    ]
    api_lab.ec2.replace_route(**where, GatewayId=api_lab.gateway)
    assert api_lab.state_route(POD) == Route(POD, "igw", api_lab.gateway)
    api_lab.ec2.delete_route(**where)
    assert by_list(api_lab, pods) is None
    assert POD not in {route.destination for route in api_lab.state.route_tables[api_lab.table].routes}


def test_a_route_that_names_its_destination_goes_before_one_by_a_list(api_lab: Lab) -> None:
    one, other = api_lab.run(), api_lab.run()
    pods = made(api_lab, POD, HALF)
    api_lab.add_route(POD, InstanceId=one)
    api_lab.ec2.create_route(RouteTableId=api_lab.table, DestinationPrefixListId=pods, InstanceId=other)
    assert api_lab.state_route(POD).target == api_lab.eni_of(one)
    assert api_lab.state_route(HALF).target == api_lab.eni_of(other)


def test_what_enters_and_leaves_a_list_does_so_in_routes_and_groups(api_lab: Lab) -> None:
    worker = api_lab.run()
    pods = made(api_lab, POD)
    api_lab.ec2.create_route(RouteTableId=api_lab.table, DestinationPrefixListId=pods, InstanceId=worker)
    api_lab.ec2.authorize_security_group_ingress(
        GroupId=api_lab.group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9, "PrefixListIds": [{"PrefixListId": pods}]}
        ],
    )

    def meant() -> tuple[set[str], SecurityRule]:
        routes = api_lab.state.route_tables[api_lab.table].routes
        rules = api_lab.state.security_groups[api_lab.group].ingress
        return {r.destination for r in routes} - {"10.0.0.0/16"}, next(r for r in rules if r.to_port == 9)

    before, rule = meant()
    assert (before, rule.cidrs) == ({POD}, (POD,))
    api_lab.ec2.modify_managed_prefix_list(
        PrefixListId=pods,
        CurrentVersion=1,
        AddEntries=[{"Cidr": "10.201.0.7/16"}],
        RemoveEntries=[{"Cidr": POD}],
    )
    after, rule = meant()
    assert (after, rule.cidrs) == ({"10.201.0.0/16"}, ("10.201.0.0/16",))
    (listed,) = api_lab.ec2.describe_managed_prefix_lists(PrefixListIds=[pods])["PrefixLists"]
    assert (listed["PrefixListName"], listed["Version"]) == ("pods", 2)


def test_a_list_of_ipv6_moves_no_packet_of_ours(api_lab: Lab) -> None:
    pods = made(api_lab, "fd00::/64", family="IPv6")
    before = api_lab.state.route_tables[api_lab.table]
    api_lab.ec2.create_route(
        RouteTableId=api_lab.table, DestinationPrefixListId=pods, InstanceId=api_lab.run()
    )
    assert api_lab.state.route_tables[api_lab.table] == before
    assert by_list(api_lab, pods)["State"] == "active"


def test_entries_are_answered_page_by_page(api_lab: Lab) -> None:
    wanted = {f"10.201.{n}.0/24" for n in range(101)}
    pods = made(api_lab, *sorted(wanted), most=200)
    pages = api_lab.ec2.get_paginator("get_managed_prefix_list_entries")
    sizes = [
        len(page["Entries"]) for page in pages.paginate(PrefixListId=pods, PaginationConfig={"PageSize": 100})
    ]
    assert sizes == [100, 1]
    assert set(entries(api_lab, pods)) == wanted


def test_what_is_given_again_is_there_once_and_what_is_resized_holds_more(api_lab: Lab) -> None:
    pods = made(api_lab, POD, most=1)
    api_lab.ec2.modify_managed_prefix_list(
        PrefixListId=pods, AddEntries=[{"Cidr": POD, "Description": "pods of worker-0"}]
    )
    assert entries(api_lab, pods) == [POD]
    api_lab.ec2.modify_managed_prefix_list(PrefixListId=pods, MaxEntries=2)
    api_lab.ec2.modify_managed_prefix_list(PrefixListId=pods, AddEntries=[{"Cidr": HALF}])
    assert entries(api_lab, pods) == [POD, HALF]


def test_what_aws_refuses_of_a_list(api_lab: Lab, api_refused: Refused) -> None:
    ec2, gone = api_lab.ec2, "pl-0123456789abcdef0"
    pods = made(api_lab, POD, most=1)
    new: Any = {"PrefixListName": "x", "MaxEntries": 1, "AddressFamily": "IPv4"}
    add = {"PrefixListId": pods, "AddEntries": [{"Cidr": HALF}]}
    (amazon,) = ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.us-east-1.s3"]}]
    )["PrefixLists"]
    target: Any = {"RouteTableId": api_lab.table, "GatewayId": api_lab.gateway}
    create, invalid = ec2.create_managed_prefix_list, "InvalidParameterValue"
    for code, call, parameters in (
        ("InvalidPrefixListID.NotFound", ec2.get_managed_prefix_list_entries, {"PrefixListId": gone}),
        ("InvalidPrefixListID.NotFound", ec2.describe_managed_prefix_lists, {"PrefixListIds": [gone]}),
        ("InvalidPrefixListID.NotFound", ec2.delete_managed_prefix_list, {"PrefixListId": gone}),
        ("InvalidPrefixListID.NotFound", ec2.create_route, {**target, "DestinationPrefixListId": gone}),
        (invalid, create, {**new, "AddressFamily": "IPv5"}),
        (invalid, create, {**new, "MaxEntries": 1001}),
        (
            "InvalidParameterValue",
            ec2.create_managed_prefix_list,
            {**new, "PrefixListName": "com.amazonaws.x"},
        ),
        (invalid, create, {**new, "Entries": [{"Cidr": "10.0.0.0"}]}),
        (
            "InvalidParameterValue",
            ec2.create_managed_prefix_list,
            {**new, "Entries": [{"Cidr": "fd00::/64"}]},
        ),
        ("PrefixListMaxEntriesExceeded", ec2.modify_managed_prefix_list, add),
        ("PrefixListVersionMismatch", ec2.modify_managed_prefix_list, {**add, "CurrentVersion": 7}),
        ("InvalidParameterValue", ec2.modify_managed_prefix_list, {**add, "MaxEntries": 2}),
        (
            "InvalidParameterValue",
            ec2.modify_managed_prefix_list,
            {"PrefixListId": pods, "RemoveEntries": [{"Cidr": HALF}]},
        ),
        (
            "UnauthorizedOperation",
            ec2.modify_managed_prefix_list,
            {**add, "PrefixListId": amazon["PrefixListId"]},
        ),
    ):
        assert api_refused(call, **parameters) == code, (call, parameters)
    assert entries(api_lab, pods) == [POD]


@pytest.mark.parametrize("user", ["route", "rule"])
def test_a_list_that_is_named_cannot_go(api_lab: Lab, api_refused: Refused, user: str) -> None:
    pods = made(api_lab, POD)
    where: Any = {"RouteTableId": api_lab.table, "DestinationPrefixListId": pods}
    permission: Any = [{"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": pods}]}]
    if user == "route":
        api_lab.ec2.create_route(**where, GatewayId=api_lab.gateway)
    else:
        api_lab.ec2.authorize_security_group_egress(GroupId=api_lab.group, IpPermissions=permission)
    assert api_refused(api_lab.ec2.delete_managed_prefix_list, PrefixListId=pods) == "DependencyViolation"
    if user == "route":
        api_lab.ec2.delete_route(**where)
    else:
        api_lab.ec2.revoke_security_group_egress(GroupId=api_lab.group, IpPermissions=permission)
    api_lab.ec2.delete_managed_prefix_list(PrefixListId=pods)
    assert api_refused(api_lab.ec2.get_managed_prefix_list_entries, PrefixListId=pods) == (
        "InvalidPrefixListID.NotFound"
    )


def test_a_list_counts_as_many_routes_as_it_may_have_entries(api_lab: Lab, api_refused: Refused) -> None:
    target: Any = {"RouteTableId": api_lab.table, "GatewayId": api_lab.gateway}
    long, short = made(api_lab, POD, most=ROUTES_PER_TABLE + 1), made(api_lab, POD, most=ROUTES_PER_TABLE)
    assert (
        api_refused(api_lab.ec2.create_route, **target, DestinationPrefixListId=long) == "RouteLimitExceeded"
    )
    api_lab.ec2.create_route(**target, DestinationPrefixListId=short)
    assert api_refused(api_lab.ec2.create_route, **target, DestinationCidrBlock=POD) == "RouteLimitExceeded"
