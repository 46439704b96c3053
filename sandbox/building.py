"""A lab, built through the EC2 API in the order in which a student builds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kthw.intended import tutorial
from sandbox import birth
from sandbox.lab import Chapter, Lab, Machine

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_ZONES: Final = "abc"


def build(
    ec2: EC2Client, lab: Lab, names: Sequence[str], key_file: Path, after: Chapter = "workers"
) -> dict[str, Machine]:
    """Build it with workers of these names; its machines by instance id.

    The key pair's private half goes to ``key_file``, in the sandbox's folder; it is made with the first lab,
    for all. What is done on the running nodes themselves is ``sandbox.dressing``'s.
    """
    vpc = ec2.create_vpc(CidrBlock=lab.vpc)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": True})
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    subnets = [
        _subnet(ec2, vpc, cidr, _ZONES[place % len(_ZONES)] if lab.zones else "")
        for place, cidr in enumerate(lab.ranges(len(names)))
    ]
    # The last, so that it is the one that -1 names.
    subnets += [_subnet(ec2, vpc, lab.front, _ZONES[0] if lab.zones else "")] if lab.front else []
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = _tables(ec2, lab, vpc, subnets)
    _lead_out(ec2, lab, subnets, tables, gateway)
    if lab.acl:
        _acl(ec2, vpc, subnets[-1])
    _name(ec2, tutorial.NETWORK_NAME, vpc)
    _name(ec2, tutorial.RESOURCE_NAME, *subnets, gateway, *tables)
    group = _security_group(ec2, lab, vpc, len(names))
    if not key_file.exists():
        key = ec2.create_key_pair(KeyName=tutorial.KEY_NAME)["KeyMaterial"]
        key_file.touch(mode=0o600)
        key_file.write_text(key)
    machines = lab.machines(names)
    files = {each.address: lab.born_with(each) for each in machines} if after == "workers" else {}
    built = {}
    with birth.given(key_file.parent, files):
        for machine in machines:
            public = machine.subnet == -1 or not lab.front
            launched = _launch(ec2, lab, subnets[machine.subnet], group, machine, public=public)
            built[launched["InstanceId"]] = machine
            if machine.pod_cidr and lab.routes in ("instance", "eni"):
                for table in tables:
                    _route(ec2, lab, table, machine, launched)
    return built


def balance(client: Callable[[str, str, str], Any], ec2: EC2Client, lab: Lab) -> None:
    """A network load balancer in front of the controllers of a lab that was built, the only one there.

    ``client``: makes one, of an endpoint, a service and a region.
    """
    elb = client(ec2.meta.endpoint_url, "elbv2", ec2.meta.region_name)
    subnet = ec2.describe_subnets()["Subnets"][0]
    (made,) = elb.create_load_balancer(
        Name=tutorial.RESOURCE_NAME, Subnets=[subnet["SubnetId"]], Scheme="internet-facing", Type="network"
    )["LoadBalancers"]
    (group,) = elb.create_target_group(
        Name=tutorial.RESOURCE_NAME,
        Protocol="TCP",
        Port=tutorial.API_PORT,
        VpcId=subnet["VpcId"],
        TargetType="ip",
    )["TargetGroups"]
    controllers = [machine for machine in lab.machines(lab.names()) if machine.name in lab.others]
    elb.register_targets(
        TargetGroupArn=group["TargetGroupArn"], Targets=[{"Id": each.address} for each in controllers]
    )
    elb.create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="TCP",
        Port=tutorial.BALANCED_PORT,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
    )


def _name(ec2: EC2Client, name: str, *resources: str) -> None:
    ec2.create_tags(Resources=list(resources), Tags=[{"Key": "Name", "Value": name}])


def _subnet(ec2: EC2Client, vpc: str, cidr: str, zone: str) -> str:
    where: Any = {"AvailabilityZone": f"{ec2.meta.region_name}{zone}"} if zone else {}
    return ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, **where)["Subnet"]["SubnetId"]


def _tables(ec2: EC2Client, lab: Lab, vpc: str, subnets: Sequence[str]) -> list[str]:
    """Those that rule the subnets; that of the subnet in front, which has one of its own, is the last."""
    if lab.tables == "main":
        inside: Any = [{"Name": "vpc-id", "Values": [vpc]}]
        return [ec2.describe_route_tables(Filters=inside)["RouteTables"][0]["RouteTableId"]]
    made: list[str] = []
    for place, subnet in enumerate(subnets):
        if not made or lab.tables == "each" or (lab.front and place == len(subnets) - 1):
            made.append(ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
        ec2.associate_route_table(RouteTableId=made[-1], SubnetId=subnet)
    return made


def _lead_out(ec2: EC2Client, lab: Lab, subnets: Sequence[str], tables: Sequence[str], gateway: str) -> None:
    private = tables[:-1] if lab.front else []
    for table in tables:
        if table not in private:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock=tutorial.EVERYWHERE, GatewayId=gateway)
    if private and lab.nat:
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=subnets[-1], AllocationId=address)["NatGateway"]["NatGatewayId"]
        for table in private:
            ec2.create_route(RouteTableId=table, DestinationCidrBlock=tutorial.EVERYWHERE, NatGatewayId=nat)


def _acl(ec2: EC2Client, vpc: str, subnet: str) -> None:
    """A network ACL for that subnet alone, which lets everything pass."""
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=100,
            Protocol="-1",
            RuleAction="allow",
            Egress=egress,
            CidrBlock=tutorial.EVERYWHERE,
        )
    its: Any = [{"Name": "association.subnet-id", "Values": [subnet]}]
    for association in ec2.describe_network_acls(Filters=its)["NetworkAcls"][0]["Associations"]:
        if association["SubnetId"] == subnet:
            ec2.replace_network_acl_association(
                AssociationId=association["NetworkAclAssociationId"], NetworkAclId=acl
            )


def _security_group(ec2: EC2Client, lab: Lab, vpc: str, workers: int) -> str:
    group = ec2.create_security_group(
        GroupName=tutorial.RESOURCE_NAME, Description="Kubernetes security group", VpcId=vpc
    )["GroupId"]
    _name(ec2, tutorial.RESOURCE_NAME, group)
    everything = [("-1", -1, cidr) for cidr in (lab.vpc, lab.pod_range(workers))]
    for rule in everything if lab.lets_in is None else lab.lets_in:
        _allow(ec2, group, *rule)
    for port in tutorial.PUBLIC_PORTS:
        _allow(ec2, group, "tcp", port, lab.opened_to)
    _allow(ec2, group, "icmp", -1, lab.opened_to)
    return group


def _allow(ec2: EC2Client, group: str, protocol: str, port: int, cidr: str) -> None:
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": protocol, "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}
        ],
    )


def _launch(
    ec2: EC2Client, lab: Lab, subnet: str, group: str, machine: Machine, *, public: bool
) -> Mapping[str, Any]:
    said: Any = {"UserData": machine.user_data} if machine.user_data else {}
    if machine.tags:
        tags = [{"Key": key, "Value": value} for key, value in machine.tags]
        said["TagSpecifications"] = [{"ResourceType": "instance", "Tags": tags}]
    launched = ec2.run_instances(
        ImageId=lab.image,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.micro",
        KeyName=tutorial.KEY_NAME,
        BlockDeviceMappings=[{"DeviceName": lab.root_device, "Ebs": {"VolumeSize": lab.disk}}],
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": subnet,
                "Groups": [group],
                "PrivateIpAddress": machine.address,
                "AssociatePublicIpAddress": public,
                "DeleteOnTermination": True,
            }
        ],
        **said,
    )["Instances"][0]
    if not lab.checked:
        ec2.modify_instance_attribute(InstanceId=launched["InstanceId"], SourceDestCheck={"Value": False})
    return launched


def _route(ec2: EC2Client, lab: Lab, table: str, machine: Machine, launched: Mapping[str, Any]) -> None:
    eni = launched["NetworkInterfaces"][0]["NetworkInterfaceId"]
    target: Any = {"NetworkInterfaceId": eni}
    if lab.routes == "instance":
        target = {"InstanceId": launched["InstanceId"]}
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=machine.pod_cidr, **target)
