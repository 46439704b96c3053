"""The foundation: is every intended worker there, once, running, with pod addresses of its own?"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Sequence

from kthw.errors import CouldNotLook
from kthw.findings.aws_changes import CheckOff
from kthw.findings.finding import Finding
from kthw.findings.said_at import place, said_elsewhere
from kthw.intended import tutorial
from kthw.intended.cluster import Intended
from kthw.network import pod_cidr, ranges
from kthw.network.arrival import interfaces, undecided
from kthw.network.model import RUNNING, Network
from kthw.network.nouns import instance_noun, name_tag, some
from kthw.observed.evidence import Instance, Namesake, NetworkInterface
from kthw.observed.namesakes import GONE, at_home

_ALIKE = 0.8
_MOST_NEAR = 3
_MOST_NAMED = 12
_MOST_COMPARED = 40
"""Names of strangers that a missing worker's is compared with, letter by letter."""


def the_first_of_expected(intended: Intended) -> Sequence[str]:
    """Whom their number is told of: once, and only where somebody said how many there should be."""
    return intended.workers[:1] if intended.expected else ()


def as_many_as_expected(network: Network, _worker: str) -> list[Finding]:
    """There are as many workers as somebody expected: ``--workers`` may find more, or fewer."""
    expected, workers = network.evidence.intended.expected, network.workers
    if expected == len(workers):
        return []
    names = some(workers, _MOST_NAMED)
    return [
        Finding(
            code="workers-unexpected",
            subject="--workers",
            worker=workers[0],
            expected=str(expected),
            observed=f"{len(workers)}: {names}",
            variant="few" if len(workers) < expected else "many",
            facts={
                "count": str(len(workers)),
                "names": names,
                "region": network.inventory.region,
            },
        )
    ]


def ground(network: Network, worker: str) -> list[Finding]:
    """What leaves the later checks nothing to stand on: no one instance, no pod CIDR of its own.

    A later check returns these findings instead of its own, so that it never passes unjudged; who
    gates the checks can skip them naming the code. A stopped worker is no such case.
    """
    return network.remember(("ground", worker), lambda: _ground(network, worker))


def one_running_instance(network: Network, worker: str) -> list[Finding]:
    """Exactly one running instance bears the worker's name, in the VPC of the other workers.

    A terminated namesake is no ambiguity.
    """
    # A recording may have probes of workers that it is not judged about.
    shown = network.meant.get(worker, network.bearing(worker))
    running = [instance for instance in shown if instance.state == RUNNING]
    expected = f"{worker} {RUNNING}"
    home = at_home(shown, network.home)
    if not home:
        return [_missing(network, worker, expected)]
    if len(running) == 1:
        return []
    # Of several namesakes, the one in use.
    first = next((instance for instance in home if instance.id in network.routed), home[0])
    scattered = len({instance.vpc for instance in shown}) > 1
    facts = {
        "instance": first.id,
        "others": shlex.join(instance.id for instance in shown if instance is not first),
        "state": first.state,
        "vpc": network.home,
    }
    return [
        Finding(
            code="worker-ambiguous" if running else "worker-not-running",
            subject=network.noun(worker),
            worker=worker,
            expected=expected,
            observed=_listed(shown, with_vpc=scattered),
            near_miss="",
            variant="vpcs" if scattered else "several" if len(shown) > 1 else shown[0].state,
            facts=facts,
        )
    ]


def valid_pod_cidr(network: Network, worker: str) -> list[Finding]:
    """What is said to be its pod CIDR is an IPv4 network of the worker's own, outside the VPC's addresses.

    Of two workers that overlap, the later one is told: the one that was copied, more often than not.
    """
    instance = network.instance(worker)
    if instance is None:
        return one_running_instance(network, worker)
    said = network.said(worker)
    if said is None:
        raise CouldNotLook(network.user_data_error(worker))
    seen = said.read
    if seen.problem:
        key = said.saying.where if said.saying else ""
        return [
            Finding(
                code=seen.problem,
                subject=network.noun(worker),
                worker=worker,
                expected=f"{key or tutorial.POD_CIDR_KEY}={suggested_pod_cidr(network, worker, seen.hint)}",
                observed=seen.observed,
                near_miss=seen.near_miss,
                variant=said.source if said.source == "tag" else seen.variant,
                facts={
                    **_mending(network, worker, instance, seen.hint),
                    "key": key,
                },
            )
        ]
    return [*_overlaps(network, worker, instance), *_inside_vpc(network, worker, instance)]


