"""Does a policy rule of a node's kernel drop pods' packets before a routing table is asked, or have a wrong
one asked?
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from kthw.findings.finding import Finding, once
from kthw.findings.node_changes import PolicyRuleGone
from kthw.findings.node_firewall import face, interfaces, pod_of
from kthw.findings.workers import ground
from kthw.network import ranges
from kthw.network.model import Network
from kthw.observed.evidence import PolicyRule, Way


def ruled_out(network: Network, worker: str, towards: str) -> list[Finding]:
    """The rules that drop what the worker's probe pod sends to that of ``towards``.

    Where that is the worker itself: what comes in for it from any other worker.
    """
    others = [other for other in network.workers if other != worker] if towards == worker else [towards]
    return once(
        _finding(network, worker, other, rule)
        for rule in _rules(network, worker)
        for other in others
        if _meets(network, worker, other, rule, arriving=towards == worker)
    )


def all_ruled_out(network: Network, worker: str) -> list[Finding]:
    """The rules that drop anything between the worker's pods and any other worker's; each once."""
    if ground(network, worker):
        return []
    others = [other for other in network.workers if other != worker and not ground(network, other)]
    return once(
        _finding(network, worker, other, rule)
        for rule in _rules(network, worker)
        for other in others
        for arriving in (False, True)
        if _touches(network, worker, other, rule, arriving=arriving)
    )


def leading(network: Network, worker: str, way: Way) -> PolicyRule | None:
    """The rule that has the table asked whose entry decides that way; ``None`` where it is the main one."""
    words = way.route.split()
    table = words[words.index("table") + 1] if "table" in words[:-1] else None
    lookups = network.evidence.nodes[worker].lookups or ()
    own, theirs = _single(pod_of(network, worker)), IPv4Network(way.address)
    for rule in lookups:
        if rule.table == table and _holds_for(network, worker, rule, own, theirs):
            return rule
    return None


def mended_by(rule: PolicyRule) -> str:
    """The command that takes the rule away; every word of the node's is quoted."""
    return shlex.join(["sudo", "ip", "rule", "del", "pref", str(rule.priority), *rule.text.split()])


def _rules(network: Network, worker: str) -> Iterable[PolicyRule]:
    node = network.evidence.nodes.get(worker)
    return (node.rules or ()) if node else ()


def met(network: Network, worker: str, *, arriving: bool) -> Iterable[PolicyRule]:
    """The rules that drop some of what its pods send, or of what comes in for them."""
    return (r for r in _rules(network, worker) if _enters(network, worker, r, arriving=arriving))


def noun_of(network: Network, worker: str, rule: PolicyRule) -> str:
    """What a finding about it is known by."""
    return f"{network.noun(worker)} · ip rule {rule.priority}: {rule.text}"


def _meets(network: Network, worker: str, other: str, rule: PolicyRule, *, arriving: bool) -> bool:
    """Whether it drops the packets of the two probe pods."""
    own, theirs = pod_of(network, worker), face(network, other) if arriving else pod_of(network, other)
    return _holds_for(network, worker, rule, _single(own), _single(theirs), arriving=arriving)


def _touches(network: Network, worker: str, other: str, rule: PolicyRule, *, arriving: bool) -> bool:
    """Whether it drops any packet of their pods."""
    node = face(network, other) if arriving and network.masquerades(other) else None
    theirs = _single(node) or network.pod_cidrs.get(other)
    return _holds_for(network, worker, rule, network.pod_cidrs.get(worker), theirs, arriving=arriving)


def _holds_for(
    network: Network,
    worker: str,
    rule: PolicyRule,
    own: IPv4Network | None,
    theirs: IPv4Network | None,
    *,
    arriving: bool = False,
) -> bool:
    """Whether it holds for any packet between the two ranges; not where one of them is not known."""
    source, destination = (theirs, own) if arriving else (own, theirs)
    if source is None or destination is None or not _enters(network, worker, rule, arriving=arriving):
        return False
    return _holds(rule.source, source) and _holds(rule.destination, destination)


def _single(address: IPv4Address | None) -> IPv4Network | None:
    return IPv4Network(address) if address else None


def _enters(network: Network, worker: str, rule: PolicyRule, *, arriving: bool) -> bool:
    bridge, card = interfaces(network, worker)
    return rule.entering in ("", card if arriving else bridge)


def _holds(said: str, around: IPv4Network) -> bool:
    return not said or ranges.network(said).overlaps(around)


def _finding(network: Network, worker: str, other: str, rule: PolicyRule) -> Finding:
    said = f"{rule.priority}: {rule.text}"
    return Finding(
        code="node-route-conflict",
        subject=noun_of(network, worker, rule),
        worker=worker,
        expected="lookup main",
        observed=said,
        variant="rule",
        changes=(PolicyRuleGone(worker=worker, priority=rule.priority, text=rule.text),),
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "towards_noun": network.noun(other),
            "route": said,
            "command": shlex.quote(mended_by(rule)),
        },
    )
