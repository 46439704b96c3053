"""What a node's firewall does to one packet of a pod, by its rules as the tools print them.

Conservative: a match that is not understood may or may not hold, and a packet counts as dropped only where
it is dropped either way.
"""

from __future__ import annotations

import enum
import functools
import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from ipaddress import IPv4Address, IPv4Network
from typing import Final

import msgspec

from kthw.network import ranges
from kthw.network.firewall_rules import Rule, parsed
from kthw.network.packet import Packet, met
from kthw.observed.evidence import Chain

_Key = tuple[str, str, str]
"""A chain's tool, table and name."""
_DEEPEST: Final = 16
"""How many jumps deep chains are followed (nftables allows no more), and how many drops are told."""
_PORT: Final = re.compile(r"[0-9]{1,9}")
_UNLISTED: Final = re.compile(r"@|(^|,)[0-9]+-[0-9]")
"""A set by name (``@pods``), or a range of numbers, where names and numbers are compared."""

_PROTOCOLS: Final = {"icmp": {"icmp", "1"}, "tcp": {"tcp", "6"}, "udp": {"udp", "17"}}
"""By name, and by number as nft prints them where there is no ``/etc/protocols``."""
_ECHO_REQUEST: Final = {"echo-request", "8", "8/0", "any"}
_ECHO_REPLY: Final = {"echo-reply", "0", "0/0", "any"}
_TOO_BIG: Final = {"destination-unreachable", "3", "fragmentation-needed", "3/4", "any"}
_FRAGMENTATION: Final = {"frag-needed", "4"}
_NO_CODE: Final = {"net-unreachable", "0"}
"""As nft prints the code 0, whatever the type is."""
_CHANCE: Final = frozenset(["statistic", "numgen", "limit", "hashlimit"])
"""What rules match some of the packets with that are alike, the next of which they pass over."""


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
        named = {value for rules in self._rules.values() for rule in rules for _, value, _ in rule.matches}
        self._named = {network for value in named for network in _networks(value)}
        self.may_drop = any(chain.policy == "DROP" for chain in self._base) or any(
            rule.verb.name == "drop" for rules in self._rules.values() for rule in rules
        )
        """Whether anything in it drops packets at all."""
        self._remembered: dict[tuple[object, ...], tuple[Drop, ...]] = {}

    def drops(self, packet: Packet) -> tuple[Drop, ...]:
        """All that drops the packet: the first thing, what would if that were gone, and so on."""
        key = (
            packet.protocol, packet.entering, packet.leaving, packet.reply, packet.too_big, packet.course,
            packet.masked, self.alike(packet.source), self.alike(packet.destination),
        )  # fmt: skip
        if key not in self._remembered:
            self._remembered[key] = self._drops(packet)
        return self._remembered[key]

    def at_random(self, packet: Packet) -> list[Drop]:
        """The rules that drop one such packet and let the next one pass: by lot, or beyond a rate."""
        found: dict[Drop, None] = {}
        for base in self._base:
            seen = met(packet, base)
            for chain, rule in self._reached(base, seen) if seen else ():
                if rule.verb.name == "drop" and _by_chance(rule):
                    found[Drop(chain, rule.text)] = None
        return list(found)

    def _reached(self, base: Chain, packet: Packet | None = None) -> Iterator[tuple[Chain, Rule]]:
        """The rules of that chain and of all it jumps to; with a packet, those that may hold for it."""
        waiting, seen = [base], {base}
        while waiting:
            chain = waiting.pop()
            for rule in self._rules[chain.tool, chain.table, chain.name]:
                if packet and holds(rule, packet) is False:
                    continue
                yield chain, rule
                target = self._chains.get((chain.tool, chain.table, rule.verb.target))
                if target and target not in seen:
                    seen.add(target)
                    waiting.append(target)

    def hooks_of(self, chain: Chain) -> set[str]:
        """Those of the base chains that lead to it: its own, where it is one."""
        if chain.policy:
            return {chain.hook}
        same = (base for base in self._base if (base.tool, base.table) == (chain.tool, chain.table))
        return {base.hook for base in same if any(chain == each for each, _ in self._reached(base))}

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
        """What drops the packet whatever else holds: nothing is told that only may match."""
        walks: dict[Packet, tuple[_Walk, _Walk]] = {}
        for chain in self._base:
            seen = met(packet, chain)
            if seen is None:
                continue
            if seen not in walks:
                walk, certain = (
                    _Walk(self._chains, self._rules, seen, mended, doubts=doubts) for doubts in (True, False)
                )
                walks[seen] = walk, certain
            walk, certain = walks[seen]
            if _Then.THROUGH not in walk.ends(chain):
                return next(end for end in certain.ends(chain) if isinstance(end, Drop))
        return None


class _Then(enum.Enum):
    """What may become of a packet that is not dropped."""

    THROUGH = enum.auto()
    """It may get through: nothing that comes after it is a drop either way."""
    NEXT = enum.auto()
    """The next rule is asked."""
    BACK = enum.auto()
    """The chain has ended: the chain that jumped here goes on, else the policy counts."""


