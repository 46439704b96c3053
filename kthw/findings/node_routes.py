"""Does a node's kernel send packets for pods the right way: into the VPC, or to its own bridge?

Where the lab is judged by kernel routes, those through a next hop are ``next_hops``' to judge.
"""

from __future__ import annotations

import shlex
from ipaddress import ip_address
from typing import Final

from msgspec.structs import replace

from kthw.findings.cni_config import shut_in
from kthw.findings.configured import as_configured
from kthw.findings.finding import Finding, once
from kthw.findings.fix import Change
from kthw.findings.next_hops import is_next_hop, removing, showing, taken_away
from kthw.findings.node_changes import KernelRouteMade
from kthw.findings.node_firewall import interfaces
from kthw.findings.policy_rules import all_ruled_out, leading, mended_by, ruled_out
from kthw.findings.workers import ground, valid_pod_cidr
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes, on_link, senders
from kthw.observed.evidence import PolicyRule, Way

_UNICAST: Final = "unicast"
_NOWHERE: Final = "none"


def astray(network: Network, worker: str, towards: str) -> list[Finding]:
    """Whether the worker's kernel sends packets for the probe pod of ``towards``, or its own, elsewhere."""
    way = network.probes.way(worker, towards)
    found = [*ruled_out(network, worker, towards), *(misled(network, worker, way) if way else [])]
    return [*found, *neighbours(network, worker)] if worker == towards else found


def beyond(network: Network, worker: str, towards: str) -> list[Finding]:
    """Whether what its pods answer the node of ``towards``, or send to the internet (``""``), goes elsewhere
    because a policy rule has another table asked.
    """
    node = network.evidence.nodes.get(worker)
    ways = [way for way in node.beyond if way.towards == towards] if node else ()
    return [found for way in ways for found in _beyond(network, worker, way)]


def may_stray(network: Network, worker: str) -> frozenset[str]:
    """The workers for whose pods the worker's kernel may do that: all that is not sent by its default route,
    and its own.

    There are as many ways as pairs of workers, and nearly all are by that.
    """
    return network.remember(("may stray", worker), lambda: _unusual(network, worker))


def _unusual(network: Network, worker: str) -> frozenset[str]:
    node = network.evidence.nodes.get(worker)
    if node is None:
        return frozenset()
    if node.rules:
        return frozenset(network.workers)
    _, card = interfaces(network, worker)
    others = (way.towards for way in node.ways if way.device != card or not is_usual(way))
    return frozenset([*others, worker])


def conflicts(network: Network, worker: str) -> list[Finding]:
    """Whether it sends packets for any pods elsewhere, or for a part of their range."""
    unusual = may_stray(network, worker)
    ways = (way for way in network.node(worker).ways if way.towards in unusual)
    by_routes = (found for way in ways for found in misled(network, worker, way))
    by_rules = (found for way in network.node(worker).beyond for found in _beyond(network, worker, way))
    return once([*all_ruled_out(network, worker), *by_routes, *by_rules, *neighbours(network, worker)])


def conflicts_elsewhere(network: Network, name: str) -> list[Finding]:
    """The same of a machine that is no worker (``--also``), in a lab judged by kernel routes: it has no pods,
    so no bridge is the right one. Nothing where nobody got into it.
    """
    node = network.evidence.nodes.get(name)
    ways = node.ways if node and name in senders(network) and interfaces(network, name)[1] else ()
    return once(
        _peers(network, name, way)
        for way in ways
        if not is_next_hop(network, name, way) and not ground(network, way.towards)
    )


