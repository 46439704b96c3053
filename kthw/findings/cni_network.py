"""Are a worker's pods on the network that the others' are on, where one of them is installed whole?

kubelet takes the first CNI file by name. What Calico or Cilium left behind makes pods that the chapter's
routes do not lead to, or none at all; what the chapter left behind keeps pods out of Calico's network.
"""

from __future__ import annotations

import json

from kthw.findings import workers
from kthw.findings.finding import Finding
from kthw.findings.plugins import missing_plugins
from kthw.intended import tutorial
from kthw.network.cni import handed_bare, runs
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin, network_model
from kthw.observed.cni_networks import Brought, brought_by, not_counting
from kthw.observed.evidence import CniConfig


def of_another_network(network: Network, worker: str, config: CniConfig) -> list[Finding]:
    """``config``, the CNI file that counts, is of the network that is meant, with what else that needs.

    Nothing where a plugin is missing: that is another check's, and mended first.
    """
    return network.remember(("another network", worker), lambda: _of_another(network, worker, config))


def source_dest_check_off(network: Network, worker: str) -> list[Finding]:
    """No ENI that pod traffic crosses checks source and destination.

    Of a plugin's network only those count that it comes to as it is: in a tunnel it has the nodes' addresses.
    """
    if not by_plugin(network):
        return workers.source_dest_check_off(network, worker)
    return workers.source_dest_checks(network, worker, handed_bare(network, worker))


def bridge_config(pod_cidr: str) -> str:
    """The CNI file the tutorial writes on a worker, as one line."""
    return json.dumps(tutorial.cni_bridge(pod_cidr))


def checks_between(network: Network, one: str, other: str) -> list[Finding]:
    """Those that the two's packets meet, which have the pods' own addresses both ways."""
    ends = ((one, handed_bare(network, one, other)), (other, handed_bare(network, other, one)))
    if not any(enis for _, enis in ends):
        return []
    return [found for worker, _ in ends for found in source_dest_check_off(network, worker)]


def _of_another(network: Network, worker: str, config: CniConfig) -> list[Finding]:
    ruling = network_model(network).ruling
    meant = ruling.network if ruling else None
    if missing_plugins(network, worker):
        return []
    if brought_by(config) != meant:
        # Where somebody says that a plugin's network is meant, and none is there, nothing is another one.
        return [_mixed(network, worker, config, meant)] if meant or not by_plugin(network) else []
    if meant is None or runs(network.evidence.nodes[worker], meant):
        return []
    return [_without_agent(network, worker, config, meant)]


def _mixed(network: Network, worker: str, config: CniConfig, meant: Brought | None) -> Finding:
    node = network.evidence.nodes[worker]
    brought = brought_by(config)
    right = [each.file for each in not_counting(node) if brought_by(each) == meant]
    cidr = network.pod_cidrs.get(worker) or workers.suggested_pod_cidr(network, worker)
    return Finding(
        code="cni-network-mixed",
        subject=network.noun(worker),
        worker=worker,
        expected=tutorial.cni_path(right[0])
        if right
        else (meant.name if meant else tutorial.cni_path(tutorial.CNI_BRIDGE_FILE)),
        observed=tutorial.cni_path(config.file),
        near_miss="",
        variant=("other" if meant else "left") + ("" if right else "-alone"),
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "file": tutorial.cni_path(config.file),
            "plugin": brought.name if brought else config.file,
            "plugin_meant": meant.name if meant else "",
            "hostname": node.hostname or worker,
            "right": tutorial.cni_path(right[0]) if right else tutorial.cni_path(tutorial.CNI_BRIDGE_FILE),
            "config": bridge_config(str(cidr)),
        },
    )


def _without_agent(network: Network, worker: str, config: CniConfig, brought: Brought) -> Finding:
    return Finding(
        code="cni-plugin-missing",
        subject=network.noun(worker),
        worker=worker,
        expected=brought.agent,
        observed="—",
        variant="agent",
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "file": tutorial.cni_path(config.file),
            "plugin": brought.name,
            "agent": brought.agent,
            "hostname": network.evidence.nodes[worker].hostname or worker,
        },
    )
