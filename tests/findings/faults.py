"""Faults as evidence shows them: what was done, and the findings it must yield, and no other.

``FAULTS[name]`` is ``(evidence, (code, …))``; ``HEALTHY[name]`` is evidence in which nothing is wrong.
"""

from __future__ import annotations

import base64

from msgspec.structs import replace

from kthw.observed.evidence import (
    AclEntry,
    Chain,
    CniConfig,
    Evidence,
    InternetGateway,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vpc,
    Way,
)
from tests.findings.clusters import (
    ALL_OUT,
    GATEWAY,
    GROUP,
    INTERNET,
    LOCAL,
    MAIN,
    SUBNET,
    SUBNET_2,
    TABLE,
    TABLE_2,
    VPC,
    failing,
    healthy,
    in_two_subnets,
    instance,
    inventory_of,
    masquerade_off,
    route,
    table_of,
    with_acl,
    with_cni,
    with_forward_chain,
    with_group,
    with_instance,
    with_interface,
    with_inventory,
    with_more_instances,
    with_more_tables,
    with_nft,
    with_node,
    with_route,
    with_second_interface,
    with_table,
    with_trace,
    with_user_data,
    with_way,
    without_instance,
    without_route,
)

OK = healthy()
TWO = in_two_subnets(OK)
NOT_MASQUERADED = masquerade_off(OK)
ONE = "10.200.1.0/24"
HALVES = ("10.200.1.0/25", "10.200.1.128/25")
SPARE = RouteTable(id="rtb-0spare", vpc=VPC, routes=(LOCAL,))
OTHER = instance(9, "controller-0")


def _by_eni(*destinations: str) -> list[Route]:
    """Routes to the second ENI of worker-1."""
    return [Route(destination=each, network_interface="eni-11") for each in destinations]


SHUT = "sg-0shut"


def _from(group: str, subnet: int) -> SecurityGroup:
    """A group that lets in the nodes of one subnet only."""
    rule = SecurityRule(protocol="-1", cidrs=(f"10.0.{subnet}.0/24",))
    return SecurityGroup(id=group, vpc=VPC, ingress=(rule,), egress=(ALL_OUT,))


def _from_nodes(group: str, rule: SecurityRule, *nodes: int) -> SecurityGroup:
    """A group that lets in what the rule says, from these nodes only."""
    cidrs = tuple(f"10.0.1.{20 + n}/32" for n in nodes)
    return SecurityGroup(id=group, vpc=VPC, ingress=(replace(rule, cidrs=cidrs),), egress=(ALL_OUT,))


def _second_interface(
    evidence: Evidence,
    *,
    primary: str = GROUP,
    second: str = SHUT,
    groups: tuple[SecurityGroup, ...] = (SecurityGroup(id=SHUT, vpc=VPC, egress=(ALL_OUT,)),),
    at: str = SUBNET,
) -> Evidence:
    """A second ENI of worker-1, and the groups of both."""
    evidence = with_inventory(evidence, security_groups=(*inventory_of(evidence).security_groups, *groups))
    evidence = with_second_interface(evidence, 1, subnet=at, security_groups=(second,))
    return with_interface(evidence, "worker-1", security_groups=(primary,))


def _swapped_groups() -> Evidence:
    """Both workers have a second ENI, to which the second table leads."""
    groups = (_from("sg-0one", 1), _from("sg-0two", 2))
    evidence = _second_interface(TWO, primary="sg-0two", second="sg-0one", groups=groups)
    evidence = with_second_interface(evidence, 0, security_groups=("sg-0two",))
    evidence = with_interface(evidence, "worker-0", security_groups=("sg-0one",))
    to_0 = Route(destination="10.200.0.0/24", network_interface="eni-10")
    return with_route(evidence, to_0, *_by_eni(ONE), table=TABLE_2)


def _ingress(*rules: SecurityRule) -> Evidence:
    return with_group(OK, ingress=rules)


def _unassociated(*, main_has_internet: bool) -> Evidence:
    evidence = with_table(OK, subnets=())
    return with_route(evidence, INTERNET, table=MAIN) if main_has_internet else evidence


def _routes_moved_to_spare() -> Evidence:
    """The routes are in a table that the subnet is not associated with, and it is with another."""
    moved = tuple(r for r in table_of(OK).routes if r.instance)
    evidence = without_route(OK, *(r.destination for r in moved))
    return with_more_tables(evidence, replace(SPARE, routes=(LOCAL, *moved)))


def _pods(evidence: Evidence, worker: str, n: int, cidr: str) -> Evidence:
    """Give a worker another pod CIDR, everywhere but in the VPC's routes."""
    evidence = with_user_data(evidence, worker, name=worker, pod_cidr=cidr)
    return with_cni(evidence, worker, subnet=cidr)


def _gone_gateway() -> Evidence:
    evidence = with_inventory(OK, internet_gateways=(InternetGateway(id=GATEWAY),))
    return with_route(evidence, replace(INTERNET, state="blackhole"))


