"""Calls to the API drawn by chance, with parameters that are right, odd or wrong."""

from __future__ import annotations

import random
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.state import State
from tests.sandbox.api_lab import IMAGE, Server

_USUAL = 5
"""So many of each list are what people write; what comes after is odd or wrong."""
_CIDRS = (
    "10.0.0.0/16", "10.0.2.0/28", "0.0.0.0/0", "10.200.1.0/24", "10.1.0.0/16", "10.0.1.0/24", "10.0.1.128/25",
    "10.200.0.0/16", "10.0.0.0/8", "10.0.1.7/24", "10.0.1.0/33", "10.0.0.0/30", "::/0", "fd00::/64", "", "x",
    "224.0.0.0/16", "127.0.0.0/24", "10.0.1.20/32", "255.255.255.255/32", "0.0.0.0/32", "169.254.169.254/32",
    "1.2.3.4", "10.0.0.0/016", "10.0.0.0/16 ", "10.0.1.0/24; rm", "٠.0.0.0/0", "100.64.0.0/16",
)  # fmt: skip
_ADDRESSES = (
    "10.0.1.20", "10.0.1.21", "10.0.1.30", "10.0.1.31", "10.0.2.4", "10.0.1.0", "10.0.1.3", "10.0.1.255", "",
    "10.0.9.9", "10.0.1", "::1", "10.0.1.20/32",
)  # fmt: skip
_PROTOCOLS = (
    "tcp",
    "udp",
    "icmp",
    "icmpv6",
    "-1",
    "6",
    "17",
    "1",
    "58",
    "50",
    "0",
    "255",
    "256",
    "tpc",
    "all",
    "",
)
_NUMBERS = (22, 100, 0, 8, 53, -2, -1, 1, 3, 255, 256, 32766, 32767, 65535, 65536, 2**31, "x")
_STRANGE = ("", "x", "sg-0123456789abcdef0", "i-0123456789abcdef0", "vpc-1", "default", "eni-", "é\n")
_KINDS = {
    "vpc": ("describe_vpcs", "Vpcs", "VpcId"),
    "subnet": ("describe_subnets", "Subnets", "SubnetId"),
    "table": ("describe_route_tables", "RouteTables", "RouteTableId"),
    "gateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "group": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "acl": ("describe_network_acls", "NetworkAcls", "NetworkAclId"),
    "eni": ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "elastic": ("describe_addresses", "Addresses", "AllocationId"),
    "rule": ("describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId"),
}


