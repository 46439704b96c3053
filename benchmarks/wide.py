"""Evidence of wide clusters, made up: the tutorial's with any number of workers, and ways to break it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.intended import tutorial
from kthw.intended.cluster import Intended
from kthw.observed.evidence import (
    AclEntry,
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

_VPC, _SUBNET, _TABLE, _GATEWAY, _GROUP = "vpc-0a", "subnet-0a", "rtb-0a", "igw-0a", "sg-0a"
_PODS = IPv4Network("10.200.0.0/14")
_NODES = IPv4Address("10.0.1.20")
_PROTOCOLS = {"pod": ("icmp", "tcp", "udp"), "internet": ("icmp", "tcp"), "node": ("icmp",)}


def cluster(workers: int, *, packets: bool) -> Evidence:
    """All as intended. ``packets``: with what SSH brings, workers × workers × 6 probes."""
    names = [f"worker-{n}" for n in range(workers)]
    cidrs = [IPv4Network((int(_PODS.network_address) + 256 * n, 24)) for n in range(workers)]
    routes = [
        Route(destination=str(cidr), instance=f"i-0{n}", network_interface=f"eni-0{n}")
        for n, cidr in enumerate(cidrs)
    ]
    local = Route(destination="10.0.0.0/16", gateway="local", origin="CreateRouteTable")
    default = Route(destination=tutorial.EVERYWHERE, gateway=_GATEWAY)
    everything = SecurityRule(protocol="-1", cidrs=("0.0.0.0/0",))
    open_acl = [
        AclEntry(number=n, egress=e, allow=n == 100, cidr="0.0.0.0/0")
        for e in (False, True)
        for n in (100, 32767)
    ]
    inventory = Inventory(
        account="123456789012",
        region="us-east-1",
        vpcs=(Vpc(id=_VPC, cidrs=("10.0.0.0/16",)),),
        subnets=(Subnet(id=_SUBNET, vpc=_VPC, cidr="10.0.0.0/16"),),
        route_tables=(RouteTable(id=_TABLE, vpc=_VPC, subnets=(_SUBNET,), routes=(*routes, default, local)),),
        internet_gateways=(InternetGateway(id=_GATEWAY, vpcs=(_VPC,)),),
        instances=tuple(_instance(n, name, str(cidrs[n])) for n, name in enumerate(names)),
        security_groups=(SecurityGroup(id=_GROUP, vpc=_VPC, ingress=(everything,), egress=(everything,)),),
        network_acls=(NetworkAcl(id="acl-0a", vpc=_VPC, subnets=(_SUBNET,), entries=tuple(open_acl)),),
    )
    evidence = Evidence(
        gathered_at="2026-01-01T00:00:00+00:00",
        target=TargetSeen(
            kind="sandbox", account="123456789012", no_packets="" if packets else "AWS side only"
        ),
        intended=Intended(workers=tuple(names)),
        inventory=inventory,
    )
    if not packets:
        return evidence
    pods = {name: str(cidr[2]) for name, cidr in zip(names, cidrs, strict=True)}
    return replace(
        evidence,
        nodes={name: _node(n, name, cidrs[n], pods) for n, name in enumerate(names)},
        probes=tuple(_probes(pods)),
    )


def _instance(n: int, name: str, pod_cidr: str) -> Instance:
    address = str(_NODES + n)
    card = NetworkInterface(
        id=f"eni-0{n}", subnet=_SUBNET, vpc=_VPC, addresses=(address,), source_dest_check=False,
        security_groups=(_GROUP,),
    )  # fmt: skip
    return Instance(
        id=f"i-0{n}", state="running", name=name, vpc=_VPC, subnet=_SUBNET, address=address,
        public_address=f"203.0.113.{n % 250 + 1}", network_interfaces=(card,),
        user_data=UserData(pairs={"name": name, "pod-cidr": pod_cidr}),
    )  # fmt: skip


def _node(n: int, name: str, cidr: IPv4Network, pods: dict[str, str]) -> Node:
    own = Way(towards=name, address=pods[name], device=tutorial.CNI_BRIDGE, route=f"{cidr} dev cnio0")
    out = "default via 10.0.0.1 dev ens5"
    others = [
        Way(towards=other, address=pod, device="ens5", via="10.0.0.1", route=out)
        for other, pod in pods.items()
        if other != name
    ]
    bridge = Link(name=tutorial.CNI_BRIDGE, kind="bridge", up=True, mtu=1500, addresses=(f"{cidr[1]}/24",))
    card = Link(name="ens5", up=True, mtu=9001, addresses=(f"{_NODES + n}/16",))
    config = CniConfig(
        file="10-bridge.conf", type="bridge", bridge=tutorial.CNI_BRIDGE, subnet=str(cidr), ip_masq=True
    )
    return Node(
        worker=name, ip_forward=True, cni=(config,), pod=pods[name], links=(card, bridge),
        ways=(*others, own), firewall=(),
    )  # fmt: skip


def _probes(pods: dict[str, str]) -> list[Probe]:
    between = [(a, b, "pod") for a in pods for b in pods]
    ends = [(a, b, pods[b], kind) for a, b, kind in between]
    ends += [(a, "", tutorial.INTERNET_HOST, "internet") for a in pods]
    ends += [(a, a, str(_NODES + n), "node") for n, a in enumerate(pods)]
    return [
        Probe(
            source=a, source_address=pods[a], destination=b, destination_address=to, kind=kind,
            protocol=protocol, size=size, reached=True,
        )
        for a, b, to, kind in ends
        for protocol in _PROTOCOLS[kind]
        for size in ((0, 1500) if kind == "pod" else (0,))
    ]  # fmt: skip


def without_instances(evidence: Evidence) -> Evidence:
    """Nothing bears any worker's name."""
    assert evidence.inventory  # noqa: S101 -- ours
    return replace(evidence, inventory=replace(evidence.inventory, instances=()))


