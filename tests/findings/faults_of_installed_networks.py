"""Clusters of Calico, Cilium and their like, and what is left of them, as evidence shows them."""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import replace

from kthw.intended.cluster import CNI_PLUGIN
from kthw.observed.evidence import CniConfig, Evidence, KernelRoute, Link, Node
from tests.findings.changed_aws import (
    inventory_of,
    with_interface,
    with_second_interface,
    with_user_data,
    without_route,
)
from tests.findings.changed_nodes import failing, with_node
from tests.findings.clusters import OK, ONE
from tests.findings.faults_of_node_routes import meaning, without_vpc_routes
from tests.findings.faults_of_plugins import without_pod
from tests.findings.judged import Faults, Healthy


class Network(NamedTuple):
    """What one writes into ``/etc/cni/net.d``, and the agent that does."""

    name: str
    file: str
    type: str
    agent: str
    ipam: str = ""
    bridge: str = ""


CALICO = Network("Calico", "10-calico.conflist", "calico", "calico-node", "calico-ipam")
FLANNEL = Network("flannel", "10-flannel.conflist", "flannel", "flanneld", bridge="cni0")
CILIUM = Network("Cilium", "05-cilium.conflist", "cilium-cni", "cilium-agent")
KUBE_ROUTER = Network(
    "kube-router", "10-kuberouter.conflist", "bridge", "kube-router", "host-local", "kube-bridge"
)
VPC_CNI = Network("amazon-vpc-cni", "10-aws.conflist", "aws-cni", "aws-k8s-agent")
NETWORKS = (
    CALICO,
    FLANNEL,
    CILIUM,
    KUBE_ROUTER,
    VPC_CNI,
    Network("Weave Net", "10-weave.conflist", "weave-net", "weaver"),
    Network("Antrea", "10-antrea.conflist", "antrea", "antrea-agent", "host-local"),
    Network("Canal", "10-canal.conflist", "calico", "calico-node", "host-local"),
)


def files_of(network: Network) -> tuple[CniConfig, ...]:
    made = CniConfig(
        file=network.file, type=network.type, ipam=network.ipam, bridge=network.bridge, name="k8s-pod-network"
    )
    return made, CniConfig(file=network.file, type="portmap", ipam="", name="k8s-pod-network")


def holding(
    evidence: Evidence, worker: str, network: Network, *beside: CniConfig, **changes: Any
) -> Evidence:
    """That worker with the network's CNI file, its plugins, and its agent."""
    plugins = {"bridge", "host-local", "portmap", "loopback", network.type, network.ipam} - {""}
    changes = {"cni_agents": (network.agent,), "cni_plugins": tuple(sorted(plugins)), **changes}
    return with_node(evidence, worker, cni=(*files_of(network), *beside), **changes)


def installed(network: Network, **changes: Any) -> Evidence:
    """A cluster of it: nothing of the chapter, no pod CIDR said, every check on."""
    evidence = without_vpc_routes(OK)
    inventory = inventory_of(evidence)
    instances = tuple(
        replace(each, user_data=replace(each.user_data, pairs={"name": each.name}))
        if each.user_data
        else each
        for each in inventory.instances
    )
    evidence = replace(evidence, inventory=replace(inventory, instances=instances))
    for worker in evidence.intended.workers:
        evidence = with_interface(evidence, worker, source_dest_check=True)
        card, _ = OK.nodes[worker].links
        evidence = holding(evidence, worker, network, links=(card,), ways=(), **changes)
        if network not in (FLANNEL, KUBE_ROUTER):
            evidence = without_pod(evidence, worker)
    return evidence


def handing(evidence: Evidence, device: str = "ens5", kind: str = "") -> Evidence:
    """Every node has a kernel route to each other's pods, by that device."""
    for number, worker in enumerate(evidence.intended.workers):
        peers = [n for n in range(len(evidence.intended.workers)) if n != number]
        routes = tuple(
            KernelRoute(destination=f"192.168.{n}.0/26", via=f"10.0.1.{20 + n}", device=device) for n in peers
        )
        links = evidence.nodes[worker].links
        links = links if device == "ens5" else (*links, Link(name=device, kind=kind, up=True))
        evidence = with_node(evidence, worker, routes=routes, links=links)
    return evidence


def with_check_off(evidence: Evidence, *numbers: int) -> Evidence:
    for number in numbers:
        evidence = with_interface(evidence, f"worker-{number}", source_dest_check=False)
    return evidence


