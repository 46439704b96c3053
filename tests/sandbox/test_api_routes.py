"""CreateRoute, ReplaceRoute, DeleteRoute, and what DescribeRouteTables says of a route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.habits import Habits
from sandbox.state import Route
from tests.sandbox.api_harness import ROUTES_PER_TABLE
from tests.sandbox.api_lab import Lab

Refused = Callable[..., str]
POD = "10.200.0.0/24"
GONE = "0123456789abcdef0"


def test_a_route_to_an_instance_names_its_interface_and_owner(api_lab: Lab) -> None:
    worker = api_lab.run()
    api_lab.add_route(POD, InstanceId=worker)
    assert api_lab.route(POD) == {
        "DestinationCidrBlock": POD,
        "InstanceId": worker,
        "InstanceOwnerId": "123456789012",
        "NetworkInterfaceId": api_lab.eni_of(worker),
        "Origin": "CreateRoute",
        "State": "active",
    }
    assert api_lab.state_route(POD) == Route(POD, "eni", api_lab.eni_of(worker))


def test_a_route_to_an_attached_interface_names_its_instance(api_lab: Lab) -> None:
    worker = api_lab.run()
    api_lab.add_route(POD, NetworkInterfaceId=api_lab.eni_of(worker))
    route = api_lab.route(POD)
    assert (route["InstanceId"], route["InstanceOwnerId"]) == (worker, "123456789012")


def test_a_route_is_a_blackhole_while_its_instance_is_stopped(api_lab: Lab) -> None:
    worker = api_lab.run()
    api_lab.add_route(POD, InstanceId=worker)
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    assert api_lab.route(POD)["State"] == "blackhole"
    assert api_lab.route(POD)["InstanceId"] == worker
    assert api_lab.state_route(POD) == Route(POD, "drop")
    api_lab.ec2.start_instances(InstanceIds=[worker])
    assert api_lab.route(POD)["State"] == "active"
    assert api_lab.state_route(POD).kind == "eni"


def test_a_route_to_a_stopped_instance_is_accepted_and_a_blackhole(api_lab: Lab) -> None:
    worker = api_lab.run()
    api_lab.ec2.stop_instances(InstanceIds=[worker])
    api_lab.add_route(POD, InstanceId=worker)
    assert api_lab.route(POD)["State"] == "blackhole"


def test_a_route_outlives_its_terminated_instance_as_a_blackhole_to_the_interface(api_lab: Lab) -> None:
    worker = api_lab.run()
    eni = api_lab.eni_of(worker)
    api_lab.add_route(POD, InstanceId=worker)
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    route = api_lab.route(POD)
    assert (route["State"], route["NetworkInterfaceId"]) == ("blackhole", eni)
    assert "InstanceId" not in route


def test_a_route_is_a_blackhole_when_its_interface_is_detached_or_deleted(api_lab: Lab) -> None:
    eni, attachment = api_lab.second_eni(api_lab.run())
    api_lab.add_route(POD, NetworkInterfaceId=eni)
    assert api_lab.route(POD)["State"] == "active"
    api_lab.ec2.detach_network_interface(AttachmentId=attachment)
    assert api_lab.route(POD)["State"] == "blackhole"
    assert "InstanceId" not in api_lab.route(POD)
    api_lab.ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert api_lab.route(POD)["State"] == "blackhole"


def test_an_internet_route_is_a_blackhole_once_its_gateway_is_detached(api_lab: Lab) -> None:
    api_lab.add_route("0.0.0.0/0", GatewayId=api_lab.gateway)
    assert api_lab.route("0.0.0.0/0")["State"] == "active"
    assert api_lab.state_route("0.0.0.0/0") == Route("0.0.0.0/0", "igw", api_lab.gateway)
    api_lab.ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=api_lab.vpc)
    assert api_lab.route("0.0.0.0/0")["State"] == "blackhole"
    assert api_lab.state_route("0.0.0.0/0") == Route("0.0.0.0/0", "drop")
    api_lab.ec2.delete_internet_gateway(InternetGatewayId=api_lab.gateway)
    assert api_lab.route("0.0.0.0/0")["State"] == "blackhole"


def test_a_gateway_attached_to_another_vpc_is_a_blackhole(api_lab: Lab) -> None:
    api_lab.add_route("0.0.0.0/0", GatewayId=api_lab.gateway)
    vpc, _ = api_lab.other_vpc()
    api_lab.ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=api_lab.vpc)
    api_lab.ec2.attach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=vpc)
    assert api_lab.route("0.0.0.0/0")["State"] == "blackhole"


def test_a_nat_gateway_route_is_answered_but_has_no_data_plane(api_lab: Lab, api_refused: Refused) -> None:
    allocation = api_lab.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = api_lab.ec2.create_nat_gateway(SubnetId=api_lab.subnet, AllocationId=allocation)["NatGateway"]
    api_lab.add_route(POD, NatGatewayId=nat["NatGatewayId"])
    assert api_lab.route(POD)["State"] == "active"
    assert api_lab.state_route(POD) == Route(POD, "drop")
    api_lab.ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert api_lab.route(POD)["State"] == "blackhole"
    code = api_refused(api_lab.add_route, destination="10.201.0.0/24", NatGatewayId=f"nat-{GONE}")
    assert code == "InvalidNatGatewayID.NotFound"


def test_host_bits_of_a_destination_are_cleared(api_lab: Lab) -> None:
    worker = api_lab.run()
    api_lab.add_route("10.200.0.7/24", InstanceId=worker)
    api_lab.ec2.replace_route(
        RouteTableId=api_lab.table,
        DestinationCidrBlock="10.200.0.9/24",
        NetworkInterfaceId=api_lab.eni_of(worker),
    )
    assert api_lab.route(POD)["State"] == "active"
    api_lab.ec2.delete_route(RouteTableId=api_lab.table, DestinationCidrBlock="10.200.0.8/24")
    assert api_lab.route(POD) is None


@pytest.mark.parametrize(
    "text", ["10.200.0.0", "10.200.0.0/33", "hello", "10.200.0/24", "300.0.0.0/8", "1.2.3.4/255.0.0.0"]
)
def test_what_is_no_cidr_block_is_refused(api_lab: Lab, api_refused: Refused, text: str) -> None:
    worker = api_lab.run()
    assert api_refused(api_lab.add_route, destination=text, InstanceId=worker) == "InvalidParameterValue"
    code = api_refused(api_lab.ec2.delete_route, RouteTableId=api_lab.table, DestinationCidrBlock=text)
    assert code == "InvalidParameterValue"


@pytest.mark.parametrize("destination", [POD, "10.200.0.99/24", "10.0.0.0/16"])
def test_a_second_route_for_a_destination_is_refused_whatever_its_target(
    api_lab: Lab, api_refused: Refused, destination: str
) -> None:
    worker = api_lab.run()
    eni = api_lab.eni_of(worker)
    api_lab.add_route(POD, InstanceId=worker)
    for target in ({"InstanceId": worker}, {"NetworkInterfaceId": eni}, {"GatewayId": api_lab.gateway}):
        assert api_refused(api_lab.add_route, destination=destination, **target) == "RouteAlreadyExists"
    assert api_lab.route(POD)["InstanceId"] == worker
    assert api_lab.route("10.0.0.0/16")["GatewayId"] == "local"


def test_a_route_has_exactly_one_destination_and_one_target(api_lab: Lab, api_refused: Refused) -> None:
    worker, create = api_lab.run(), api_lab.ec2.create_route
    assert api_refused(create, RouteTableId=api_lab.table, InstanceId=worker) == "MissingParameter"
    assert api_refused(api_lab.add_route, destination=POD) == "MissingParameter"
    both = {"InstanceId": worker, "GatewayId": api_lab.gateway}
    assert api_refused(api_lab.add_route, destination=POD, **both) == "InvalidParameterCombination"
    six = {"DestinationIpv6CidrBlock": "::/0", "InstanceId": worker}
    assert api_refused(api_lab.add_route, destination=POD, **six) == "InvalidParameterCombination"
    assert api_lab.route(POD) is None


def test_an_empty_route_table_id_is_a_missing_parameter(api_lab: Lab, api_refused: Refused) -> None:
    create = api_lab.ec2.create_route
    code = api_refused(create, RouteTableId="", DestinationCidrBlock=POD, GatewayId=api_lab.gateway)
    assert code == "MissingParameter"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"InstanceId": f"i-{GONE}"}, "InvalidInstanceID.NotFound"),
        ({"InstanceId": "i-abc\ni-def"}, "InvalidInstanceID.Malformed"),
        ({"NetworkInterfaceId": f"eni-{GONE}"}, "InvalidNetworkInterfaceID.NotFound"),
        ({"NetworkInterfaceId": "eni-x"}, "InvalidNetworkInterfaceId.Malformed"),
        ({"GatewayId": f"igw-{GONE}"}, "InvalidInternetGatewayID.NotFound"),
        ({"GatewayId": f"nat-{GONE}"}, "InvalidGatewayID.NotFound"),
    ],
)
def test_a_target_that_is_not_there_is_refused(
    api_lab: Lab, api_refused: Refused, target: dict[str, str], code: str
) -> None:
    assert api_refused(api_lab.add_route, destination=POD, **target) == code


@pytest.mark.parametrize(
    ("table", "code"),
    [(f"rtb-{GONE}", "InvalidRouteTableID.NotFound"), ("rtb-1", "InvalidRouteTableId.Malformed")],
)
def test_a_table_that_is_not_there_is_refused(
    api_lab: Lab, api_refused: Refused, table: str, code: str
) -> None:
    calls: list[tuple[Callable[..., Any], dict[str, str]]] = [
        (api_lab.ec2.create_route, {"GatewayId": api_lab.gateway}),
        (api_lab.ec2.replace_route, {"GatewayId": api_lab.gateway}),
        (api_lab.ec2.delete_route, {}),
    ]
    for call, target in calls:
        assert api_refused(call, RouteTableId=table, DestinationCidrBlock=POD, **target) == code


def test_a_terminated_instance_is_no_target(api_lab: Lab, api_refused: Refused) -> None:
    worker = api_lab.run()
    api_lab.ec2.terminate_instances(InstanceIds=[worker])
    code = api_refused(api_lab.add_route, destination=POD, InstanceId=worker)
    assert code == "InvalidInstanceID.NotFound"


def test_an_instance_with_two_interfaces_is_no_target_but_its_interface_is(
    api_lab: Lab, api_refused: Refused
) -> None:
    worker = api_lab.run()
    api_lab.second_eni(worker)
    assert api_refused(api_lab.add_route, destination=POD, InstanceId=worker) == "InvalidInstanceID"
    api_lab.add_route(POD, NetworkInterfaceId=api_lab.eni_of(worker))
    assert api_lab.route(POD)["InstanceId"] == worker
    replace = {"RouteTableId": api_lab.table, "DestinationCidrBlock": POD, "InstanceId": worker}
    assert api_refused(api_lab.ec2.replace_route, **replace) == "InvalidInstanceID"


def test_a_target_in_another_vpc_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    _, subnet = api_lab.other_vpc()
    stranger = api_lab.run(SubnetId=subnet)
    loose = api_lab.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    for target in (
        {"InstanceId": stranger},
        {"NetworkInterfaceId": api_lab.eni_of(stranger)},
        {"GatewayId": loose},
    ):
        assert api_refused(api_lab.add_route, destination=POD, **target) == "InvalidParameterValue"


def test_an_unattached_interface_is_accepted_and_a_blackhole(api_lab: Lab) -> None:
    eni = api_lab.ec2.create_network_interface(SubnetId=api_lab.subnet)["NetworkInterface"]
    api_lab.add_route(POD, NetworkInterfaceId=eni["NetworkInterfaceId"])
    assert api_lab.route(POD)["State"] == "blackhole"
    assert api_lab.state_route(POD).kind == "drop"


def test_within_the_vpc_only_a_whole_subnet_can_be_routed_to_an_interface(
    api_lab: Lab, api_refused: Refused
) -> None:
    eni = api_lab.eni_of(api_lab.run())
    for destination in ("10.0.1.20/32", "10.0.200.0/24"):
        code = api_refused(api_lab.add_route, destination=destination, NetworkInterfaceId=eni)
        assert code == "InvalidParameterValue"
    code = api_refused(api_lab.add_route, destination="10.0.1.0/24", GatewayId=api_lab.gateway)
    assert code == "InvalidParameterValue"
    api_lab.add_route("10.0.1.0/24", NetworkInterfaceId=eni)
    assert api_lab.state_route("10.0.1.0/24") == Route("10.0.1.0/24", "eni", eni)


def test_the_reserved_link_local_range_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    code = api_refused(api_lab.add_route, destination="169.254.169.0/24", GatewayId=api_lab.gateway)
    assert code == "InvalidParameterValue"


def test_a_replaced_route_has_its_new_target_only(api_lab: Lab) -> None:
    first, second = api_lab.run(), api_lab.run()
    api_lab.add_route(POD, InstanceId=first)
    where: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": POD}
    api_lab.ec2.replace_route(**where, InstanceId=second)
    assert api_lab.route(POD)["InstanceId"] == second
    api_lab.ec2.replace_route(**where, GatewayId=api_lab.gateway)
    route = api_lab.route(POD)
    assert route["GatewayId"] == api_lab.gateway
    assert "InstanceId" not in route
    assert "NetworkInterfaceId" not in route


def test_replacing_a_route_that_is_not_there_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    where: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": POD}
    code = api_refused(api_lab.ec2.replace_route, **where, GatewayId=api_lab.gateway)
    assert code == "InvalidParameterValue"


def test_deleting_a_route_that_is_not_there_is_refused(api_lab: Lab, api_refused: Refused) -> None:
    code = api_refused(api_lab.ec2.delete_route, RouteTableId=api_lab.table, DestinationCidrBlock=POD)
    assert code == "InvalidRoute.NotFound"


def test_the_local_route_cannot_be_deleted(api_lab: Lab, api_refused: Refused) -> None:
    where: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": "10.0.0.0/16"}
    assert api_refused(api_lab.ec2.delete_route, **where) == "InvalidParameterValue"
    api_lab.ec2.replace_route(**where, NetworkInterfaceId=api_lab.eni_of(api_lab.run()))
    assert api_refused(api_lab.ec2.delete_route, **where) == "InvalidParameterValue"
    assert api_lab.route("10.0.0.0/16") is not None


def test_the_local_route_can_be_given_to_an_interface_and_taken_back(api_lab: Lab) -> None:
    eni = api_lab.eni_of(api_lab.run())
    where: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": "10.0.0.0/16"}
    api_lab.ec2.replace_route(**where, NetworkInterfaceId=eni)
    route = api_lab.route("10.0.0.0/16")
    assert (route["NetworkInterfaceId"], route["Origin"]) == (eni, "CreateRouteTable")
    assert "GatewayId" not in route
    assert api_lab.state_route("10.0.0.0/16") == Route("10.0.0.0/16", "eni", eni)
    api_lab.ec2.replace_route(**where, LocalTarget=True)
    assert api_lab.route("10.0.0.0/16")["GatewayId"] == "local"
    assert "NetworkInterfaceId" not in api_lab.route("10.0.0.0/16")
    assert api_lab.state_route("10.0.0.0/16") == Route("10.0.0.0/16", "local")


def test_the_local_target_is_for_local_routes_only(api_lab: Lab, api_refused: Refused) -> None:
    api_lab.add_route(POD, InstanceId=api_lab.run())
    where: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": POD}
    assert api_refused(api_lab.ec2.replace_route, **where, LocalTarget=True) == "InvalidParameterValue"
    assert (
        api_refused(api_lab.add_route, destination="10.7.0.0/16", GatewayId="local")
        == "InvalidParameterValue"
    )
    local: Any = {"RouteTableId": api_lab.table, "DestinationCidrBlock": "10.0.0.0/16"}
    code = api_refused(api_lab.ec2.replace_route, **local, GatewayId=api_lab.gateway)
    assert code == "InvalidParameterValue"
    assert api_lab.route(POD)["State"] == "active"


def test_a_table_holds_as_many_routes_as_the_quota_says(api_lab: Lab, api_refused: Refused) -> None:
    target = {"InstanceId": api_lab.run()}
    for number in range(ROUTES_PER_TABLE):
        api_lab.add_route(f"10.200.{number}.0/24", **target)
    assert api_refused(api_lab.add_route, destination="10.99.0.0/24", **target) == "RouteLimitExceeded"
    api_lab.ec2.delete_route(RouteTableId=api_lab.table, DestinationCidrBlock=POD)
    api_lab.add_route("10.99.0.0/24", **target)


def test_the_quota_is_500_unless_said_otherwise() -> None:
    assert Habits().routes_per_table == 500
