"""Packets obey the API: each rule of EC2's data plane, shown by a connection that works and one not.

See ``packet_lab`` for how they are asked; ``test_subnet`` for what happens within one subnet.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets
from tests.own_address import OWN_ADDRESS
from tests.sandbox.packet_lab import FROM_PODS, FROM_VPC, POD, SSH_RULE, Lab

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start(like=OWN_ADDRESS) as box:
        lab = Lab(box)
        lab.answer_for_a_pod()
        yield lab


@pytest.fixture
def routed(lab: Lab) -> Iterator[Lab]:
    lab.route("10.200.1.0/24", "worker-1")
    yield lab
    lab.unroute("10.200.1.0/24")


def test_a_route_carries_packets_while_it_is_there(lab: Lab) -> None:
    """No route, no packet; CreateRoute, a packet; DeleteRoute, none."""
    assert not lab.reaches("worker-0", POD)
    lab.route("10.200.1.0/24", "worker-1")
    assert lab.reaches("worker-0", POD)
    lab.unroute("10.200.1.0/24")
    assert not lab.reaches("worker-0", POD)


def test_the_longest_prefix_wins(routed: Lab) -> None:
    """A wider route elsewhere changes nothing, a narrower one diverts."""
    routed.route("10.200.0.0/16", "worker-2")
    assert routed.reaches("worker-0", POD)
    routed.route(f"{POD}/32", "worker-2")
    assert not routed.reaches("worker-0", POD)
    routed.unroute(f"{POD}/32")
    routed.unroute("10.200.0.0/16")
    assert routed.reaches("worker-0", POD)


def test_a_replaced_route_leads_elsewhere(routed: Lab) -> None:
    """ReplaceRoute to another worker takes the packets there, and back again."""

    def replace(name: str) -> None:
        routed.ec2.replace_route(
            RouteTableId=routed.table, DestinationCidrBlock="10.200.1.0/24", InstanceId=routed.id(name)
        )

    replace("worker-2")
    assert not routed.reaches("worker-0", POD)
    replace("worker-1")
    assert routed.reaches("worker-0", POD)


def test_source_dest_check_drops_what_is_for_another(routed: Lab) -> None:
    """On: packets for an address that is not the ENI's own are dropped; its own still arrive."""
    worker = routed.id("worker-1")
    routed.ec2.modify_instance_attribute(InstanceId=worker, SourceDestCheck={"Value": True})
    assert not routed.reaches("worker-0", POD)
    assert routed.reaches("worker-0", "10.0.1.21")
    routed.ec2.modify_instance_attribute(InstanceId=worker, SourceDestCheck={"Value": False})
    assert routed.reaches("worker-0", POD)


def test_source_dest_check_drops_a_foreign_source(routed: Lab) -> None:
    """On: packets that leave with a source that is not the ENI's own are dropped."""
    routed.route("10.200.0.0/24", "worker-0")
    routed.ssh("worker-0", "sudo ip addr replace 10.200.0.5/32 dev lo")
    worker = routed.id("worker-0")
    assert routed.reaches("worker-0", POD, bind="10.200.0.5")
    routed.ec2.modify_instance_attribute(InstanceId=worker, SourceDestCheck={"Value": True})
    assert not routed.reaches("worker-0", POD, bind="10.200.0.5")
    assert routed.reaches("worker-0", POD)
    routed.ec2.modify_instance_attribute(InstanceId=worker, SourceDestCheck={"Value": False})
    routed.unroute("10.200.0.0/24")


def test_a_security_group_without_the_rule_drops(routed: Lab) -> None:
    """The node-range rule gone: nothing from node to node, though SSH from outside still works."""
    assert routed.reaches("worker-0", POD)
    routed.revoke(FROM_VPC)
    assert not routed.reaches("worker-0", "10.0.1.21")
    assert not routed.reaches("worker-0", POD)
    routed.allow(FROM_VPC)


def test_a_group_as_source_means_node_addresses_only(routed: Lab) -> None:
    """A rule that names the group lets its members' own addresses in, and not their pods'."""
    routed.route("10.200.0.0/24", "worker-0")
    routed.ssh("worker-0", "sudo ip addr replace 10.200.0.5/32 dev lo")
    listener = "nohup python3 -m http.server 8080 >/dev/null 2>&1 &"
    routed.ssh("worker-1", listener)
    deadline = time.monotonic() + 5
    while not routed.reaches("worker-1", "127.0.0.1", port=8080):
        assert time.monotonic() < deadline
    by_group = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": routed.group}]}
    routed.allow(by_group)
    routed.revoke(FROM_VPC)
    routed.revoke(FROM_PODS)
    assert routed.reaches("worker-0", POD, port=8080)
    assert not routed.reaches("worker-0", POD, port=8080, bind="10.200.0.5")
    routed.allow(FROM_PODS)
    assert routed.reaches("worker-0", POD, port=8080, bind="10.200.0.5")
    routed.allow(FROM_VPC)
    routed.revoke(by_group)
    routed.unroute("10.200.0.0/24")


