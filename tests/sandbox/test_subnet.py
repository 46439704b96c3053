"""Within a subnet a frame goes to the machine whose address it is sent to, as on AWS.

Each rule by a packet that arrives and one that does not, by the answers to ARP, by the TTL that is left.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets
from sandbox.subnet import GATEWAY_MAC
from tests.own_address import OWN_ADDRESS
from tests.sandbox.packet_lab import FROM_PODS, FROM_VPC, POD, Lab

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

OWN_POD = "10.200.0.5"
THROUGH_1 = "10.200.1.0/24 via 10.0.1.21"

_ARP = """
import socket, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(("ens5", 0x0806))
link.settimeout(0.5)
mac, mine = link.getsockname()[4], socket.inet_aton(sys.argv[1])
for wanted in sys.argv[2:]:
    theirs = socket.inet_aton(wanted)
    request = bytes.fromhex("08060001080006040001") + mac + mine + bytes(6) + theirs
    link.send(bytes([255] * 6) + mac + request)
    answer = ""
    try:
        while not answer:
            heard = link.recv(64)
            if heard[20:22] == bytes([0, 2]) and heard[28:32] == theirs:
                assert heard[:6] == heard[32:38] == mac and heard[38:42] == mine
                assert heard[6:12] == heard[22:28]
                answer = heard[22:28].hex(":")
    except TimeoutError:
        answer = "-"
    print(answer)
"""

_RECEIVER = """
import socket, sys
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind(("", 9999))
heard.settimeout(10)
heard.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
print("ready", flush=True)
for _ in range(int(sys.argv[1])):
    _, ancillary, _, _ = heard.recvmsg(64, 64)
    print(int.from_bytes(ancillary[0][2], "little"), flush=True)
"""
_SENDER = """
import socket, sys
to = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for ttl in map(int, sys.argv[2:]):
    to.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
    to.sendto(b"", (sys.argv[1], 9999))
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """No VPC route to any pod. On the nodes: worker-0 leads to worker-1's pods through worker-1, and back."""
    with start(like=OWN_ADDRESS) as box:
        lab = Lab(box)
        lab.answer_for_a_pod()
        on(lab, "worker-0", f"ip addr add {OWN_POD}/32 dev lo; ip route add {THROUGH_1}")
        on(lab, "worker-1", "ip route add 10.200.0.0/24 via 10.0.1.20")
        yield lab


def on(lab: Lab, name: str, command: str) -> str:
    """What root's shell on the node prints; it must not fail."""
    done = lab.ssh(name, f"sudo sh -c {shlex.quote(command)}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def owners(lab: Lab, *addresses: str) -> list[str]:
    """Who answers worker-0's ARP requests for these: hardware addresses, ``-`` where nobody does."""
    return on(lab, "worker-0", f"python3 -c {shlex.quote(_ARP)} 10.0.1.20 {' '.join(addresses)}").split()


def hardware_address(lab: Lab, name: str) -> str:
    return on(lab, name, "cat /sys/class/net/ens5/address").strip()


def check(lab: Lab, name: str, *, on: bool) -> None:
    lab.ec2.modify_instance_attribute(InstanceId=lab.id(name), SourceDestCheck={"Value": on})


def test_a_kernel_route_through_a_peer_carries_packets(lab: Lab) -> None:
    """From a node and from a pod of it, with no route in the VPC; taken away, it carries none."""
    assert lab.reaches("worker-0", POD)
    assert lab.reaches("worker-0", POD, bind=OWN_POD)
    on(lab, "worker-0", f"ip route del {THROUGH_1}")
    assert not lab.reaches("worker-0", POD)
    on(lab, "worker-0", f"ip route add {THROUGH_1}")


def test_the_packet_goes_to_the_next_hop_and_to_nobody_else(lab: Lab) -> None:
    """Through a machine that has no such pods, and in a frame to nobody, it is lost."""
    for hop in ("10.0.1.22", "10.0.1.99"):
        on(lab, "worker-0", f"ip route replace 10.200.1.0/24 via {hop}")
        assert not lab.reaches("worker-0", POD)
    on(lab, "worker-0", f"ip route replace {THROUGH_1}")
    assert lab.reaches("worker-0", POD)


def test_the_receivers_source_dest_check_stops_what_is_for_a_pod(lab: Lab) -> None:
    """On at the peer: the packet is not the ENI's own. What is for the peer itself arrives."""
    check(lab, "worker-1", on=True)
    assert not lab.reaches("worker-0", POD)
    assert lab.reaches("worker-0", "10.0.1.21")
    check(lab, "worker-1", on=False)
    assert lab.reaches("worker-0", POD)


def test_the_senders_source_dest_check_stops_what_comes_from_a_pod(lab: Lab) -> None:
    """On at the sender: what bears a pod's address does not leave; what bears the node's (a masqueraded
    packet) does."""
    check(lab, "worker-0", on=True)
    assert not lab.reaches("worker-0", POD, bind=OWN_POD)
    assert lab.reaches("worker-0", POD)
    check(lab, "worker-0", on=False)
    assert lab.reaches("worker-0", POD, bind=OWN_POD)


def test_the_receivers_groups_filter_what_comes_through_a_frame(lab: Lab) -> None:
    """By the packet's own source: a pod's address needs the pods' rule, a node's the nodes'."""
    lab.revoke(FROM_PODS)
    assert not lab.reaches("worker-0", POD, bind=OWN_POD)
    assert lab.reaches("worker-0", POD)
    lab.allow(FROM_PODS)
    lab.revoke(FROM_VPC)
    assert lab.reaches("worker-0", POD, bind=OWN_POD)
    assert not lab.reaches("worker-0", POD)
    lab.allow(FROM_VPC)


def test_network_acls_are_not_asked_within_a_subnet(lab: Lab) -> None:
    """A subnet's ACL that denies the pods both ways stops no frame between its machines."""
    acls = lab.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [lab.subnet]}])
    acl = acls["NetworkAcls"][0]["NetworkAclId"]
    for egress in (True, False):
        lab.ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=50, Egress=egress, CidrBlock="10.200.0.0/16", Protocol="-1",
            RuleAction="deny",
        )  # fmt: skip
    assert lab.reaches("worker-0", POD, bind=OWN_POD)
    for egress in (True, False):
        lab.ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=50, Egress=egress)


