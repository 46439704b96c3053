"""The foundation: is every intended worker there, once, running, with pod addresses of its own?"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable
from ipaddress import IPv4Network

from kthw.errors import CouldNotLook
from kthw.findings.finding import Finding
from kthw.intended import tutorial
from kthw.network import pod_cidr, ranges
from kthw.network.model import RUNNING, Cluster, instance_noun
from kthw.observed.evidence import Evidence, Instance, NetworkInterface
from kthw.observed.namesakes import at_home

_ALIKE = 0.8


def instance_of(evidence: Evidence, worker: str) -> Instance | None:
    """The worker's instance: the one running, else the only non-terminated one bearing the name.

    Raises ``CouldNotLook`` where the evidence has no inventory, as every check does.
    """
    return Cluster.of(evidence).instance(worker)


def ground(evidence: Evidence, worker: str) -> list[Finding]:
    """What leaves the later checks nothing to stand on: no one instance, no pod CIDR of its own.

    A later check returns these findings instead of its own, so that it never passes unjudged; who
    gates the checks can skip them naming the code. A stopped worker is no such case.
    """
    return Cluster.of(evidence).remember(("ground", worker), lambda: _ground(evidence, worker))


def one_running_instance(evidence: Evidence, worker: str) -> list[Finding]:
    """Exactly one running instance bears the worker's name, in the VPC of the other workers.

    A terminated namesake is no ambiguity.
    """
    cluster = Cluster.of(evidence)
    # A recording may have probes of workers that it is not judged about.
    shown = cluster.meant.get(worker, cluster.bearing(worker))
    running = [instance for instance in shown if instance.state == RUNNING]
    expected = f"{worker} {RUNNING}"
    home = at_home(shown, cluster.home)
    if not home:
        return [_missing(cluster, worker, expected)]
    if len(running) == 1:
        return []
    first = next((instance for instance in home if _is_routed_to(cluster, instance)), home[0])
    scattered = len({instance.vpc for instance in shown}) > 1
    facts = {
        "instance": first.id,
        "others": shlex.join(instance.id for instance in shown if instance is not first),
        "state": first.state,
        "vpc": cluster.home,
        "variant": "vpcs" if scattered else "several" if len(shown) > 1 else shown[0].state,
    }
    return [
        Finding(
            code="worker-ambiguous" if running else "worker-not-running",
            subject=cluster.noun(worker),
            worker=worker,
            expected=expected,
            observed=_listed(shown, with_vpc=scattered),
            near_miss="",
            facts=facts,
        )
    ]


def valid_pod_cidr(evidence: Evidence, worker: str) -> list[Finding]:
    """The user data names an IPv4 network of the worker's own, outside the VPC's addresses.

    Of two workers that overlap, the later one is told: the one that was copied, more often than not.
    """
    cluster = Cluster.of(evidence)
    instance = cluster.instance(worker)
    if instance is None:
        return one_running_instance(evidence, worker)
    if instance.user_data is None:
        raise CouldNotLook(cluster.user_data_error(worker))
    seen = pod_cidr.read(instance.user_data)
    if seen.problem:
        return [
            Finding(
                code=seen.problem,
                subject=cluster.noun(worker),
                worker=worker,
                expected=f"{tutorial.POD_CIDR_KEY}={suggested_pod_cidr(cluster, worker, seen.hint)}",
                observed=seen.observed,
                near_miss=seen.near_miss,
                facts={**_mending(cluster, worker, seen.hint), "variant": seen.variant},
            )
        ]
    network = cluster.pod_cidrs[worker]
    return [*_overlaps(cluster, worker, network), *_inside_vpc(cluster, worker, network)]


def source_dest_check_off(evidence: Evidence, worker: str) -> list[Finding]:
    """No ENI that pod traffic crosses checks source and destination: the primary, any a pod route names."""
    cluster = Cluster.of(evidence)
    instance = cluster.instance(worker)
    if instance is None:
        return one_running_instance(evidence, worker)
    arriving = [cluster.pod_interface(worker, r.meant.id) for r in cluster.rulings_towards(worker)]
    return source_dest_checks(evidence, worker, [instance.primary_interface, *arriving])


def source_dest_checks(
    evidence: Evidence, worker: str, interfaces: list[NetworkInterface | None]
) -> list[Finding]:
    """One finding per ENI of ``interfaces`` whose check is on."""
    cluster = Cluster.of(evidence)
    checking = {eni.id: eni for eni in interfaces if eni and eni.source_dest_check}
    return [
        Finding(
            code="source-dest-check-on",
            subject=f"{cluster.noun(worker)} · {eni.id}",
            worker=worker,
            expected=f"{eni.id} SourceDestCheck=false",
            observed=f"{eni.id} SourceDestCheck=true",
            facts={
                "worker_noun": cluster.noun(worker),
                "interface": eni.id,
                "address": next(iter(eni.addresses), ""),
                "pod_cidr": str(cluster.pod_cidrs.get(worker, "")),
            },
        )
        for eni in checking.values()
    ]


def _ground(evidence: Evidence, worker: str) -> list[Finding]:
    cluster = Cluster.of(evidence)
    instance = cluster.instance(worker)
    if instance is None:
        return one_running_instance(evidence, worker)
    cidr = cluster.pod_cidrs.get(worker)
    problems = [] if instance.user_data is None else valid_pod_cidr(evidence, worker)
    if cidr is None and not problems:
        raise CouldNotLook(cluster.user_data_error(worker))
    return [p for p in problems if cidr is None or p.code in ("pod-cidr-overlap", "pod-cidr-inside-vpc")]


def suggested_pod_cidr(cluster: Cluster, worker: str, hint: str = "") -> str:
    """A pod CIDR to write down: the one that was meant, the one already routed to it, or a free one."""
    taken = [cidr for other, cidr in cluster.pod_cidrs.items() if other != worker]
    taken += [cidr for vpc in cluster.inventory.vpcs for cidr in cluster.vpc_cidrs(vpc.id)]
    routed = [
        route.destination
        for ruling in cluster.rulings
        for route in ruling.meant.routes
        if not route.foreign and cluster.goes_to(route, worker)
    ]
    for text in filter(None, (hint, *routed)):
        if pod_cidr.is_network(text) and not any(ranges.network(text).overlaps(other) for other in taken):
            return text
    position = cluster.workers.index(worker) if worker in cluster.workers else 0
    return str(ranges.free_pod_cidr(position, len(cluster.workers), taken) or tutorial.POD_RANGE)


def _missing(cluster: Cluster, worker: str, expected: str) -> Finding:
    named = [i for i in cluster.inventory.instances if i.name and i not in cluster.gone(i.name)]
    strangers = [i for i in named if i.name not in cluster.workers]
    misnamed = cluster.misnamed(worker)
    close = difflib.get_close_matches(worker, sorted({i.name for i in strangers}), n=3, cutoff=_ALIKE)
    elsewhere = cluster.bearing(worker)
    near = elsewhere or misnamed or [i for i in strangers if i.name in close] or cluster.gone(worker)
    gone = bool(near) and near[0].name == worker
    met = {"elsewhere": elsewhere, "misnamed": misnamed, "gone": gone}
    variant = next((situation for situation, seen in met.items() if seen), "")
    return Finding(
        code="worker-missing",
        subject=worker,
        worker=worker,
        expected=expected,
        observed="—",
        near_miss=_listed(near[:3], with_vpc=bool(elsewhere)),
        facts={
            "instance": near[0].id if near else "",
            "near_name": near[0].name if near else "",
            "region": cluster.inventory.region,
            "account": cluster.inventory.account,
            "user_data": pod_cidr.mended(None, worker, suggested_pod_cidr(cluster, worker)),
            "home": cluster.home,
            "variant": variant,
        },
    )


def _listed(instances: Iterable[Instance], *, with_vpc: bool) -> str:
    """``worker-1 (i-0ab…, 10.0.1.21) running``, with the VPC behind it where that tells them apart."""
    return ", ".join(
        " ".join([instance_noun(each), each.state, *([each.vpc] if with_vpc else [])]) for each in instances
    )


def _is_routed_to(cluster: Cluster, instance: Instance) -> bool:
    """Whether any route leads to it: of several namesakes, the one in use."""
    tables = cluster.inventory.route_tables
    return any(cluster.target_instance(route) is instance for table in tables for route in table.routes)


def _overlaps(cluster: Cluster, worker: str, network: IPv4Network) -> list[Finding]:
    earlier = cluster.workers[: cluster.workers.index(worker)] if worker in cluster.workers else ()
    clashing = [e for e in earlier if e in cluster.pod_cidrs and cluster.pod_cidrs[e].overlaps(network)]
    if not clashing:
        return []
    others = ", ".join(f"{cluster.noun(e)} {cluster.pod_cidrs[e]}" for e in clashing)
    return [
        Finding(
            code="pod-cidr-overlap",
            subject=cluster.noun(worker),
            worker=worker,
            expected=f"{tutorial.POD_CIDR_KEY}={suggested_pod_cidr(cluster, worker)}",
            observed=f"{tutorial.POD_CIDR_KEY}={network}",
            near_miss=others,
            facts={**_mending(cluster, worker), "pod_cidr": str(network), "others": others},
        )
    ]


def _inside_vpc(cluster: Cluster, worker: str, network: IPv4Network) -> list[Finding]:
    instance = cluster.located.get(worker)
    inside = [cidr for cidr in cluster.vpc_cidrs(instance.vpc) if cidr.overlaps(network)] if instance else []
    if instance is None or not inside:
        return []
    return [
        Finding(
            code="pod-cidr-inside-vpc",
            subject=cluster.noun(worker),
            worker=worker,
            expected=f"{tutorial.POD_CIDR_KEY}={suggested_pod_cidr(cluster, worker)}",
            observed=f"{tutorial.POD_CIDR_KEY}={network}",
            near_miss=f"{instance.vpc} {inside[0]}",
            facts={
                **_mending(cluster, worker),
                "pod_cidr": str(network),
                "vpc": instance.vpc,
                "vpc_cidr": str(inside[0]),
            },
        )
    ]


def _mending(cluster: Cluster, worker: str, hint: str = "") -> dict[str, str]:
    instance = cluster.instance(worker)
    suggested = suggested_pod_cidr(cluster, worker, hint)
    return {
        "instance": instance.id if instance else "",
        "suggested": suggested,
        "user_data": pod_cidr.mended(instance.user_data if instance else None, worker, suggested),
    }