def test_without_port_22_nobody_logs_in(lab: Lab) -> None:
    """The rule for port 22 gone: a new SSH connection from the internet times out."""
    lab.revoke(SSH_RULE)
    assert lab.ssh("worker-0", "true").returncode == 255
    lab.allow(SSH_RULE)
    assert lab.ssh("worker-0", "true").returncode == 0


def test_a_stopped_instance_is_a_blackhole(routed: Lab) -> None:
    """Stopped: its route's state is blackhole and no packet arrives; started: both are well again."""
    worker = routed.id("worker-1")

    def state() -> str:
        table = routed.ec2.describe_route_tables(RouteTableIds=[routed.table])["RouteTables"][0]
        return next(r["State"] for r in table["Routes"] if r["DestinationCidrBlock"] == "10.200.1.0/24")

    routed.ec2.stop_instances(InstanceIds=[worker])
    assert state() == "blackhole"
    assert not routed.reaches("worker-0", POD)
    routed.ec2.start_instances(InstanceIds=[worker])
    assert state() == "active"
    routed.wait_for_ssh("worker-1")
    routed.answer_for_a_pod()
    assert routed.reaches("worker-0", POD)


def test_the_associated_table_rules(routed: Lab) -> None:
    """A subnet moved to a table without the pod route carries nothing; moved back, it does."""
    other = routed.ec2.create_route_table(VpcId=routed.vpc)["RouteTable"]["RouteTableId"]
    gateway = routed.ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    routed.ec2.create_route(RouteTableId=other, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)

    def association() -> str:
        tables = routed.ec2.describe_route_tables()["RouteTables"]
        return next(
            a["RouteTableAssociationId"]
            for t in tables for a in t["Associations"] if a.get("SubnetId") == routed.subnet
        )  # fmt: skip

    routed.ec2.replace_route_table_association(AssociationId=association(), RouteTableId=other)
    assert not routed.reaches("worker-0", POD)
    routed.ec2.replace_route_table_association(AssociationId=association(), RouteTableId=routed.table)
    assert routed.reaches("worker-0", POD)
    routed.ec2.delete_route_table(RouteTableId=other)


def test_the_internet_is_behind_the_gateway(lab: Lab) -> None:
    """1.1.1.1 answers; with the default route gone neither it does nor does SSH from outside."""
    assert lab.reaches("worker-0", "1.1.1.1", port=443)
    lab.unroute("0.0.0.0/0")
    assert lab.ssh("worker-0", "true").returncode == 255
    gateway = lab.ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    lab.ec2.create_route(RouteTableId=lab.table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert lab.reaches("worker-0", "1.1.1.1", port=443)


def test_network_acls_rule_between_subnets(routed: Lab) -> None:
    """A deny entry cuts what crosses subnets, in one direction already, and nothing within a subnet."""
    ec2 = routed.ec2
    subnet = ec2.create_subnet(VpcId=routed.vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    ec2.associate_route_table(RouteTableId=routed.table, SubnetId=subnet)
    launched = routed.launch("later", subnet, "10.0.2.20")
    assert routed.reaches("later", POD)
    acl = ec2.create_network_acl(VpcId=routed.vpc)["NetworkAcl"]["NetworkAclId"]
    acls = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    association = next(
        a["NetworkAclAssociationId"]
        for found in acls["NetworkAcls"] for a in found["Associations"] if a["SubnetId"] == subnet
    )  # fmt: skip

    def entry(number: int, *, egress: bool, cidr: str, action: Any) -> None:
        ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=number,
            Egress=egress,
            CidrBlock=cidr,
            Protocol="-1",
            RuleAction=action,
        )

    for egress in (True, False):
        entry(200, egress=egress, cidr="0.0.0.0/0", action="allow")
    entry(100, egress=False, cidr="10.200.0.0/16", action="deny")
    ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    assert not routed.reaches("later", POD), "the reply comes from the denied range: ACLs are stateless"
    assert routed.reaches("later", "10.0.1.21")
    assert routed.reaches("worker-0", POD), "within a subnet no ACL is asked"
    ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=100, Egress=False)
    assert routed.reaches("later", POD)
    ec2.terminate_instances(InstanceIds=[launched])
    assert routed.ssh("later", "true").returncode == 255
    ec2.delete_subnet(SubnetId=subnet)


