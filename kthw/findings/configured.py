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
from kthw.network.model import Network
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import UserData


def as_configured(network: Network) -> Network:
    """``network`` with the subnet of the CNI file as pod CIDR wherever the user data's is no good.

    The very same object where there is nothing to replace, or nobody saw with what.
    """
    return network.remember(("as configured",), lambda: _as_configured(network))


def _as_configured(network: Network) -> Network:
    subnets = dict(_subnets(network))
    if not subnets:
        return network
    instances = tuple(
        replace(instance, user_data=UserData(pairs={tutorial.POD_CIDR_KEY: subnets[instance.id]}))
        if instance.id in subnets
        else instance
        for instance in network.inventory.instances
    )
    inventory = replace(network.inventory, instances=instances)
    return Network(replace(network.evidence, inventory=inventory))


def _subnets(network: Network) -> Iterator[tuple[str, str]]:
    """By instance id."""
    for worker in network.workers:
        instance, node = network.instance(worker), network.evidence.nodes.get(worker)
        if instance is None or instance.user_data is None or node is None:
            continue
        config = pod_network(node)
        if config and pod_cidr.is_network(config.subnet) and valid_pod_cidr(network, worker):
            yield instance.id, config.subnet
