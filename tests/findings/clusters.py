"""Evidence of a healthy tutorial cluster, and the ways to change one thing in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network
from typing import Any

from msgspec.structs import replace

from kthw.findings.check import Judge
from kthw.findings.finding import Finding, once
from kthw.findings.registry import CHECKS
from kthw.intended.cluster import Intended
from kthw.network.model import Network
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
    Trace,
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

JUDGES: dict[str, Judge] = {check.name: check.judge for check in CHECKS}


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
    """A route to worker number ``n``, as AWS lists one made with an instance id."""
    made = Route(destination=destination, instance=instance_id(n), network_interface=interface_id(n))
    return replace(made, **changes)


def node(name: str, pod_cidr: str, *, masquerade: bool = True) -> Node:
    bridge = CniConfig(
        file="10-bridge.conf", type="bridge", bridge="cnio0", subnet=pod_cidr, ip_masq=masquerade
    )
    loopback = CniConfig(file="99-loopback.conf", type="loopback")
    return Node(worker=name, ip_forward=True, cni=(bridge, loopback), pod=_pod(pod_cidr))


def surrounded(node: Node, n: int, cidrs: Mapping[str, str]) -> Node:
    """With what packets meet on it: the ENI, the bridge, the kernel's ways, a firewall that lets all pass."""
    own = cidrs[node.worker]
    bridge = Link(name="cnio0", kind="bridge", up=True, mtu=1500, addresses=(_host(own, 1),), rp_filter=2)
    card = Link(name="ens5", up=True, mtu=9001, addresses=(f"10.0.1.{20 + n}/24",), rp_filter=2)
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


def _probes(cidrs: Mapping[str, str]) -> Iterable[Probe]:
    for n, (source, cidr) in enumerate(cidrs.items()):
        ends = [(other, _pod(theirs), "pod") for other, theirs in cidrs.items() if other != source]
        ends += [(source, f"10.0.1.{20 + n}", "node"), ("", "1.1.1.1", "internet")]
        for destination, address, kind in ends:
            for protocol in ("icmp", "tcp"):
                yield Probe(
                    source=source,
                    source_address=_pod(cidr),
                    destination=destination,
                    destination_address=address,
                    kind=kind,
                    protocol=protocol,
                    reached=True,
                )


def inventory_of(evidence: Evidence) -> Inventory:
    assert evidence.inventory is not None
    return evidence.inventory


def with_inventory(evidence: Evidence, **changes: Any) -> Evidence:
    return replace(evidence, inventory=replace(inventory_of(evidence), **changes))