_NODE: Node = OK.nodes["worker-1"]
BRIDGE = _NODE.cni[0]
CALICOS = installed(CALICO)
FIRST = replace(BRIDGE, file="01-bridge.conf")
LEFT = without_pod(holding(OK, "worker-1", CILIUM, *_NODE.cni, cni_agents=()), "worker-1")
MIXED = ("cni-network-mixed",)
FLANNELS = installed(FLANNEL)
BARE = handing(FLANNELS)
"""flannel without tunnels (``host-gw``), and every check on."""
UNCHECKED = with_check_off(BARE, 0, 1, 2)
CHECKED, LOST = ("source-dest-check-on",), ("pod-unreachable",) * 2
NAMED = "ip-10-0-1-21"


def left_everywhere(evidence: Evidence) -> Evidence:
    """Calico's file comes first on all of them, nothing of Calico runs, and the chapter is done."""
    for worker in evidence.intended.workers:
        beside = evidence.nodes[worker].cni
        evidence = without_pod(holding(evidence, worker, CILIUM, *beside, cni_agents=()), worker)
    return evidence


def by_tunnel(evidence: Evidence, one: int, other: int) -> Evidence:
    """Between these two the packets go by a tunnel, whatever the others' do."""
    for here, there in ((one, other), (other, one)):
        node = evidence.nodes[f"worker-{here}"]
        routes = tuple(
            replace(each, device="flannel.1") if each.via == f"10.0.1.{20 + there}" else each
            for each in node.routes or ()
        )
        links = (*node.links, Link(name="flannel.1", kind="vxlan", up=True))
        evidence = with_node(evidence, f"worker-{here}", routes=routes, links=links)
    return evidence


def by_second(evidence: Evidence) -> Evidence:
    """The others hand what is for worker-1 to its second ENI."""
    evidence = with_second_interface(evidence, 1, source_dest_check=False)
    for worker in ("worker-0", "worker-2"):
        routes = evidence.nodes[worker].routes or ()
        handed = tuple(replace(r, via="10.0.1.121") if r.via == "10.0.1.21" else r for r in routes)
        evidence = with_node(evidence, worker, routes=handed)
    return evidence


FAULTS: Faults = {
    "Calico without tunnels, and a check on": (
        with_check_off(handing(CALICOS), 0, 2),
        ("source-dest-check-on",),
    ),
    "Calico's agent not on one node": (
        with_node(CALICOS, "worker-1", cni_agents=()),
        ("cni-plugin-missing",),
    ),
    "Calico's agent on no node, and nothing of the chapter": (
        installed(CALICO, cni_agents=()),
        ("cni-plugin-missing",) * 3,
    ),
    "nothing of Calico on one node": (
        with_node(CALICOS, "worker-1", cni=(), cni_agents=()),
        ("cni-config-missing",),
    ),
    "Calico's plugin not on one node": (
        with_node(CALICOS, "worker-1", cni_plugins=("bridge", "host-local", "portmap")),
        ("cni-plugin-missing",),
    ),
    "one node kept the bridge before Calico's file": (
        with_node(CALICOS, "worker-1", cni=(FIRST, *files_of(CALICO))),
        MIXED,
    ),
    "one node kept only the bridge": (with_node(CALICOS, "worker-1", cni=(BRIDGE,)), MIXED),
    "one node has another network": (holding(CALICOS, "worker-1", CILIUM), MIXED),
    "Cilium is left on one node, plugin and all": (LEFT, MIXED),
    "Cilium's file took the place of the bridge's": (
        with_node(LEFT, "worker-1", cni=files_of(CILIUM)),
        MIXED,
    ),
    "Cilium runs on one node of the chapter's": (
        with_node(LEFT, "worker-1", cni_agents=(CILIUM.agent,)),
        MIXED,
    ),
    "Cilium is left on every node, before the bridge": (left_everywhere(OK), MIXED * 3),
    "Multus is missing, and the bridge is there": (
        with_node(
            without_pod(OK, "worker-1"),
            "worker-1",
            cni=(CniConfig(file="00-multus.conf", type="multus", ipam=""), *_NODE.cni),
        ),
        ("cni-plugin-missing",),
    ),
    "flannel, and a node that hands nothing on": (
        failing(with_node(installed(FLANNEL), "worker-1", ip_forward=False), ("*", "worker-1")),
        ("forwarding-off", *("pod-unreachable",) * 3),
    ),
    "flannel without tunnels, a check on, and packets are lost": (
        failing(with_check_off(BARE, 0, 2), ("worker-0", "worker-1")),
        (*CHECKED, *LOST),
    ),
    "flannel without tunnels, a check on, and one node has no routes": (
        failing(
            with_node(with_check_off(BARE, 0, 2), "worker-0", routes=()),
            ("worker-0", "worker-1"),
            ("worker-1", "worker-0"),
        ),
        (*CHECKED, *LOST * 2),
    ),
    "flannel, a tunnel between two nodes loses packets, and a check is on that they do not meet": (
        failing(by_tunnel(with_check_off(BARE, 1, 2), 0, 2), ("worker-0", "worker-2")),
        (*CHECKED, *LOST),
    ),
    "flannel by a second ENI, the check of the first is on, and packets are lost": (
        failing(by_second(with_check_off(BARE, 0, 2)), ("worker-0", "worker-1")),
        LOST,
    ),
    "flannel, and pods of a node that hands nothing on do not reach it": (
        failing(with_node(FLANNELS, "worker-1", ip_forward=False), ("worker-1", "worker-1"), kind="node"),
        ("forwarding-off", "pod-unreachable"),
    ),
    "flannel, one node kept only the bridge, and packets are lost": (
        failing(with_node(FLANNELS, "worker-1", cni=(BRIDGE,)), ("worker-0", "worker-1")),
        (*MIXED, *LOST),
    ),
    "Cilium's file took the bridge's place where the pod CIDR is not the next one": (
        with_node(
            with_user_data(without_route(LEFT, ONE), "worker-1", pod_cidr="10.200.77.0/24"),
            "worker-1",
            cni=files_of(CILIUM),
        ),
        (*MIXED, "route-missing"),
    ),
    "one node of Calico's has Cilium's file before the bridge's and Calico's": (
        holding(CALICOS, "worker-1", CILIUM, replace(BRIDGE, file="07-bridge.conf"), *files_of(CALICO)),
        MIXED,
    ),
    "a node that its cluster knows by another name kept only the bridge": (
        with_node(CALICOS, "worker-1", cni=(BRIDGE,), hostname=NAMED),
        MIXED,
    ),
    "a node that its cluster knows by another name lacks Calico's agent": (
        with_node(CALICOS, "worker-1", cni_agents=(), hostname=NAMED),
        ("cni-plugin-missing",),
    ),
    "a node that its cluster knows by another name has nothing of Calico": (
        with_node(CALICOS, "worker-1", cni=(), cni_agents=(), hostname=NAMED),
        ("cni-config-missing",),
    ),
    "Multus alone, and it is missing": (
        with_node(
            without_pod(OK, "worker-1"),
            "worker-1",
            cni=(CniConfig(file="00-multus.conf", type="multus", ipam=""),),
        ),
        ("cni-plugin-missing",),
    ),
}

