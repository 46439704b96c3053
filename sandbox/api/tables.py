"""Route tables: which subnets they rule, how they are found, when they cannot go."""

from __future__ import annotations

import functools
import ipaddress
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.models import route_tables
from moto.ec2.responses.route_tables import RouteTables

from sandbox.api.refusals import Refusal

_ROUTE_FILTERS: Final = {
    "route.carrier-gateway-id": "carrier_gateway_id",
    "route.destination-cidr-block": "destination_cidr_block",
    "route.destination-ipv6-cidr-block": "destination_ipv6_cidr_block",
    "route.destination-prefix-list-id": "destination_prefix_list_id",
    "route.egress-only-internet-gateway-id": "egress_only_internet_gateway_id",
    "route.gateway-id": "gateway_id",
    "route.instance-id": "instance_id",
    "route.nat-gateway-id": "nat_gateway_id",
    "route.origin": "origin",
    "route.state": "state",
    "route.transit-gateway-id": "transit_gateway_id",
    "route.vpc-peering-connection-id": "vpc_peering_connection_id",
}
"""DescribeRouteTables' filters on routes: a table passes when any one of its routes does."""


class RouteTable(route_tables.RouteTable):
    """A route table with every filter DescribeRouteTables documents."""

    @property
    def routes(self) -> list[Any]:
        """The longer prefixes first, as AWS lists them (seen in each recorded answer, documented nowhere)."""
        return sorted(super().routes, key=_place)

    propagating_vgws: tuple[()] = ()
    """AWS lists the key, empty where nothing is propagated, and nothing is here."""

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name in _ROUTE_FILTERS:
            return [getattr(route, _ROUTE_FILTERS[filter_name]) for route in self.routes]
        if filter_name == "association.subnet-id":
            return [target for target in self._associations.values() if target.startswith("subnet-")]
        if filter_name == "association.gateway-id":
            return [target for target in self._associations.values() if not target.startswith("subnet-")]
        return super().get_filter_value(filter_name, method_name)


def _place(route: Any) -> tuple[int, int, int]:
    """IPv4 before IPv6, and prefix lists at the end."""
    destination = route.destination_cidr_block or route.destination_ipv6_cidr_block
    return _place_of(destination) if destination else (9, 0, 0)


@functools.cache
def _place_of(destination: str) -> tuple[int, int, int]:
    network = ipaddress.ip_network(destination, strict=False)
    return network.version, -network.prefixlen, int(network.network_address)


class RouteTableRequests(RouteTables):
    """DeleteRouteTable and the associations, with AWS's refusals."""

    def delete_route_table(self) -> ActionResult:
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        if table.main_association_id:
            raise Refusal(
                "DependencyViolation",
                f"The routeTable '{table.id}' has dependencies and cannot be deleted: "
                "it is the VPC's main route table.",
            )
        return super().delete_route_table()

    def associate_route_table(self) -> ActionResult:
        """A subnet has one association. Asking again for the one it has answers that one's id (as moto's
        authors found AWS to do); asking for another is refused until the first is taken away. [NV]"""
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        subnet_id = self._get_param("SubnetId")
        if subnet_id:
            subnet = self.ec2_backend.get_subnet(subnet_id)
            _refuse_other_vpc(table, subnet)
            ruling = self._ruling(subnet_id)
            if ruling is not None and ruling is not table:
                raise Refusal(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {table.id} conflicts with an existing "
                    "association",
                )
        elif not self._get_param("GatewayId"):
            raise Refusal("MissingParameter", "The request must contain the parameter subnetId or gatewayId")
        return super().associate_route_table()

    def disassociate_route_table(self) -> ActionResult:
        association = self._get_param("AssociationId")
        if any(table.main_association_id == association for table in self.ec2_backend.route_tables.values()):
            raise Refusal(
                "InvalidParameterValue",
                f"cannot disassociate the main route table association {association}",
            )
        return super().disassociate_route_table()

    def replace_route_table_association(self) -> ActionResult:
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        association = self._get_param("AssociationId")
        for other in self.ec2_backend.route_tables.values():
            if association in other.all_associations_ids and other.vpc_id != table.vpc_id:
                raise Refusal(
                    "InvalidParameterValue",
                    f"Route table {table.id} and association {association} belong to different networks",
                )
        return super().replace_route_table_association()

    def _ruling(self, subnet_id: str) -> Any:
        """The table the subnet is explicitly associated with, or None."""
        for table in self.ec2_backend.route_tables.values():
            if subnet_id in table._associations.values():
                return table
        return None


def _refuse_other_vpc(table: Any, subnet: Any) -> None:
    if table.vpc_id != subnet.vpc_id:
        raise Refusal(
            "InvalidParameterValue",
            f"Route table {table.id} and subnet {subnet.id} belong to different networks",
        )
