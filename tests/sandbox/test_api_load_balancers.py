"""Load balancers as the compute chapter makes them and the clean-up chapter takes them away."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.api_lab import Lab


class Balanced:
    """The tutorial's load balancer in a lab."""

    def __init__(self, lab: Lab, **how: Any) -> None:
        self.lab, self.elb = lab, lab.server.client("elbv2")
        kind: Any = {"Type": "network", "Scheme": "internet-facing", "Subnets": [lab.subnet], **how}
        (self.made,) = self.elb.create_load_balancer(Name="kubernetes", **kind)["LoadBalancers"]
        self.arn = self.made["LoadBalancerArn"]
        group: Any = {"Protocol": "TCP", "Port": 6443, "VpcId": lab.vpc, "TargetType": "ip"}
        (made,) = self.elb.create_target_group(Name="kubernetes", **group)["TargetGroups"]
        self.group = made["TargetGroupArn"]
        self.elb.register_targets(
            TargetGroupArn=self.group, Targets=[{"Id": "10.0.1.10"}, {"Id": "10.0.1.11"}]
        )

    def listen(self, port: int = 443) -> None:
        action: Any = {"Type": "forward", "TargetGroupArn": self.group}
        self.elb.create_listener(LoadBalancerArn=self.arn, Protocol="TCP", Port=port, DefaultActions=[action])

    def health(self) -> set[tuple[str, str]]:
        told = self.elb.describe_target_health(TargetGroupArn=self.group)["TargetHealthDescriptions"]
        return {(each["TargetHealth"]["State"], each["TargetHealth"].get("Reason", "")) for each in told}


def test_a_network_load_balancer_is_named_as_one(api_lab: Lab) -> None:
    made = Balanced(api_lab).made
    kind, name, identity = made["LoadBalancerArn"].partition(":loadbalancer/")[2].split("/")
    assert (kind, name) == ("net", "kubernetes")
    assert made["DNSName"] == f"kubernetes-{identity}.elb.us-east-1.amazonaws.com"
    (found,) = api_lab.server.client("elbv2").describe_load_balancers(Names=["kubernetes"])["LoadBalancers"]
    assert found["State"]["Code"] == "active"


def test_it_has_an_interface_with_a_public_address_which_is_in_the_way_of_a_clean_up(api_lab: Lab) -> None:
    ec2, its = api_lab.ec2, Balanced(api_lab)
    (eni,) = ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert eni["Description"] == f"ELB {its.arn.partition(':loadbalancer/')[2]}"
    assert eni["Status"] == "in-use"
    assert eni["Association"]["PublicIp"]
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=api_lab.vpc)
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=api_lab.subnet)
    with pytest.raises(ClientError, match="InUse"):
        ec2.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    its.elb.delete_load_balancer(LoadBalancerArn=its.arn)
    its.elb.delete_target_group(TargetGroupArn=its.group)
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ec2.detach_internet_gateway(InternetGatewayId=api_lab.gateway, VpcId=api_lab.vpc)


def test_what_listens_is_told_to_the_data_plane(api_lab: Lab) -> None:
    its = Balanced(api_lab)
    its.listen()
    (known,) = api_lab.state.load_balancers.values()
    assert (known.name, known.arn) == (its.made["DNSName"], its.arn)
    assert known.forwards == ((443, (("10.0.1.10", 6443), ("10.0.1.11", 6443))),)
    assert known.eni.public[0][0] == known.eni.addresses[0]
    its.elb.deregister_targets(TargetGroupArn=its.group, Targets=[{"Id": "10.0.1.11"}])
    assert api_lab.state.load_balancers[known.eni.id].forwards == ((443, (("10.0.1.10", 6443),)),)


def test_nobody_is_healthy_where_nobody_looked(api_lab: Lab) -> None:
    its = Balanced(api_lab)
    assert its.health() == {("unused", "Target.NotInUse")}
    its.listen()
    assert its.health() == {("initial", "Elb.RegistrationInProgress")}


def test_what_elastic_load_balancing_refuses(api_lab: Lab) -> None:
    its = Balanced(api_lab)
    its.listen()
    again = Balanced(api_lab)
    assert (again.arn, again.group) == (its.arn, its.group), "asking again is no mistake"
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        Balanced(api_lab, Scheme="internal")
    with pytest.raises(ClientError, match="DuplicateListener"):
        its.listen()
    with pytest.raises(ClientError, match="ResourceInUse"):
        its.elb.delete_target_group(TargetGroupArn=its.group)
    vpc, subnet = api_lab.other_vpc()
    with pytest.raises(ClientError, match=f"VPC {vpc} has no internet gateway"):
        its.elb.create_load_balancer(Name="other", Type="network", Subnets=[subnet])


def test_an_elastic_address_may_be_its_own(api_lab: Lab) -> None:
    elastic = api_lab.ec2.allocate_address(Domain="vpc")
    mapping = [{"SubnetId": api_lab.subnet, "AllocationId": elastic["AllocationId"]}]
    Balanced(api_lab, Subnets=[], SubnetMappings=mapping)
    (eni,) = api_lab.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert eni["Association"]["PublicIp"] == elastic["PublicIp"]
