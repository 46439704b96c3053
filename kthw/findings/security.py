"""Do the security groups and network ACLs let the workers' pods talk?

Which addresses they see: the destination is always a pod's. The source is the node's address where the
CNI masquerades (``ipMasq``, the tutorial's choice), so that a rule for the pod range proves nothing
then; it is the pod's own without.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network
from typing import NamedTuple

from kthw.errors import CouldNotLook, LookError
from kthw.findings.aws_changes import Authorized, EntryGone, EntryMade
from kthw.findings.finding import Finding, once
from kthw.findings.fix import Change
from kthw.findings.peers import Peers, pods, rule_range, senders, senders_by
from kthw.findings.workers import one_running_instance
from kthw.network import filters, ranges
from kthw.network.arrival import interfaces, interfaces_of_probe, undecided
from kthw.network.filters import REPLIES, REQUESTS, Need, denials
from kthw.network.model import Network
from kthw.network.routing import Ruling
from kthw.observed.evidence import AclEntry, NetworkAcl, SecurityGroup

_ARROWS = {"ingress": "←", "egress": "→"}
_MOST_SHOWN = 4
Groups = tuple[SecurityGroup, ...]
_UDP = "17"


def security_groups_allow(network: Network, worker: str) -> list[Finding]:
    """The worker's groups let in what the others' pods send, and out what its own pods send to theirs.

    Raises ``CouldNotLook`` where nothing is blocked for certain, and a prefix list that was not read decides.
    """
    if worker not in network.located:
        return one_running_instance(network, worker)
    tables = [ruling.meant.id for ruling in network.rulings_towards(worker)]
    arriving = [eni for table in tables for eni in interfaces(network, worker, table)]
    crossed = (network.located[worker].primary_interface, *arriving)
    if not all(network.groups.of(each) for each in crossed):
        raise _unseen(network, worker, "DescribeSecurityGroups")
    found = once([*groups_out(network, worker), *groups_in(network, worker)])
    for unread in () if found else _undecided(network, worker):
        raise network.prefix_lists.unread(unread)
    return found


def network_acls_allow(network: Network, worker: str) -> list[Finding]:
    """The ACL of the worker's subnet lets pod traffic with workers of other subnets pass, both ways.

    Within a subnet no ACL is asked.
    """
    if worker not in network.located:
        return one_running_instance(network, worker)
    if _acl(network, worker) is None:
        raise _unseen(network, worker, "DescribeNetworkAcls")
    return once(
        [
            *acl_passes(network, worker, "", "egress", pods, REQUESTS),
            *acl_passes(network, worker, "", "ingress", pods, REPLIES),
            *acl_passes(network, worker, "", "ingress", senders, REQUESTS),
            *acl_passes(network, worker, "", "egress", senders, REPLIES),
        ]
    )


def groups_out(network: Network, worker: str, other: str = "") -> list[Finding]:
    """Whether the groups of the worker's primary ENI let requests out to the pods of ``other``, or of all."""
    return [f for asked in _asked_to_send(network, worker, other) for f in _shut(network, worker, *asked)]


def groups_in(network: Network, worker: str, other: str = "") -> list[Finding]:
    """Whether the groups of the ENIs where requests of ``other``, or of all, arrive let them in.

    Where they arrive is for the table of their sender to say. From ``other``, only the pod that is probed
    is asked for.
    """
    each = _asked_by_one(network, worker, other) if other else _asked_by_all(network, worker)
    return [f for asked in each for f in _shut(network, worker, *asked)]


class _Asked(NamedTuple):
    """What groups are asked, all of which were seen: whether they let through requests to, or from, these."""

    direction: str
    groups: Groups
    peers: Peers


def _asked(direction: str, groups: Groups, faces: list[Peers]) -> list[_Asked]:
    """Nothing is asked of ``groups`` that were not all seen."""
    return [_Asked(direction, groups, peers) for peers in faces if groups]


def _asked_to_send(network: Network, worker: str, other: str) -> list[_Asked]:
    if network.ruling_seen(worker) is None:
        return []
    groups = network.groups.of(network.located[worker].primary_interface)
    return _asked("egress", groups, pods(network, other))