def test_an_open_connection_outlives_unrelated_changes(routed: Lab) -> None:
    """Adding a route, a rule and an instance does not touch what already flows."""
    config = str(routed.box.directory / "ssh_config")
    with subprocess.Popen(
        ["ssh", "-F", config, "worker-0", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as session:
        assert session.stdin is not None
        assert session.stdout is not None

        def echo(word: str) -> str:
            assert session.stdin is not None
            assert session.stdout is not None
            session.stdin.write(f"{word}\n")
            session.stdin.flush()
            return session.stdout.readline().strip()

        assert echo("before") == "before"
        routed.route("10.200.2.0/24", "worker-2")
        routed.allow(
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        )
        assert echo("after") == "after"
        routed.unroute("10.200.2.0/24")
        routed.revoke(
            {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        )
        session.stdin.close()


_TALK = (
    "import socket, sys; peer = socket.create_connection((sys.argv[1], 22), 5)\n"
    "print(peer.recv(4), flush=True); sys.stdin.readline(); peer.recv(99)\n"
    "peer.sendall(b'SSH-2.0-x\\r\\n'); print(len(peer.recv(99)) > 0)"
)
"""Greeted by an sshd at once; after a line of input its key exchange shows whether the connection lives."""


def test_addresses_come_and_go_on_a_living_link(routed: Lab) -> None:
    """Assigned, it answers; unassigned, it does not. Meanwhile, and while a second interface with an Elastic
    IP comes and goes, the first one stays the same: with a route made by hand, a TCP connection through it,
    and the SSH session that holds it."""
    ec2, worker = routed.ec2, routed.instance("worker-0")
    eni = worker["NetworkInterfaces"][0]["NetworkInterfaceId"]
    made = routed.ssh("worker-0", "sudo ip route add 10.200.1.0/24 via 10.0.1.1 dev ens5 mtu 1400")
    assert made.returncode == 0, made.stderr
    looking = "ip route show 10.200.1.0/24; cat /sys/class/net/ens5/ifindex"
    before = routed.ssh("worker-0", looking).stdout
    config = str(routed.box.directory / "ssh_config")
    with subprocess.Popen(
        ["ssh", "-F", config, "-o", "ServerAliveInterval=3", "worker-0", f'python3 -c "{_TALK}" {POD}'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as session:  # fmt: skip
        assert session.stdout is not None
        assert session.stdin is not None
        assert "SSH-" in session.stdout.readline()
        ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.77"])
        assert routed.reaches("worker-1", "10.0.1.77")
        second = ec2.create_network_interface(SubnetId=routed.subnet, Groups=[routed.group])
        its: Any = {"NetworkInterfaceId": second["NetworkInterface"]["NetworkInterfaceId"]}
        attached = ec2.attach_network_interface(**its, InstanceId=worker["InstanceId"], DeviceIndex=1)
        elastic = ec2.allocate_address(Domain="vpc")["AllocationId"]
        held = ec2.associate_address(**its, AllocationId=elastic)["AssociationId"]
        for check in (True, False):
            ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": check})
        ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Groups=[routed.group])
        ec2.disassociate_address(AssociationId=held)
        ec2.release_address(AllocationId=elastic)
        ec2.detach_network_interface(AttachmentId=attached["AttachmentId"])
        ec2.delete_network_interface(**its)
        ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.77"])
        assert not routed.reaches("worker-1", "10.0.1.77")
        assert routed.ssh("worker-0", looking).stdout == before
        session.stdin.write("go on\n")
        session.stdin.flush()
        assert session.stdout.readline().strip() == "True"
    routed.ssh("worker-0", "sudo ip route del 10.200.1.0/24")


def test_what_root_does_on_a_node_stops_no_call(lab: Lab) -> None:
    """An address taken away or a link deleted by hand: calls about it, and all others, work on."""
    ec2, worker = lab.ec2, lab.instance("worker-2")
    eni = worker["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.78"])
    assert lab.ssh("worker-2", "sudo ip addr del 10.0.1.78/24 dev ens5").returncode == 0
    ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.78"])
    lab.ssh("worker-2", "sudo nohup ip link del ens5 >/dev/null 2>&1 &")
    deadline = time.monotonic() + 10
    while lab.reaches("worker-1", "10.0.1.22"):
        assert time.monotonic() < deadline
    lab.route("10.200.2.0/24", "worker-2")
    lab.unroute("10.200.2.0/24")
    ec2.stop_instances(InstanceIds=[worker["InstanceId"]])
    ec2.start_instances(InstanceIds=[worker["InstanceId"]])
    lab.wait_for_ssh("worker-2")