class Fuzz:
    """``seed`` decides everything. ``failures``: the calls that were answered with 5xx; ``states``: each
    state that was handed on, in order; ``made``: how many calls did something."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server, self._chance = server, random.Random(seed)  # noqa: S311 -- repeatable, not secret
        self._ec2: Any = boto3.client(
            "ec2",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 -- the sandbox's API takes any
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )
        self.failures: list[str] = []
        self.states: list[State] = []
        self.made = 0
        self._calls = server.calls if (server.directory / "calls").exists() else 0

    def run(self, calls: int) -> None:
        """Make so many calls, after a start from which most of them can work."""
        vpc = self._call("create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self._call("create_subnet", VpcId=vpc, CidrBlock="10.0.1.0/24")
        gateway = self._call("create_internet_gateway")["InternetGateway"]["InternetGatewayId"]
        self._call("attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
        self._call("create_route_table", VpcId=vpc)
        names = [name.removeprefix("_do_") for name in dir(self) if name.startswith("_do_")]
        for _ in range(calls):
            name = self._chance.choice(names)
            self._call(name, **getattr(self, f"_do_{name}")())

    def _call(self, name: str, **parameters: Any) -> Any:
        try:
            answer = getattr(self._ec2, name)(**parameters)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                self.failures.append(f"{name}({parameters}): {error}")
            return {}
        if self._server.calls != self._calls:
            self._calls = self._server.calls
            self.states.append(self._server.state)
            self.made += 1
        return answer

    def _one(self, kind: str) -> str:
        if self._chance.random() < 0.08:
            return self._chance.choice(_STRANGE)
        describe, key, name = _KINDS[kind]
        found = [item[name] for item in getattr(self._ec2, describe)()[key]]
        return str(self._chance.choice(found)) if found else "x"

    def _instance(self) -> str:
        if self._chance.random() < 0.08:
            return self._chance.choice(_STRANGE)
        found = self._ec2.describe_instances()["Reservations"]
        return str(self._chance.choice(found)["Instances"][0]["InstanceId"]) if found else "x"

    def _pick(self, values: tuple[Any, ...]) -> Any:
        return self._chance.choice(values[:_USUAL] if self._chance.random() < 0.6 else values)

    def _cidr(self) -> Any:
        return self._pick(_CIDRS)

    def _number(self) -> Any:
        return self._pick(_NUMBERS)

    def _some(self, **parameters: Any) -> dict[str, Any]:
        """Each parameter, but for one in twenty that is forgotten."""
        return {key: value for key, value in parameters.items() if self._chance.random() > 0.05}

    def _target(self) -> dict[str, Any]:
        given: list[dict[str, Any]] = [
            {"GatewayId": self._one("gateway")}, {"InstanceId": self._instance()}, {"GatewayId": "local"},
            {"NetworkInterfaceId": self._one("eni")}, {"NatGatewayId": "nat-1"}, {},
        ]  # fmt: skip
        return self._chance.choice(given)

    def _permission(self) -> dict[str, Any]:
        sources = self._some(
            IpRanges=[{"CidrIp": self._cidr()}],
            Ipv6Ranges=[{"CidrIpv6": self._cidr()}] if self._chance.random() < 0.3 else [],
            UserIdGroupPairs=[{"GroupId": self._one("group")}] if self._chance.random() < 0.3 else [],
        )
        return {
            **self._some(IpProtocol=self._pick(_PROTOCOLS), FromPort=self._number(), ToPort=self._number()),
            **sources,
        }

    def _rules(self) -> dict[str, Any]:
        return self._some(
            GroupId=self._one("group"),
            IpPermissions=[self._permission() for _ in range(self._chance.randrange(3))],
        )

    def _entry(self) -> dict[str, Any]:
        return self._some(
            NetworkAclId=self._one("acl"),
            RuleNumber=self._number(),
            Protocol=self._pick(_PROTOCOLS),
            RuleAction=self._chance.choice(("allow", "allow", "deny", "perhaps")),
            Egress=self._chance.choice((True, False)),
            CidrBlock=self._cidr(),
            PortRange=self._some(From=self._number(), To=self._number()),
            IcmpTypeCode=self._some(Type=self._number(), Code=self._number()),
        )

    _do_authorize_security_group_ingress = _do_authorize_security_group_egress = _rules
    _do_revoke_security_group_ingress = _do_revoke_security_group_egress = _rules
    _do_create_network_acl_entry = _do_replace_network_acl_entry = _entry

    def _do_modify_security_group_rules(self) -> dict[str, Any]:
        change = self._some(
            IpProtocol=self._pick(_PROTOCOLS),
            FromPort=self._number(),
            ToPort=self._number(),
            CidrIpv4=self._cidr(),
        )
        listed = [{"SecurityGroupRuleId": self._one("rule"), "SecurityGroupRule": change}]
        return self._some(GroupId=self._one("group"), SecurityGroupRules=listed)

    def _do_delete_network_acl_entry(self) -> dict[str, Any]:
        return self._some(NetworkAclId=self._one("acl"), RuleNumber=self._number(), Egress=True)

    def _do_create_vpc(self) -> dict[str, Any]:
        return self._some(CidrBlock=self._cidr())

    def _do_create_subnet(self) -> dict[str, Any]:
        return self._some(VpcId=self._one("vpc"), CidrBlock=self._cidr())

    def _do_associate_vpc_cidr_block(self) -> dict[str, Any]:
        return self._some(VpcId=self._one("vpc"), CidrBlock=self._cidr())

    def _do_disassociate_vpc_cidr_block(self) -> dict[str, Any]:
        vpcs = self._ec2.describe_vpcs()["Vpcs"]
        blocks = [block["AssociationId"] for vpc in vpcs for block in vpc["CidrBlockAssociationSet"]]
        return {"AssociationId": self._chance.choice([*blocks, *_STRANGE])}

    def _do_create_route(self) -> dict[str, Any]:
        return self._some(
            RouteTableId=self._one("table"), DestinationCidrBlock=self._cidr(), **self._target()
        )

    _do_replace_route = _do_create_route

    def _do_delete_route(self) -> dict[str, Any]:
        return self._some(RouteTableId=self._one("table"), DestinationCidrBlock=self._cidr())

    def _do_create_route_table(self) -> dict[str, Any]:
        return {"VpcId": self._one("vpc")}

    def _do_delete_route_table(self) -> dict[str, Any]:
        return {"RouteTableId": self._one("table")}

    def _do_associate_route_table(self) -> dict[str, Any]:
        return self._some(RouteTableId=self._one("table"), SubnetId=self._one("subnet"))

    def _do_create_security_group(self) -> dict[str, Any]:
        name = self._chance.choice(("a", "b", "", "default", "é"))
        return self._some(GroupName=name, Description="d", VpcId=self._one("vpc"))

    def _do_delete_security_group(self) -> dict[str, Any]:
        return {"GroupId": self._one("group")}

    def _do_delete_subnet(self) -> dict[str, Any]:
        return {"SubnetId": self._one("subnet")}

    def _do_detach_internet_gateway(self) -> dict[str, Any]:
        return self._some(InternetGatewayId=self._one("gateway"), VpcId=self._one("vpc"))

    _do_attach_internet_gateway = _do_detach_internet_gateway

    def _do_run_instances(self) -> dict[str, Any]:
        interface = self._some(
            DeviceIndex=self._chance.choice((0, 0, 0, 0, 0, 0, 1, -1, 2**31)),
            SubnetId=self._one("subnet"),
            Groups=[self._one("group")],
            PrivateIpAddress=self._pick(_ADDRESSES),
            AssociatePublicIpAddress=True,
        )
        how = self._some(NetworkInterfaces=[interface]) or {"SubnetId": self._one("subnet")}
        return {"ImageId": IMAGE, **self._some(MinCount=1, MaxCount=1), **how}

    def _do_stop_instances(self) -> dict[str, Any]:
        return {"InstanceIds": [self._instance()]}

    _do_start_instances = _do_terminate_instances = _do_reboot_instances = _do_stop_instances

    def _do_modify_instance_attribute(self) -> dict[str, Any]:
        return self._some(InstanceId=self._instance(), SourceDestCheck={"Value": False})

    def _do_create_network_interface(self) -> dict[str, Any]:
        return self._some(
            SubnetId=self._one("subnet"),
            PrivateIpAddress=self._pick(_ADDRESSES),
            Groups=[self._one("group")],
            SecondaryPrivateIpAddressCount=self._chance.choice((0, 1, 3, -1, 20)),
        )

    def _do_attach_network_interface(self) -> dict[str, Any]:
        index = self._chance.choice((1, 1, 1, 2, 0, -1, 99, 2**31))
        eni, instance = self._one("eni"), self._instance()
        return self._some(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=index)

    def _do_detach_network_interface(self) -> dict[str, Any]:
        found = self._ec2.describe_network_interfaces()["NetworkInterfaces"]
        held = [eni["Attachment"].get("AttachmentId", "x") for eni in found if eni.get("Attachment")]
        return {"AttachmentId": self._chance.choice([*held, *_STRANGE])}

    def _do_delete_network_interface(self) -> dict[str, Any]:
        return {"NetworkInterfaceId": self._one("eni")}

    def _do_assign_private_ip_addresses(self) -> dict[str, Any]:
        return self._some(
            NetworkInterfaceId=self._one("eni"),
            PrivateIpAddresses=[self._pick(_ADDRESSES), self._pick(_ADDRESSES)],
            SecondaryPrivateIpAddressCount=self._chance.choice((0, 0, 1, 2, -1)),
        )

    def _do_unassign_private_ip_addresses(self) -> dict[str, Any]:
        addresses = [self._pick(_ADDRESSES)]
        return self._some(NetworkInterfaceId=self._one("eni"), PrivateIpAddresses=addresses)

    def _do_modify_network_interface_attribute(self) -> dict[str, Any]:
        change = self._chance.choice(
            ({"SourceDestCheck": {"Value": False}}, {"Groups": [self._one("group")]})
        )
        return {"NetworkInterfaceId": self._one("eni"), **change}

    def _do_allocate_address(self) -> dict[str, Any]:
        return {"Domain": "vpc"}

    def _do_associate_address(self) -> dict[str, Any]:
        where: Any = self._chance.choice(
            ({"InstanceId": self._instance()}, {"NetworkInterfaceId": self._one("eni")}, {})
        )
        return self._some(AllocationId=self._one("elastic"), AllowReassociation=True, **where)

    def _do_release_address(self) -> dict[str, Any]:
        return {"AllocationId": self._one("elastic")}

    def _do_create_network_acl(self) -> dict[str, Any]:
        return {"VpcId": self._one("vpc")}

    def _do_delete_network_acl(self) -> dict[str, Any]:
        return {"NetworkAclId": self._one("acl")}

    def _do_replace_network_acl_association(self) -> dict[str, Any]:
        found = self._ec2.describe_network_acls()["NetworkAcls"]
        held = [item["NetworkAclAssociationId"] for acl in found for item in acl["Associations"]]
        return self._some(
            NetworkAclId=self._one("acl"), AssociationId=self._chance.choice([*held, *_STRANGE])
        )

    def _do_delete_vpc(self) -> dict[str, Any]:
        return {"VpcId": self._one("vpc")}
