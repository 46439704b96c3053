"""What each node's kernel lacks to hand packets to the others' pods, before anything is done. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.network import ranges
from kthw.network.model import RUNNING, Network
from kthw.network.node_routes import (
    addresses,
    by_next_hop,
    carried,
    is_bare,
    is_near,
    on_link,
    senders,
    ways_of,
)
from kthw.observed.evidence import ProvisionStep, Way
from kthw.provision import commands
from kthw.provision.plan import worker_steps


def plan(network: Network) -> tuple[ProvisionStep, ...]:
    """The steps for every node and machine of ``--also``, to each worker's pods but its own.

    ``worker`` is whose kernel it is about, ``target`` the next hop: the peer's own address in that subnet.
    Outcomes: ``create``; ``exists`` (``detail`` leads there: its own route, a wider one, or the default one
    and the VPC's table); ``wrong-hop`` (``detail`` leads elsewhere; ``command`` would mend it, nothing does
    so unasked); ``unseen`` (nobody could log in, or its kernel did not say); ``impossible``, where ``detail``
    is ``off-link`` (the peer has no address in that subnet), or what ``kthw.provision.plan`` has.
    """
    known = _without_overlaps(worker_steps(network.inventory, network.evidence.intended))
    cidrs = {worker: IPv4Network(step.pod_cidr) for worker, step in known.items() if not step.detail}
    steps = [step for step in known.values() if step.detail]
    for name in network.evidence.intended.also:
        machine = network.instance(name)
        if machine is None or machine.state != RUNNING:
            lacking = "worker-not-running" if machine else "worker-missing"
            found = machine.id if machine else ""
            steps.append(ProvisionStep(worker=name, outcome="impossible", detail=lacking, instance=found))
    for name in (*network.workers, *network.evidence.intended.also):
        machine = senders(network).get(name)
        if machine and machine.state == RUNNING:
            steps += _of(network, name, cidrs)
    return tuple(steps)


def _of(network: Network, sender: str, cidrs: dict[str, IPv4Network]) -> Iterator[ProvisionStep]:
    machine = senders(network)[sender]
    step = ProvisionStep(worker=sender, outcome="unseen", address=machine.address, instance=machine.id)
    if sender not in network.evidence.nodes:
        yield step
        return
    for peer, cidr in cidrs.items():
        if peer != sender and peer in network.located:
            try:
                yield _towards(network, sender, peer, replace(step, pod_cidr=str(cidr)))
            except CouldNotLook as problem:  # a table may carry it, or not
                yield replace(step, pod_cidr=str(cidr), detail=problem.error.detail)


def _towards(network: Network, sender: str, peer: str, step: ProvisionStep) -> ProvisionStep:
    """Raises ``CouldNotLook`` where it is for a route table to say that was not seen."""
    ways = ways_of(network, sender).get(peer, [])
    if not ways:
        return step
    hop = on_link(network, sender, peer)
    step = replace(step, target=hop or network.located[peer].address)
    astray = [way for way in ways if not _leads(network, sender, peer, way)]
    if not astray:
        return replace(step, outcome="exists", detail=ways[0].route)
    if not hop:
        return replace(step, outcome="impossible", detail="off-link")
    login, cidr = network.login(sender), IPv4Network(step.pod_cidr)
    # A route of one's own for all of a peer's pods goes before a wider one; not before one for a part.
    wrong = next((way for way in astray if _is_for(way, cidr)), None)
    if wrong is None:
        return replace(step, outcome="create", command=commands.add_kernel_route(login, step.pod_cidr, hop))
    mending = commands.replace_kernel_route(login, step.pod_cidr, hop)
    if _destination(wrong) != cidr:
        mending = commands.delete_kernel_route(login, wrong.route)
    return replace(step, outcome="wrong-hop", detail=wrong.route, command=mending)


def _leads(network: Network, sender: str, peer: str, way: Way) -> bool:
    if is_bare(network, sender, way):
        return carried(network, sender, peer, way.address)
    mine = addresses(network).get(way.via) == peer
    return by_next_hop(way) and mine and is_near(network, sender, peer, way.via)


def _is_for(way: Way, cidr: IPv4Network) -> bool:
    """Whether its entry is for just these pods, or for some of them: one of our own would change nothing."""
    destination = _destination(way)
    return destination is not None and destination.subnet_of(cidr)


def _destination(way: Way) -> IPv4Network | None:
    for word in way.route.split()[:2]:  # a kind may come first: ``blackhole 10.200.1.0/24``
        try:
            return ranges.network(word)
        except ValueError:
            continue
    return None


def _without_overlaps(steps: dict[str, ProvisionStep]) -> dict[str, ProvisionStep]:
    """Of two workers that claim the same pods neither is more right than the other."""
    claims = sorted((IPv4Network(step.pod_cidr), worker) for worker, step in steps.items() if not step.detail)
    disputed: set[str] = set()
    widest = claims[0] if claims else None
    for claim in claims[1:]:
        # Sorted by first address, wider ones first: of what overlaps, one has all the others in it.
        if widest and claim[0].overlaps(widest[0]):
            disputed |= {claim[1], widest[1]}
        else:
            widest = claim
    return {
        worker: replace(step, detail="pod-cidr-overlap") if worker in disputed else step
        for worker, step in steps.items()
    }