ENCODED = base64.b64encode(b"name=worker-1|pod-cidr=10.200.1.0/24").decode()
PADDED = base64.b64encode(b"name=worker-1|pod-cidr=10.200.1.0/24\n").decode()
TCP_ONLY = SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/8",))
ICMP_ONLY = SecurityRule(protocol="icmp", cidrs=("10.0.0.0/8",))
NODES_ONLY = SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",))
PODS_ONLY = SecurityRule(protocol="-1", cidrs=("10.200.0.0/16",))
MEMBERS = SecurityRule(protocol="-1", groups=(GROUP,))
SSH_ONLY = SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",))


def _deny(number: int, *, egress: bool, cidr: str = "10.200.0.0/16", protocol: str = "-1") -> AclEntry:
    return AclEntry(number=number, egress=egress, allow=False, cidr=cidr, protocol=protocol)


EMPTY_CNI = CniConfig(file="10-bridge.conf", type="bridge", bridge="cnio0", ip_masq=True)
DOCKER = (
    "-j DOCKER-USER",
    "-o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    "-o docker0 -j DOCKER",
    "-i docker0 ! -o docker0 -j ACCEPT",
    "-i docker0 -o docker0 -j ACCEPT",
)


def _docker() -> Evidence:
    evidence = with_forward_chain(OK, "worker-1", *DOCKER, policy="DROP")
    chains = (
        Chain(tool="iptables", table="filter", name="DOCKER-USER", rules=("-A DOCKER-USER -j RETURN",)),
        Chain(tool="iptables", table="filter", name="DOCKER"),
    )
    return with_node(evidence, "worker-1", firewall=((evidence.nodes["worker-1"].firewall or ())[0], *chains))


def _docker0(route: str) -> Evidence:
    evidence = OK
    for other in ("worker-0", "worker-2"):
        evidence = with_way(evidence, "worker-1", other, device="docker0", via="", route=route)
    return evidence


def _lost(request: int, reply: int = 0, astray: str = "") -> Evidence:
    pair = ("worker-0", "worker-1")
    return with_trace(failing(OK, pair), *pair, request, reply, astray)


