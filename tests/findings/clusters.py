"""Evidence of a healthy tutorial cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any, Final

from msgspec.structs import replace

from kthw.intended.cluster import Intended
from kthw.observed.evidence import (
    AclEntry,
    Chain,
    CniConfig,
    Evidence,
    Instance,
    InternetGateway,
    Inventory,
    Link,
    NetworkAcl,
    NetworkInterface,
    Node,
    Probe,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    TargetSeen,
    UserData,
    Vpc,
    Way,
)

VPC, SUBNET, SUBNET_2 = "vpc-0a", "subnet-0a", "subnet-0b"
TABLE, MAIN, TABLE_2 = "rtb-0a", "rtb-0main", "rtb-0b"
GATEWAY, GROUP, ACL, ACL_2 = "igw-0a", "sg-0a", "acl-0a", "acl-0b"
LOCAL = Route(destination="10.0.0.0/16", gateway="local", origin="CreateRouteTable")
INTERNET = Route(destination="0.0.0.0/0", gateway=GATEWAY)
ALL_IN = SecurityRule(protocol="-1", cidrs=("10.0.0.0/16", "10.200.0.0/16"))
ALL_OUT = SecurityRule(protocol="-1", cidrs=("0.0.0.0/0",))
OPEN_ACL = tuple(
    AclEntry(number=number, egress=egress, allow=number == 100, cidr="0.0.0.0/0")
    for egress in (False, True)
    for number in (100, 32767)
)


def instance_id(n: int) -> str:
    return f"i-0{n}"


def interface_id(n: int) -> str:
    return f"eni-0{n}"


def healthy(
    count: int = 3, *, pods: str = "10.200.{}.0/24", names: str = "worker-{}", masquerade: bool = True
) -> Evidence:
    """The tutorial's cluster after the chapter, every packet through. ``pods``, ``names``: by number."""
    numbers = range(count)
    cidrs = {names.format(n): pods.format(n) for n in numbers}
    return Evidence(
        gathered_at="2026-01-01T00:00:00Z",
        target=TargetSeen(kind="sandbox", account="123456789012", region="us-east-1"),
        intended=Intended(workers=tuple(cidrs)),
        inventory=Inventory(
            account="123456789012",
            region="us-east-1",
            vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16",)),),
            subnets=(Subnet(id=SUBNET, vpc=VPC, cidr="10.0.1.0/24"),),
            route_tables=(
                RouteTable(id=MAIN, vpc=VPC, main=True, routes=(LOCAL,)),
                RouteTable(
                    id=TABLE,
                    vpc=VPC,
                    subnets=(SUBNET,),
                    routes=(*(route(n, cidr) for n, cidr in enumerate(cidrs.values())), INTERNET, LOCAL),
                ),
            ),
            internet_gateways=(InternetGateway(id=GATEWAY, vpcs=(VPC,)),),
            instances=tuple(instance(n, name, cidrs[name]) for n, name in enumerate(cidrs)),
            security_groups=(SecurityGroup(id=GROUP, vpc=VPC, ingress=(ALL_IN,), egress=(ALL_OUT,)),),
            network_acls=(NetworkAcl(id=ACL, vpc=VPC, default=True, subnets=(SUBNET,), entries=OPEN_ACL),),
        ),
        nodes={
            name: surrounded(node(name, cidr, masquerade=masquerade), n, cidrs)
            for n, (name, cidr) in enumerate(cidrs.items())
        },
        probes=tuple(_probes(cidrs)),
    )


def instance(n: int, name: str, pod_cidr: str = "", **changes: Any) -> Instance:
    address = f"10.0.1.{20 + n}"
    return replace(
        Instance(
            id=instance_id(n),
            state="running",
            name=name,
            vpc=VPC,
            subnet=SUBNET,
            address=address,
            public_address=f"203.0.113.{20 + n}",
            network_interfaces=(
                NetworkInterface(
                    id=interface_id(n),
                    subnet=SUBNET,
                    vpc=VPC,
                    addresses=(address,),
                    source_dest_check=False,
                    security_groups=(GROUP,),
                ),
            ),
            user_data=UserData(pairs={"name": name, "pod-cidr": pod_cidr}) if pod_cidr else None,
        ),
        **changes,
    )


