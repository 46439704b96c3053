"""Does the kernel ask iptables for what pods of one node send each other over its bridge?

A remark and no finding: no packet of the probes is for a service's address.
"""

from __future__ import annotations

from typing import Final

from kthw.findings.remark import Remark
from kthw.network.model import Network
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import Node

CODE: Final = "bridge-netfilter-off"
_BRIDGED: Final = ("bridge", "flannel")
"""The plugins that put a node's pods on one bridge; flannel's has it done by the other."""
_KUBE_PROXY: Final = "KUBE-SERVICES"
"""The chain of kube-proxy's that what is forwarded passes, while it works by iptables."""


def bypassed(network: Network) -> list[Remark]:
    """By worker, in order. Nothing of those where it was not looked at, or where kube-proxy has no chains."""
    return [
        Remark(
            code=CODE,
            worker=worker,
            subject=network.noun(worker),
            variant=node.bridge_netfilter,
            facts={"login": network.login(worker)},
        )
        for worker in network.workers
        if (node := network.evidence.nodes.get(worker))
        and node.bridge_netfilter in ("off", "none")
        and _on_a_bridge(node)
        and any(c.name == _KUBE_PROXY and c.tool != "nft" for c in node.firewall or ())
    ]


def _on_a_bridge(node: Node) -> bool:
    config = pod_network(node)
    return config is not None and config.type in _BRIDGED
