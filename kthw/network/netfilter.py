"""What a node's firewall does to one forwarded packet, by its rules as the tools print them.

Conservative: a match that is not understood may or may not hold, and a packet counts as dropped only where
it is dropped either way.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

import msgspec

from kthw.network import ranges
from kthw.network.firewall_rules import Rule, parsed
from kthw.observed.evidence import PROBE_PORT, Chain

Sure = Literal["yes", "no", "maybe"]
_Key = tuple[str, str, str]
"""A chain's tool, table and name."""
_EPHEMERAL: Final = range(32768, 61000)
"""Where Linux takes the ports of connections from (``ip_local_port_range``)."""
_DEEPEST: Final = 16
_PORT: Final = re.compile(r"[0-9]{1,9}")
_UNFOLLOWED: Final[Set[Drop | str]] = frozenset({"accept", "go-on"})
"""What may become of a packet in chains that are not followed: anything but a drop."""


class Packet(msgspec.Struct, frozen=True, kw_only=True):
    """``entering``, ``leaving``: interfaces, empty where unknown. ``reply``: to one that was let through."""

    source: IPv4Address
    destination: IPv4Address
    protocol: Literal["icmp", "tcp"]
    entering: str = ""
    leaving: str = ""
    reply: bool = False

    @property
    def source_ports(self) -> range:
        return range(PROBE_PORT, PROBE_PORT + 1) if self.reply else _EPHEMERAL

    @property
    def destination_ports(self) -> range:
        return _EPHEMERAL if self.reply else range(PROBE_PORT, PROBE_PORT + 1)


class Drop(msgspec.Struct, frozen=True):
    """What drops a packet: a rule of a chain, or its policy where ``rule`` is empty."""

    chain: Chain
    rule: str = ""


class Firewall:
    """The chains of one node. ``drops`` is remembered for packets that no rule can tell apart."""

    def __init__(self, chains: Iterable[Chain]) -> None:
        self._chains: dict[_Key, Chain] = {(c.tool, c.table, c.name): c for c in chains}
        self._base = [chain for chain in self._chains.values() if chain.policy]
        self._rules: dict[_Key, tuple[Rule, ...]] = {
            key: tuple(parsed(chain.tool, rule) for rule in chain.rules)
            for key, chain in self._chains.items()
        }
        named = {
            value
            for rules in self._rules.values()
            for rule in rules
            for what, value, _ in rule.matches
            if what in ("source", "destination")
        }
        self._named = sorted({network for value in named for network in _networks(value)})
        self.may_drop = any(chain.policy == "DROP" for chain in self._base) or any(
            rule.verb.name == "drop" for rules in self._rules.values() for rule in rules
        )
        """Whether anything in it drops packets at all."""
        self._remembered: dict[tuple[object, ...], tuple[Drop, ...]] = {}

    def drops(self, packet: Packet) -> tuple[Drop, ...]:
        """All that drops the packet: the first thing, what would if that were gone, and so on."""
        key = (
            packet.protocol, packet.entering, packet.leaving, packet.reply,
            self.alike(packet.source), self.alike(packet.destination),
        )  # fmt: skip
        if key not in self._remembered:
            self._remembered[key] = self._drops(packet)
        return self._remembered[key]

    def alike(self, address: IPv4Address) -> tuple[bool, ...]:
        """The same for all addresses that no rule tells apart."""
        return tuple(address in network for network in self._named)

    def accepting(self) -> list[str]:
        """The rules that accept something, as the tool prints them."""
        return [rule.text for rules in self._rules.values() for rule in rules if rule.verb.name == "accept"]

    def _drops(self, packet: Packet) -> tuple[Drop, ...]:
        mended: list[Drop] = []
        while len(mended) < _DEEPEST:
            drop = self._first(packet, mended)
            if drop is None:
                break
            mended.append(drop)
        return tuple(mended)

    def _first(self, packet: Packet, mended: Collection[Drop]) -> Drop | None:
        walk = _Walk(self._chains, self._rules, packet, mended)
        for chain in self._base:
            outcomes = set(walk.outcomes(chain))
            if "go-on" in outcomes:
                policy = Drop(chain)
                outcomes -= {"go-on"}
                outcomes |= {policy if chain.policy == "DROP" and policy not in mended else "accept"}
            drops = [outcome for outcome in outcomes if isinstance(outcome, Drop)]
            if len(drops) == len(outcomes):
                return min(
                    drops, key=lambda drop: chain.rules.index(drop.rule) if drop.rule in chain.rules else -1
                )
        return None


