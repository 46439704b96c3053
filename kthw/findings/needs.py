"""What must be known before a check can speak. Where it could not be looked at, that is an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from kthw.errors import CouldNotLook, LookError
from kthw.findings import nodes, plugins, reachability, workers
from kthw.findings.check import Judge, Need, Skip
from kthw.findings.finding import Finding
from kthw.findings.unread import INSTANCE, NAMES, founded, unread
from kthw.network.model import RUNNING as RUNNING_STATE
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes
from kthw.network.said import Source


def nothing_found_by(name: str, judge: Judge, reads: frozenset[str] = INSTANCE) -> Need:
    """The check ``name``, whose judgement this is, finds nothing; else it is to be mended first.

    Raises ``CouldNotLook`` where what it finds may come of something that was not read.
    """

    def need(network: Network, worker: str) -> Skip | None:
        found = founded(network, judge, worker, reads)
        return Skip(reason="run-skip-after", after=found[0], told_by=name) if found else None

    return need


def _ambiguous_or_missing(network: Network, worker: str) -> Sequence[Finding]:
    return [] if network.instance(worker) else workers.one_running_instance(network, worker)


ONE_INSTANCE: Final = nothing_found_by("one-running-instance", _ambiguous_or_missing)
"""One instance is meant by the worker's name, running or stopped."""
ONE_POD_CIDR: Final = nothing_found_by("pod-cidr-of-its-own", workers.ground)
"""The worker has a pod CIDR of its own: without it there is nothing to route."""
RUNNING: Final = nothing_found_by("one-running-instance", workers.one_running_instance, NAMES)
"""The worker runs."""
CNI: Final = nothing_found_by("cni-configured", nodes.cni_configured)
"""A CNI file says how the worker makes pods."""
PLUGINS: Final = nothing_found_by("cni-plugins-installed", plugins.missing_plugins)
"""No plugin that the worker makes pods with is missing, as far as that was seen."""


def not_assumed_from(source: Source) -> Need:
    """The worker's pod CIDR is stated, or assumed from something else: nothing is its own yardstick."""

    def need(network: Network, worker: str) -> Skip | None:
        said = network.said(worker)
        if said is None or said.saying is None or said.source != source:
            return None
        facts = {"pod_cidr": said.saying.cidr, "where": said.saying.noun}
        return Skip(reason=f"run-skip-assumed-{source}", facts=facts)

    return need


def packets(network: Network, _worker: str) -> Skip | None:
    """Packets can be sent."""
    reason = network.evidence.target.no_packets
    return Skip(reason="run-skip-no-packets", facts={"reason": reason}) if reason else None


def vpc_routes(network: Network, _worker: str) -> Skip | None:
    """The lab is judged by the VPC's routes: where it is by kernel routes, none is asked for."""
    return Skip(reason="run-skip-node-routes") if by_node_routes(network) else None


def node_routes(network: Network, _worker: str) -> Skip | None:
    """The lab is judged by kernel routes: by VPC routes whoever is in the VPC reaches pods."""
    return None if by_node_routes(network) else Skip(reason="run-skip-also-vpc-routes")


def seen_where_there(network: Network, name: str) -> Skip | None:
    """Where the machine runs, its kernel could tell where it sends packets."""
    machine = network.instance(name)
    return kernel_routes_seen(network, name) if machine and machine.state == RUNNING_STATE else None


def logged_in(network: Network, worker: str) -> None:
    """Somebody got into the worker."""
    network.node(worker)


def firewall_seen(network: Network, worker: str) -> Skip | None:
    """Some tool on the worker could tell its firewall; it may have none."""
    return _lacks(network, worker, "nft", "iptables-save") if network.node(worker).firewall is None else None


def kernel_routes_seen(network: Network, worker: str) -> Skip | None:
    """The worker could tell where its kernel sends packets; it may have no program for that."""
    return None if network.node(worker).ways else _lacks(network, worker, "ip")


def _lacks(network: Network, worker: str, *tools: str) -> Skip:
    """The programs are not there, which the worker itself said; else we could not look."""
    if set(tools) <= set(network.node(worker).lacking):
        return Skip(reason="run-skip-no-tool", facts={"tools": ", ".join(tools)})
    raise CouldNotLook(_why_not(network, worker, "node-unreadable"))


def probe_pod(network: Network, worker: str) -> None:
    """A probe pod came up on the worker."""
    if not network.node(worker).pod:
        raise CouldNotLook(_why_no_probe(network, worker))


def node_probed(network: Network, worker: str) -> None:
    """The probe pod has tried to reach its own node."""
    if not reachability.measured(network, worker, "node"):
        raise CouldNotLook(_why_no_probe(network, worker))


def internet_probed(network: Network, worker: str) -> Skip | None:
    """The probe pod has tried to reach the internet, where pods can be expected to."""
    if not reachability.expects_internet(network, worker):
        return Skip(reason="run-skip-no-masquerade")
    if not reachability.measured(network, worker, "internet"):
        raise CouldNotLook(_why_no_probe(network, worker))
    return None


def other_workers(network: Network, worker: str) -> Skip | None:
    """There is another worker."""
    return Skip(reason="run-skip-no-other-worker") if set(network.workers) <= {worker} else None


def probed_all_others(network: Network, worker: str) -> Skip | None:
    """The probe pod has tried to reach every other worker's."""
    sent = network.probes.sent_by(worker)
    return _all_tried(
        network, all(p.reached for p in sent if p.kind == "pod"), worker, reachability.unmeasured
    )


def probed_by_all_others(network: Network, worker: str) -> Skip | None:
    """Every other worker's probe pod has tried to reach this one's."""
    sent = network.probes.sent_to(worker)
    well = all(probe.reached for probe in sent if probe.kind == "pod" and probe.source != worker)
    return _all_tried(network, well, worker, reachability.unmeasured_towards)


def _all_tried(
    network: Network, well: bool, worker: str, unmeasured: Callable[[Network, str], list[str]]
) -> Skip | None:
    """No pass while a peer is missing from the measurement: skipped, or an error where we could not look.

    Only asked where all that was measured is well: a pair that failed is a finding, and not to be hidden.
    The error is about the one that could not be looked at, which may be either end.
    """
    peers = unmeasured(network, worker) if well else []
    lost = [
        peer
        for peer in peers
        if unread(network, NAMES, peer) or not workers.one_running_instance(network, peer)
    ]
    if lost:
        told = (each for each in (*lost, worker) if network.errors_on_node(each))
        raise CouldNotLook(_why_no_probe(network, next(told, lost[0])))
    if not peers:
        return None
    first = workers.one_running_instance(network, peers[0])[0]
    return Skip(reason="run-skip-peer", after=first, told_by="one-running-instance")


def _why_no_probe(network: Network, worker: str) -> LookError:
    return unread(network, NAMES, worker) or _why_not(network, worker, "probe-timeout")


def _why_not(network: Network, worker: str, code: str) -> LookError:
    """The error about that worker: of that code if there is one, else its first, else one of that code."""
    mine = network.errors_on_node(worker)
    login = {"login": network.login(worker)}
    untold = LookError(code=code, subject=network.noun(worker), worker=worker, detail="—", facts=login)
    return next((error for error in mine if error.code == code), mine[0] if mine else untold)


NODE: Final[tuple[Need, ...]] = (packets, RUNNING, logged_in)
"""Somebody got into the running worker."""
POD: Final[tuple[Need, ...]] = (ONE_INSTANCE, ONE_POD_CIDR, *NODE, CNI, PLUGINS, probe_pod)
"""A probe pod came up on the worker, with a pod CIDR of its own."""
