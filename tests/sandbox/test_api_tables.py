"""Route tables: associations, deletion, filters and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.api_lab import Lab

Refused = Callable[..., str]
POD = "10.200.0.0/24"


def _main_table(lab: Lab) -> Any:
    filters: Any = [
        {"Name": "vpc-id", "Values": [lab.vpc]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    return lab.ec2.describe_route_tables(Filters=filters)["RouteTables"][0]


def _found(lab: Lab, name: str, *values: str) -> set[str]:
    filters: Any = [{"Name": "vpc-id", "Values": [lab.vpc]}, {"Name": name, "Values": list(values)}]
    return {table["RouteTableId"] for table in lab.ec2.describe_route_tables(Filters=filters)["RouteTables"]}


def test_a_subnet_is_ruled_by_its_own_table_or_else_by_the_main_one(api_lab: Lab) -> None:
    main = _main_table(api_lab)["RouteTableId"]
    assert api_lab.state.subnets[api_lab.subnet].route_table == api_lab.table
    tables = api_lab.ec2.describe_route_tables(RouteTableIds=[api_lab.table])["RouteTables"]
    association = tables[0]["Associations"][0]["RouteTableAssociationId"]
    api_lab.ec2.disassociate_route_table(AssociationId=association)
    assert api_lab.state.subnets[api_lab.subnet].route_table == main


def test_the_main_table_can_be_replaced_but_not_disassociated_or_deleted(
    api_lab: Lab, api_refused: Refused
) -> None:
    main = _main_table(api_lab)
    association = main["Associations"][0]["RouteTableAssociationId"]
    refused = api_refused(api_lab.ec2.disassociate_route_table, AssociationId=association)
    assert refused == "InvalidParameterValue"
    refused = api_refused(api_lab.ec2.delete_route_table, RouteTableId=main["RouteTableId"])
    assert refused == "DependencyViolation"
    other = api_lab.ec2.create_route_table(VpcId=api_lab.vpc)["RouteTable"]["RouteTableId"]
    api_lab.ec2.replace_route_table_association(AssociationId=association, RouteTableId=other)
    assert _main_table(api_lab)["RouteTableId"] == other
    api_lab.ec2.delete_route_table(RouteTableId=main["RouteTableId"])


def test_a_table_in_use_cannot_be_deleted_a_free_one_can(api_lab: Lab, api_refused: Refused) -> None:
    delete = api_lab.ec2.delete_route_table
    assert api_refused(delete, RouteTableId=api_lab.table) == "DependencyViolation"
    free = api_lab.ec2.create_route_table(VpcId=api_lab.vpc)["RouteTable"]["RouteTableId"]
    delete(RouteTableId=free)
    assert api_refused(delete, RouteTableId=free) == "InvalidRouteTableID.NotFound"


def test_a_subnet_is_associated_with_one_table(api_lab: Lab, api_refused: Refused) -> None:
    associate = api_lab.ec2.associate_route_table
    other = api_lab.ec2.create_route_table(VpcId=api_lab.vpc)["RouteTable"]["RouteTableId"]
    code = api_refused(associate, RouteTableId=other, SubnetId=api_lab.subnet)
    assert code == "Resource.AlreadyAssociated"
    first = associate(RouteTableId=api_lab.table, SubnetId=api_lab.subnet)["AssociationId"]
    assert associate(RouteTableId=api_lab.table, SubnetId=api_lab.subnet)["AssociationId"] == first
    api_lab.ec2.disassociate_route_table(AssociationId=first)
    associate(RouteTableId=other, SubnetId=api_lab.subnet)
    assert api_lab.state.subnets[api_lab.subnet].route_table == other


def test_a_table_rules_subnets_of_its_own_vpc_only(api_lab: Lab, api_refused: Refused) -> None:
    vpc, subnet = api_lab.other_vpc()
    code = api_refused(api_lab.ec2.associate_route_table, RouteTableId=api_lab.table, SubnetId=subnet)
    assert code == "InvalidParameterValue"
    foreign = api_lab.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = api_lab.ec2.associate_route_table(RouteTableId=foreign, SubnetId=subnet)["AssociationId"]
    replace = api_lab.ec2.replace_route_table_association
    code = api_refused(replace, AssociationId=association, RouteTableId=api_lab.table)
    assert code == "InvalidParameterValue"


def test_an_association_that_is_not_there_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    unknown = "rtbassoc-0123456789abcdef0"
    code = api_refused(api_lab.ec2.disassociate_route_table, AssociationId=unknown)
    assert code == "InvalidAssociationID.NotFound"
    replace = api_lab.ec2.replace_route_table_association
    code = api_refused(replace, AssociationId=unknown, RouteTableId=api_lab.table)
    assert code == "InvalidAssociationID.NotFound"
    code = api_refused(api_lab.ec2.associate_route_table, RouteTableId=api_lab.table)
    assert code == "MissingParameter"


def test_a_second_cidr_of_the_vpc_is_local_in_every_table(api_lab: Lab) -> None:
    api_lab.ec2.associate_vpc_cidr_block(VpcId=api_lab.vpc, CidrBlock="10.8.0.0/16")
    assert api_lab.route("10.8.0.0/16")["GatewayId"] == "local"
    assert set(api_lab.state.vpcs[api_lab.vpc].cidrs) == {"10.0.0.0/16", "10.8.0.0/16"}
    assert api_lab.state_route("10.8.0.0/16").kind == "local"


def test_tables_are_found_by_every_documented_filter_on_routes(api_lab: Lab) -> None:
    worker, table = api_lab.run(), {api_lab.table}
    api_lab.add_route(POD, InstanceId=worker)
    api_lab.add_route("0.0.0.0/0", GatewayId=api_lab.gateway)
    assert _found(api_lab, "route.state", "active") == table | {_main_table(api_lab)["RouteTableId"]}
    assert _found(api_lab, "route.state", "blackhole") == set()
    assert _found(api_lab, "route.instance-id", worker) == table
    assert _found(api_lab, "route.origin", "CreateRoute") == table
    assert _found(api_lab, "route.gateway-id", api_lab.gateway) == table
    assert len(_found(api_lab, "route.gateway-id", "local")) == 2
    assert _found(api_lab, "route.destination-cidr-block", POD, "10.201.0.0/24") == table
    assert _found(api_lab, "route.nat-gateway-id", "nat-*") == set()
    assert _found(api_lab, "association.subnet-id", api_lab.subnet, "subnet-1") == table
    assert _found(api_lab, "association.gateway-id", api_lab.gateway) == set()
    assert _found(api_lab, "owner-id", "123456789012") >= table
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    assert _found(api_lab, "route.state", "blackhole") == table


def test_several_values_of_a_filter_are_alternatives(api_lab: Lab) -> None:
    other = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    third = api_lab.ec2.create_subnet(VpcId=api_lab.vpc, CidrBlock="10.0.3.0/24")["Subnet"]["SubnetId"]
    api_lab.ec2.associate_route_table(RouteTableId=api_lab.table, SubnetId=other)
    assert _found(api_lab, "association.subnet-id", other, third) == {api_lab.table}
    assert _found(api_lab, "association.subnet-id", third) == set()


def test_an_unknown_filter_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    filters = [{"Name": "route.colour", "Values": ["red"]}]
    code = api_refused(api_lab.ec2.describe_route_tables, Filters=filters)
    assert code == "InvalidParameterValue"


def test_tables_come_in_pages_of_the_size_asked_for(api_lab: Lab) -> None:
    made = {api_lab.ec2.create_route_table(VpcId=api_lab.vpc)["RouteTable"]["RouteTableId"] for _ in range(6)}
    filters: Any = [{"Name": "vpc-id", "Values": [api_lab.vpc]}]
    pages = list(
        api_lab.ec2.get_paginator("describe_route_tables").paginate(
            Filters=filters, PaginationConfig={"PageSize": 5}
        )
    )
    assert [len(page["RouteTables"]) for page in pages] == [5, 3]
    assert made < {table["RouteTableId"] for page in pages for table in page["RouteTables"]}
    whole = api_lab.ec2.describe_route_tables(Filters=filters)
    assert len(whole["RouteTables"]) == 8
    assert "NextToken" not in whole


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"MaxResults": 101}, "InvalidParameterValue"),
        ({"MaxResults": 5, "NextToken": "nonsense"}, "InvalidNextToken"),
        ({"MaxResults": 5, "NextToken": "ZnJvbSBoZXJl"}, "InvalidNextToken"),
    ],
)
def test_a_page_nobody_can_give_is_refused(
    api_lab: Lab, api_refused: Refused, parameters: dict[str, Any], code: str
) -> None:
    assert api_refused(api_lab.ec2.describe_route_tables, **parameters) == code


def test_a_deleted_subnet_leaves_no_association(api_lab: Lab) -> None:
    api_lab.ec2.delete_subnet(SubnetId=api_lab.subnet)
    tables = api_lab.ec2.describe_route_tables(RouteTableIds=[api_lab.table])["RouteTables"]
    assert tables[0]["Associations"] == []
    assert api_lab.subnet not in api_lab.state.subnets
    api_lab.ec2.delete_route_table(RouteTableId=api_lab.table)
