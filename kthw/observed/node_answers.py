"""What a worker's agent answers about its node, as the node's evidence."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

import msgspec

from kthw.foreign import printable
from kthw.observed.answers import MOST_KEPT, MOST_PARTS, Facts, Seen, Surroundings, UnfitError
from kthw.observed.evidence import Chain, Node
from kthw.secrets import masked


def node(worker: str, login: str, answer: Facts) -> Node:
    """A node, from the answer to ``facts``."""
    return Node(
        worker=worker,
        login=login,
        hostname=answer.hostname,
        addresses=answer.addresses,
        ip_forward=answer.ip_forward,
        cni=answer.cni,
        cni_path=answer.cni_path,
        cni_plugins=answer.cni_plugins,
        cni_elsewhere=answer.cni_elsewhere,
        cni_unfit=answer.cni_unfit,
        cni_agents=answer.cni_agents,
        kubelet_pod_cidr=answer.kubelet_pod_cidr,
        imds=answer.imds,
    )


def with_surroundings(
    node: Node,
    answer: Surroundings,
    towards: Mapping[str, tuple[str, str]],
    beyond: Mapping[str, str] | None = None,
) -> Node:
    """``node`` with what its pods' packets meet, from the answer to ``ways``. Raises ``UnfitError``."""
    _check_ways(answer, towards)
    if answer.beyond and [(way.towards, way.address) for way in answer.beyond] != [*(beyond or {}).items()]:
        raise UnfitError("beyond: not those that were asked for")
    return msgspec.structs.replace(
        node,
        links=answer.links,
        rp_filter=answer.rp_filter,
        bridge_netfilter=answer.bridge_netfilter,
        ways=answer.ways,
        routes=answer.routes,
        rules=answer.rules,
        lookups=answer.lookups,
        beyond=answer.beyond,
        neighbours=answer.neighbours,
        keeper=answer.keeper,
        firewall=None if answer.firewall is None else tuple(_chain(each) for each in answer.firewall),
        lacking=answer.lacking,
    )


def _check_ways(answer: Surroundings, towards: Mapping[str, tuple[str, str]]) -> None:
    """One for each that was asked, in order, and then parts of their ranges; or none, with a reason."""
    told = [(way.towards, way.address) for way in answer.ways]
    if not told and ("ip" in answer.lacking or any(each.facts.tool == "ip" for each in answer.failed)):
        return
    parts = told[len(towards) :]
    if told[: len(towards)] != [(worker, address) for worker, (address, _) in towards.items()]:
        raise UnfitError("ways: not those that were asked for")
    if len(parts) > MOST_PARTS:
        raise UnfitError(f"ways: {len(parts)} parts")
    if any(len(route.kept) > MOST_KEPT for route in answer.routes or ()):
        raise UnfitError("routes: more files than are told")
    for worker, address in parts:
        around = towards.get(worker, ("", ""))[1]
        if not around or IPv4Address(address) not in IPv4Network(around):
            raise UnfitError(printable(f"ways: {address} is no part of what was asked for {worker}"))


def with_witnesses(node: Node, answer: Seen) -> Node:
    """``node`` with what counted packets there, and what may take them, from the answer to ``seen``."""
    moved = (msgspec.structs.replace(each, text=masked(each.text)) for each in answer.moved)
    return msgspec.structs.replace(node, moved=tuple(moved), programs=answer.programs)


def _chain(told: Chain) -> Chain:
    """As the node's tool printed it, but for what looks like a credential: rules have comments."""
    return msgspec.structs.replace(told, rules=tuple(masked(rule) for rule in told.rules))
