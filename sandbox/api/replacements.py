"""Which of moto's classes and functions are replaced by ours, and where moto looks them up."""

from __future__ import annotations

import functools

import moto.core.responses
import moto.core.utils
import moto.ec2.urls
import moto.elb.urls
import moto.elbv2.models
import moto.ssm.models
from moto.ec2 import utils
from moto.ec2.models import (
    ec2_backends,
    elastic_ip_addresses,
    elastic_network_interfaces,
    instances,
    nat_gateways,
    route_tables,
    security_groups,
    subnets,
    vpcs,
)
from moto.ec2.models.core import TaggedEC2Resource

from sandbox.api import addresses, filters, tags
from sandbox.api.account import Account
from sandbox.api.instances import Instance
from sandbox.api.interfaces import NetworkInterface
from sandbox.api.load_balancers import LoadBalancer, LoadBalancerRequests, LoadBalancers
from sandbox.api.parameters import Parameters
from sandbox.api.requests import Ec2
from sandbox.api.routes import Route
from sandbox.api.security_groups import SecurityGroup, SecurityGroupRule
from sandbox.api.subnets import Subnet, Vpc
from sandbox.api.tables import RouteTable
from sandbox.habits import Habits

_METHOD_NAMES = functools.cache(moto.core.utils.method_names_from_class)
"""moto inspects the whole class for every request."""


def install(habits: Habits) -> None:
    """Put them in moto's place, for the whole process, and forget what any account had."""
    for module, name, ours in (
        (moto.core.responses, "method_names_from_class", _METHOD_NAMES),
        (elastic_ip_addresses, "ElasticAddress", addresses.Elastic),
        (elastic_ip_addresses, "random_ip", addresses.next_public),
        (elastic_network_interfaces, "NetworkInterface", NetworkInterface),
        (elastic_network_interfaces, "random_public_ip", addresses.next_public),
        (instances, "Instance", Instance),
        (moto.elb.urls, "ELBV2Response", LoadBalancerRequests),
        (moto.elbv2.models, "FakeLoadBalancer", LoadBalancer),
        (moto.ssm.models, "ParameterDict", Parameters),
        (nat_gateways, "random_private_ip", _none),
        (route_tables, "Route", Route),
        (route_tables, "RouteTable", RouteTable),
        (route_tables.RouteBackend, "_RouteBackend__validate_destination_cidr_block", _validated),
        (security_groups, "SecurityGroup", SecurityGroup),
        (security_groups, "tag_filter_matches", filters.matches_tag),
        (security_groups, "SecurityGroupRule", SecurityGroupRule),
        (subnets, "Subnet", Subnet),
        (vpcs, "VPC", Vpc),
        (utils, "instance_value_in_filter_values", filters.matches),
        (utils, "is_filter_matching", filters.matches_object),
        (utils, "tag_filter_matches", filters.matches_tag),
        (TaggedEC2Resource, "get_tags", tags.of),
    ):
        if not hasattr(module, name):
            raise AttributeError(f"moto has no {name} any more: it is not the release this was made for")
        setattr(module, name, ours)
    utils.filter_dict_attribute_mapping.update(filters.INSTANCE_ATTRIBUTES)
    utils.filter_dict_igw_mapping["owner-id"] = "owner_id"
    moto.ec2.urls.url_paths["{0}/"] = Ec2.dispatch
    Ec2.behave(habits)
    ec2_backends.backend = Account
    ec2_backends.clear()
    moto.elbv2.models.elbv2_backends.backend = LoadBalancers
    moto.elbv2.models.elbv2_backends.clear()
    moto.ssm.models.ssm_backends.clear()


def _none() -> None:
    """moto draws a NAT gateway's address from anywhere; without one, its subnet gives it one."""


def _validated(*_: object) -> None:
    """Destinations are checked where the request comes in, all kinds of them and only once."""