def with_instance(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    found = inventory_of(evidence).instances
    return with_inventory(
        evidence, instances=tuple(replace(i, **changes) if i.name == worker else i for i in found)
    )


def with_more_instances(evidence: Evidence, *more: Instance) -> Evidence:
    return with_inventory(evidence, instances=(*inventory_of(evidence).instances, *more))


def without_instance(evidence: Evidence, worker: str) -> Evidence:
    left = tuple(i for i in inventory_of(evidence).instances if i.name != worker)
    return with_inventory(evidence, instances=left)


def with_interface(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    """Change the worker's primary ENI."""
    found = next(i for i in inventory_of(evidence).instances if i.name == worker)
    first, *others = found.network_interfaces
    return with_instance(evidence, worker, network_interfaces=(replace(first, **changes), *others))


def with_second_interface(evidence: Evidence, n: int, **changes: Any) -> Evidence:
    """Give worker number ``n`` an ``eni-1n`` in the same subnet, source/dest check off."""
    worker = evidence.intended.workers[n]
    found = next(i for i in inventory_of(evidence).instances if i.name == worker)
    second = replace(
        found.network_interfaces[0],
        id=f"eni-1{n}",
        addresses=(f"10.0.1.{120 + n}",),
        device_index=1,
        **changes,
    )
    return with_instance(evidence, worker, network_interfaces=(*found.network_interfaces, second))


def with_user_data(evidence: Evidence, worker: str, text: str = "", **pairs: str) -> Evidence:
    named = {key.replace("_", "-"): value for key, value in pairs.items()}
    return with_instance(evidence, worker, user_data=UserData(pairs=named, text=text))


def with_table(evidence: Evidence, table: str = TABLE, **changes: Any) -> Evidence:
    found = inventory_of(evidence).route_tables
    return with_inventory(
        evidence, route_tables=tuple(replace(t, **changes) if t.id == table else t for t in found)
    )


def with_more_tables(evidence: Evidence, *more: RouteTable) -> Evidence:
    return with_inventory(evidence, route_tables=(*inventory_of(evidence).route_tables, *more))


def table_of(evidence: Evidence, table: str = TABLE) -> RouteTable:
    return next(t for t in inventory_of(evidence).route_tables if t.id == table)


def with_route(evidence: Evidence, *more: Route, table: str = TABLE) -> Evidence:
    """Add routes, each instead of the one for the same destination."""
    taken = {new.destination for new in more}
    kept = [r for r in table_of(evidence, table).routes if r.destination not in taken]
    return with_table(evidence, table, routes=(*kept, *more))


def without_route(evidence: Evidence, *destinations: str, table: str = TABLE) -> Evidence:
    kept = tuple(r for r in table_of(evidence, table).routes if r.destination not in destinations)
    return with_table(evidence, table, routes=kept)


def with_group(evidence: Evidence, **changes: Any) -> Evidence:
    found = inventory_of(evidence).security_groups
    changed = tuple(replace(g, **changes) if g.id == GROUP else g for g in found)
    return with_inventory(evidence, security_groups=changed)


def with_node(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    return replace(evidence, nodes={**evidence.nodes, worker: replace(evidence.nodes[worker], **changes)})


def with_cni(evidence: Evidence, worker: str, **changes: Any) -> Evidence:
    """Change the worker's bridge configuration."""
    bridge, *others = evidence.nodes[worker].cni
    return with_node(evidence, worker, cni=(replace(bridge, **changes), *others))


def with_way(evidence: Evidence, worker: str, towards: str, **changes: Any) -> Evidence:
    """Change where the worker's kernel sends packets for the pods of ``towards``."""
    ways = evidence.nodes[worker].ways
    changed = tuple(replace(way, **changes) if way.towards == towards else way for way in ways)
    return with_node(evidence, worker, ways=changed)


def with_forward_chain(evidence: Evidence, worker: str, *rules: str, policy: str = "ACCEPT") -> Evidence:
    """``iptables -P FORWARD policy``, and rules of it without the ``-A FORWARD`` before them."""
    chain = Chain(
        tool="iptables",
        table="filter",
        name="FORWARD",
        policy=policy,
        rules=tuple(f"-A FORWARD {rule}" for rule in rules),
    )
    return with_node(evidence, worker, firewall=(chain,))


def with_nft(evidence: Evidence, worker: str, *rules: str, policy: str = "ACCEPT") -> Evidence:
    """A chain ``forward`` of the table ``inet filter``, its rules as nft lists them."""
    listed = tuple(f"{rule} # handle {n}" for n, rule in enumerate(rules, 4))
    chain = Chain(tool="nft", table="inet filter", name="forward", policy=policy, rules=listed)
    return with_node(evidence, worker, firewall=(chain,))


WAY = ("pod {0}", "bridge {0}", "eni {0}", "eni {1}", "bridge {1}", "pod {1}")


def with_trace(
    evidence: Evidence, source: str, destination: str, request: int, reply: int = 0, astray: str = ""
) -> Evidence:
    """The pair's packets were seen at so many places of their way, and of the answers' way back."""
    there = tuple(place.format(source, destination) for place in WAY)[:request]
    back = tuple(place.format(destination, source) for place in WAY)[:reply]
    addresses = {worker: node.pod for worker, node in evidence.nodes.items()}
    trace = Trace(
        source=source,
        destination=destination,
        source_address=addresses[source],
        destination_address=addresses[destination],
        protocol="icmp",
        request=(*there, *([astray] if astray else [])),
        reply=back,
    )
    return replace(evidence, traces=(*evidence.traces, trace))


def masquerade_off(evidence: Evidence) -> Evidence:
    for worker in evidence.nodes:
        evidence = with_cni(evidence, worker, ip_masq=False)
    return evidence


def failing(
    evidence: Evidence,
    *pairs: tuple[str, str],
    kind: str = "pod",
    protocols: tuple[str, ...] = ("icmp", "tcp"),
    detail: str = "no answer in 3.0 s",
) -> Evidence:
    """The probes between ``pairs`` failed; ``*`` is every worker."""

    def fails(probe: Probe) -> bool:
        ends = any(s in (probe.source, "*") and d in (probe.destination, "*") for s, d in pairs)
        return ends and probe.kind == kind and probe.protocol in protocols

    probes = tuple(replace(p, reached=False, detail=detail) if fails(p) else p for p in evidence.probes)
    return replace(evidence, probes=probes)


def in_two_subnets(evidence: Evidence, *, moved: str = "worker-2", table: str = TABLE_2) -> Evidence:
    """Move one worker to a subnet of its own, with its own ACL, and its own table of the same routes."""
    seen = inventory_of(evidence)
    address = "10.0.2.22"
    evidence = with_interface(evidence, moved, subnet=SUBNET_2, addresses=(address,))
    evidence = with_instance(evidence, moved, subnet=SUBNET_2, address=address)
    node_ = evidence.nodes[moved]
    card, *links = node_.links
    evidence = with_node(
        evidence,
        moved,
        links=(replace(card, addresses=(f"{address}/24",)), *links),
        ways=tuple(
            by_default(way.towards, way.address, "10.0.2.1") if way.towards != moved else way
            for way in node_.ways
        ),
    )
    second = Subnet(id=SUBNET_2, vpc=VPC, cidr="10.0.2.0/24")
    acl = NetworkAcl(id=ACL_2, vpc=VPC, subnets=(SUBNET_2,), entries=OPEN_ACL)
    evidence = with_inventory(
        evidence, subnets=(*seen.subnets, second), network_acls=(*seen.network_acls, acl)
    )
    if table == TABLE:
        return with_table(evidence, subnets=(SUBNET, SUBNET_2))
    copy = replace(table_of(evidence), id=table, subnets=(SUBNET_2,))
    return with_more_tables(evidence, copy)


def with_acl(evidence: Evidence, *entries: AclEntry, acl: str = ACL_2, only: bool = False) -> Evidence:
    """Add entries to an ACL; ``only``: instead of all that is there."""
    found = inventory_of(evidence).network_acls
    changed = tuple(
        replace(a, entries=(*(() if only else a.entries), *entries)) if a.id == acl else a for a in found
    )
    return with_inventory(evidence, network_acls=changed)


def everything(evidence: Evidence) -> list[Finding]:
    """What all checks say about all workers, each cause once."""
    network = Network(evidence)
    return once(f for worker in network.workers for judge in JUDGES.values() for f in judge(network, worker))


def codes(findings: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def both(one: Evidence, other: Evidence) -> Evidence:
    """What differs from the healthy three workers in ``one``, and in ``other``, at once."""
    usual = healthy()
    changed: dict[str, Any] = {}
    for field in Inventory.__struct_fields__:
        was, now = getattr(inventory_of(usual), field), getattr(inventory_of(other), field)
        if was == now:
            changed[field] = getattr(inventory_of(one), field)
        elif getattr(inventory_of(one), field) == was:
            changed[field] = now
        else:
            changed[field] = _merged(getattr(inventory_of(one), field), was, now)
    nodes_ = {w: n if n != usual.nodes[w] else one.nodes[w] for w, n in other.nodes.items()}
    return replace(one, inventory=Inventory(**changed), nodes=nodes_)


def _merged(one: tuple[Any, ...], was: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two changed lists of things with an id, where each thing was changed in one of them only."""
    before, second = {thing.id: thing for thing in was}, {thing.id: thing for thing in other}
    merged = [second[t.id] if t.id in second and t == before.get(t.id) else t for t in one]
    return (*merged, *(t for t in other if t.id not in {m.id for m in merged}))
