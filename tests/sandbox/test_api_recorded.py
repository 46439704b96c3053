"""The sandbox's API lists with the keys that were recorded on AWS, and refuses routes in its words."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.api_lab import Lab

TABLE = {"Associations", "PropagatingVgws", "RouteTableId", "Routes", "Tags", "VpcId", "OwnerId"}
ROUTE = {"DestinationCidrBlock", "Origin", "State"}


def test_route_tables_have_the_keys_that_aws_lists(api_lab: Lab) -> None:
    instance = api_lab.run()
    ec2 = api_lab.ec2
    ec2.create_route(RouteTableId=api_lab.table, DestinationCidrBlock="10.200.0.0/24", InstanceId=instance)
    ec2.create_route(RouteTableId=api_lab.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=api_lab.gateway)
    free = ec2.create_route_table(VpcId=api_lab.vpc)["RouteTable"]["RouteTableId"]
    tables = {t["RouteTableId"]: t for t in ec2.describe_route_tables()["RouteTables"]}
    assert {frozenset(t) for t in tables.values()} == {frozenset(TABLE)}
    assert tables[free]["Associations"] == []
    (association,) = tables[api_lab.table]["Associations"]
    assert set(association) == {
        "Main", "RouteTableAssociationId", "RouteTableId", "SubnetId", "AssociationState",
    }  # fmt: skip
    routes = {r["DestinationCidrBlock"]: r for r in tables[api_lab.table]["Routes"]}
    assert set(routes["10.0.0.0/16"]) == set(routes["0.0.0.0/0"]) == ROUTE | {"GatewayId"}
    by_instance = {"InstanceId", "InstanceOwnerId", "NetworkInterfaceId"}
    assert set(routes["10.200.0.0/24"]) == ROUTE | by_instance
    assert routes["10.0.0.0/16"]["Origin"] == "CreateRouteTable"


REFUSED = {
    "no table": (
        {"RouteTableId": ""},
        "MissingParameter",
        "The request must contain the parameter routeTableId",
    ),
    "no range": (
        {"DestinationCidrBlock": ""},
        "InvalidParameterValue",
        "Value () for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.",
    ),
    "no such gateway": (
        {"GatewayId": "nat-0123456789abcdef0"},
        "InvalidGatewayID.NotFound",
        "The gateway ID 'nat-0123456789abcdef0' does not exist",
    ),
}


@pytest.mark.parametrize(("changes", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_a_route_is_refused_as_aws_refuses_it(
    api_lab: Lab, changes: dict[str, str], code: str, message: str
) -> None:
    asked = {"RouteTableId": api_lab.table, "DestinationCidrBlock": "10.200.0.0/24"}
    asked |= {"GatewayId": api_lab.gateway, **changes}
    with pytest.raises(ClientError) as refused:
        api_lab.ec2.create_route(**asked)  # type: ignore[arg-type] # each is a text
    assert refused.value.response["Error"] == {"Code": code, "Message": message}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_instance_with_two_interfaces_is_no_target(api_lab: Lab) -> None:
    instance = api_lab.run()
    api_lab.second_eni(instance)
    with pytest.raises(ClientError) as refused:
        api_lab.ec2.create_route(
            RouteTableId=api_lab.table, DestinationCidrBlock="10.200.0.0/24", InstanceId=instance
        )
    assert refused.value.response["Error"] == {
        "Code": "InvalidInstanceID",
        "Message": f"There are multiple interfaces attached to instance '{instance}'. Please specify an "
        "interface ID for the operation instead.",
    }