def test_a_machine_of_another_subnet_is_no_next_hop(lab: Lab) -> None:
    """The kernel refuses it; told that it is on the link (``onlink``), it sends frames to nobody. A VPC route
    is what leads there."""
    subnet = lab.ec2.create_subnet(VpcId=lab.vpc, CidrBlock="10.0.2.0/24")["Subnet"]["SubnetId"]
    lab.ec2.associate_route_table(RouteTableId=lab.table, SubnetId=subnet)
    launched = lab.launch("later", subnet, "10.0.2.20")
    refused = lab.ssh("later", f"sudo ip route add {THROUGH_1}")
    assert "invalid gateway" in refused.stderr
    on(lab, "later", f"ip route add {THROUGH_1} dev ens5 onlink")
    assert lab.reaches("later", "10.0.1.21")
    assert not lab.reaches("later", POD)
    on(lab, "later", "ip route del 10.200.1.0/24")
    assert not lab.reaches("later", POD)
    lab.route("10.200.1.0/24", "worker-1")
    assert lab.reaches("later", POD)
    lab.unroute("10.200.1.0/24")
    lab.ec2.terminate_instances(InstanceIds=[launched])
    lab.ec2.delete_subnet(SubnetId=subnet)


def test_arp_is_answered_for_machines_of_the_subnet_that_run(lab: Lab) -> None:
    """A peer with its own hardware address, the router and the metadata with the router's; an address of
    nobody, of another subnet, of a machine that was stopped or terminated with none."""
    launched = lab.launch("later", lab.subnet, "10.0.1.40")
    later, two = hardware_address(lab, "later"), hardware_address(lab, "worker-2")
    assert owners(lab, "10.0.1.21", "10.0.1.22", "10.0.1.40") == [
        hardware_address(lab, "worker-1"),
        two,
        later,
    ]
    assert owners(lab, "10.0.1.1", "169.254.169.254") == [GATEWAY_MAC] * 2
    assert owners(lab, "10.0.1.99", "10.0.2.1", "8.8.8.8") == ["-"] * 3
    lab.ec2.stop_instances(InstanceIds=[lab.id("worker-2")])
    lab.ec2.terminate_instances(InstanceIds=[launched])
    assert owners(lab, "10.0.1.22", "10.0.1.40") == ["-", "-"]
    lab.ec2.start_instances(InstanceIds=[lab.id("worker-2")])
    lab.wait_for_ssh("worker-2")
    assert owners(lab, "10.0.1.22") == [two]