MULTUS = CniConfig(file="00-multus.conf", type="multus", ipam="")
_WITH_MULTUS = ("bridge", "host-local", "loopback", "multus", "portmap")
HEALTHY: Healthy = {
    **{f"a cluster of {network.name}": installed(network) for network in NETWORKS},
    "Calico in tunnels, every check on": handing(CALICOS, "tunl0", "ipip"),
    "Calico without tunnels, every check off": with_check_off(handing(CALICOS), 0, 1, 2),
    "Calico, and user data of the chapter": replace(
        CALICOS, inventory=replace(inventory_of(CALICOS), instances=inventory_of(OK).instances)
    ),
    "Calico, the bridge's file after it": with_node(
        CALICOS, "worker-1", cni=(*files_of(CALICO), replace(BRIDGE, file="20-bridge.conf"))
    ),
    "Calico's file after the bridge's": with_node(OK, "worker-1", cni=(*_NODE.cni, *files_of(CALICO))),
    "Multus before the bridge": with_node(
        OK, "worker-1", cni=(MULTUS, *_NODE.cni), cni_plugins=_WITH_MULTUS, cni_agents=()
    ),
    "Multus with the bridge inside": with_node(
        OK,
        "worker-1",
        cni=(replace(BRIDGE, file="00-multus.conf", through="multus"), *_NODE.cni),
        cni_plugins=_WITH_MULTUS,
    ),
    "Multus before Calico": with_node(
        CALICOS,
        "worker-1",
        cni=(MULTUS, *files_of(CALICO)),
        cni_plugins=(*_WITH_MULTUS, "calico", "calico-ipam"),
    ),
    "flannel without tunnels, every check off": UNCHECKED,
    "flannel by a second ENI, and the check of the first is on": by_second(with_check_off(BARE, 0, 2)),
    "flannel, and no probe pod came up on one node": without_pod(FLANNELS, "worker-1"),
    "a plugin's network is meant, and only one node has one": meaning(
        with_node(LEFT, "worker-1", cni_agents=(CILIUM.agent,)), CNI_PLUGIN
    ),
    "Multus's file after the bridge's, and no plugin of it": with_node(
        OK, "worker-1", cni=(*_NODE.cni, CniConfig(file="20-multus.conf", type="multus", ipam=""))
    ),
}
