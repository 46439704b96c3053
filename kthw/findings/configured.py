"""The pods' addresses where the user data is wrong: those that the worker's CNI file gives them.

User data is what was written down. It is read once, when the CNI file and the routes are made from it;
packets meet the file and the routes only. So a pod CIDR that is missing there, or somebody else's, keeps no
packet from arriving while both are right.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from kthw.findings.workers import valid_pod_cidr
from kthw.intended import tutorial
from kthw.network import pod_cidr
from kthw.network.model import Cluster, pod_network
from kthw.observed.evidence import Evidence, UserData


def as_configured(evidence: Evidence) -> Evidence:
    """``evidence`` with the subnet of the CNI file as pod CIDR wherever the user data's is no good.

    The very same object where there is nothing to replace, or nobody saw with what.
    """
    cluster = Cluster.of(evidence)
    return cluster.remember(("as configured",), lambda: _as_configured(cluster))


def _as_configured(cluster: Cluster) -> Evidence:
    subnets = dict(_subnets(cluster))
    if not subnets:
        return cluster.evidence
    instances = tuple(
        replace(instance, user_data=UserData(pairs={tutorial.POD_CIDR_KEY: subnets[instance.id]}))
        if instance.id in subnets
        else instance
        for instance in cluster.inventory.instances
    )
    return replace(cluster.evidence, inventory=replace(cluster.inventory, instances=instances))


def _subnets(cluster: Cluster) -> Iterator[tuple[str, str]]:
    """By instance id."""
    for worker in cluster.workers:
        instance, node = cluster.instance(worker), cluster.evidence.nodes.get(worker)
        if instance is None or instance.user_data is None or node is None:
            continue
        config = pod_network(node)
        usable = config is not None and pod_cidr.is_network(config.subnet)
        if config and usable and valid_pod_cidr(cluster.evidence, worker):
            yield instance.id, config.subnet