def _undecided(network: Network, worker: str) -> Iterator[str]:
    """The prefix lists that were not read and may let through what nothing else does."""
    tables = (ruling.meant.id for ruling in network.rulings_towards(worker))
    yield from filter(None, (undecided(network, worker, table) for table in tables))
    for asked in (*_asked_to_send(network, worker, ""), *_asked_by_all(network, worker)):
        unread = _blocked(network, worker, *asked).undecided
        yield from (each for peer, each in unread.items() if peer != worker)


def _asked_by_one(network: Network, worker: str, other: str) -> list[_Asked]:
    ruling = network.ruling_seen(other)
    crossed = interfaces_of_probe(network, worker, ruling.meant.id) if ruling else ()
    faces = senders(network, other)
    return [each for eni in crossed for each in _asked("ingress", network.groups.of(eni), faces)]


def _asked_by_all(network: Network, worker: str) -> list[_Asked]:
    """Each set of groups that requests meet at the worker, once, and those whose tables lead to it."""
    towards = network.rulings_towards(worker)
    led: dict[tuple[str, ...], tuple[Groups, list[Ruling]]] = {}
    for ruling in towards:
        sets = (network.groups.of(eni) for eni in interfaces(network, worker, ruling.meant.id))
        for ids, groups in {tuple(group.id for group in each): each for each in sets}.items():
            led.setdefault(ids, (groups, []))[1].append(ruling)
    return [
        each
        for groups, rulings in led.values()
        for faces in [senders(network, "") if len(rulings) == len(towards) else senders_by(network, rulings)]
        for each in _asked("ingress", groups, faces)
    ]


def request_leaves(network: Network, source: str, destination: str) -> list[Finding]:
    """The source's network ACL, on the way there."""
    return acl_passes(network, source, destination, "egress", pods, REQUESTS)


def request_enters(network: Network, source: str, destination: str) -> list[Finding]:
    """The destination's network ACL, on the way there."""
    return acl_passes(network, destination, source, "ingress", senders, REQUESTS)


def reply_leaves(network: Network, source: str, destination: str) -> list[Finding]:
    """The destination's network ACL, on the way back."""
    return acl_passes(network, destination, source, "egress", senders, REPLIES)


def reply_enters(network: Network, source: str, destination: str) -> list[Finding]:
    """The source's network ACL, on the way back."""
    return acl_passes(network, source, destination, "ingress", pods, REPLIES)


def acl_passes(
    network: Network,
    worker: str,
    other: str,
    direction: str,
    seen_as: Callable[[Network, str], list[Peers]],
    needs: tuple[Need, ...],
) -> list[Finding]:
    """Whether the ACL of the worker's subnet passes ``needs`` to or from ``other``, or all, if elsewhere."""
    subnet = network.located[worker].subnet
    acl = _acl(network, worker)
    if acl is None:
        return []

    def judged() -> dict[IPv4Network, dict[Need, list[AclEntry | None]]]:
        denied: dict[IPv4Network, dict[Need, list[AclEntry | None]]] = {}
        for peers, need in itertools.product(seen_as(network, other), needs):
            for peer, address in peers.lacking(lambda addresses, need=need: not denying(addresses, need)):  # type: ignore[misc]
                if network.located[peer].subnet != subnet:
                    by = denied.setdefault(rule_range(network, worker, address), {}).setdefault(need, [])
                    by += denying(address, need)
        return denied

    def denying(addresses: IPv4Network, need: Need) -> list[AclEntry | None]:
        key = ("denials", acl.id, direction, addresses, need)
        return network.remember(key, lambda: denials(_of(acl, direction), addresses, need))

    denied = network.remember(("denied", subnet, direction, seen_as, other, needs), judged)
    return [_acl_finding(network, worker, acl, direction, cidr, by) for cidr, by in denied.items()]


def _of(acl: NetworkAcl, direction: str) -> list[AclEntry]:
    return [entry for entry in acl.entries if entry.egress == (direction == "egress")]


def _acl(network: Network, worker: str) -> NetworkAcl | None:
    """The ACL of the worker's subnet. Every subnet has one: ``None`` means that it was not seen."""
    return network.acls.get(network.located[worker].subnet)


def _unseen(network: Network, worker: str, call: str) -> CouldNotLook:
    """What was not seen is neither right nor wrong."""
    return CouldNotLook(
        LookError(code="aws-refused", subject=network.noun(worker), worker=worker, detail=call)
    )