def route(n: int, destination: str, **changes: Any) -> Route:
    """A route to worker number ``n``, as AWS lists one made with an instance id; maybe by a prefix list."""
    made = Route(
        destination=destination,
        instance=instance_id(n),
        network_interface=interface_id(n),
        foreign=destination.startswith("pl-") or ":" in destination,
    )
    return replace(made, **changes)


def node(name: str, pod_cidr: str, *, masquerade: bool = True) -> Node:
    bridge = CniConfig(
        file="10-bridge.conf",
        type="bridge",
        ipam="host-local",
        bridge="cnio0",
        subnet=pod_cidr,
        ip_masq=masquerade,
        gateway=True,
        routes=("0.0.0.0/0",),
    )
    loopback = CniConfig(file="99-loopback.conf", type="loopback", ipam="")
    return Node(
        worker=name,
        ip_forward=True,
        cni=(bridge, loopback),
        cni_path=("/opt/cni/bin",),
        cni_plugins=("bridge", "host-local", "loopback", "portmap"),
        pod=_pod(pod_cidr),
        pod_mtu=1500,
    )


def surrounded(node: Node, n: int, cidrs: Mapping[str, str]) -> Node:
    """With what packets meet on it: the ENI, the bridge, the kernel's ways, a firewall that lets all pass."""
    own = cidrs[node.worker]
    bridge = Link(
        name="cnio0",
        kind="bridge",
        up=True,
        mtu=1500,
        addresses=(_host(own, 1),),
        rp_filter=2,
        forwarding=True,
    )
    card = Link(
        name="ens5", up=True, mtu=9001, addresses=(f"10.0.1.{20 + n}/24",), rp_filter=2, forwarding=True
    )
    return replace(
        node,
        imds="v1",
        links=(card, bridge),
        rp_filter=2,
        ways=(
            *(by_default(other, _pod(cidr)) for other, cidr in cidrs.items() if other != node.worker),
            Way(
                towards=node.worker, address=_pod(own), device="cnio0", route=f"{own} dev cnio0 proto kernel"
            ),
        ),
        firewall=(Chain(tool="iptables", table="filter", name="FORWARD", policy="ACCEPT"),),
    )


def by_default(towards: str, address: str, gateway: str = "10.0.1.1") -> Way:
    """The way of a packet that no route of the node's own takes elsewhere."""
    route = f"default via {gateway} dev ens5"
    return Way(towards=towards, address=address, device="ens5", via=gateway, route=route)


def _host(pod_cidr: str, number: int) -> str:
    network = IPv4Network(pod_cidr)
    return f"{network[number]}/{network.prefixlen}"


def _pod(pod_cidr: str) -> str:
    return str(IPv4Network(pod_cidr)[2])


_SENT: Final = (
    *((how, 0) for how in ("icmp", "tcp", "udp")),
    *((how, 1500) for how in ("icmp", "tcp", "udp")),
)
"""Between pods, by protocol and size; to the pod's own node and to the internet the first two."""


def _probes(cidrs: Mapping[str, str]) -> Iterable[Probe]:
    for n, (source, cidr) in enumerate(cidrs.items()):
        ends = [(other, _pod(theirs), "pod") for other, theirs in cidrs.items() if other != source]
        ends += [(source, f"10.0.1.{20 + n}", "node"), ("", "1.1.1.1", "internet")]
        for destination, address, kind in ends:
            for protocol, size in _SENT if kind == "pod" else _SENT[:2]:
                yield Probe(
                    source=source,
                    source_address=_pod(cidr),
                    destination=destination,
                    destination_address=address,
                    kind=kind,
                    protocol=protocol,
                    size=size,
                    reached=True,
                )


OK = healthy()
ONE = "10.200.1.0/24"
HALVES = ("10.200.1.0/25", "10.200.1.128/25")
