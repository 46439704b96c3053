"""The ids of a live cluster by the names that the catalogue's commands call them by."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def names(ec2: EC2Client, vpc: str, workers: Sequence[str]) -> dict[str, str]:
    """``VPC``, ``TABLE``, ``WORKER_1`` … of the cluster in ``vpc``.

    ``SUBNET``, ``SUBNET_2`` … are its subnets in order of address, ``TABLE``, ``TABLE_2`` … the tables that
    rule them, ``ACL``, ``ACL_2`` … their network ACLs; ``MAIN`` the main table, ``IGW`` the internet gateway,
    ``SG`` the group of the tutorial. ``WORKER_n`` and ``CONTROLLER_n`` are instances, ``…_ENI`` their primary
    interface and ``…_IP`` its address.
    """
    inside: Any = [{"Name": "vpc-id", "Values": [vpc]}]
    attached: Any = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    found = {"VPC": vpc}
    for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        found["IGW"] = gateway["InternetGatewayId"]
    for group in ec2.describe_security_groups(Filters=inside)["SecurityGroups"]:
        if group["GroupName"] == "kubernetes":
            found["SG"] = group["GroupId"]
    tables = ec2.describe_route_tables(Filters=inside)["RouteTables"]
    by_subnet = {a.get("SubnetId", "main"): t["RouteTableId"] for t in tables for a in t["Associations"]}
    acls = ec2.describe_network_acls(Filters=inside)["NetworkAcls"]
    acl_of = {a["SubnetId"]: acl["NetworkAclId"] for acl in acls for a in acl["Associations"]}
    found["MAIN"] = by_subnet["main"]
    subnets = ec2.describe_subnets(Filters=inside)["Subnets"]
    for number, subnet in enumerate(sorted(subnets, key=lambda s: IPv4Network(s["CidrBlock"])), 1):
        tail, identifier = "" if number == 1 else f"_{number}", subnet["SubnetId"]
        found[f"SUBNET{tail}"] = identifier
        found[f"TABLE{tail}"] = by_subnet.get(identifier, found["MAIN"])
        found[f"ACL{tail}"] = acl_of[identifier]
    for reservation in ec2.describe_instances(Filters=inside)["Reservations"]:
        for instance in reservation["Instances"]:
            found |= _of_instance(instance, workers)
    return found


def _of_instance(instance: Any, workers: Sequence[str]) -> dict[str, str]:
    name = next((tag["Value"] for tag in instance.get("Tags", ()) if tag["Key"] == "Name"), "")
    if instance["State"]["Name"] != "running" or not name:
        return {}
    known = f"WORKER_{workers.index(name)}" if name in workers else name.upper().replace("-", "_")
    primary = min(instance["NetworkInterfaces"], key=lambda eni: eni["Attachment"]["DeviceIndex"])
    return {
        known: instance["InstanceId"],
        f"{known}_ENI": primary["NetworkInterfaceId"],
        f"{known}_IP": primary["PrivateIpAddress"],
    }
