"""A NAT gateway, made and taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sandbox.api_lab import Lab


def test_a_nat_gateway_takes_its_interface_with_it_and_gives_its_address_back(
    api_lab: Lab, api_refused: Callable[..., str]
) -> None:
    ec2: Any = api_lab.ec2
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=api_lab.subnet, AllocationId=elastic)["NatGateway"]["NatGatewayId"]
    (eni,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert (eni["Status"], eni["Description"]) == ("in-use", f"Interface for NAT Gateway {made}")
    assert api_refused(ec2.delete_subnet, SubnetId=api_lab.subnet) == "DependencyViolation"
    assert api_refused(ec2.release_address, AllocationId=elastic) == "InvalidIPAddress.InUse"
    api_lab.add_route("0.0.0.0/0", NatGatewayId=made)
    ec2.delete_nat_gateway(NatGatewayId=made)
    ec2.get_waiter("nat_gateway_deleted").wait(NatGatewayIds=[made])
    assert api_lab.route("0.0.0.0/0")["State"] == "blackhole"
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ec2.release_address(AllocationId=elastic)
    ec2.delete_subnet(SubnetId=api_lab.subnet)
    assert api_refused(ec2.delete_nat_gateway, NatGatewayId=made) == "NatGatewayNotFound"
