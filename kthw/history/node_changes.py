"""What is otherwise on the nodes: forwarding, pods' ranges, kernel routes, firewalls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kthw.history.noted import Change, change
from kthw.observed.evidence import Chain, Evidence, Node

_MOST_RULES: Final = 20
_COUNTED: Final = re.compile(r" # handle \d+$|(?<=counter )packets \d+ bytes \d+ ?")
"""Of a rule, what is another with every packet, or whenever the same rules are loaded again."""


def node_changes(was: Evidence, now: Evidence) -> Iterator[Change]:
    """Of each node that both got into, in the order of the workers."""
    for worker in {**was.nodes, **now.nodes}:
        old, new = was.nodes.get(worker), now.nodes.get(worker)
        if old and new:
            yield from _node(worker, old, new)


def _node(worker: str, was: Node, now: Node) -> Iterator[Change]:
    if None not in (was.ip_forward, now.ip_forward) and was.ip_forward != now.ip_forward:
        yield change("forwarding-on" if now.ip_forward else "forwarding-off", worker=worker)
    old, new = _subnets(was), _subnets(now)
    if old != new:
        yield change("cni-subnet", worker=worker, now=new, was=old)
    if was.routes is not None and now.routes is not None:
        before, after = ({route.destination: route.via for route in each.routes or ()} for each in (was, now))
        for destination in {**before, **after}:
            one, other = before.get(destination), after.get(destination)
            about = {"worker": worker, "destination": destination}
            if one is None and other is not None:
                yield change("kernel-route-new", **about, now=other)
            elif other is None and one is not None:
                yield change("kernel-route-gone", **about, was=one)
            elif one is not None and other is not None and one != other:
                yield change("kernel-route", **about, now=other, was=one)
    yield from _firewall(worker, was, now)


def _subnets(node: Node) -> str:
    return ", ".join(sorted({each.subnet for each in node.cni if each.subnet})) or "—"


def _firewall(worker: str, was: Node, now: Node) -> Iterator[Change]:
    if was.firewall is None or now.firewall is None:
        return
    policies = [{_chain(each): each.policy for each in node.firewall or ()} for node in (was, now)]
    for chain in sorted(policies[0].keys() & policies[1].keys()):
        one, other = policies[0][chain], policies[1][chain]
        if one != other:
            yield change("firewall-policy", worker=worker, chain=chain, now=other or "—", was=one or "—")
    before, after = (dict.fromkeys(_lines(each)) for each in (was, now))
    new = [line for line in after if line not in before]
    gone = [line for line in before if line not in after]
    for kind, lines in (("firewall-gone", gone), ("firewall-new", new)):
        for line in lines[:_MOST_RULES]:
            yield change(kind, worker=worker, rule=line)
    if max(len(new), len(gone)) > _MOST_RULES:
        yield change("firewall-more", worker=worker, count=str(len(new) + len(gone)))


def _lines(node: Node) -> Iterator[str]:
    """Each rule, with the chain it is of."""
    for chain in node.firewall or ():
        for rule in chain.rules:
            yield f"{_chain(chain)}: {_COUNTED.sub('', rule)}"


def _chain(chain: Chain) -> str:
    return f"{chain.tool} {chain.table} {chain.name}"