def without_routes(evidence: Evidence) -> Evidence:
    """The chapter has not been done."""
    assert evidence.inventory  # noqa: S101 -- ours
    (table,) = evidence.inventory.route_tables
    emptied = replace(table, routes=table.routes[-2:])
    return replace(evidence, inventory=replace(evidence.inventory, route_tables=(emptied,)))


def nobody_logged_in(evidence: Evidence) -> Evidence:
    """Packets could be sent, and every login was refused."""
    errors = tuple(
        LookError(
            code="ssh-auth-failed",
            subject=worker,
            worker=worker,
            detail="publickey",
            facts={"user": "ubuntu"},
        )
        for worker in evidence.intended.workers
    )
    return replace(
        evidence, nodes={}, probes=(), errors=errors, target=replace(evidence.target, no_packets="")
    )


def with_groups_closed(evidence: Evidence) -> Evidence:
    """The workers' security group lets nothing in."""
    assert evidence.inventory  # noqa: S101 -- ours
    groups = tuple(replace(group, ingress=()) for group in evidence.inventory.security_groups)
    return with_every_pair_failing(
        replace(evidence, inventory=replace(evidence.inventory, security_groups=groups))
    )


def with_checks_on(evidence: Evidence) -> Evidence:
    """Nobody turned a source/dest check off, so no pod reaches another node's."""
    assert evidence.inventory  # noqa: S101 -- ours
    instances = tuple(
        replace(i, network_interfaces=tuple(replace(e, source_dest_check=True) for e in i.network_interfaces))
        for i in evidence.inventory.instances
    )
    return with_every_pair_failing(
        replace(evidence, inventory=replace(evidence.inventory, instances=instances))
    )


def with_every_pair_failing(evidence: Evidence) -> Evidence:
    """No pod reaches another node's, for no reason that was seen unless there is one."""
    probes = tuple(
        replace(p, reached=False, detail="no answer in 3.0 s")
        if p.source != p.destination and p.destination
        else p
        for p in evidence.probes
    )
    return replace(evidence, probes=probes)
