"""Beliefs about routes as the API has them: what is refused, what is listed, and how."""

from __future__ import annotations

from typing import Any, Final

from sandbox.beliefs.belief import Belief
from sandbox.beliefs.lab import PODS, VPC, Lab

_ELSEWHERE: Final = "10.201.0.0/24"


def _create(lab: Lab, destination: str, **target: str) -> str:
    """The code of a route that is expected to be refused; one that is not goes again."""
    code = lab.code("create_route", RouteTableId=lab.table, DestinationCidrBlock=destination, **target)
    if code == "accepted":
        lab.code("delete_route", RouteTableId=lab.table, DestinationCidrBlock=destination)
    return code


def _again(lab: Lab) -> str:
    with lab.route(PODS[1], InstanceId=lab.b.id):
        target = {"DestinationCidrBlock": PODS[1], "InstanceId": lab.b.id}
        return lab.code("create_route", RouteTableId=lab.table, **target)


def _another(lab: Lab) -> str:
    with lab.route(PODS[1], InstanceId=lab.b.id):
        target = {"DestinationCidrBlock": PODS[1], "InstanceId": lab.a.id}
        return lab.code("create_route", RouteTableId=lab.table, **target)


def _host_bits(lab: Lab) -> str:
    with lab.route("10.201.0.7/24", InstanceId=lab.b.id):
        return next((r["DestinationCidrBlock"] for r in lab.routes() if "10.201." in str(r)), "none")


def _unattached(lab: Lab) -> str:
    gateway = lab.new_gateway()
    try:
        return _create(lab, _ELSEWHERE, GatewayId=gateway)
    finally:
        lab.call("delete_internet_gateway", InternetGatewayId=gateway)


def _lone_interface(lab: Lab) -> str:
    tags = lab.mine.tags("network-interface")
    made = lab.call("create_network_interface", SubnetId=lab.subnet, TagSpecifications=tags)
    interface = lab.mine.note("network-interface", made["NetworkInterface"]["NetworkInterfaceId"])
    try:
        with lab.route(_ELSEWHERE, NetworkInterfaceId=interface):
            return lab.until("blackhole", lambda: lab.state_of(_ELSEWHERE))
    finally:
        lab.call("delete_network_interface", NetworkInterfaceId=interface)


def _delete_local(lab: Lab) -> str:
    return lab.code("delete_route", RouteTableId=lab.table, DestinationCidrBlock=VPC)


def _replace_missing(lab: Lab) -> str:
    target = {"DestinationCidrBlock": _ELSEWHERE, "InstanceId": lab.b.id}
    return lab.code("replace_route", RouteTableId=lab.table, **target)


def _associate_again(lab: Lab) -> str:
    table = lab.new_table()
    try:
        return lab.code("associate_route_table", RouteTableId=table, SubnetId=lab.subnet)
    finally:
        lab.call("delete_route_table", RouteTableId=table)


def _disassociate_main(lab: Lab) -> str:
    filters: Any = [{"Name": "vpc-id", "Values": [lab.vpc]}, {"Name": "association.main", "Values": ["true"]}]
    main = lab.call("describe_route_tables", Filters=filters)["RouteTables"][0]["Associations"][0]
    return lab.code("disassociate_route_table", AssociationId=main["RouteTableAssociationId"])


def _order(lab: Lab) -> str:
    with (
        lab.route("10.200.0.0/18", InstanceId=lab.a.id),
        lab.route("10.200.1.5/32", InstanceId=lab.b.id),
        lab.route(PODS[1], InstanceId=lab.b.id),
    ):
        return " ".join(route["DestinationCidrBlock"] for route in lab.routes())


def _keys(lab: Lab) -> str:
    with lab.route(PODS[1], InstanceId=lab.b.id):
        return " ".join(sorted(lab.route_to(PODS[1])))


def _keys_of_table(lab: Lab) -> str:
    return " ".join(sorted(lab.described()))


def _by_interface(lab: Lab) -> str:
    interface = lab.instance(lab.b)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    with lab.route(PODS[1], NetworkInterfaceId=interface):
        route = lab.route_to(PODS[1])
    return "its instance" if route.get("InstanceId") == lab.b.id else str(route.get("InstanceId", "none"))


ROUTES: Final = (
    Belief("identical-route", "RouteAlreadyExists", "inferred", _again),
    Belief("route-to-another", "RouteAlreadyExists", "documented", _another),
    Belief("host-bits", "10.201.0.0/24", "documented", _host_bits),
    Belief(
        "no-mask", "InvalidParameterValue", "inferred",
        lambda lab: _create(lab, "10.201.9.9", InstanceId=lab.b.id),
    ),
    Belief("no-target", "MissingParameter", "inferred", lambda lab: _create(lab, _ELSEWHERE)),
    Belief(
        "two-targets", "InvalidParameterCombination", "inferred",
        lambda lab: _create(lab, _ELSEWHERE, InstanceId=lab.b.id, GatewayId=lab.gateway),
    ),
    Belief(
        "reserved-range", "InvalidParameterValue", "inferred",
        lambda lab: _create(lab, "169.254.169.0/24", InstanceId=lab.b.id),
    ),
    Belief("vpc-range", "RouteAlreadyExists", "reported", lambda lab: _create(lab, VPC, InstanceId=lab.b.id)),
    Belief(
        "inside-a-subnet", "InvalidParameterValue", "inferred",
        lambda lab: _create(lab, f"{lab.b.address}/32", InstanceId=lab.b.id),
    ),
    Belief("unattached-gateway", "InvalidParameterValue", "inferred", _unattached),
    Belief("unattached-interface", "blackhole", "inferred", _lone_interface),
    Belief("delete-local", "InvalidParameterValue", "reported", _delete_local),
    Belief("replace-missing", "InvalidParameterValue", "reported", _replace_missing),
    Belief("associate-again", "Resource.AlreadyAssociated", "reported", _associate_again),
    Belief("disassociate-main", "InvalidParameterValue", "inferred", _disassociate_main),
    Belief(
        "order-of-routes", f"10.200.1.5/32 {PODS[1]} 10.200.0.0/18 {VPC} 0.0.0.0/0", "recorded", _order
    ),
    Belief(
        "keys-of-a-route",
        "DestinationCidrBlock InstanceId InstanceOwnerId NetworkInterfaceId Origin State", "recorded", _keys,
    ),
    Belief(
        "keys-of-a-table",
        "Associations OwnerId PropagatingVgws RouteTableId Routes Tags VpcId", "recorded", _keys_of_table,
    ),
    Belief("route-by-interface", "its instance", "reported", _by_interface),
)  # fmt: skip
