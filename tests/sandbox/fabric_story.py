"""One call of every kind that changes what the kernel has, in an order that works: a network's whole life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.state import State
from tests.sandbox.api_lab import IMAGE, Server

Steps = list[tuple[str, State]]
POD = "10.200.1.0/24"
_ALL: Any = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
_PORT: Any = [{"IpProtocol": "tcp", "FromPort": 2222, "ToPort": 2222, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


class Story:
    """Calls the API and keeps the state after each call: ``steps``, the call's name with each."""

    def __init__(self, server: Server) -> None:
        self.steps: Steps = []
        self._server, self._ec2 = server, server.client()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**parameters: Any) -> Any:
            answer = getattr(self._ec2, name)(**parameters)
            if not name.startswith("describe"):
                count = sum(step.split("#")[0] == name for step, _ in self.steps)
                self.steps.append((f"{name}#{count + 1}" if count else name, self._server.state))
            return answer

        return call


def tell(server: Server) -> Steps:
    """The story, on an account with nothing in it."""
    server.forget()
    ec2 = Story(server)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    group = ec2.create_security_group(GroupName="k", Description="k", VpcId=vpc)["GroupId"]

    def launch(address: str) -> str:
        return str(
            ec2.run_instances(
                ImageId=IMAGE,
                MinCount=1,
                MaxCount=1,
                NetworkInterfaces=[
                    {
                        "DeviceIndex": 0, "SubnetId": subnet, "Groups": [group],
                        "PrivateIpAddress": address, "AssociatePublicIpAddress": True,
                    }
                ],
            )["Instances"][0]["InstanceId"]
        )  # fmt: skip

    one, two = launch("10.0.1.20"), launch("10.0.1.21")
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=_ALL)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=_PORT)
    _change_groups(ec2, group)
    ec2.modify_instance_attribute(InstanceId=two, SourceDestCheck={"Value": False})
    where = {"RouteTableId": table, "DestinationCidrBlock": POD}
    ec2.create_route(**where, InstanceId=two)
    ec2.replace_route(**where, InstanceId=one)
    _change_interfaces(ec2, one, subnet, group)
    _change_acls(ec2, vpc, subnet)
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    moved = ec2.replace_route_table_association(AssociationId=association, RouteTableId=other)
    ec2.disassociate_route_table(AssociationId=moved["NewAssociationId"])
    ec2.delete_route_table(RouteTableId=other)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.stop_instances(InstanceIds=[one])
    ec2.start_instances(InstanceIds=[one])
    second = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    block = ec2.associate_vpc_cidr_block(VpcId=second, CidrBlock="10.10.0.0/16")["CidrBlockAssociation"]
    ec2.disassociate_vpc_cidr_block(AssociationId=block["AssociationId"])
    ec2.delete_vpc(VpcId=second)
    ec2.terminate_instances(InstanceIds=[one, two])
    ec2.delete_security_group(GroupId=group)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_vpc(VpcId=vpc)
    return ec2.steps


def _change_groups(ec2: Story, group: str) -> None:
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=_ALL)
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=_ALL)
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=_PORT)
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=_PORT)
    found = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    rule = next(r for r in found["SecurityGroupRules"] if r.get("FromPort") == 2222)
    changed = {"IpProtocol": "tcp", "FromPort": 2222, "ToPort": 2223, "CidrIpv4": "0.0.0.0/0"}
    ec2.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": changed}
        ],
    )


def _change_interfaces(ec2: Story, instance: str, subnet: str, group: str) -> None:
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    first = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=["10.0.1.50", "10.0.1.51"])
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=first, PrivateIpAddresses=["10.0.1.50"])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=first, SourceDestCheck={"Value": False})
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group], PrivateIpAddress="10.0.1.60")
    eni = made["NetworkInterface"]["NetworkInterfaceId"]
    attached = ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=1)
    found = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    default = found["SecurityGroups"][0]["GroupId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[default])
    elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
    held = ec2.associate_address(AllocationId=elastic, NetworkInterfaceId=eni)["AssociationId"]
    ec2.disassociate_address(AssociationId=held)
    ec2.associate_address(AllocationId=elastic, NetworkInterfaceId=first)
    ec2.detach_network_interface(AttachmentId=attached["AttachmentId"])
    ec2.delete_network_interface(NetworkInterfaceId=eni)


def _change_acls(ec2: Story, vpc: str, subnet: str) -> None:
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0"}
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=True)
    ec2.create_network_acl_entry(**entry, RuleNumber=100, Egress=False)
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    before = ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]
    ruling = before["Associations"][0]["NetworkAclAssociationId"]
    moved = ec2.replace_network_acl_association(AssociationId=ruling, NetworkAclId=acl)["NewAssociationId"]
    ec2.replace_network_acl_entry(**{**entry, "RuleAction": "deny"}, RuleNumber=100, Egress=False)
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    ec2.replace_network_acl_association(AssociationId=moved, NetworkAclId=before["NetworkAclId"])
    ec2.delete_network_acl(NetworkAclId=acl)
