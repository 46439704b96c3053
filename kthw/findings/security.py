"""Do the security groups and network ACLs let the workers' pods talk?

Which addresses they see: the destination is always a pod's. The source is the node's address where the
CNI masquerades (``ipMasq``, the tutorial's choice), so that a rule for the pod range proves nothing
then; it is the pod's own without.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.findings.finding import Finding, once
from kthw.findings.workers import one_running_instance
from kthw.network import filters, ranges
from kthw.network.filters import REPLIES, REQUESTS, Need, denials
from kthw.network.model import Cluster
from kthw.observed.evidence import AclEntry, Evidence, NetworkAcl

_ARROWS = {"ingress": "←", "egress": "→"}
_MOST_SHOWN = 4
_LAST_NUMBER = 32766
_FIRST, _STEP = 100, 10
"""As the console numbers them: 100, 110, 120."""


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """Workers' addresses on the other side, under the range around them that one rule would be for.

    The range is asked first: 200 workers of one subnet are one question, unless the answer is no.
    ``kind``: ``nodes`` or ``pods``.
    """

    kind: str
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]]

    def lacking(
        self, allows: Callable[[IPv4Network], bool], concerned: Callable[[str], bool]
    ) -> list[IPv4Network]:
        """The addresses of ``concerned`` workers that ``allows`` says no to."""
        return [
            address
            for around, peers in self.around.items()
            if not allows(around)
            for worker, address in peers
            if concerned(worker) and not allows(address)
        ]


def security_groups_allow(evidence: Evidence, worker: str) -> list[Finding]:
    """The worker's groups let in what the others' pods send, and out what its own pods send to theirs."""
    cluster = Cluster.of(evidence)
    if worker not in cluster.located:
        return one_running_instance(evidence, worker)
    instance, ruling = cluster.located[worker], cluster.ruling(worker)
    arriving = cluster.pod_interface(worker, ruling.meant.id) if ruling else None
    if not all(cluster.security_groups(each) for each in (instance.primary_interface, arriving)):
        raise _unseen(cluster, worker, "DescribeSecurityGroups")
    return once([*groups_out(cluster, worker), *groups_in(cluster, worker)])


def network_acls_allow(evidence: Evidence, worker: str) -> list[Finding]:
    """The ACL of the worker's subnet lets pod traffic with workers of other subnets pass, both ways.

    Within a subnet no ACL is asked.
    """
    cluster = Cluster.of(evidence)
    if worker not in cluster.located:
        return one_running_instance(evidence, worker)
    if _acl(cluster, worker) is None:
        raise _unseen(cluster, worker, "DescribeNetworkAcls")
    return once(
        [
            *acl_passes(cluster, worker, "", "egress", _pods, REQUESTS),
            *acl_passes(cluster, worker, "", "ingress", _pods, REPLIES),
            *acl_passes(cluster, worker, "", "ingress", _faces, REQUESTS),
            *acl_passes(cluster, worker, "", "egress", _faces, REPLIES),
        ]
    )


def groups_out(cluster: Cluster, worker: str, other: str = "") -> list[Finding]:
    """Whether the groups of the worker's primary ENI let requests out to the pods of ``other``, or of all."""
    return [f for peers in _pods(cluster, other) for f in _groups(cluster, worker, "egress", peers)]


def groups_in(cluster: Cluster, worker: str, other: str = "") -> list[Finding]:
    """Whether the groups of the ENI where pod traffic arrives let in requests of ``other``, or of all."""
    return [f for peers in _faces(cluster, other) for f in _groups(cluster, worker, "ingress", peers)]