def misled(network: Network, worker: str, way: Way) -> list[Finding]:
    """Right is: for another's pods, what the default route does, or the other node itself as the next hop
    (which works in one subnet, though it is not needed); for its own, their bridge.

    Nothing where pods hang on something else than a bridge, where that is not given an address, or where
    the node takes a stranger's range for its own: that is another finding's (``cni-config-wrong``,
    ``cni-subnet-mismatch``, ``pod-cidr-overlap``).
    """
    bridge, card = interfaces(network, worker)
    on_bridge = way.device == bridge
    if not bridge or way.kind == _NOWHERE:
        return []
    if worker == way.towards:
        if any(each.variant == "no-gateway" for each in shut_in(network, worker)):
            return []
        settled = on_bridge or _has_no_such_pod(as_configured(network), worker, way)
        return [] if settled else [_own(network, worker, way, bridge)]
    if on_bridge or not card or worker not in network.located or _is_right(network, way, card, worker):
        return []
    if by_node_routes(network) and is_next_hop(network, worker, way):
        return []
    if ground(network, worker) or ground(network, way.towards):
        return []
    return [_peers(network, worker, way)]


def _has_no_such_pod(used: Network, worker: str, way: Way) -> bool:
    """Whether none of its pods can have got that address: where the kernel sends it says nothing then.

    Asked for were addresses of the range in the user data, which may be wider than what ``used`` has.
    """
    own = used.pod_cidrs.get(worker)
    if own and ip_address(way.address) not in own:
        return True
    return used.said(worker) is not None and bool(valid_pod_cidr(used, worker))


def _is_right(network: Network, way: Way, card: str, worker: str) -> bool:
    if way.kind != _UNICAST or way.device != card:
        return False
    if is_usual(way):
        return True
    peer = network.instance(way.towards)
    right = [network.router(network.located[worker].subnet), *([peer.address] if peer else [])]
    return way.via in filter(None, right)


def is_usual(way: Way) -> bool:
    """Whether it is sent as all else is, and by no table that a policy rule has asked."""
    return way.route.startswith("default ") and " table " not in way.route


def _peers(network: Network, worker: str, way: Way) -> Finding:
    router, (_, card) = network.router(senders(network)[worker].subnet), interfaces(network, worker)
    right = f"{way.address} via {router} dev {card}"
    rule, pods = leading(network, worker, way), str(network.pod_cidrs[way.towards])
    if rule and _destination(way) != pods and _is_part(pods, _destination(way)):
        return _by_rule(network, worker, way, right, rule)
    if not way.route or way.route.startswith("default "):
        # The way that all else takes, too: nothing to delete blindly.
        return _finding(network, worker, way, right, showing(way), [], "default")
    if by_node_routes(network):
        right = f"{network.pod_cidrs[way.towards]} via {on_link(network, worker, way.towards) or router}"
        command, changes = _handing_on(network, worker, way, router, card)
        return _finding(network, worker, way, f"{right} dev {card}", command, changes, "by-nodes")
    variant = "" if way.kind == _UNICAST else "refused"
    return _finding(network, worker, way, right, removing(way), taken_away(worker, way), variant)


def _handing_on(network: Network, worker: str, way: Way, router: str, card: str) -> tuple[str, list[Change]]:
    """The command, and what it does.

    An entry for more than the other's pods stays, being somebody else's too: one for each of those that it
    takes goes before it, to ``router``, the VPC's, where the other is in another subnet.
    """
    cidr, hop = str(network.pod_cidrs[way.towards]), on_link(network, worker, way.towards)
    words = way.route.split()  # its destination is the first, or comes after "blackhole" and the like
    wider = "table" not in words and any(each != cidr and _is_part(cidr, each) for each in words)
    if not wider:
        gone = taken_away(worker, way)
        if not hop:
            return removing(way), gone
        made = KernelRouteMade(worker=worker, destination=cidr, device=card, via=hop)
        return f"{removing(way)}; sudo ip route replace {cidr} via {hop}", [*gone, made]
    taken = dict.fromkeys(each.towards for each in network.node(worker).ways if each.route == way.route)
    hops = {
        str(network.pod_cidrs[other]): on_link(network, worker, other) or router
        for other in taken
        if other != worker and not ground(network, other)
    }
    return (
        " && ".join(f"sudo ip route replace {each} via {via}" for each, via in hops.items()),
        [KernelRouteMade(worker=worker, destination=e, device=card, via=via) for e, via in hops.items()],
    )