def source_dest_check_off(network: Network, worker: str) -> list[Finding]:
    """No ENI that pod traffic crosses checks source and destination: the primary, any a pod route names."""
    instance = network.instance(worker)
    if instance is None:
        return one_running_instance(network, worker)
    tables = [ruling.meant.id for ruling in network.rulings_towards(worker)]
    arriving = [eni for table in tables for eni in interfaces(network, worker, table)]
    found = source_dest_checks(network, worker, [instance.primary_interface, *arriving])
    for unread in () if found else filter(None, (undecided(network, worker, table) for table in tables)):
        raise network.prefix_lists.unread(unread)
    return found


def source_dest_checks(
    network: Network, worker: str, crossed: Iterable[NetworkInterface | None]
) -> list[Finding]:
    """One finding per ENI of ``crossed`` whose check is on."""
    checking = {eni.id: eni for eni in filter(None, crossed) if eni.source_dest_check}
    return [
        Finding(
            code="source-dest-check-on",
            subject=f"{network.noun(worker)} · {eni.id}",
            worker=worker,
            expected=f"{eni.id} SourceDestCheck=false",
            observed=f"{eni.id} SourceDestCheck=true",
            changes=(CheckOff(interface=eni.id),),
            facts={
                "worker_noun": network.noun(worker),
                "interface": eni.id,
                "address": next(iter(eni.addresses), ""),
                "pod_cidr": str(network.pod_cidrs.get(worker, "")),
            },
        )
        for eni in checking.values()
    ]


def _ground(network: Network, worker: str) -> list[Finding]:
    instance = network.instance(worker)
    if instance is None:
        return one_running_instance(network, worker)
    of_its_own = ("pod-cidr-overlap", "pod-cidr-inside-vpc")
    problems = valid_pod_cidr(network, worker)
    return [p for p in problems if worker not in network.pod_cidrs or p.code in of_its_own]


def suggested_pod_cidr(network: Network, worker: str, *hints: str) -> str:
    """A pod CIDR to write down: the one that was meant, the one already routed to it, or a free one."""
    instance = network.instance(worker)
    routed = [r.destination for each in network.rulings for r in network.routes_to(each.meant, instance)]
    for text in (*hints, *routed):
        if pod_cidr.is_network(text) and network.pods.is_free_for(worker, ranges.network(text)):
            return text
    return str(network.pods.free_for(worker) or tutorial.POD_RANGE)


def _missing(network: Network, worker: str, expected: str) -> Finding:
    variant, near = _whereabouts(network, worker)
    first = near[0] if near else None
    # Who is only like it lends it no name.
    own = next(iter(network.bearing(worker)), None)
    return Finding(
        code="worker-missing",
        subject=worker,
        worker=worker,
        expected=expected,
        observed="—",
        near_miss=_listed(near[:_MOST_NEAR], with_vpc=variant.endswith("elsewhere")),
        variant=variant,
        facts={
            "instance": first.id if first else network.evidence.intended.instances.get(worker, ""),
            "near_name": first.name if first else "",
            "region": network.inventory.region,
            "other_region": first.region if isinstance(first, Namesake) else "",
            "looked": str(len(network.inventory.elsewhere.regions)) if network.inventory.elsewhere else "",
            "account": network.inventory.account,
            "user_data": pod_cidr.mended(None, name_tag(own, worker), suggested_pod_cidr(network, worker)),
            "home": network.home,
        },
    )