def request_leaves(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """The source's network ACL, on the way there."""
    return acl_passes(cluster, source, destination, "egress", _pods, REQUESTS)


def request_enters(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """The destination's network ACL, on the way there."""
    return acl_passes(cluster, destination, source, "ingress", _faces, REQUESTS)


def reply_leaves(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """The destination's network ACL, on the way back."""
    return acl_passes(cluster, destination, source, "egress", _faces, REPLIES)


def reply_enters(cluster: Cluster, source: str, destination: str) -> list[Finding]:
    """The source's network ACL, on the way back."""
    return acl_passes(cluster, source, destination, "ingress", _pods, REPLIES)


def acl_passes(
    cluster: Cluster,
    worker: str,
    other: str,
    direction: str,
    seen_as: Callable[[Cluster, str], list[Peers]],
    needs: Sequence[Need],
) -> list[Finding]:
    """Whether the ACL of the worker's subnet passes ``needs`` to or from ``other``, or all, if elsewhere."""
    subnet = cluster.located[worker].subnet
    if other and cluster.located[other].subnet == subnet:
        return []
    acl = _acl(cluster, worker)
    if acl is None:
        return []
    entries = [entry for entry in acl.entries if entry.egress == (direction == "egress")]

    def denying(addresses: IPv4Network, need: Need) -> list[AclEntry | None]:
        key = ("denials", acl.id, direction, addresses, need)
        return cluster.remember(key, lambda: denials(entries, addresses, need))

    denied: dict[IPv4Network, dict[Need, list[AclEntry | None]]] = {}
    for peers, need in itertools.product(seen_as(cluster, other), needs):
        allows = functools.partial(_is_empty, denying, need)
        for address in peers.lacking(allows, lambda peer: cluster.located[peer].subnet != subnet):
            by = denied.setdefault(_rule_range(cluster, worker, address), {}).setdefault(need, [])
            by += denying(address, need)
    return [_acl_finding(cluster, worker, acl, direction, cidr, by) for cidr, by in denied.items()]


def _acl(cluster: Cluster, worker: str) -> NetworkAcl | None:
    """The ACL of the worker's subnet. Every subnet has one: ``None`` means that it was not seen."""
    subnet = cluster.located[worker].subnet
    return next((acl for acl in cluster.inventory.network_acls if subnet in acl.subnets), None)


def _unseen(cluster: Cluster, worker: str, call: str) -> CouldNotLook:
    """What was not seen is neither right nor wrong."""
    return CouldNotLook(
        LookError(code="aws-refused", subject=cluster.noun(worker), worker=worker, detail=call)
    )


def _is_empty(
    denying: Callable[[IPv4Network, Need], list[AclEntry | None]], need: Need, addresses: IPv4Network
) -> bool:
    return not denying(addresses, need)


def _pods(cluster: Cluster, other: str = "") -> list[Peers]:
    """The pods of one worker, or of all: what requests are for."""
    return cluster.remember(("pods", other), lambda: _pods_of(cluster, [other] if other else cluster.located))


def _pods_of(cluster: Cluster, workers: Iterable[str]) -> list[Peers]:
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]] = {}
    for worker in workers:
        cidr = cluster.pod_cidrs.get(worker)
        if cidr:
            around.setdefault(ranges.range_of(cidr, cluster.pod_ranges), []).append((worker, cidr))
    return [Peers(kind="pods", around=around)] if around else []


def _faces(cluster: Cluster, other: str = "") -> list[Peers]:
    """What requests come from: the nodes of those that masquerade, the pods of those that do not."""
    return cluster.remember(
        ("faces", other), lambda: _faces_of(cluster, [other] if other else cluster.located)
    )


def _faces_of(cluster: Cluster, workers: Iterable[str]) -> list[Peers]:
    subnets = {subnet.id: ranges.network(subnet.cidr) for subnet in cluster.inventory.subnets if subnet.cidr}
    around: dict[IPv4Network, list[tuple[str, IPv4Network]]] = {}
    bare = []
    for worker in workers:
        instance = cluster.located[worker]
        if not cluster.masquerades(worker):
            bare.append(worker)
        elif instance.address:
            address = ranges.network(instance.address)
            around.setdefault(subnets.get(instance.subnet, address), []).append((worker, address))
    nodes = [Peers(kind="nodes", around=around)] if around else []
    return [*nodes, *_pods_of(cluster, bare)]


def _rule_range(cluster: Cluster, worker: str, peer: IPv4Network) -> IPv4Network:
    """The range a person would write a rule for: the VPC's for a node, the pod range for pods."""
    vpc = cluster.vpc_cidrs(cluster.located[worker].vpc)
    return ranges.range_of(peer, (*vpc, *cluster.pod_ranges))


def _groups(cluster: Cluster, worker: str, direction: str, peers: Peers) -> list[Finding]:
    instance, ruling = cluster.located.get(worker), cluster.ruling_seen(worker)
    if instance is None or ruling is None:
        return []
    interface = instance.primary_interface
    if direction == "ingress":
        interface = cluster.pod_interface(worker, ruling.meant.id)
    groups = cluster.security_groups(interface)
    if not groups:
        return []
    allowed = cluster.group_rules(groups, direction)
    blocked: dict[IPv4Network, list[Need]] = {}
    for need in REQUESTS:
        for address in peers.lacking(functools.partial(allowed.allows, need), lambda peer: peer != worker):
            needs = blocked.setdefault(_rule_range(cluster, worker, address), [])
            needs += [] if need in needs else [need]
    ids = ", ".join(group.id for group in groups)
    arrow = _ARROWS[direction]
    return [
        Finding(
            code="security-group-blocks",
            subject=f"{ids} · {direction} · {cidr}",
            worker=worker,
            expected=f"{', '.join(map(str, needs))} {arrow} {cidr}",
            observed="; ".join(filters.rule_text(rule, arrow) for rule in allowed.rules[:_MOST_SHOWN]) or "—",
            near_miss="; ".join(
                filters.rule_text(rule, arrow) for rule in allowed.nearest(cidr)[:_MOST_SHOWN]
            ),
            facts={
                "worker_noun": cluster.noun(worker),
                "group": groups[0].id,
                "groups": ids,
                "direction": direction,
                "cidr": str(cidr),
                "protocols": ", ".join(need.protocol for need in needs),
                "variant": direction if direction == "egress" else f"{direction}-{peers.kind}",
            },
        )
        for cidr, needs in blocked.items()
    ]


def _acl_finding(
    cluster: Cluster,
    worker: str,
    acl: NetworkAcl,
    direction: str,
    cidr: IPv4Network,
    by: dict[Need, list[AclEntry | None]],
) -> Finding:
    arrow = _ARROWS[direction]
    deciding = {
        entry.number if entry else _LAST_NUMBER + 1: entry for found in by.values() for entry in found
    }
    first = min(deciding)
    spare = 0 if any(cidr.subnet_of(pods) for pods in cluster.pod_ranges) else 1
    number = _number_before(acl, direction, first, spare)
    allowing = [e for e in acl.entries if e.allow and e.egress == (direction == "egress")]
    near = [e for e in allowing if e.cidr and ranges.network(e.cidr).overlaps(cidr)]
    return Finding(
        code="network-acl-blocks",
        subject=f"{acl.id} · {direction} · {cidr}",
        worker=worker,
        expected=f"{', '.join(map(str, by))} {arrow} {cidr}",
        observed="; ".join(filters.entry_text(deciding[n], arrow) for n in sorted(deciding)[:_MOST_SHOWN]),
        near_miss="; ".join(filters.entry_text(entry, arrow) for entry in near[:_MOST_SHOWN]),
        facts={
            "worker_noun": cluster.noun(worker),
            "subnet": cluster.located[worker].subnet,
            "acl": acl.id,
            "direction": direction,
            "cidr": str(cidr),
            "number": str(number or first),
            "protocols": ", ".join(need.protocol for need in by),
            "variant": "" if number else "first",
        },
    )


def _number_before(acl: NetworkAcl, direction: str, deciding: int, spare: int) -> int:
    """A free rule number that is asked before ``deciding``, ``spare`` of them left; 0 when there is none.

    A direction may need a rule for pods and one for nodes: the two fixes must not name the same number.
    """
    taken = {entry.number for entry in acl.entries if entry.egress == (direction == "egress")}
    after_all = max((n + _STEP for n in taken if n <= _LAST_NUMBER), default=_FIRST)
    after_all += _STEP * spare
    if after_all <= _LAST_NUMBER < deciding:
        return after_all
    free = [n for n in range(min(deciding - 1, _LAST_NUMBER), 0, -1) if n not in taken]
    return free[spare] if spare < len(free) else 0
