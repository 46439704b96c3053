"""What counted packets on a node, or sees each of them, where a pair's get lost and nothing explains it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Final

from kthw.findings.firewall_commands import mending, told
from kthw.network.model import Network
from kthw.network.netfilter import Drop
from kthw.network.traces import Fate
from kthw.observed.evidence import SENT_AGAIN, Chain, Moved, Program, Trace

_ELSEWHERE: Final = ("INPUT", "OUTPUT")
"""Chains of iptables that no packet between two nodes' pods passes."""
_TURNS: Final = re.compile(r"\b(?:DNAT|REDIRECT|dnat|redirect)\b")
"""What sends packets elsewhere; it is asked, and counts, once for all packets of a connection."""


def witnesses(network: Network, trace: Trace, came: Fate) -> tuple[str, dict[str, str]]:
    """The situation as far as something bears witness to it, and the facts; empty where nothing does.

    A rule comes before a program, and that before a counter of the kernel's.
    """
    if came.situation.endswith("-in-vpc"):
        return _before_anybody_sees(network, came.missing.split(" ", 1)[1])
    place = "astray" if came.situation == "astray" else "on-node" if "-on-node" in came.situation else ""
    node = network.evidence.nodes.get(came.where)
    if not place or node is None:
        return "", {}
    # A connection is begun once, and again only after a second.
    least = SENT_AGAIN if trace.protocol == "icmp" else 1
    for moved in node.moved:
        if moved.chain and _may_be_it(moved, moved.chain, least, turned=place == "astray"):
            drop = Drop(moved.chain, moved.text)
            if command := mending(drop):
                return f"{place}-rule", {"counted": f"{told(drop)} +{moved.packets}", "command": command}
    if place == "astray":
        return "", {}
    counters = [f"{m.text} +{m.packets}" for m in node.moved if not m.chain and m.packets >= least]
    if node.programs:
        counted = "; ".join([*map(_named, node.programs), *counters])
        return "on-node-program", {"counted": counted, "command": _without(node.programs)}
    return ("on-node-counted", {"counted": "; ".join(counters)}) if counters else ("", {})


def _may_be_it(moved: Moved, chain: Chain, least: int, *, turned: bool) -> bool:
    if chain.tool != "nft" and chain.name in _ELSEWHERE:
        return False
    if turned:
        return bool(_TURNS.search(moved.text))
    return moved.packets >= least and not _TURNS.search(moved.text)


def _before_anybody_sees(network: Network, worker: str) -> tuple[str, dict[str, str]]:
    """XDP programs at the other end: a packet that one takes is seen by nobody there."""
    node = network.evidence.nodes.get(worker)
    found = [each for each in (node.programs if node else ()) if each.kind == "xdp"]
    if not found:
        return "", {}
    facts = {"where": worker, "where_login": network.login(worker)}
    return "in-vpc-program", {
        **facts,
        "counted": "; ".join(map(_named, found)),
        "command": _without(found),
    }


def _named(program: Program) -> str:
    return f"{program.kind} {program.device}: {program.text}"


def _without(programs: Iterable[Program]) -> str:
    """The command line that takes them away, quoted."""
    commands = dict.fromkeys(
        shlex.join(["sudo", "ip", "link", "set", "dev", each.device, "xdp", "off"])
        if each.kind == "xdp"
        else shlex.join(["sudo", "tc", "filter", "del", "dev", each.device, _side(each)])
        for each in programs
    )
    return shlex.quote(" && ".join(commands))


def _side(program: Program) -> str:
    return "egress" if program.text.startswith("egress") else "ingress"
