"""Routes: what they point at, whether that is there, and which ones AWS refuses."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import route_tables
from moto.ec2.responses.route_tables import RouteTables

from sandbox.api import cidrs, prefix_lists
from sandbox.api.refusals import Refusal, missing

_TARGETS: Final = (
    "CarrierGatewayId",
    "CoreNetworkArn",
    "EgressOnlyInternetGatewayId",
    "GatewayId",
    "InstanceId",
    "LocalGatewayId",
    "LocalTarget",
    "NatGatewayId",
    "NetworkInterfaceId",
    "OdbNetworkArn",
    "TransitGatewayId",
    "VpcEndpointId",
    "VpcPeeringConnectionId",
)
_DESTINATIONS: Final = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
_INSIDE_THE_VPC: Final = ("InstanceId", "NatGatewayId", "NetworkInterfaceId", "VpcEndpointId")
"""The targets a route within the VPC's own range may have (VPC User Guide, *Route tables*)."""
_RESERVED: Final = "169.254.168.0/22"
"""No destination may lie in here (VPC User Guide, *Route tables*)."""


class Route(route_tables.Route):
    """A route whose state is looked up. One to an instance is a route to its network interface.

    So it follows the interface. When that is deleted its id stays in the route, and the instance's
    goes (hashicorp/terraform#6076: "points to a dangling eni (inactive black hole)").
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None:
            self.interface = self.instance.nics[0]
        self.instance = None

    @property
    def gateway_id(self) -> str | None:
        return None if self._diverted else super().gateway_id

    @property
    def instance_id(self) -> str | None:
        attached = self.interface.instance if self.interface else None
        return attached.id if attached else None

    @property
    def instance_owner_id(self) -> str | None:
        attached = self.interface.instance if self.interface else None
        return attached.owner_id if attached else None

    @property
    def state(self) -> str:
        """``blackhole`` where the target is not available: a stopped or terminated instance, an
        interface that is detached or deleted, a gateway that is not attached to the VPC, a NAT gateway
        that is gone (botocore's RouteState; VPC User Guide, *Middlebox routing*)."""
        if self.interface is not None:
            attached: Any = self.interface.instance
            there = attached is not None and attached.is_up
        elif self.gateway is not None:
            there = _attached(self.gateway, self.route_table.vpc_id)
        elif self.nat_gateway is not None:
            there = self.nat_gateway.state in ("pending", "available")
        else:
            there = True
        return "active" if there else "blackhole"

    @property
    def _diverted(self) -> bool:
        """Whether a ``local`` route was given another target, which AWS allows."""
        return self.local and (self.interface is not None or self.nat_gateway is not None)


def _attached(gateway: Any, vpc: str) -> bool:
    if hasattr(gateway, "attachments") and isinstance(gateway.attachments, dict):
        attachment = gateway.attachments.get(vpc)
        return attachment is not None and attachment.state == "attached"
    return bool(gateway.vpc and gateway.vpc.id == vpc)


class RouteRequests(RouteTables):
    """CreateRoute, ReplaceRoute and DeleteRoute with AWS's refusals."""

    routes_per_table = 500

    def create_route(self) -> ActionResult:
        table, destination = self._table(), self._destination()
        target = self._target(table)
        if destination in _destinations(table):
            raise Refusal("RouteAlreadyExists", f"The route identified by {destination} already exists.")
        self._refuse_unroutable(table, destination, target)
        made = sum(_weight(route.destination_prefix_list) for route in table.routes if not route.local)
        if made + _weight(self.ec2_backend.managed_prefix_lists.get(destination)) > self.routes_per_table:
            raise Refusal(
                "RouteLimitExceeded",
                f"The maximum number of routes has been reached: {table.id} has {made}.",
            )
        answer = super().create_route()
        self._keep_list(table, destination)
        return answer

    def replace_route(self) -> ActionResult:
        table, destination = self._table(), self._destination()
        target = self._target(table)
        route = _destinations(table).get(destination)
        if route is None:
            raise Refusal(
                "InvalidParameterValue",
                f"There is no route defined for '{destination}' in the route table. Use CreateRoute instead.",
            )
        if target == "LocalTarget":
            if not route.local:
                raise Refusal(
                    "InvalidParameterValue", f"The route identified by {destination} is not a local route."
                )
            route.interface = route.nat_gateway = None
            return EmptyResult()
        if route.local and target not in _INSIDE_THE_VPC:
            raise _within_vpc(destination)
        self._refuse_unroutable(table, destination, target, local=route.local)
        local = route.local
        super().replace_route()
        if route.instance is not None:
            route.interface, route.instance = route.instance.nics[0], None
        route.local = local
        return EmptyResult()

    def delete_route(self) -> ActionResult:
        table, destination = self._table(), self._destination()
        route = _destinations(table).get(destination)
        if route is not None and route.local:
            raise Refusal(
                "InvalidParameterValue",
                f"cannot remove local route {destination} in route table {table.id}",
            )
        return super().delete_route()

    def _keep_list(self, table: Any, destination: str) -> None:
        """moto forgets the prefix list of a route to a network interface."""
        route = table._routes.pop(f"{table.id}~None", None)
        if route is not None:
            route.destination_prefix_list = prefix_lists.find(self.ec2_backend, destination)
            route.id = f"{table.id}~{destination}"
            table._routes[route.id] = route

    def _table(self) -> Any:
        return self.ec2_backend.get_route_table(self._get_param("RouteTableId"))

    def _destination(self) -> str:
        """The one destination, canonical, also in the request that moto goes on with."""
        given = [name for name in _DESTINATIONS if self._get_param(name)]
        if not given and self._get_param(_DESTINATIONS[0]) == "":
            # A variable that was lost: of a range AWS says that it is none, and not that it is absent.
            cidrs.canonical("", "destinationCidrBlock")
        if not given:
            raise missing(_DESTINATIONS[0])
        if len(given) > 1:
            raise Refusal(
                "InvalidParameterCombination",
                f"The parameters {' and '.join(given)} cannot be used together.",
            )
        destination: str = self._get_param(given[0])
        if given[0] == "DestinationCidrBlock":
            destination = self.params[given[0]] = cidrs.canonical(destination, "destinationCidrBlock")
        if given[0] == "DestinationPrefixListId":
            prefix_lists.find(self.ec2_backend, destination)
        return destination

    def _target(self, table: Any) -> str:
        """Which target parameter the request has. What it names exists, and can be one of ``table``."""
        given = [name for name in _TARGETS if self._get_param(name)]
        if not given:
            raise Refusal(
                "MissingParameter",
                "The request must contain exactly one of gatewayId, instanceId, natGatewayId, "
                "networkInterfaceId or another target",
            )
        if len(given) > 1:
            raise Refusal(
                "InvalidParameterCombination",
                f"The parameters {' and '.join(given)} cannot be used together: a route has one target.",
            )
        name = given[0]
        value = self._get_param(name)
        if name == "InstanceId":
            self._refuse_instance(value, table)
        elif name == "NetworkInterfaceId":
            interface = self.ec2_backend.get_network_interface(value)
            _refuse_other_vpc(f"interface {value}", interface.vpc_id, table)
        elif name == "GatewayId":
            if value == "local":
                name = "LocalTarget"
            else:
                self._refuse_gateway(value, table)
        elif name == "NatGatewayId" and value not in self.ec2_backend.nat_gateways:
            raise Refusal("InvalidNatGatewayID.NotFound", f"The natGateway ID '{value}' does not exist")
        if name == "LocalTarget" and self._get_action() == "CreateRoute":
            raise Refusal("InvalidParameterValue", "A local route cannot be created.")
        return name

    def _refuse_instance(self, instance_id: str, table: Any) -> None:
        """A stopped instance is accepted, and its route a blackhole, as one to an unattached interface
        is: AWS keeps the interface. A terminated one has none left, and is as good as unknown. [NV]"""
        instance = self.ec2_backend.get_instance(instance_id)
        if not instance.nics:
            raise Refusal("InvalidInstanceID.NotFound", f"The instance ID '{instance_id}' does not exist")
        instance.refuse_several_interfaces()
        _refuse_other_vpc(f"instance {instance_id}", instance.nics[0].vpc_id, table)

    def _refuse_gateway(self, gateway_id: str, table: Any) -> None:
        if gateway_id.startswith("igw-"):
            gateway: Any = self.ec2_backend.get_internet_gateway(gateway_id)
        elif gateway_id.startswith("vgw-"):
            gateway = self.ec2_backend.get_vpn_gateway(gateway_id)
        elif gateway_id.startswith("vpce-"):
            return
        else:
            raise Refusal("InvalidGatewayID.NotFound", f"The gateway ID '{gateway_id}' does not exist")
        if not _attached(gateway, table.vpc_id):
            raise Refusal(
                "InvalidParameterValue",
                f"route table {table.id} and network gateway {gateway_id} belong to different networks",
            )

    def _refuse_unroutable(self, table: Any, destination: str, target: str, local: bool = False) -> None:
        if "/" not in destination or ":" in destination:
            return
        if cidrs.covers(_RESERVED, destination):
            raise Refusal("InvalidParameterValue", f"The destination CIDR block {destination} is reserved.")
        own = [route.destination_cidr_block for route in table.routes if route.local]
        if local or not any(cidrs.covers(block, destination) for block in own if block):
            return
        subnets = {
            subnet.cidr_block
            for subnet in self.ec2_backend.describe_subnets()
            if subnet.vpc_id == table.vpc_id
        }
        if target not in _INSIDE_THE_VPC or destination not in subnets:
            raise _within_vpc(destination)


def _weight(prefix_list: Any) -> int:
    """What a route counts towards the table's quota: one by a prefix list as the list may have entries."""
    return prefix_lists.weight(prefix_list) if prefix_list else 1


def _destinations(table: Any) -> dict[str, Any]:
    return {
        route.destination_cidr_block
        or route.destination_ipv6_cidr_block
        or route.destination_prefix_list_id: route
        for route in table.routes
    }


def _refuse_other_vpc(what: str, vpc: str, table: Any) -> None:
    if vpc != table.vpc_id:
        raise Refusal(
            "InvalidParameterValue", f"route table {table.id} and {what} belong to different networks"
        )


def _within_vpc(destination: str) -> Refusal:
    return Refusal(
        "InvalidParameterValue",
        f"The destination CIDR block {destination} is equal to or more specific than one of this VPC's "
        "CIDR blocks. This route can target only an interface or an instance, and only for a whole "
        "subnet.",
    )