def test_a_secondary_address_is_a_next_hop_while_it_is_assigned(lab: Lab) -> None:
    """Assigned, it is answered for and leads to the pods; unassigned, neither."""
    eni: Any = lab.instance("worker-1")["NetworkInterfaces"][0]["NetworkInterfaceId"]
    lab.ec2.assign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.77"])
    assert owners(lab, "10.0.1.77") == [hardware_address(lab, "worker-1")]
    on(lab, "worker-0", "ip route replace 10.200.1.0/24 via 10.0.1.77")
    assert lab.reaches("worker-0", POD)
    lab.ec2.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["10.0.1.77"])
    assert owners(lab, "10.0.1.77") == ["-"]
    on(lab, "worker-0", "ip neigh flush all")
    assert not lab.reaches("worker-0", POD)
    on(lab, "worker-0", f"ip route replace {THROUGH_1}")


def test_a_kernel_route_outlives_what_the_api_does_to_others(lab: Lab) -> None:
    """Machines come and go, a peer is stopped and started: the route carries packets again, untouched."""
    before = on(lab, "worker-0", "ip route show 10.200.1.0/24; cat /sys/class/net/ens5/ifindex")
    lab.ec2.stop_instances(InstanceIds=[lab.id("worker-1")])
    assert not lab.reaches("worker-0", POD)
    lab.ec2.start_instances(InstanceIds=[lab.id("worker-1")])
    lab.wait_for_ssh("worker-1")
    lab.answer_for_a_pod()
    on(lab, "worker-1", "ip route add 10.200.0.0/24 via 10.0.1.20")
    assert lab.reaches("worker-0", POD, bind=OWN_POD)
    assert on(lab, "worker-0", "ip route show 10.200.1.0/24; cat /sys/class/net/ens5/ifindex") == before


def received(lab: Lab, source: str, address: str, ttls: list[int], inside: str = "") -> list[int]:
    """The TTLs that are left at worker-1 of packets sent with these; ``inside``: before either program."""
    config = str(lab.box.directory / "ssh_config")
    receiver = f"sudo {inside} python3 -c {shlex.quote(_RECEIVER)} {len(ttls)}"
    with subprocess.Popen(
        ["ssh", "-F", config, "worker-1", receiver], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as heard:
        assert heard.stdout is not None
        assert heard.stderr is not None
        assert heard.stdout.readline() == "ready\n", heard.stderr.read()
        arguments = " ".join(map(str, ttls))
        on(lab, source, f"{inside} python3 -c {shlex.quote(_SENDER)} {address} {arguments}")
        return [int(heard.stdout.readline() or -1) for _ in ttls]


_IN_POD = "nsenter --net=/run/netns/pod"
"""Not ``ip netns exec``: it mounts /sys, which an ordinary user's sandbox may not."""


def test_the_vpc_is_no_hop(lab: Lab) -> None:
    """Within a subnet a packet keeps its TTL, whatever that is. Between pods on two nodes it loses two, one
    to each node, by a VPC route and by a kernel route."""
    every = [64, 255, 254, 2, 1]
    assert received(lab, "worker-0", "10.0.1.21", every) == every
    assert received(lab, "worker-0", POD, every) == every
    for number in (0, 1):
        on(lab, f"worker-{number}", (
            "ip netns add pod; ip link add pods type veth peer name eth0 netns pod; ip link set pods up; "
            f"ip addr add 10.200.{number}.1/24 dev pods; "
            f"{_IN_POD} ip addr add 10.200.{number}.6/24 dev eth0; {_IN_POD} ip link set eth0 up; "
            f"{_IN_POD} ip route add default via 10.200.{number}.1"
        ))  # fmt: skip
    assert received(lab, "worker-0", "10.200.1.6", [64, 255, 3], _IN_POD) == [62, 253, 1]
    on(lab, "worker-0", f"ip route del {THROUGH_1}")
    on(lab, "worker-1", "ip route del 10.200.0.0/24 via 10.0.1.20")
    lab.route("10.200.1.0/24", "worker-1")
    assert received(lab, "worker-0", "10.200.1.6", [64, 255, 3], _IN_POD) == [62, 253, 1]
    lab.unroute("10.200.1.0/24")
    on(lab, "worker-0", f"ip route add {THROUGH_1}")
    on(lab, "worker-1", "ip route add 10.200.0.0/24 via 10.0.1.20")


def test_the_router_answers_nothing(lab: Lab) -> None:
    """Neither at a subnet's first address nor at another of its own; only instance metadata is answered."""
    attempt = "import socket, sys; print(socket.socket().connect_ex((sys.argv[1], int(sys.argv[2]))))"
    for address, port in (("10.0.1.1", 1), ("10.0.1.1", 80), ("100.64.0.1", 1)):
        tried = lab.ssh("worker-0", f"timeout 1 python3 -c {shlex.quote(attempt)} {address} {port}")
        assert (tried.returncode, tried.stdout) == (124, ""), "refused, and so answered"
    assert lab.reaches("worker-0", "169.254.169.254", port=80)
