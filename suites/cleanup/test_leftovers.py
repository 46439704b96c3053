"""After the last chapter: nothing of the lab is left that costs money or stands in the next attempt's way."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_no_instance_is_left(confirm: Confirm) -> None:
    """No instance of the lab is left running, stopped or on its way up."""
    confirm("no-instance-left")


def test_no_load_balancer_is_left(confirm: Confirm) -> None:
    """No load balancer of the lab is left."""
    confirm("no-load-balancer-left")


def test_no_target_group_is_left(confirm: Confirm) -> None:
    """No target group of the lab is left."""
    confirm("no-target-group-left")


def test_no_nat_gateway_is_left(confirm: Confirm) -> None:
    """No NAT gateway of the lab is left."""
    confirm("no-nat-gateway-left")


def test_no_elastic_ip_is_left(confirm: Confirm) -> None:
    """No elastic IP of the lab is left allocated."""
    confirm("no-elastic-ip-left")


def test_no_volume_is_left(confirm: Confirm) -> None:
    """No volume of the lab is left that outlives its instance."""
    confirm("no-volume-left")


def test_no_network_interface_is_left(confirm: Confirm) -> None:
    """No network interface is left behind by the lab."""
    confirm("no-network-interface-left")


def test_no_internet_gateway_is_left(confirm: Confirm) -> None:
    """No internet gateway of the lab is left."""
    confirm("no-internet-gateway-left")


def test_no_security_group_is_left(confirm: Confirm) -> None:
    """No security group of the lab is left."""
    confirm("no-security-group-left")


def test_no_subnet_is_left(confirm: Confirm) -> None:
    """No subnet of the lab is left."""
    confirm("no-subnet-left")


def test_no_route_table_is_left(confirm: Confirm) -> None:
    """No route table of the lab is left."""
    confirm("no-route-table-left")


def test_no_vpc_is_left(confirm: Confirm) -> None:
    """No VPC of the lab is left."""
    confirm("no-vpc-left")


def test_no_key_pair_is_left(confirm: Confirm) -> None:
    """The lab's key pair is gone from the account."""
    confirm("no-key-pair-left")