def _whereabouts(network: Network, worker: str) -> tuple[str, Sequence[Instance | Namesake]]:
    """The situation, by the name its words have, and who is meant by it or nearest to it.

    Where no worker is here at all, it is the region that is asked about, before anything is to be created.
    """
    if worker in network.evidence.intended.instances:
        there = network.bearing(worker)
        return ("chosen-elsewhere", there) if there else ("chosen", network.gone(worker))
    abroad = _abroad(network).get(worker, [])
    situations: list[tuple[str, Sequence[Instance | Namesake]]] = [
        ("elsewhere", network.bearing(worker)),
        ("region", [] if network.home else abroad),
        ("misnamed", network.misnamed(worker)),
        ("", _alike(network, worker)),
        ("gone", network.gone(worker)),
        ("strayed", abroad),
    ]
    met = next(((name, seen) for name, seen in situations if seen), None)
    if met:
        return met
    if network.home:
        return "", []
    there = [each for each in network.inventory.instances if each.state not in GONE]
    looked = network.inventory.elsewhere and network.inventory.elsewhere.regions
    return ("strangers" if there else "nobody") if looked else "", there


def _abroad(network: Network) -> dict[str, list[Namesake]]:
    """By worker's name, who bears it in another region, where that was looked into."""

    def found() -> dict[str, list[Namesake]]:
        by_name: dict[str, list[Namesake]] = {}
        for each in network.inventory.elsewhere.found if network.inventory.elsewhere else ():
            by_name.setdefault(each.name, []).append(each)
        return by_name

    return network.remember(("abroad",), found)


def _alike(network: Network, worker: str) -> list[Instance]:
    """Of few strangers, those whose names read much like the worker's; of many, a likeness says nothing."""
    names = {instance.name for instance in network.strangers}
    if len(names) > _MOST_COMPARED:
        return []
    close = difflib.get_close_matches(worker, names, n=_MOST_NEAR, cutoff=_ALIKE)
    return [instance for instance in network.strangers if instance.name in close]


def _listed(instances: Iterable[Instance | Namesake], *, with_vpc: bool) -> str:
    """``worker-1 (i-0ab…, 10.0.1.21) running``, with the VPC or the region where that tells them apart."""
    return ", ".join(
        f"{each.name} ({each.id}, {each.region}) {each.state}"
        if isinstance(each, Namesake)
        else " ".join([instance_noun(each), each.state, *([each.vpc] if with_vpc else [])])
        for each in instances
    )


def _overlaps(network: Network, worker: str, instance: Instance) -> list[Finding]:
    cidr, mine = network.pod_cidrs[worker], network.position[worker]
    clashing = [other for other in network.pods.owners.overlapping(cidr) if network.position[other] < mine]
    clashing.sort(key=network.position.__getitem__)
    if not clashing:
        return []
    others = ", ".join(f"{network.noun(e)} {network.pod_cidrs[e]}" for e in clashing)
    situation, elsewhere = said_elsewhere(network, worker)
    return [
        Finding(
            code="pod-cidr-overlap",
            subject=network.noun(worker),
            worker=worker,
            expected=f"{place(network, worker)}={suggested_pod_cidr(network, worker)}",
            observed=f"{place(network, worker)}={cidr}",
            near_miss=others,
            variant=situation,
            facts={
                **_mending(network, worker, instance),
                **elsewhere,
                "pod_cidr": str(cidr),
                "others": others,
            },
        )
    ]


def _inside_vpc(network: Network, worker: str, instance: Instance) -> list[Finding]:
    cidr = network.pod_cidrs[worker]
    inside = [block for block in network.vpc_cidrs(instance.vpc) if block.overlaps(cidr)]
    if not inside:
        return []
    situation, elsewhere = said_elsewhere(network, worker)
    return [
        Finding(
            code="pod-cidr-inside-vpc",
            subject=network.noun(worker),
            worker=worker,
            expected=f"{place(network, worker)}={suggested_pod_cidr(network, worker)}",
            observed=f"{place(network, worker)}={cidr}",
            near_miss=f"{instance.vpc} {inside[0]}",
            variant=situation,
            facts={
                **_mending(network, worker, instance),
                **elsewhere,
                "pod_cidr": str(cidr),
                "vpc": instance.vpc,
                "vpc_cidr": str(inside[0]),
            },
        )
    ]


def _mending(network: Network, worker: str, instance: Instance, *hints: str) -> dict[str, str]:
    suggested = suggested_pod_cidr(network, worker, *hints)
    return {
        "instance": instance.id,
        "suggested": suggested,
        "user_data": pod_cidr.mended(instance.user_data, name_tag(instance, worker), suggested),
    }
