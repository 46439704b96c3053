"""What must be known before a check can speak. Where it could not be looked at, that is an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from kthw.errors import CouldNotLook, LookError
from kthw.findings import (
    losses,
    node_firewall,
    nodes,
    plugins,
    reachability,
    sizes,
    unmade_pods,
    way_in,
    workers,
)
from kthw.findings.check import Judge, Need, Skip
from kthw.findings.finding import Finding
from kthw.findings.unread import NAMES, founded, unread
from kthw.network.cni import handed_bare
from kthw.network.model import RUNNING as RUNNING_STATE
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes, by_plugin, network_model
from kthw.network.said import Source
from kthw.observed.cni_networks import brought_by, pod_network, serves_strangers


def nothing_found_by(name: str, judge: Judge) -> Need:
    """The check ``name``, whose judgement this is, finds nothing; else it is to be mended first.

    Raises ``CouldNotLook`` where what it finds may come of something that was not read.
    """

    def need(network: Network, worker: str) -> Skip | None:
        found = founded(network, judge, worker)
        return Skip(reason="run-skip-after", after=found[0], told_by=name) if found else None

    return need


def _ambiguous_or_missing(network: Network, worker: str) -> Sequence[Finding]:
    return [] if network.instance(worker) else workers.one_running_instance(network, worker)


ONE_INSTANCE: Final = nothing_found_by("one-running-instance", _ambiguous_or_missing)
"""One instance is meant by the worker's name, running or stopped."""
ONE_POD_CIDR: Final = nothing_found_by("pod-cidr-of-its-own", workers.ground)
"""The worker has a pod CIDR of its own: without it there is nothing to route."""
RUNNING: Final = nothing_found_by("one-running-instance", workers.one_running_instance)
"""The worker runs."""
CNI: Final = nothing_found_by("cni-configured", nodes.cni_configured)
"""A CNI file says how the worker makes pods."""
PODS: Final = nothing_found_by("pod-cidr-of-its-own", node_firewall.nowhere)
"""Where the worker's pods are is known, so that its firewall can be asked about them."""
PLUGINS: Final = nothing_found_by("cni-plugins-installed", plugins.missing_plugins)
"""No plugin that the worker makes pods with is missing, as far as that was seen."""


def _wrong_subnet(network: Network, worker: str) -> Sequence[Finding]:
    return [] if by_plugin(network) else nodes.cni_subnet_matches(network, worker)


SUBNET: Final = nothing_found_by("cni-subnet-matches", _wrong_subnet)
"""The CNI file gives pods addresses of the worker's own pod CIDR."""
MADE: Final = nothing_found_by("cni-makes-pods", unmade_pods.why_unmade)
"""Its plugins make pods, as far as that was tried."""


def not_assumed_from(source: Source) -> Need:
    """The worker's pod CIDR is stated, or assumed from something else: nothing is its own yardstick."""

    def need(network: Network, worker: str) -> Skip | None:
        said = network.said(worker)
        saying = said.saying if said else None
        if saying is None or saying.source != source:
            return None
        facts = {"pod_cidr": saying.cidr, "where": saying.noun}
        return Skip(reason=f"run-skip-assumed-{source}", facts=facts)

    return need


def packets(network: Network, _worker: str) -> Skip | None:
    """Packets can be sent."""
    reason = network.evidence.target.no_packets
    return Skip(reason="run-skip-no-packets", facts={"reason": reason}) if reason else None


def own_network(network: Network, _worker: str) -> Skip | None:
    """The pods are on the chapter's network: an installed one gives them addresses and ways of its own."""
    facts = {"plugin": network_model(network).plugin or "CNI"}
    return Skip(reason="run-skip-plugin", facts=facts) if by_plugin(network) else None


def vpc_routes(network: Network, _worker: str) -> Skip | None:
    """The lab is judged by the VPC's routes: where it is by kernel routes, none is asked for."""
    return Skip(reason="run-skip-node-routes") if by_node_routes(network) else None


def checked_interfaces(network: Network, worker: str) -> Skip | None:
    """Packets for pods come to the worker with the pods' addresses, and not in a tunnel or to its own."""
    bare = not by_plugin(network) or handed_bare(network, worker)
    return (
        None
        if bare
        else Skip(reason="run-skip-tunnel", facts={"plugin": network_model(network).plugin or "CNI"})
    )


def node_routes(network: Network, _worker: str) -> Skip | None:
    """The lab is judged by kernel routes: by VPC routes whoever is in the VPC reaches pods."""
    return None if by_node_routes(network) else Skip(reason="run-skip-also-vpc-routes")


def seen_where_there(network: Network, name: str) -> Skip | None:
    """Where the machine runs, its kernel could tell where it sends packets, and which link is its ENI."""
    machine = network.instance(name)
    if machine is None or machine.state != RUNNING_STATE:
        return None
    lacking = kernel_routes_seen(network, name)
    if not lacking and not node_firewall.interfaces(network, name)[1]:
        raise CouldNotLook(_why_not(network, name, "node-unreadable"))
    return lacking


def logged_in(network: Network, worker: str) -> None:
    """Somebody got into the worker."""
    network.node(worker)


def login_tried(network: Network, worker: str) -> None:
    """Somebody was answered by the worker, or AWS's answers explain why not."""
    unreached = way_in.unreached(network, worker)
    if unreached and not way_in.can_be_logged_in_to(network, worker):
        raise CouldNotLook(unreached)
    if not network.errors_on_node(worker):
        logged_in(network, worker)


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