FAULTS: dict[str, tuple[Evidence, tuple[str, ...]]] = {
    "a VPN takes the default route": (
        with_way(OK, "worker-0", "worker-1", device="wg0", via="", route="default dev wg0 scope link"),
        ("node-route-conflict",),
    ),
    "a rule asks another table": (
        with_way(OK, "worker-0", "worker-1", device="ens6", via="", route=""),
        ("node-route-conflict",),
    ),
    # The workers. A route to an instance that is gone stays behind as a leftover.
    "worker never launched": (
        without_route(without_instance(OK, "worker-1"), ONE),
        ("worker-missing",),
    ),
    "worker terminated, route left": (
        with_route(with_instance(OK, "worker-1", state="terminated"), route(1, ONE, state="blackhole")),
        ("route-stale", "worker-missing"),
    ),
    "worker named otherwise": (
        with_instance(OK, "worker-1", name="Worker_1"),
        ("worker-missing",),
    ),
    "worker stopped": (
        with_route(with_instance(OK, "worker-1", state="stopped"), route(1, ONE, state="blackhole")),
        ("worker-not-running", "route-blackhole"),
    ),
    "worker still pending": (with_instance(OK, "worker-1", state="pending"), ("worker-not-running",)),
    "worker being stopped": (with_instance(OK, "worker-1", state="stopping"), ("worker-not-running",)),
    "worker being stopped, its route a blackhole": (
        with_route(with_instance(OK, "worker-1", state="stopping"), route(1, ONE, state="blackhole")),
        ("worker-not-running", "route-blackhole"),
    ),
    "two stopped namesakes": (
        with_more_instances(
            with_instance(OK, "worker-1", state="stopped"), instance(7, "worker-1", state="stopped")
        ),
        ("worker-not-running",),
    ),
    "two running namesakes": (with_more_instances(OK, instance(7, "worker-1")), ("worker-ambiguous",)),
    "worker in another VPC": (with_instance(OK, "worker-1", vpc="vpc-0other"), ("worker-missing",)),
    "stopped worker in another VPC": (
        with_instance(OK, "worker-1", vpc="vpc-0other", state="stopped"),
        ("worker-missing",),
    ),
    "namesake in another VPC": (
        with_more_instances(OK, instance(7, "worker-1", vpc="vpc-0other")),
        ("worker-ambiguous",),
    ),
    # The pod CIDR.
    "no user data": (with_user_data(OK, "worker-1"), ("pod-cidr-missing",)),
    "empty pod-cidr": (with_user_data(OK, "worker-1", name="worker-1", pod_cidr=""), ("pod-cidr-missing",)),
    "pod-cider": (with_user_data(OK, "worker-1", name="worker-1", pod_cider=ONE), ("pod-cidr-missing",)),
    "podCIDR": (with_user_data(OK, "worker-1", name="worker-1", podCIDR=ONE), ("pod-cidr-missing",)),
    "POD_CIDR script": (
        with_user_data(OK, "worker-1", text=f"#!/bin/bash\nexport POD_CIDR={ONE}\n", export="x"),
        ("pod-cidr-missing",),
    ),
    "encoded twice": (with_user_data(OK, "worker-1", text=ENCODED), ("pod-cidr-missing",)),
    "encoded twice, padded": (with_user_data(OK, "worker-1", text=PADDED), ("pod-cidr-missing",)),
    "other text": (with_user_data(OK, "worker-1", text="hello"), ("pod-cidr-missing",)),
    "no network": (with_user_data(OK, "worker-1", pod_cidr="hello"), ("pod-cidr-invalid",)),
    "no mask": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0"), ("pod-cidr-invalid",)),
    "netmask": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/255.255.255.0"), ("pod-cidr-invalid",)),
    "prefix 33": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/33"), ("pod-cidr-invalid",)),
    "IPv6": (with_user_data(OK, "worker-1", pod_cidr="fd00::/64"), ("pod-cidr-invalid",)),
    "quoted": (with_user_data(OK, "worker-1", pod_cidr=f'"{ONE}"'), ("pod-cidr-invalid",)),
    "host bits": (_pods(OK, "worker-1", 1, "10.200.1.7/24"), ("pod-cidr-invalid",)),
    "too small for a pod": (with_user_data(OK, "worker-1", pod_cidr="10.200.1.0/31"), ("pod-cidr-invalid",)),
    "same pod CIDR twice": (
        _pods(without_route(OK, ONE), "worker-1", 1, "10.200.0.0/24"),
        ("pod-cidr-overlap",),
    ),
    "one pod CIDR within another": (
        _pods(with_route(OK, route(0, "10.200.0.0/23")), "worker-0", 0, "10.200.0.0/23"),
        ("pod-cidr-overlap",),
    ),
    "pod CIDR in the VPC": (
        _pods(without_route(OK, ONE), "worker-1", 1, "10.0.5.0/24"),
        ("pod-cidr-inside-vpc",),
    ),
    "pod CIDR in a secondary VPC CIDR": (
        with_route(
            with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.0.0/20")),)),
            replace(LOCAL, destination="10.200.0.0/20"),
        ),
        ("pod-cidr-inside-vpc",) * 3,
    ),
    # The source/dest check.
    "source/dest check on": (
        with_interface(OK, "worker-1", source_dest_check=True),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI a route names": (
        with_route(
            with_second_interface(OK, 1, source_dest_check=True),
            Route(destination=ONE, network_interface="eni-11"),
        ),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI two halves name": (
        with_route(
            with_second_interface(without_route(OK, ONE), 1, source_dest_check=True), *_by_eni(*HALVES)
        ),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI that one half names": (
        with_route(with_second_interface(OK, 1, source_dest_check=True), *_by_eni(HALVES[0])),
        ("source-dest-check-on",),
    ),
    "source/dest check on at the ENI a wider route names": (
        with_route(
            with_second_interface(without_route(OK, ONE), 1, source_dest_check=True),
            *_by_eni("10.200.0.0/20"),
        ),
        ("source-dest-check-on",),
    ),
    # The route tables.
    "table never associated": (_unassociated(main_has_internet=True), ("subnet-not-associated",)),
    "table never associated, no internet either": (
        _unassociated(main_has_internet=False),
        ("subnet-not-associated",),
    ),
    "second subnet not associated": (
        with_table(TWO, TABLE_2, subnets=()),
        ("subnet-not-associated",),
    ),
    "no routes at all": (
        without_route(OK, "10.200.0.0/24", ONE, "10.200.2.0/24"),
        ("route-missing",) * 3,
    ),
    "one route missing": (without_route(OK, ONE), ("route-missing",)),
    "route for a mistyped range": (
        with_route(without_route(OK, ONE), route(1, "10.20.1.0/24")),
        ("route-missing",),
    ),
    "one wide route to the first worker": (
        with_route(without_route(OK, ONE, "10.200.2.0/24"), route(0, "10.200.0.0/16")),
        ("route-missing",) * 2,
    ),
    "half a route": (with_route(without_route(OK, ONE), route(1, "10.200.1.0/25")), ("route-missing",)),
    "route missing in the second table": (without_route(TWO, ONE, table=TABLE_2), ("route-in-unused-table",)),
    "routes in a table nobody uses": (_routes_moved_to_spare(), ("route-in-unused-table",) * 3),
    "swapped": (
        with_route(OK, route(1, "10.200.0.0/24"), route(0, ONE)),
        ("route-wrong-target",) * 2,
    ),
    "route to a controller": (
        with_route(with_more_instances(OK, OTHER), route(9, ONE)),
        ("route-wrong-target",),
    ),
    "route to a controller's ENI": (
        with_route(with_more_instances(OK, OTHER), Route(destination=ONE, network_interface="eni-09")),
        ("route-wrong-target",),
    ),
    "route to a NAT gateway": (
        with_route(OK, Route(destination=ONE, other="nat-0a")),
        ("route-wrong-target",),
    ),
    "route to the internet gateway": (
        with_route(OK, Route(destination=ONE, gateway=GATEWAY)),
        ("route-wrong-target",),
    ),
    "node replaced": (
        with_route(OK, Route(destination=ONE, instance="i-0old", state="blackhole")),
        ("route-blackhole",),
    ),
    "ENI deleted": (
        with_route(OK, Route(destination=ONE, network_interface="eni-0old", state="blackhole")),
        ("route-blackhole",),
    ),
    "half diverted": (with_route(OK, route(0, "10.200.1.128/25")), ("route-shadowed",)),
    "half diverted, and no route for the whole": (
        with_route(without_route(OK, ONE), route(0, "10.200.1.128/25")),
        ("route-missing", "route-shadowed"),
    ),
    "half diverted, and the whole to another worker": (
        with_route(OK, route(0, ONE), route(2, "10.200.1.128/25")),
        ("route-shadowed", "route-wrong-target"),
    ),
    "half diverted, and a wider route to the worker": (
        with_route(without_route(OK, ONE), route(1, "10.200.0.0/20"), route(0, "10.200.1.128/25")),
        ("route-shadowed",),
    ),
    "a part of two halves diverted": (
        with_route(
            without_route(OK, ONE),
            *(route(1, "10.200.1.0/25"), route(1, "10.200.1.128/25"), route(0, "10.200.1.64/26")),
        ),
        ("route-shadowed",),
    ),
    "propagated route diverts, and no route for the whole": (
        with_route(
            without_route(OK, ONE),
            Route(destination="10.200.1.0/26", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        ),
        ("route-missing", "route-shadowed"),
    ),
    "one pod diverted to a blackhole": (
        with_route(OK, Route(destination="10.200.1.7/32", instance="i-0old", state="blackhole")),
        ("route-shadowed",),
    ),
    "propagated route diverts": (
        with_route(
            OK, Route(destination="10.200.1.0/26", gateway="vgw-0a", origin="EnableVgwRoutePropagation")
        ),
        ("route-shadowed",),
    ),
    "leftover of a worker that is gone": (
        with_route(OK, Route(destination="10.200.9.0/24", instance="i-0old", state="blackhole")),
        ("route-stale",),
    ),
    "leftover to a controller": (
        with_route(with_more_instances(OK, OTHER), route(9, "10.200.9.0/24")),
        ("route-stale",),
    ),
    "route of a worker that was not asked about": (
        with_route(with_more_instances(OK, instance(9, "worker-3")), route(9, "10.200.9.0/24")),
        ("route-stale",),
    ),
    "local route replaced": (
        with_route(OK, replace(LOCAL, gateway="", network_interface="eni-0fw")),
        ("local-route-altered",),
    ),
    "secondary local route missing": (
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),)),
        ("local-route-altered",),
    ),
    "subnet taken out of the local route": (
        with_route(OK, Route(destination="10.0.1.0/24", network_interface="eni-0fw")),
        ("local-route-altered",),
    ),
    "no default route": (without_route(OK, "0.0.0.0/0"), ("internet-route-missing",)),
    "no default route, gateway not attached": (
        with_inventory(without_route(OK, "0.0.0.0/0"), internet_gateways=(InternetGateway(id=GATEWAY),)),
        ("internet-route-missing",),
    ),
    "no default route, no gateway": (
        with_inventory(without_route(OK, "0.0.0.0/0"), internet_gateways=()),
        ("internet-route-missing",),
    ),
    "default route to a NAT gateway": (
        with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")),
        ("internet-route-wrong-target",),
    ),
    "default route to a worker": (with_route(OK, route(0, "0.0.0.0/0")), ("internet-route-wrong-target",)),
    "default route to a NAT gateway, no gateway": (
        with_inventory(with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")), internet_gateways=()),
        ("internet-route-wrong-target",),
    ),
    "gateway detached": (_gone_gateway(), ("internet-route-blackhole",)),
    "default route to a NAT gateway, gateway detached": (
        with_inventory(
            with_route(OK, Route(destination="0.0.0.0/0", other="nat-0a")),
            internet_gateways=(InternetGateway(id=GATEWAY),),
        ),
        ("internet-route-wrong-target",),
    ),
    "gateway detached a moment ago": (
        with_inventory(OK, internet_gateways=(InternetGateway(id=GATEWAY),)),
        ("internet-route-wrong-target",),
    ),
    "NAT instance gone, gateway detached": (
        with_inventory(
            with_route(OK, Route(destination="0.0.0.0/0", instance="i-0nat", state="blackhole")),
            internet_gateways=(InternetGateway(id=GATEWAY),),
        ),
        ("internet-route-blackhole",),
    ),
    "gateway deleted": (
        with_inventory(with_route(OK, replace(INTERNET, state="blackhole")), internet_gateways=()),
        ("internet-route-blackhole",),
    ),
    "default route to a NAT instance that is gone": (
        with_route(OK, Route(destination="0.0.0.0/0", instance="i-0nat", state="blackhole")),
        ("internet-route-blackhole",),
    ),
    # The filters.
    "no rule for the nodes": (_ingress(PODS_ONLY, SSH_ONLY), ("security-group-blocks",)),
    "no ICMP": (_ingress(TCP_ONLY), ("security-group-blocks",)),
    "no TCP": (_ingress(ICMP_ONLY), ("security-group-blocks",)),
    "SSH only": (_ingress(SSH_ONLY), ("security-group-blocks",)),
    "no ingress at all": (_ingress(), ("security-group-blocks",)),
    "one node not in the rule": (
        _ingress(SecurityRule(protocol="-1", cidrs=("10.0.1.20/32", "10.0.1.21/32"))),
        ("security-group-blocks",),
    ),
    "no rule for the pods, masquerade off": (
        with_group(NOT_MASQUERADED, ingress=(NODES_ONLY,)),
        ("security-group-blocks",),
    ),
    "a rule for the group, masquerade off": (
        with_group(NOT_MASQUERADED, ingress=(MEMBERS,)),
        ("security-group-blocks",),
    ),
    "egress to the nodes only": (with_group(OK, egress=(NODES_ONLY,)), ("security-group-blocks",)),
    "egress to the group only": (with_group(OK, egress=(MEMBERS,)), ("security-group-blocks",)),
    "another group on one worker": (
        with_interface(
            with_inventory(
                OK,
                security_groups=(
                    *inventory_of(OK).security_groups,
                    SecurityGroup(id="sg-0b", vpc=VPC, ingress=(SSH_ONLY,), egress=(ALL_OUT,)),
                ),
            ),
            "worker-1",
            security_groups=("sg-0b",),
        ),
        ("security-group-blocks",),
    ),
    "another group on the ENI where pods' packets arrive": (
        with_route(_second_interface(OK), *_by_eni(ONE)),
        ("security-group-blocks",),
    ),
    "another group on the ENI where half of the packets arrive": (
        with_route(_second_interface(OK), *_by_eni(HALVES[1])),
        ("security-group-blocks",),
    ),
    "another group on the ENI to which the other subnet's table leads": (
        with_route(_second_interface(TWO), *_by_eni(ONE), table=TABLE_2),
        ("security-group-blocks",),
    ),
    "another group on the primary ENI, to which one of two tables leads": (
        with_route(_second_interface(TWO, primary=SHUT, second=GROUP), *_by_eni(ONE), table=TABLE_2),
        ("security-group-blocks",),
    ),
    "the worker itself and pings of the others not in the rule": (
        _second_interface(OK, primary="sg-0tcp", groups=(_from_nodes("sg-0tcp", TCP_ONLY, 0, 2),)),
        ("security-group-blocks",),
    ),
    "a route of a range beside the VPC's own block in the pod range": (
        with_route(
            with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.128.0/20")),)),
            replace(LOCAL, destination="10.200.128.0/20"),
            Route(destination="10.200.144.0/24", network_interface="eni-0fw"),
        ),
        ("route-stale",),
    ),
    "the groups for the senders of two tables, right at one worker and swapped at the next": (
        _swapped_groups(),
        ("security-group-blocks",) * 2,
    ),
    "a rule for the group, one worker in another": (
        with_group(
            _second_interface(OK, primary="sg-0open", groups=(_from("sg-0open", 1),)), ingress=(MEMBERS,)
        ),
        ("security-group-blocks",),
    ),
    "ACL denies pods out": (with_acl(TWO, _deny(50, egress=True)), ("network-acl-blocks",)),
    "ACL denies replies in": (with_acl(TWO, _deny(50, egress=False)), ("network-acl-blocks",)),
    "ACL denies nodes in": (
        with_acl(TWO, _deny(50, egress=False, cidr="10.0.1.0/24")),
        ("network-acl-blocks",),
    ),
    "ACL denies replies to nodes": (
        with_acl(TWO, _deny(1, egress=True, cidr="10.0.1.0/24", protocol="6")),
        ("network-acl-blocks",),
    ),
    "ACL allows nothing": (with_acl(TWO, only=True), ("network-acl-blocks",) * 4),
    "ACL denies pods, masquerade off": (
        with_acl(masquerade_off(TWO), _deny(50, egress=False, protocol="1")),
        ("network-acl-blocks",),
    ),
    # The nodes.
    "forwarding off": (with_node(OK, "worker-1", ip_forward=False), ("forwarding-off",)),
    "no CNI file": (with_node(OK, "worker-1", cni=()), ("cni-config-missing",)),
    "neither user data nor CNI file": (
        with_node(with_user_data(OK, "worker-1"), "worker-1", cni=()),
        ("cni-config-missing", "pod-cidr-missing"),
    ),
    "only the loopback": (
        with_node(OK, "worker-1", cni=OK.nodes["worker-1"].cni[1:]),
        ("cni-config-missing",),
    ),
    "broken CNI file": (
        with_node(OK, "worker-1", cni=(CniConfig(file="10-bridge.conf", problem="no JSON: line 1"),)),
        ("cni-config-missing",),
    ),
    "broken CNI files of others": (
        with_node(
            OK,
            "worker-1",
            cni=tuple(CniConfig(file=f, problem="no JSON") for f in ("10-calico.conflist", "10 x.conf")),
        ),
        ("cni-config-missing",),
    ),
    "CNI subnet of another worker": (
        with_cni(OK, "worker-1", subnet="10.200.0.0/24"),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet of nobody": (with_cni(OK, "worker-1", subnet="10.201.1.0/24"), ("cni-subnet-mismatch",)),
    "CNI subnet empty": (with_cni(OK, "worker-1", subnet=""), ("cni-subnet-mismatch",)),
    "CNI subnet empty, metadata for tokens only": (
        with_node(with_cni(OK, "worker-1", subnet=""), "worker-1", imds="v2", cni=(EMPTY_CNI,)),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet with host bits": (with_cni(OK, "worker-1", subnet="10.200.1.7/24"), ("cni-subnet-mismatch",)),
    # The nodes' firewalls.
    "policy DROP": (with_forward_chain(OK, "worker-1", policy="DROP"), ("forward-dropped",)),
    "policy DROP, and Docker's own rules": (_docker(), ("forward-dropped",)),
    "policy DROP, pods may send but get no answer": (
        with_forward_chain(OK, "worker-1", "-s 10.200.1.0/24 -j ACCEPT", policy="DROP"),
        ("forward-dropped",),
    ),
    "a route that is filtered": (
        with_route(OK, replace(route(1, ONE), state="filtered")),
        ("route-blackhole",),
    ),
    "a default route that is filtered": (
        with_route(OK, replace(INTERNET, state="filtered")),
        ("internet-route-blackhole",),
    ),
    "a rule with something masked in it": (
        with_forward_chain(OK, "worker-1", "-m comment --comment api_key=*** -j DROP"),
        ("forward-dropped",),
    ),
    "an nft rule with something masked in it": (
        with_nft(OK, "worker-1", 'counter packets 0 bytes 0 drop comment "token=***"'),
        ("forward-dropped",),
    ),
    "an nft rule without its number": (
        with_node(
            OK,
            "worker-1",
            firewall=(
                Chain(tool="nft", table="inet filter", name="forward", policy="accept", rules=("drop",)),
            ),
        ),
        ("forward-dropped",),
    ),
    "a rule rejects all": (
        with_forward_chain(OK, "worker-1", "-j REJECT --reject-with icmp-port-unreachable"),
        ("forward-dropped",),
    ),
    "a rule drops what the bridge sends": (
        with_forward_chain(OK, "worker-1", "-i cnio0 -j DROP"),
        ("forward-dropped",),
    ),
    "a rule drops pings": (
        with_forward_chain(OK, "worker-1", "-p icmp -m icmp --icmp-type 8 -j DROP"),
        ("forward-dropped",),
    ),
    "a rule drops, and the policy would": (
        with_forward_chain(OK, "worker-1", "-d 10.200.0.0/16 -j DROP", policy="DROP"),
        ("forward-dropped",) * 2,
    ),
    "nftables: policy drop": (with_nft(OK, "worker-1", policy="DROP"), ("forward-dropped",)),
    "nftables: a rule drops": (
        with_nft(OK, "worker-1", 'iifname "ens*" ip daddr 10.200.0.0/16 counter packets 0 bytes 0 drop'),
        ("forward-dropped",),
    ),
    # The nodes' kernel routes.
    "a node's route to a peer by another node": (
        with_way(OK, "worker-1", "worker-0", via="10.0.1.22", route="10.200.0.0/24 via 10.0.1.22 dev ens5"),
        ("node-route-conflict",),
    ),
    "a node's route to a peer on the link": (
        with_way(OK, "worker-1", "worker-0", via="", route="10.200.0.0/24 dev ens5 scope link"),
        ("node-route-conflict",),
    ),
    "a node drops what is for a peer": (
        with_way(
            OK, "worker-1", "worker-0", device="", via="", kind="blackhole", route="blackhole 10.200.0.0/24"
        ),
        ("node-route-conflict",),
    ),
    "a node drops a part of what is for a peer": (
        with_node(
            OK,
            "worker-1",
            ways=(
                *OK.nodes["worker-1"].ways,
                Way(
                    towards="worker-0",
                    address="10.200.0.129",
                    kind="unreachable",
                    route="unreachable 10.200.0.128/25",
                ),
            ),
        ),
        ("node-route-conflict",),
    ),
    "another bridge has the pod range": (
        _docker0("10.200.0.0/16 dev docker0 proto kernel scope link src 10.200.0.1"),
        ("node-route-conflict",),
    ),
    "a node's own pods are sent to the VPC": (
        with_way(
            OK,
            "worker-1",
            "worker-1",
            device="ens5",
            via="10.0.1.1",
            route="10.200.1.0/24 via 10.0.1.1 dev ens5",
        ),
        ("node-route-conflict",),
    ),
    "a node has no route to its own pods": (
        with_way(
            OK, "worker-1", "worker-1", device="ens5", via="10.0.1.1", route="default via 10.0.1.1 dev ens5"
        ),
        ("node-route-conflict",),
    ),
    # Packets that nothing explains, and how far they came.
    "lost on the node they leave": (_lost(2), ("pod-unreachable",) * 2),
    "never left their pod": (_lost(0), ("pod-unreachable",) * 2),
    "lost in the VPC": (_lost(3), ("pod-unreachable",) * 2),
    "lost on the node they come to": (_lost(4), ("pod-unreachable",) * 2),
    "the answer lost on the node it leaves": (_lost(6, 2), ("pod-unreachable",) * 2),
    "no answer at all": (_lost(6, 0), ("pod-unreachable",) * 2),
    "the answer lost in the VPC": (_lost(6, 3), ("pod-unreachable",) * 2),
    "come out at a third node": (_lost(3, astray="eni worker-2"), ("pod-unreachable",) * 2),
    "come and go": (_lost(6, 6), ("pod-unreachable",) * 2),
    # Packets. Nothing explains the first; the next is explained by what is beside it.
    "one pair fails": (failing(OK, ("worker-0", "worker-1")), ("pod-unreachable",) * 2),
    "own node fails": (failing(OK, ("worker-1", "worker-1"), kind="node"), ("pod-unreachable",)),
    "internet fails": (failing(OK, ("worker-1", ""), kind="internet"), ("pod-unreachable",)),
}


def _private(route_to: Route) -> Evidence:
    """Workers without public addresses, behind something that is no internet gateway."""
    evidence = with_route(OK, route_to)
    for worker in evidence.intended.workers:
        evidence = with_instance(evidence, worker, public_address="")
    return evidence


HEALTHY: dict[str, Evidence] = {
    "a group that is open to a prefix list": _ingress(
        SecurityRule(protocol="-1", prefix_lists=("pl-0a",)),
    ),
    "an IPv6-only subnet beside": with_inventory(
        OK, subnets=(*inventory_of(OK).subnets, Subnet(id="subnet-06", vpc=VPC, cidr=""))
    ),
    "a subnet whose range was not seen": with_inventory(
        OK, subnets=tuple(replace(each, cidr="") for each in inventory_of(OK).subnets)
    ),
    "private workers behind a NAT gateway": _private(Route(destination="0.0.0.0/0", other="nat-0a")),
    "no tool tells the firewall, none the routes": with_node(
        OK, "worker-1", firewall=None, ways=(), links=()
    ),
    "metadata for tokens only": with_node(OK, "worker-1", imds="v2"),
    "policy DROP, and the bridge accepted": with_forward_chain(
        OK, "worker-1", "-i cnio0 -j ACCEPT", "-o cnio0 -j ACCEPT", policy="DROP"
    ),
    "policy DROP, and the pods' range accepted": with_forward_chain(
        OK, "worker-1", "-s 10.200.0.0/16 -j ACCEPT", "-d 10.200.0.0/16 -j ACCEPT", policy="DROP"
    ),
    "policy DROP, accepted by a rule that is not understood": with_forward_chain(
        OK, "worker-1", "-m owner --nobody-knows -j ACCEPT", policy="DROP"
    ),
    "a rule that is not understood drops": with_forward_chain(
        OK, "worker-1", "-m string --algo bm --string x -j DROP"
    ),
    "a rule drops another range": with_forward_chain(OK, "worker-1", "-d 172.17.0.0/16 -j DROP"),
    "a rule drops what is invalid": with_forward_chain(
        OK, "worker-1", "-m conntrack --ctstate INVALID -j DROP"
    ),
    "nftables drops for others only": with_nft(
        OK, "worker-1", "ip6 daddr ::/0 drop", "udp dport 53 drop", 'iifname "wlan0" drop'
    ),
    "nftables: policy drop, a map decides": with_nft(
        OK, "worker-1", "ct state vmap { established : accept, new : jump pods }", policy="DROP"
    ),
    "nftables drops what is in no set of addresses that was not seen": with_nft(
        OK, "worker-1", "ip daddr != @pods drop", "ip saddr != @nodes drop"
    ),
    "a node's route to a peer's own node": with_way(
        OK, "worker-1", "worker-0", via="10.0.1.20", route="10.200.0.0/24 via 10.0.1.20 dev ens5"
    ),
    "a node's route to a peer by the VPC": with_way(
        OK, "worker-1", "worker-0", route="10.200.0.0/16 via 10.0.1.1 dev ens5"
    ),
    "tutorial": OK,
    "one worker": healthy(1),
    "twelve workers": healthy(12),
    "names in another style": healthy(names="ip-10-0-1-{}.node"),
    "other pod range": healthy(pods="172.20.{}.0/24"),
    "pod ranges of /20": healthy(pods="10.2{}.16.0/20"),
    "masquerade off": with_group(NOT_MASQUERADED),
    "two subnets, two tables": TWO,
    "two subnets, one table": in_two_subnets(OK, table=TABLE),
    "a lone worker's table without its own route": without_route(TWO, "10.200.2.0/24", table=TABLE_2),
    "main table on purpose": with_table(
        with_table(OK, MAIN, routes=table_of(OK).routes), TABLE, subnets=(), routes=(LOCAL,)
    ),
    "routes by ENI": with_route(
        OK, *(Route(destination=f"10.200.{n}.0/24", network_interface=f"eni-0{n}") for n in range(3))
    ),
    "route by the second ENI": with_route(
        with_second_interface(OK, 1), Route(destination=ONE, instance="i-01", network_interface="eni-11")
    ),
    "second ENI that nothing is routed through": with_second_interface(OK, 1, source_dest_check=True),
    "second ENI for the whole, no packet of which is left by the halves": with_route(
        with_second_interface(OK, 1, source_dest_check=True),
        *_by_eni(ONE),
        *(route(1, half) for half in HALVES),
    ),
    "second ENI for more than the pods, whose own route is to the first": with_route(
        with_second_interface(OK, 1, source_dest_check=True), *_by_eni("10.200.0.0/20")
    ),
    "halves by the second ENI": with_route(
        with_second_interface(without_route(OK, ONE), 1), *_by_eni(*HALVES)
    ),
    "terminated namesake": with_more_instances(OK, instance(7, "worker-1", state="terminated")),
    "stopped namesake": with_more_instances(OK, instance(7, "worker-1", state="stopped")),
    "foreign routes": with_route(
        OK,
        Route(destination="fd00::/56", gateway="local", foreign=True),
        Route(destination="pl-0a", other="vpce-0a", foreign=True),
        Route(destination="192.168.0.0/16", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        Route(destination="10.200.0.0/16", gateway="vgw-0a", origin="EnableVgwRoutePropagation"),
        Route(destination="10.8.0.0/16", other="pcx-0a", state="blackhole"),
        Route(destination="10.200.77.0/24", other="tgw-0a"),
        Route(destination="172.16.0.0/12", other="nat-0a"),
        Route(destination="192.0.2.0/24", instance="i-0vpn"),
    ),
    "secondary VPC CIDR": with_route(
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.9.0.0/16")),)),
        replace(LOCAL, destination="10.9.0.0/16"),
    ),
    "one wide route per worker": with_route(
        without_route(OK, *(f"10.200.{n}.0/24" for n in range(3))),
        route(0, "10.200.0.0/24"),
        route(1, "10.200.1.0/25"),
        route(1, "10.200.1.128/25"),
        route(2, "10.200.2.0/23"),
    ),
    "another group on an ENI to which only the worker's own table leads": with_route(
        _second_interface(in_two_subnets(OK, moved="worker-1"), at=SUBNET_2), *_by_eni(ONE), table=TABLE_2
    ),
    "a group for the senders of the one table, another for those of the other": with_route(
        _second_interface(
            TWO, primary="sg-0one", second="sg-0two", groups=(_from("sg-0one", 1), _from("sg-0two", 2))
        ),
        *_by_eni(ONE),
        table=TABLE_2,
    ),
    "low ports for the range, high ones for the group": with_group(
        OK,
        ingress=(
            replace(TCP_ONLY, to_port=1023),
            SecurityRule(protocol="tcp", from_port=1024, to_port=65535, groups=(GROUP,)),
            ICMP_ONLY,
        ),
    ),
    "a rule per node but the worker itself": _second_interface(
        OK, primary="sg-0others", groups=(_from_nodes("sg-0others", SecurityRule(protocol="-1"), 0, 2),)
    ),
    "a route of a VPC's own block in the pod range, to a firewall": with_route(
        with_inventory(OK, vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.128.0/20")),)),
        replace(LOCAL, destination="10.200.128.0/20"),
        Route(destination="10.200.128.0/24", network_interface="eni-0fw"),
    ),
    "rules by protocol": with_group(OK, ingress=(TCP_ONLY, ICMP_ONLY), egress=(TCP_ONLY, ICMP_ONLY)),
    "ports in two rules": with_group(
        OK,
        ingress=(
            replace(TCP_ONLY, to_port=1023),
            replace(TCP_ONLY, from_port=1024),
            replace(ICMP_ONLY, from_port=8, to_port=0),
        ),
    ),
    "a rule for the group": with_group(OK, ingress=(MEMBERS,)),
    "a rule per node": with_group(
        OK, ingress=(SecurityRule(protocol="-1", cidrs=tuple(f"10.0.1.2{n}/32" for n in range(3))),)
    ),
    "ACL within one subnet is not asked": with_acl(OK, _deny(1, egress=True), acl="acl-0a"),
    "ACL denies something else": with_acl(TWO, _deny(1, egress=False, cidr="198.51.100.0/24")),
    "two security groups, one of them closed": with_interface(
        with_inventory(
            OK,
            security_groups=(*inventory_of(OK).security_groups, SecurityGroup(id="sg-0b", vpc=VPC)),
        ),
        "worker-1",
        security_groups=(GROUP, "sg-0b"),
    ),
    "internet by TCP only": failing(OK, ("*", ""), kind="internet", protocols=("icmp",)),
    "no internet without masquerade": failing(NOT_MASQUERADED, ("*", ""), kind="internet"),
}