def _shut(network: Network, worker: str, direction: str, groups: Groups, peers: Peers) -> list[Finding]:
    ids, allowed = _ids(groups), network.groups.rules(groups, direction)
    whose = _blocked(network, worker, direction, groups, peers).ranges
    # A worker needs no rule for itself.
    blocked = {cidr: by for cidr, by in whose.items() if by.keys() - {worker}}
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
            protocols=tuple(need.protocol for need in needs),
            variant=_variant(direction, peers, needs),
            changes=(
                Authorized(
                    group=groups[0].id,
                    direction=direction,
                    cidr=str(cidr),
                    protocol="udp" if _udp_only(needs) else "-1",
                ),
            ),
            facts={
                "worker_noun": network.noun(worker),
                "group": groups[0].id,
                "groups": ids,
                "direction": direction,
                "cidr": str(cidr),
            },
        )
        for cidr, by in blocked.items()
        for needs in [
            list(dict.fromkeys(need for peer, each in by.items() if peer != worker for need in each))
        ]
    ]


def _variant(direction: str, peers: Peers, needs: Iterable[Need]) -> str:
    if _udp_only(needs):
        return "udp"
    return direction if direction == "egress" else f"{direction}-{peers.kind}"


def _udp_only(needs: Iterable[Need]) -> bool:
    """Whether nothing else is lost: then pings and connections look well, and names are not found."""
    return {need.protocol for need in needs} == {"udp"}


class _Blocked(NamedTuple):
    """By the range a rule would be for, and by peer, what is not let through. ``undecided``: by peer, the
    prefix list that was not read and may let it through."""

    ranges: dict[IPv4Network, dict[str, list[Need]]]
    undecided: dict[str, str]


def _ids(groups: Groups) -> str:
    return ", ".join(group.id for group in groups)


def _blocked(network: Network, worker: str, direction: str, groups: Groups, peers: Peers) -> _Blocked:
    allowed = network.groups.rules(groups, direction)

    def judged() -> _Blocked:
        found = _Blocked({}, {})
        for need in REQUESTS:
            for peer, address in peers.lacking(functools.partial(allowed.allows, need)):
                if unread := allowed.undecided(need, address):
                    found.undecided[peer] = unread
                else:
                    by = found.ranges.setdefault(rule_range(network, worker, address), {})
                    by.setdefault(peer, []).append(need)
        return found

    return network.remember(
        ("blocked", direction, network.located[worker].vpc, peers.key, _ids(groups)), judged
    )


def _acl_finding(
    network: Network,
    worker: str,
    acl: NetworkAcl,
    direction: str,
    cidr: IPv4Network,
    by: dict[Need, list[AclEntry | None]],
) -> Finding:
    arrow = _ARROWS[direction]
    deciding = {
        entry.number if entry else filters.LAST_WORD: entry for found in by.values() for entry in found
    }
    # Each range has a rule of its own: no two fixes name the same number.
    others = (*network.pod_ranges, *network.vpc_cidrs(network.located[worker].vpc))
    spare = len(list(itertools.takewhile(lambda other: other != cidr, others)))
    entries = _of(acl, direction)
    number = filters.number_before_denials(entries, spare)
    near = [e for e in entries if e.allow and e.cidr and ranges.network(e.cidr).overlaps(cidr)]
    change: Change = EntryGone(acl=acl.id, direction=direction, number=min(deciding))
    if number:
        protocol = _UDP if _udp_only(by) else "-1"
        change = EntryMade(acl=acl.id, direction=direction, number=number, cidr=str(cidr), protocol=protocol)
    return Finding(
        code="network-acl-blocks",
        subject=f"{acl.id} · {direction} · {cidr}",
        worker=worker,
        expected=f"{', '.join(map(str, by))} {arrow} {cidr}",
        observed="; ".join(filters.entry_text(deciding[n], arrow) for n in sorted(deciding)[:_MOST_SHOWN]),
        near_miss="; ".join(filters.entry_text(entry, arrow) for entry in near[:_MOST_SHOWN]),
        protocols=tuple(need.protocol for need in by),
        variant="first" if not number else "udp" if _udp_only(by) else "",
        changes=(change,),
        facts={
            "worker_noun": network.noun(worker),
            "subnet": network.located[worker].subnet,
            "acl": acl.id,
            "direction": direction,
            "cidr": str(cidr),
            "number": str(number or min(deciding)),
        },
    )
