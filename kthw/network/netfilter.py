"""What a node's firewall does to one packet of a pod, by its rules as the tools print them.

Conservative: a match that is not understood may or may not hold, and a packet counts as dropped only where
it is dropped either way.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from ipaddress import IPv4Address
from typing import Final

import msgspec

from kthw.network.firewall_rules import Rule, parsed
from kthw.network.matching import holds, networks, spans
from kthw.network.packet import Packet, met
from kthw.observed.evidence import Chain

_Key = tuple[str, str, str]
"""A chain's tool, table and name."""
_DEEPEST: Final = 16
"""How many jumps deep chains are followed (nftables allows no more), and how many drops are told."""

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
        self.named = {network for value in named for network in networks(value)}
        """The ranges of addresses that its rules tell apart."""
        self.may_drop = any(chain.policy == "DROP" for chain in self._base) or any(
            rule.verb.name == "drop" for rules in self._rules.values() for rule in rules
        )
        """Whether anything in it drops packets at all."""
        self.hides = any(chain.cut for chain in self._chains.values()) or any(
            self._is_unseen(self._chains[key], rule) for key, rules in self._rules.items() for rule in rules
        )
        """Whether packets meet anything in it that was not seen."""
        self.by_lot = any(
            rule.verb.name == "drop" and _by_chance(rule) for rules in self._rules.values() for rule in rules
        )
        """Whether any rule drops some packets, and others that are alike not."""
        self._remembered: dict[tuple[object, ...], tuple[Drop, ...]] = {}

    def drops(self, packet: Packet) -> tuple[Drop, ...]:
        """All that drops the packet: the first thing, what would if that were gone, and so on."""
        key = (
            packet.protocol, packet.entering, packet.leaving, packet.reply, packet.too_big, packet.course,
            packet.masked, packet.port, packet.asker,
            self.alike(packet.source), self.alike(packet.destination),
        )  # fmt: skip
        if key not in self._remembered:
            self._remembered[key] = self._drops(packet)
        return self._remembered[key]

    def doubt(self, packet: Packet) -> Drop | None:
        """What may drop the packet, or may not: a match that is not understood, or what was not seen."""
        walks: dict[Packet, _Walk] = {}
        for chain in self._base:
            seen = met(packet, chain)
            if seen is None:
                continue
            walk = walks.setdefault(seen, _Walk(self._chains, self._rules, seen, (), doubts=True))
            drops = [end for end in walk.ends(chain) if isinstance(end, Drop)]
            for found in (*drops, *walk.unseen):
                return found
        return None

    def _is_unseen(self, chain: Chain, rule: Rule) -> bool:
        hands_on = rule.verb.name in ("jump", "goto", "unknown")
        return hands_on and (chain.tool, chain.table, rule.verb.target) not in self._chains

    def ports(self, what: str) -> list[tuple[int, int]]:
        """The spans that its rules tell apart, of ``source-port`` or ``destination-port``."""
        asked = {v for rules in self._rules.values() for r in rules for w, v, _ in r.matches if w == what}
        return [span for value in asked for span in spans(value) or ()]

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
        return {base.hook for base in self._base if any(chain == each for each, _ in self._reached(base))}

    def alike(self, address: IPv4Address) -> tuple[bool, ...]:
        """The same for all addresses that no rule tells apart."""
        return tuple(address in network for network in self.named)

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
        self.unseen: list[Drop] = []
        """Rules that hand the packet to what was not seen; with an empty one, those that a chain lost."""

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
        if chain.cut:
            self.unseen.append(Drop(chain))
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
            if verb.name != "accept":
                self.unseen.append(Drop(chain, rule.text))
            return {_Then.THROUGH}
        outcomes = self._outcomes(target, depth + 1)
        if verb.name == "goto":
            return outcomes
        return {_Then.NEXT if each is _Then.BACK else each for each in outcomes}


def _by_chance(rule: Rule) -> bool:
    return any(not what and value in _CHANCE for what, value, _ in rule.matches)