def neighbours(network: Network, worker: str) -> list[Finding]:
    """Its pods' packets are sent to another's hardware address, for good."""
    node, noun = network.evidence.nodes.get(worker), network.noun(worker)
    return [
        Finding(
            code="node-route-conflict",
            subject=f"{noun} · ip neigh {each.address} {each.device}",
            worker=worker,
            expected=f"{each.address} dev {each.device} REACHABLE",
            observed=f"{each.address} dev {each.device} lladdr {each.hardware} PERMANENT",
            variant="neighbour",
            facts={
                "worker_noun": noun,
                "login": network.login(worker),
                "address": each.address,
                "device": each.device,
                "hardware": each.hardware,
                "command": shlex.quote(
                    shlex.join(["sudo", "ip", "neigh", "flush", "dev", each.device, "nud", "permanent"])
                ),
            },
        )
        for each in (node.neighbours if node else ())
    ]


def _beyond(network: Network, worker: str, way: Way) -> list[Finding]:
    _, card = interfaces(network, worker)
    if not card or worker not in network.located:
        return []
    router, rule = network.router(network.located[worker].subnet), leading(network, worker, way)
    near = ("", way.address) if way.towards else ()
    is_right = way.device == card and way.via in (router, *near)
    right = f"{way.address} via {router} dev {card}"
    return [_by_rule(network, worker, way, right, rule)] if rule and not is_right else []


def _by_rule(network: Network, worker: str, way: Way, right: str, rule: PolicyRule) -> Finding:
    said = f"{rule.priority}: {rule.text}"
    found = _finding(network, worker, way, right, mended_by(rule), [], "by-rule", said)
    return replace(found, subject=f"{network.noun(worker)} · ip rule {said}", near_miss=said)


def _destination(way: Way) -> str:
    """Of the entry that decides, which begins with it or with a kind (``blackhole``)."""
    first = next((word for word in way.route.split() if word != way.kind), "")
    return "0.0.0.0/0" if first == "default" else first


def _is_part(destination: str, cidr: str) -> bool:
    try:
        return ranges.network(destination).subnet_of(ranges.network(cidr))
    except ValueError:
        return False


def _own(network: Network, worker: str, way: Way, bridge: str) -> Finding:
    """The route to the bridge is made again where it went with the mistaken one, and the bridge is there."""
    links = {link.name: link for link in network.evidence.nodes[worker].links}
    addresses = links[bridge].addresses if bridge in links else ()
    address = next(filter(None, addresses), f"{way.address}/32")
    around, gateway = ranges.network(address), address.split("/")[0]
    again = f"sudo ip route replace {around} dev {shlex.quote(bridge)} scope link src {gateway}"
    command = f"if ip link show {shlex.quote(bridge)} >/dev/null 2>&1; then {again}; fi"
    # Where the bridge is not there, the next pod brings it, and nobody has seen what it is like.
    there = bridge in links
    made: list[Change] = [KernelRouteMade(worker=worker, destination=str(around), device=bridge)] * there
    if way.route and not way.route.startswith("default "):
        command = f"{removing(way)}; {command}"
        made = [*taken_away(worker, way), *made] if there else []
    return _finding(network, worker, way, f"{around} dev {bridge}", command, made, "own")


def _finding(
    network: Network,
    worker: str,
    way: Way,
    expected: str,
    command: str,
    changes: list[Change],
    variant: str,
    rule: str = "",
) -> Finding:
    observed = way.route or f"{way.kind} {way.address} {way.device}".strip()
    return Finding(
        code="node-route-conflict",
        subject=f"{network.noun(worker)} · {observed}",
        worker=worker,
        expected=expected,
        observed=observed,
        variant=variant,
        changes=tuple(changes),
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "towards_noun": network.noun(way.towards) if way.towards else way.address,
            "address": way.address,
            "route": observed,
            "device": way.device or way.kind,
            "command": shlex.quote(command),
            **({"rule": rule} if rule else {}),
        },
    )
