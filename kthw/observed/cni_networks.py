"""Whose a node's pod network is: the CNI file that counts, and the networks that bring a plugin of their own.

Such a network's plugin is one half of it; the other is an agent that runs on every node, which gives out the
pods' addresses, makes routes or tunnels, and writes the CNI file when it starts.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from kthw.observed.node_evidence import CniConfig, Node

_LOOPBACK: Final = "loopback"
WRAPPERS: Final = ("multus", "multus-shim")
"""Plugins that make no pod network, but hand each pod on to the next file's, or to one named inside."""


class Brought(Struct, frozen=True, kw_only=True):
    """A network that is installed whole. ``name``: as people call it; ``types``: of its plugin in CNI files.

    ``agent``: the process that runs on every node, where one must. ``serves``: whether its plugin makes a pod
    for whoever runs it, on the node alone; the others ask their agent and the cluster's API, and write there.
    """

    name: str
    agent: str
    types: tuple[str, ...] = ()
    serves: bool = False


VPC_CNI: Final = Brought(name="amazon-vpc-cni", agent="aws-k8s-agent", types=("aws-cni",))
_CANAL: Final = Brought(name="Canal", agent="calico-node")
_KUBE_ROUTER: Final = Brought(name="kube-router", agent="kube-router", serves=True)
BROUGHT: Final = (
    Brought(name="Antrea", agent="antrea-agent", types=("antrea",)),
    Brought(name="Calico", agent="calico-node", types=("calico", "calico-ipam")),
    Brought(name="Cilium", agent="cilium-agent", types=("cilium-cni",)),
    Brought(name="flannel", agent="flanneld", types=("flannel",), serves=True),
    Brought(name="Multus", agent="", types=WRAPPERS),
    Brought(name="Weave Net", agent="weaver", types=("weave-net", "weave-ipam")),
    VPC_CNI,
    _CANAL,
    _KUBE_ROUTER,
)
_BY_TYPE: Final = {kind: each for each in BROUGHT for kind in each.types}


def pod_network(node: Node) -> CniConfig | None:
    """The CNI file that makes pods: the first that can be read, in order of name, loopback aside.

    A wrapper's only where there is nothing to wrap.
    """
    found = makers(node)
    return next((each for each in found if each.type not in WRAPPERS), found[0] if found else None)


def makers(node: Node) -> list[CniConfig]:
    """The plugins of the files that can be read, in order of name, loopback aside."""
    files = sorted(node.cni, key=lambda config: config.file)
    return [each for each in files if not each.problem and each.type and each.type != _LOOPBACK]


def brought_by(config: CniConfig | None) -> Brought | None:
    """The network that the file is of; ``None`` for one of plugins that anybody's file may name."""
    if config is None:
        return None
    if config.type == "calico" and "canal" in config.file:
        return _CANAL
    if config.bridge == "kube-bridge" and "router" in config.file:
        return _KUBE_ROUTER
    return _BY_TYPE.get(config.type)


def not_counting(node: Node) -> tuple[CniConfig, ...]:
    """Of each file of another network than the one that counts, the first plugin."""
    counts = pod_network(node)
    files: dict[str, CniConfig] = {}
    for each in makers(node):
        files.setdefault(each.file, each)
    others = (each for each in files.values() if counts and each.file != counts.file)
    return tuple(each for each in others if brought_by(each) != brought_by(counts) and not _wraps(each))


def serves_strangers(node: Node) -> bool:
    """Whether a probe pod can hang on its network: kubelet's plugin makes one for us, and for nobody else."""
    brought = brought_by(pod_network(node))
    return brought is None or brought.serves


def _wraps(config: CniConfig) -> bool:
    return config.type in WRAPPERS
