"""CNI files, firewalls and kernel routes of the nodes as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Chain, CniConfig, Evidence, Link, Way
from tests.findings.changed_aws import with_instance, with_user_data, without_instance, without_route
from tests.findings.changed_nodes import (
    with_cni,
    with_forward_chain,
    with_link,
    with_nft,
    with_node,
    with_way,
)
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy

EMPTY_CNI = replace(OK.nodes["worker-1"].cni[0], subnet="")
OWN_ASTRAY = with_way(
    OK, "worker-1", "worker-1", device="ens5", via="10.0.1.1", route="10.200.1.0/24 via 10.0.1.1 dev ens5"
)
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


FAULTS: Faults = {
    "a VPN takes the default route": (
        with_way(OK, "worker-0", "worker-1", device="wg0", via="", route="default dev wg0 scope link"),
        ("node-route-conflict",),
    ),
    "a rule asks another table": (
        with_way(OK, "worker-0", "worker-1", device="ens6", via="", route=""),
        ("node-route-conflict",),
    ),
    "forwarding off": (with_node(OK, "worker-1", ip_forward=False), ("forwarding-off",)),
    "forwarding off at the bridge": (
        with_link(OK, "worker-1", "cnio0", forwarding=False),
        ("forwarding-off",),
    ),
    "forwarding off at the ENI": (with_link(OK, "worker-1", "ens5", forwarding=False), ("forwarding-off",)),
    "no CNI file": (with_node(OK, "worker-1", cni=()), ("cni-config-missing",)),
    "neither user data nor CNI file": (
        with_node(with_user_data(without_route(OK, "10.200.1.0/24"), "worker-1"), "worker-1", cni=()),
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
    "no CNI file, and a pod CIDR that is not the next one": (
        with_node(
            with_user_data(without_route(OK, "10.200.1.0/24"), "worker-1", pod_cidr="10.200.77.0/24"),
            "worker-1",
            cni=(),
        ),
        ("cni-config-missing", "route-missing"),
    ),
    "CNI subnet of nobody, on another bridge": (
        with_way(
            with_cni(OK, "worker-1", subnet="10.201.1.0/24", bridge="cni7"),
            "worker-1",
            "worker-1",
            device="cni7",
            route="10.201.1.0/24 dev cni7 proto kernel",
        ),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet of nobody, on no bridge": (
        with_cni(OK, "worker-1", subnet="10.201.1.0/24", bridge=""),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet of nobody, the option says another, and user data was not read": (
        with_instance(
            with_cni(
                replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": "10.200.1.0/24"})),
                "worker-1",
                subnet="10.201.1.0/24",
            ),
            "worker-1",
            user_data=None,
        ),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet of the user data, and the option says another": (
        with_cni(
            with_user_data(
                replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": "10.200.1.0/24"})),
                "worker-1",
                pod_cidr="10.200.7.0/24",
            ),
            "worker-1",
            subnet="10.200.7.0/24",
        ),
        ("cni-subnet-mismatch",),
    ),
    "CNI subnet and user data are no network, and the option says one": (
        with_cni(
            with_user_data(
                replace(OK, intended=replace(OK.intended, pod_cidrs={"worker-1": "10.200.1.0/24"})),
                "worker-1",
                pod_cidr="hello",
            ),
            "worker-1",
            subnet="hello",
        ),
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
    "a node forbids what is for a peer, on its card": (
        with_way(OK, "worker-1", "worker-0", kind="prohibit", via="10.0.1.1", route="prohibit 10.200.0.0/24"),
        ("node-route-conflict",),
    ),
    "a node takes a peer's pods for its own, as its CNI file does": (
        with_way(
            with_cni(OK, "worker-1", subnet="10.200.0.0/24"),
            "worker-1",
            "worker-0",
            device="cnio0",
            via="",
            route="10.200.0.0/24 dev cnio0 proto kernel",
        ),
        ("cni-subnet-mismatch",),
    ),
    "a node's route by the VPC to a peer that is gone": (
        without_instance(
            with_way(OK, "worker-1", "worker-0", route="10.200.0.0/24 via 10.0.1.1 dev ens5"), "worker-0"
        ),
        ("route-stale", "worker-missing"),
    ),
    "another bridge has the range of a peer that is gone": (
        without_instance(_docker0("10.200.0.0/24 dev docker0 scope link"), "worker-0"),
        ("node-route-conflict", "route-stale", "worker-missing"),
    ),
    "another bridge has the range of two peers that share theirs": (
        with_user_data(
            _docker0("10.200.0.0/24 dev docker0 scope link"), "worker-2", pod_cidr="10.200.0.0/24"
        ),
        ("node-route-conflict", "pod-cidr-overlap"),
    ),
    "another bridge has the range, and the node's own is a peer's": (
        with_user_data(
            _docker0("10.200.0.0/24 dev docker0 scope link"), "worker-1", pod_cidr="10.200.0.0/24"
        ),
        ("pod-cidr-overlap",),
    ),
    "a node's own pods are sent to the VPC, and its range is mistyped": (
        with_user_data(OWN_ASTRAY, "worker-1", pod_cidr="10.200.1.7/24"),
        ("node-route-conflict", "pod-cidr-invalid"),
    ),
    "a node's own pods are sent to the VPC, and its range is mistyped in its CNI file as well": (
        with_cni(
            with_user_data(OWN_ASTRAY, "worker-1", pod_cidr="10.200.1.7/24"),
            "worker-1",
            subnet="10.200.1.7/24",
        ),
        ("pod-cidr-invalid",),
    ),
    "a node has more ways than to its pods, and its range has the VPC in it": (
        with_way(
            with_user_data(OK, "worker-1", pod_cidr="10.0.0.0/12"),
            "worker-1",
            "worker-1",
            address="10.0.1.1",
            device="ens5",
            route="10.0.1.1 dev ens5 scope link src 10.0.1.21 metric 100",
        ),
        ("pod-cidr-inside-vpc",),
    ),
    "a node's own pods are sent to the VPC, and their bridge is not there": (
        with_node(OWN_ASTRAY, "worker-1", links=OK.nodes["worker-1"].links[:1]),
        ("node-route-conflict",),
    ),
    "a node's own pods are sent to the VPC by a rule": (
        with_way(OK, "worker-1", "worker-1", device="ens5", via="10.0.1.1", route=""),
        ("node-route-conflict",),
    ),
    "a node's own pods are sent to the VPC": (OWN_ASTRAY, ("node-route-conflict",)),
    "a node has no route to its own pods": (
        with_way(
            OK, "worker-1", "worker-1", device="ens5", via="10.0.1.1", route="default via 10.0.1.1 dev ens5"
        ),
        ("node-route-conflict",),
    ),
}

HEALTHY: Healthy = {
    "an interface that no pod's packets enter forwards nothing": with_node(
        OK,
        "worker-1",
        links=(
            *OK.nodes["worker-1"].links,
            Link(
                name="docker0",
                kind="bridge",
                up=True,
                mtu=1500,
                addresses=("172.17.0.1/16",),
                forwarding=False,
            ),
        ),
    ),
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
        OK, "worker-1", "ip6 daddr ::/0 drop", "udp dport 9 drop", 'iifname "wlan0" drop'
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
    "another bridge has a peer's range, and nobody knows the node's card": with_node(
        _docker0("10.200.0.0/24 dev docker0 scope link"), "worker-1", links=OK.nodes["worker-1"].links[1:]
    ),
    "another bridge has a peer's range, and nobody knows the node's subnet": with_instance(
        _docker0("10.200.0.0/24 dev docker0 scope link"), "worker-1", subnet=""
    ),
    "a node's kernel knows no way to a peer": with_way(
        OK, "worker-1", "worker-0", kind="none", device="", via="", route=""
    ),
    "a node's default route is by another router": with_way(
        OK, "worker-1", "worker-0", via="10.0.1.250", route="default via 10.0.1.250 dev ens5"
    ),
    "a node's route to a peer by the VPC": with_way(
        OK, "worker-1", "worker-0", route="10.200.0.0/16 via 10.0.1.1 dev ens5"
    ),
}