class _Walk:
    """One packet on its way through the chains, some rules taken away: what may become of it.

    Each chain is walked once, whoever jumps to it. The kernel takes no chains that jump in a circle; what a
    worker tells may have them, and however deep. ``doubts``: what may match is followed both ways, else it
    is taken not to match.
    """

    def __init__(
        self,
        chains: Mapping[_Key, Chain],
        rules: Mapping[_Key, Sequence[Rule]],
        packet: Packet,
        mended: Collection[Drop],
        *,
        doubts: bool,
    ) -> None:
        self._chains = chains
        self._rules = rules
        self._packet = packet
        self._mended = mended
        self._doubts = doubts
        self._known: dict[_Key, Set[Drop | _Then]] = {}

    def ends(self, chain: Chain) -> Set[Drop | _Then]:
        """All that may come of the chain's rules and policy: ``THROUGH``, or a ``Drop``."""
        dropped = Drop(chain)
        drops = chain.policy == "DROP" and dropped not in self._mended
        behind = dropped if drops else _Then.THROUGH
        return {behind if each is _Then.BACK else each for each in self._outcomes(chain, 0)}

    def _outcomes(self, chain: Chain, depth: int) -> Set[Drop | _Then]:
        """All that may come: ``THROUGH``, a ``Drop``, or ``BACK``."""
        key = (chain.tool, chain.table, chain.name)
        if key not in self._known and depth <= _DEEPEST:
            self._known[key] = {_Then.THROUGH}  # as long as it is walked: for chains that jump in a circle
            self._known[key] = self._walked(chain, self._rules[key], depth)
        return self._known.get(key, {_Then.THROUGH})

    def _walked(self, chain: Chain, rules: Sequence[Rule], depth: int) -> Set[Drop | _Then]:
        outcomes: set[Drop | _Then] = set()
        for rule in rules:
            held = holds(rule, self._packet)
            if not (held or (held is None and self._doubts)) or Drop(chain, rule.text) in self._mended:
                continue
            does = self._does(rule, chain, depth)
            outcomes |= does - {_Then.NEXT}
            if held and _Then.NEXT not in does:
                return outcomes
        return outcomes | {_Then.THROUGH if chain.cut else _Then.BACK}

    def _does(self, rule: Rule, chain: Chain, depth: int) -> Set[Drop | _Then]:
        """What a rule may do with what it matches; what is not known may let it through."""
        verb = rule.verb
        if verb.name == "drop":
            return {Drop(chain, rule.text)}
        if verb.name == "return":
            return {_Then.BACK}
        if verb.name == "go-on":
            return {_Then.NEXT}
        target = self._chains.get((chain.tool, chain.table, verb.target))
        if target is None:
            return {_Then.THROUGH}
        outcomes = self._outcomes(target, depth + 1)
        if verb.name == "goto":
            return outcomes
        return {_Then.NEXT if each is _Then.BACK else each for each in outcomes}


def _by_chance(rule: Rule) -> bool:
    return any(not what and value in _CHANCE for what, value, _ in rule.matches)


def holds(rule: Rule, packet: Packet) -> bool | None:
    """Whether the rule's matches hold for the packet; ``None`` where that is not known."""
    known = True
    for what, value, negated in rule.matches:
        held = _holds(what, value, packet)
        if held is negated:
            return False
        known = known and held is not None
    return known or None


def _holds(what: str, value: str, packet: Packet) -> bool | None:
    if what in ("source", "destination"):
        address = packet.source if what == "source" else packet.destination
        networks = _networks(value)
        return any(address in network for network in networks) if networks else None
    if what in ("entering", "leaving"):
        interface = packet.entering if what == "entering" else packet.leaving
        return _interface(interface, value) if interface else None
    if what == "protocol":
        return _listed(_PROTOCOLS[packet.protocol], value)
    if what == "state" and not packet.tracked:
        return None
    if what == "state":
        state = "related" if packet.too_big else "established" if packet.reply else "new"
        return state in value.lower().split(",")
    if what == "icmp-type":
        kind = _TOO_BIG if packet.too_big else _ECHO_REPLY if packet.reply else _ECHO_REQUEST
        return _listed(kind, value)
    if what == "icmp-code":
        return _listed(_FRAGMENTATION if packet.too_big else _NO_CODE, value)
    if what in ("source-port", "destination-port"):
        ports = packet.source_ports if what == "source-port" else packet.destination_ports
        return _ports(value, ports) if ports else None
    return False if what == "never" else None


def _interface(interface: str, pattern: str) -> bool | None:
    for each in pattern.split(","):
        wild = each.endswith(("+", "*"))
        if interface == each or (wild and interface.startswith(each[:-1])):
            return True
    return None if "@" in pattern else False


def _listed(names: Set[str], value: str) -> bool | None:
    """Whether any of the names is in a list, as far as it can be read."""
    if not names.isdisjoint(value.split(",")):
        return True
    return None if _UNLISTED.search(value) else False


def _ports(value: str, ports: range) -> bool | None:
    """Whether they are ``22,8000:8999``; ``None`` where only some are, or may be."""
    spans = []
    for each in value.split(","):
        low, _, high = each.replace(":", "-").partition("-")
        if not _PORT.fullmatch(low) or not _PORT.fullmatch(high or low):
            return None
        spans.append((int(low), int(high or low)))
    if any(low <= ports[0] and ports[-1] <= high for low, high in spans):
        return True
    return None if any(low <= ports[-1] and ports[0] <= high for low, high in spans) else False


@functools.lru_cache(maxsize=4096)
def _networks(value: str) -> tuple[IPv4Network, ...]:
    """The networks in ``10.200.0.0/16,10.0.1.20-10.0.1.29``; none where not all of it can be read.

    That is a set by name, an element's comment, or a mask with holes, as iptables has them.
    """
    found: list[IPv4Network] = []
    try:
        for each in value.split(","):
            first, dash, last = each.partition("-")
            if dash:
                found += ipaddress.summarize_address_range(IPv4Address(first), IPv4Address(last))
            else:
                found.append(ranges.network(each))
    except ValueError:
        return ()
    return tuple(found)
