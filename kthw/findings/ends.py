"""A worker as an end of its pairs: what its packets meet there, whoever is at the other end."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from kthw.findings.cni_config import shut_in
from kthw.findings.crossing import zone_of
from kthw.findings.finding import Finding
from kthw.findings.forwarding import forwarding_on
from kthw.findings.node_firewall import firewall_of
from kthw.findings.node_routes import astray, may_stray
from kthw.findings.nodes import cni_configured, cni_subnet_matches
from kthw.findings.plugins import missing_plugins
from kthw.findings.reverse_path import may_filter
from kthw.findings.unmade_pods import why_unmade
from kthw.findings.workers import ground, one_running_instance, source_dest_checks
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.netfilter import Firewall
from kthw.network.node_routes import by_plugin
from kthw.observed.cni_networks import pod_network


class End:
    """Each part is judged once, when it is first asked for.

    Of a worker that is ``nowhere`` only how it stands, its pods and its own way.
    """

    def __init__(self, network: Network, worker: str) -> None:
        self._network = network
        self.worker = worker
        self.masquerades = network.masquerades(worker)

    @functools.cached_property
    def standing(self) -> list[Finding]:
        return standing(self._network, self.worker)

    @functools.cached_property
    def nowhere(self) -> bool:
        there = self.worker in self._network.located and self.worker in self._network.pod_cidrs
        return not there or bool(ground(self._network, self.worker))

    @functools.cached_property
    def pods(self) -> list[Finding]:
        return _pods(self._network, self.worker)

    @functools.cached_property
    def own_way(self) -> list[Finding]:
        return astray(self._network, self.worker, self.worker)

    @functools.cached_property
    def plain(self) -> bool:
        """Whether nothing on its node depends on who is at the other end, as far as seen."""
        elsewhere = self.unusual - {self.worker}
        return not (self.nowhere or self.pods or elsewhere or self.firewall or self.strict or self.is_ruled)

    @property
    def own(self) -> tuple[Sequence[Finding], ...]:
        """What the packets of a plain one meet at its own node."""
        return self.standing, self.forwarding, self.leaving, self.own_way

    @functools.cached_property
    def unusual(self) -> frozenset[str]:
        """For whose pods its kernel may do something else than hand their packets to the VPC."""
        return may_stray(self._network, self.worker)

    @functools.cached_property
    def forwarding(self) -> list[Finding]:
        return forwarding(self._network, self.worker)

    @functools.cached_property
    def firewall(self) -> Firewall | None:
        return firewall_of(self._network, self.worker)

    @functools.cached_property
    def strict(self) -> bool:
        return may_filter(self._network, self.worker)

    @functools.cached_property
    def is_ruled(self) -> bool:
        """Whether its pods' packets may go by other tables than the node's own."""
        node = self._network.evidence.nodes.get(self.worker)
        return bool(node and node.beyond)

    @functools.cached_property
    def primary_checks(self) -> list[Finding]:
        """The check of the primary ENI."""
        instance = self._network.located[self.worker]
        return source_dest_checks(self._network, self.worker, [instance.primary_interface])

    @property
    def leaving(self) -> list[Finding]:
        """The source check of the ENI that packets leave by: a masqueraded one has the ENI's own address."""
        return [] if self.masquerades else self.primary_checks

    @functools.cached_property
    def zone(self) -> object:
        """Workers that the VPC treats alike have the same."""
        return zone_of(self._network, self.worker)

    def towards(self, other: str) -> Sequence[Finding]:
        """What of ``pods`` keeps their packets from leaving.

        Pods of another range are unreachable, but what they send goes out all the same behind a masquerade,
        unless the node takes the destination for its own bridge.
        """
        if not self.pods or not self.masquerades or _bridge_takes(self._network, self.worker, other):
            return self.pods
        return [finding for finding in self.pods if not _is_elsewhere(finding)]


def forwarding(network: Network, worker: str) -> list[Finding]:
    """Whether the node hands packets on, as far as that was seen."""
    node = network.evidence.nodes.get(worker)
    return [] if node is None or node.ip_forward is None else forwarding_on(network, worker)


def standing(network: Network, worker: str) -> list[Finding]:
    """What leaves a packet no end: no one running instance, or no pod CIDR of its own."""
    unasked = network.said(worker) is None or by_plugin(network)
    return [*one_running_instance(network, worker), *([] if unasked else ground(network, worker))]


def _pods(network: Network, worker: str) -> list[Finding]:
    """What keeps the pods from having addresses that work."""
    if worker not in network.evidence.nodes:
        return []
    missing = (
        cni_configured(network, worker) or missing_plugins(network, worker) or why_unmade(network, worker)
    )
    asked = worker in network.pod_cidrs and not by_plugin(network)
    return missing or [*shut_in(network, worker), *(cni_subnet_matches(network, worker) if asked else [])]


def _is_elsewhere(finding: Finding) -> bool:
    """Whether it says no more than that the pods have other addresses than those that are routed to them."""
    return finding.code == "cni-subnet-mismatch" or finding.variant == "another"


def _bridge_takes(network: Network, worker: str, towards: str) -> bool:
    """Whether the node's bridge has the range the other's pods are in, or should be in."""
    node, other = network.evidence.nodes[worker], network.evidence.nodes.get(towards)
    configs = [pod_network(node), pod_network(other) if other else None]
    subnets = [config.subnet for config in configs if config]
    theirs = [*subnets[1:], str(network.pod_cidrs[towards])]
    try:
        mine = ranges.network(subnets[0])
        return any(mine.overlaps(ranges.network(text)) for text in theirs if text)
    except (ValueError, IndexError):
        return False