def pod_cidr_asked(network: Network, worker: str) -> Skip | None:
    """The worker has a pod CIDR of its own, where that is the chapter's business."""
    return None if by_plugin(network) else ONE_POD_CIDR(network, worker)


def probe_pod(network: Network, worker: str) -> Skip | None:
    """A probe pod came up on the worker, where its plugin makes one for others than kubelet."""
    return unmade(network, worker) or pod_tried(network, worker)


def pod_tried(network: Network, worker: str) -> Skip | None:
    """Somebody tried to make a pod on the worker, and nothing that is to be mended first kept it from that.

    Its plugins may be such that nobody needs to try.
    """
    node = network.node(worker)
    if node.pod:
        return None
    if unmade_pods.why_unmade(network, worker):
        return pod_cidr_asked(network, worker) or SUBNET(network, worker)
    brought = brought_by(pod_network(node))
    if brought and not brought.serves:
        return Skip(reason="run-skip-plugin-pods", facts={"plugin": brought.name})
    raise CouldNotLook(_why_no_probe(network, worker))


def unmade(network: Network, worker: str) -> Skip | None:
    """No pod came up on the worker because of something that was found there."""
    if network.node(worker).pod or not unmade_pods.why_unmade(network, worker):
        return None
    return pod_tried(network, worker) or MADE(network, worker)


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


NOTHING_LOST: Final = nothing_found_by("no-packets-lost", losses.no_packets_lost)
"""What a share of is lost is neither reached nor unreachable."""
NOTHING_LOST_TOWARDS: Final = nothing_found_by("no-packets-lost", losses.no_packets_lost_towards)
REACHED: Final = nothing_found_by("reaches-others", reachability.reaches_others)
"""Of a pair of which nothing gets through, no more is to be asked."""


def probed_all_others(network: Network, worker: str) -> Skip | None:
    """The probe pod has tried to reach every other worker's, and what it sends is not lost by chance."""
    if reachability.reaches_others(network, worker):
        return None
    return NOTHING_LOST(network, worker) or _all_tried(network, worker, reachability.unmeasured)


def probed_by_all_others(network: Network, worker: str) -> Skip | None:
    """Every other worker's probe pod has tried to reach this one's, and that is not lost by chance."""
    if reachability.is_reached_by_others(network, worker):
        return None
    lossy = NOTHING_LOST_TOWARDS(network, worker)
    return lossy or _all_tried(network, worker, reachability.unmeasured_towards)


def probed_all_others_by_udp(network: Network, worker: str) -> Skip | None:
    """The same by UDP."""
    if reachability.reaches_others_by_udp(network, worker):
        return None
    _measured_today(network, worker)
    return NOTHING_LOST(network, worker) or _all_tried(network, worker, reachability.unmeasured_by_udp)


def probed_all_others_at_full_size(network: Network, worker: str) -> Skip | None:
    """The same by packets as large as its interface sends, where small ones get through."""
    if sizes.full_size_between(network, worker):
        return None
    _measured_today(network, worker)
    before = REACHED(network, worker) or NOTHING_LOST(network, worker)
    return before or _all_tried(network, worker, sizes.unmeasured)


def counted_to_all_others(network: Network, worker: str) -> Skip | None:
    """What gets lost on the way to every other worker's probe pod was looked at, and something arrives."""
    if losses.no_packets_lost(network, worker):
        return None
    _measured_today(network, worker)
    return REACHED(network, worker) or _all_tried(network, worker, reachability.unmeasured_by_udp)


def _measured_today(network: Network, worker: str) -> None:
    """The run measured UDP, full size and losses at all. Raises ``CouldNotLook`` for an earlier version's."""
    if network.probes.of_earlier_version:
        raise CouldNotLook(_untold(network, worker))


def _all_tried(network: Network, worker: str, unmeasured: Callable[[Network, str], list[str]]) -> Skip | None:
    """No pass while a peer is missing from the measurement: skipped, or an error where we could not look.

    Only asked where all that was measured is well: a pair that failed is a finding, and not to be hidden.
    The error is about the one that could not be looked at, which may be either end.
    """
    peers = unmeasured(network, worker)
    # Nobody tried to make a pod there: what is to be mended first is told, and no error.
    unserved = next(filter(None, (_unserved(network, peer) for peer in peers)), None)
    if unserved:
        return unserved
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


def _unserved(network: Network, worker: str) -> Skip | None:
    """Why there is no probe pod on that node, where that was seen; nothing where one was to come up."""
    node = network.evidence.nodes.get(worker)
    if node is None or (serves_strangers(node) and not unmade_pods.why_unmade(network, worker)):
        return None
    wrong = CNI(network, worker) or PLUGINS(network, worker) or unmade(network, worker)
    return structs.replace(wrong, reason="run-skip-peer") if wrong else probe_pod(network, worker)


def _untold(network: Network, worker: str) -> LookError:
    """An earlier version's recording does not tell it."""
    facts = {"login": network.login(worker)}
    return LookError(
        code="probe-timeout", subject=network.noun(worker), worker=worker, variant="untold", facts=facts
    )


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
POD: Final[tuple[Need, ...]] = (ONE_INSTANCE, pod_cidr_asked, *NODE, CNI, PLUGINS, probe_pod)
"""A probe pod came up on the worker, with a pod CIDR of its own."""
