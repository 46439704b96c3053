"""What counts packets that are taken away on the node, and what programs may take them.

Looked at only where packets are lost and sent again.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

from kthw.observed.agent.firewall import command_of, of_nft, saved, text_of_tool
from kthw.observed.agent.system import MOST_NAME, Looking, UnseenError, read

SECONDS = 6.0
"""For all programs of one look."""
MOST_MOVED = 32
MOST_PROGRAMS = 16
MOST_RULE = 4000
MOST_COUNT = 100_000
_TAKES = re.compile(
    r"\b(?:drop|reject|queue|dnat|redirect|tproxy|fwd|DROP|REJECT|NFQUEUE|DNAT|REDIRECT|TPROXY|TARPIT)\b"
)
_COUNTED = re.compile(r"\[(\d+):\d+\] (-A (\S+) .*)")
_POLICY = re.compile(r":(\S+) (DROP) \[(\d+):\d+\]")
_NFT_COUNTER = re.compile(r"counter packets (\d+) bytes \d+")
_KERNEL = {
    "/proc/net/snmp": ("Ip", ("InHdrErrors", "InAddrErrors", "InDiscards", "OutDiscards", "OutNoRoutes")),
    "/proc/net/netstat": ("TcpExt", ("IPReversePathFilter",)),
}
_INGRESS = ("clsact", "ingress")
"""The kinds of qdisc that hold filters for what comes in."""


class Counters:
    """As they are when this is made."""

    def __init__(self) -> None:
        self.before = counts(Looking(SECONDS))

    def told(self) -> dict[str, Any]:
        """What moved since then, and the programs there are."""
        looking = Looking(SECONDS)
        return {"moved": moved(self.before, counts(looking)), "programs": programs(looking)}


def counts(looking: Looking) -> dict[tuple[str, ...], int]:
    """All that counts what is taken away: by tool, table, chain, policy and rule; or by a name alone."""
    found: dict[tuple[str, ...], int] = {}
    by_variant, _ = saved(looking, _of_iptables, "-c")
    known: set[str] = set()
    for name, rules in by_variant:
        known.update(f"ip {table}" for table, *_ in rules if name != "iptables-legacy")
        found.update({(command_of(name), *key): count for key, count in rules.items()})
    with contextlib.suppress(UnseenError):
        listed = of_nft(text_of_tool(looking, "nft", "-a", "list", "ruleset"), looking)
        found.update(_of_nft({table: chains for table, chains in listed.items() if table not in known}))
    found.update(_of_kernel())
    found.update({(f"tc qdisc {q['kind']} dev {q['dev']}: dropped",): q["drops"] for q in _qdiscs(looking)})
    return found


def moved(before: dict[tuple[str, ...], int], after: dict[tuple[str, ...], int]) -> list[dict[str, Any]]:
    """What counted more, those that did most first, as the noun of the evidence has it."""
    found = []
    for key, count in after.items():
        more = min(MOST_COUNT, count - before.get(key, 0))
        if more > 0 and key in before:
            told: dict[str, Any] = {"text": key[-1], "packets": more}
            if len(key) > 1:
                tool, table, name, policy, _ = key
                told["chain"] = {"tool": tool, "table": table, "name": name, "policy": policy}
            found.append(told)
    found.sort(key=lambda each: -each["packets"])
    return [each for each in found if len(each["text"]) <= MOST_RULE][:MOST_MOVED]


def programs(looking: Looking) -> list[dict[str, str]]:
    """The XDP programs and the tc filters on the node's interfaces."""
    found = []
    with contextlib.suppress(UnseenError):
        for link in looking.ip("-d", "link"):
            program = link.get("xdp")
            if isinstance(program, dict):
                told = program.get("prog")
                about = f" id {told['id']}" if isinstance(told, dict) and "id" in told else ""
                found.append({"kind": "xdp", "device": link["ifname"], "text": f"XDP{about}"})
    for device in sorted({q["dev"] for q in _qdiscs(looking) if q["kind"] in _INGRESS}):
        for side in ("ingress", "egress"):
            with contextlib.suppress(UnseenError):
                said = looking.text("tc", "filter", "show", "dev", device, side)
                for line in said.splitlines():
                    if line.startswith("filter ") and (" handle " in line or " fh " in line):
                        text = f"{side}: {' '.join(line.split()[1:])}"
                        found.append({"kind": "tc", "device": device, "text": text[:MOST_NAME]})
    return found[:MOST_PROGRAMS]


def _of_iptables(text: str, _program: str, _looking: Looking) -> dict[tuple[str, ...], int]:
    """By table, chain, policy and rule."""
    found: dict[tuple[str, ...], int] = {}
    table = ""
    for line in text.splitlines():
        rule, policy = _COUNTED.match(line), _POLICY.match(line)
        if line.startswith("*"):
            table = line[1:].strip()
        elif policy and policy[1].isupper():
            found[table, policy[1], policy[2], ""] = int(policy[3])
        elif rule and _TAKES.search(rule[2]):
            found[table, rule[3], "", rule[2].rstrip()] = int(rule[1])
    return found


def _of_nft(tables: dict[str, dict[str, Any]]) -> dict[tuple[str, ...], int]:
    """Those of its rules that count."""
    found: dict[tuple[str, ...], int] = {}
    for table, chains in tables.items():
        for name, about in chains.items():
            for rule in about["rules"]:
                counter = _NFT_COUNTER.search(rule)
                if counter and _TAKES.search(rule):
                    found["nft", table, name, "", _NFT_COUNTER.sub("counter", rule)] = int(counter[1])
    return found


def _of_kernel() -> dict[tuple[str, ...], int]:
    found: dict[tuple[str, ...], int] = {}
    for path, (group, names) in _KERNEL.items():
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = [line.split()[1:] for line in read(path).splitlines() if line.startswith(f"{group}:")]
            told = dict(zip(lines[0], lines[1]))  # noqa: B905 -- Python 3.6 has no strict=
            found.update({(name,): int(told[name]) for name in names if name in told})
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in read("/proc/net/dev").splitlines()[2:]:
            device, _, numbers = line.partition(":")
            each = numbers.split()
            found[f"{device.strip()}: rx dropped",] = int(each[3])
            found[f"{device.strip()}: tx dropped",] = int(each[11])
    return found


def _qdiscs(looking: Looking) -> list[dict[str, Any]]:
    try:
        listed = json.loads(looking.text("tc", "-s", "-j", "qdisc", "show"))
    except (UnseenError, ValueError, RecursionError):
        return []
    found = []
    for each in listed if isinstance(listed, list) else ():
        fits = isinstance(each, dict) and all(isinstance(each.get(key), str) for key in ("kind", "dev"))
        if fits and isinstance(each.get("drops"), int):
            found.append(each)
    return found