class _Walk:
    """One packet on its way through the chains, some rules taken away: what may become of it.

    Each chain is walked once, whoever jumps to it. The kernel takes no chains that jump in a circle; what a
    worker tells may have them, and however deep.
    """

    def __init__(
        self,
        chains: Mapping[_Key, Chain],
        rules: Mapping[_Key, Sequence[Rule]],
        packet: Packet,
        mended: Collection[Drop],
    ) -> None:
        self._chains = chains
        self._rules = rules
        self._packet = packet
        self._mended = mended
        self._known: dict[_Key, Set[Drop | str]] = {}
        self._depth = 0

    def outcomes(self, chain: Chain) -> Set[Drop | str]:
        """All that may come: ``accept``, a ``Drop``, or ``go-on`` behind the chain's end."""
        key = (chain.tool, chain.table, chain.name)
        if key not in self._known and self._depth <= _DEEPEST:
            self._known[key] = _UNFOLLOWED
            self._depth += 1
            self._known[key] = self._walked(chain, self._rules[key])
            self._depth -= 1
        return self._known.get(key, _UNFOLLOWED)

    def _walked(self, chain: Chain, rules: Sequence[Rule]) -> Set[Drop | str]:
        outcomes: set[Drop | str] = set()
        for rule in rules:
            sure = holds(rule, self._packet)
            if sure == "no" or Drop(chain, rule.text) in self._mended:
                continue
            does = self._does(rule, chain)
            outcomes |= does - {"on"}
            if sure == "yes" and "on" not in does:
                return outcomes
        return outcomes | (_UNFOLLOWED if chain.cut else {"go-on"})

    def _does(self, rule: Rule, chain: Chain) -> Set[Drop | str]:
        """What a rule may do with what it matches; ``on``: the next rule is asked."""
        verb = rule.verb
        if verb.name == "drop":
            return {Drop(chain, rule.text)}
        if verb.name in ("jump", "goto"):
            target = self._chains.get((chain.tool, chain.table, verb.target))
            if target is None:
                return {"accept", "on"}
            outcomes = self.outcomes(target)
            behind = {"on"} if verb.name == "jump" else {"go-on"}
            return (outcomes - {"go-on"}) | behind if "go-on" in outcomes else outcomes
        known: dict[str, set[Drop | str]] = {"accept": {"accept"}, "return": {"go-on"}, "go-on": {"on"}}
        return known.get(verb.name, {"accept", "on"})


def holds(rule: Rule, packet: Packet) -> Sure:
    """Whether the rule's matches hold for the packet."""
    sure: Sure = "yes"
    for what, value, negated in rule.matches:
        one = _holds(what, value, packet)
        if negated and one != "maybe":
            one = "no" if one == "yes" else "yes"
        if one == "no":
            return "no"
        sure = one if one == "maybe" else sure
    return sure


def _holds(what: str, value: str, packet: Packet) -> Sure:
    if what in ("source", "destination"):
        address = packet.source if what == "source" else packet.destination
        return _sure(any(address in network for network in _networks(value)), value)
    if what in ("entering", "leaving"):
        interface = packet.entering if what == "entering" else packet.leaving
        return _interface(interface, value) if interface else "maybe"
    if what == "protocol":
        return _sure(packet.protocol in _protocols(value), value)
    if what == "state":
        states = value.lower().split(",")
        return _sure(("established" if packet.reply else "new") in states, value)
    if what == "icmp-type":
        return _icmp(value, packet)
    if what in ("source-port", "destination-port"):
        ports = packet.source_ports if what == "source-port" else packet.destination_ports
        return "no" if packet.protocol != "tcp" else _ports(value, ports)
    if what == "never":
        return "no"
    return "maybe"


def _sure(is_so: bool, value: str) -> Sure:
    """A set by name (``@pods``) may hold anything."""
    if "@" in value:
        return "maybe"
    return "yes" if is_so else "no"


def _interface(interface: str, pattern: str) -> Sure:
    for each in pattern.split(","):
        wild = each.endswith(("+", "*"))
        if interface == each or (wild and interface.startswith(each[:-1])):
            return "yes"
    return "maybe" if "@" in pattern else "no"


def _protocols(value: str) -> set[str]:
    names = {"1": "icmp", "6": "tcp"}
    each = {names.get(word, word) for word in value.split(",")}
    return each | ({"icmp", "tcp"} if each & {"all", "0", "ip"} else set())


def _icmp(value: str, packet: Packet) -> Sure:
    if packet.protocol != "icmp":
        return "no"
    mine = {"echo-reply", "0", "0/0"} if packet.reply else {"echo-request", "8", "8/0"}
    return _sure(bool((mine | {"any", "255"}) & set(value.split(","))), value)


def _ports(value: str, ports: range) -> Sure:
    inside = 0
    for each in value.split(","):
        low, _, high = each.replace(":", "-").partition("-")
        if not _PORT.fullmatch(low) or (high and not _PORT.fullmatch(high)):
            return "maybe"
        first, last = int(low), int(high or low)
        inside += max(0, min(last, ports[-1]) - max(first, ports[0]) + 1)
    if inside == 0:
        return "no"
    return "yes" if inside >= len(ports) else "maybe"


@functools.lru_cache(maxsize=4096)
def _networks(value: str) -> tuple[IPv4Network, ...]:
    """The networks in ``10.200.0.0/16,10.0.1.20-10.0.1.29``; what is none is left out."""
    found: list[IPv4Network] = []
    for each in value.split(","):
        first, dash, last = each.partition("-")
        try:
            if dash:
                found += ipaddress.summarize_address_range(IPv4Address(first), IPv4Address(last))
            else:
                found.append(ranges.network(each))
        except ValueError:
            continue
    return tuple(found)
