"""What security groups and network ACLs let through, as AWS defines it. Ranges and ports only; no workers.

A security group only allows: all rules of all of an ENI's groups, united. A rule that names a group
means the private addresses of that group's member ENIs and never an address behind them, so it does
not match a pod (VPC User Guide, *Security group rules*). One that names a prefix list means the list's
entries. A network ACL allows and denies: the first entry that matches, by number, decides, and what no entry
matches is denied (*Network ACLs*).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Final

import msgspec

from kthw.network import ranges
from kthw.observed.evidence import DNS_PORT, AclEntry, SecurityRule

_ANY: Final = -1
_ALL: Final = "-1"
_NUMBERS: Final = {"1": "icmp", "6": "tcp", "17": "udp"}
_LAST_PORT: Final = 65535
_EPHEMERAL: Final = (32768, 60999)
"""Where Linux takes the ports of what it opens from (``ip_local_port_range``)."""
_NEVER_OUTSIDE: Final = tuple(
    map(ranges.network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"))
)
"""What nobody comes from by way of an internet gateway (RFC 1918, 6598, 3927)."""
LAST_WORD: Final = 32767
"""The number under which AWS lists an ACL's last entry, ``*``."""
_FIRST, _STEP = 100, 10
"""As the console numbers entries: 100, 110, 120."""


class Need(msgspec.Struct, frozen=True):
    """Traffic that must get through: a protocol, and all of a span of ports.

    For ICMP it is a span of types, each with the code 0, which is that of a ping and its answer.
    """

    protocol: str
    low: int
    high: int

    def __str__(self) -> str:
        return (
            f"{self.protocol} {self.low}"
            if self.low == self.high
            else f"{self.protocol} {self.low}-{self.high}"
        )


REQUESTS: Final = (Need("icmp", 8, 8), Need("tcp", 1, _LAST_PORT), Need("udp", DNS_PORT, DNS_PORT))
"""What pods open: a ping, connections to any port another pod may listen on, and questions to its DNS.

Of UDP nothing else: many a cluster shuts one port or another of it that no pod ever uses.
"""
REPLIES: Final = (Need("icmp", 0, 0), Need("tcp", *_EPHEMERAL), Need("udp", *_EPHEMERAL))
"""What comes back to them."""


class GroupRules:
    """The rules of some security groups in one direction.

    ``members``: the private addresses by group. ``entries``: of the prefix lists that were read.
    """

    def __init__(
        self,
        rules: Iterable[SecurityRule],
        members: Mapping[str, Collection[str]],
        entries: Mapping[str, Collection[IPv4Network]],
    ) -> None:
        self.rules = tuple(rules)
        self._members = members
        self._entries = entries
        self._alone: dict[Need, frozenset[IPv4Network]] = {}
        self._allowed: dict[tuple[Need, IPv4Network], bool] = {}

    def allows(self, need: Need, peers: IPv4Network) -> bool:
        """Whether ``need`` gets through to, or from, every address of ``peers``."""
        if (need, peers) not in self._allowed:
            self._allowed[need, peers] = self._allows(need, peers)
        return self._allowed[need, peers]

    def _allows(self, need: Need, peers: IPv4Network) -> bool:
        if peers.prefixlen == peers.max_prefixlen and peers in self._by_group_alone(need):
            return True
        return not any(True for _ in self.gaps(need, peers))

    def gaps(self, need: Need, peers: IPv4Network) -> Iterator[tuple[IPv4Network, int]]:
        """In order of address, the parts of ``peers`` that not all of ``need`` gets through to, or from, each
        with the first port of it that does not.
        """
        spans = [(rule, span) for rule in self.rules if (span := _span(rule, need)) is not None]
        cidrs = [(cidr, span) for rule, span in spans for cidr in self._ranges(rule)]
        named = [(self._addresses(rule), span) for rule, span in spans if rule.groups]
        cuts = [cidr for cidr, _ in cidrs]
        for cell in ranges.cells(peers, cuts):
            here = [span for cidr, span in cidrs if cell.subnet_of(cidr)]
            # A group stands for single addresses, never for a whole range.
            here += [span for addresses, span in named if cell in addresses]
            port = _first_beyond(here, need)
            if port <= need.high:
                yield cell, port

    def undecided(self, need: Need, peers: IPv4Network) -> str:
        """The prefix list that was not read and may let through what ``allows`` says no to, or empty."""
        named = {each for rule in self.rules if _span(rule, need) for each in rule.prefix_lists}
        unread = named - self._entries.keys()
        supposed = {**self._entries, **dict.fromkeys(unread, (peers,))}
        if unread and GroupRules(self.rules, self._members, supposed).allows(need, peers):
            return min(unread)
        return ""

    def nearest(self, peers: IPv4Network) -> list[SecurityRule]:
        """The rules that concern some of ``peers``, or some group, without being enough."""
        return [
            rule
            for rule in self.rules
            if rule.groups or any(cidr.overlaps(peers) for cidr in self._ranges(rule))
        ]

    def about(self, need: Need) -> list[SecurityRule]:
        """The rules each of which lets all of ``need`` through, to or from some."""
        return [rule for rule in self.rules if (span := _span(rule, need)) and _covers([span], need)]

    def is_for_strangers(self, rule: SecurityRule) -> bool:
        """Whether it is, or may be, for an address that comes from the internet: a list that was not read."""
        unread = set(rule.prefix_lists) - self._entries.keys()
        inside = (any(cidr.subnet_of(block) for block in _NEVER_OUTSIDE) for cidr in self._ranges(rule))
        return bool(unread) or not all(inside)

    def _ranges(self, rule: SecurityRule) -> list[IPv4Network]:
        listed = (entry for each in rule.prefix_lists for entry in self._entries.get(each, ()))
        return [*(ranges.network(cidr) for cidr in rule.cidrs), *listed]

    def _by_group_alone(self, need: Need) -> frozenset[IPv4Network]:
        """The addresses for which the rules that name groups are enough."""
        if need not in self._alone:
            self._alone[need] = self._enough_by_group(need)
        return self._alone[need]

    def _enough_by_group(self, need: Need) -> frozenset[IPv4Network]:
        spans: dict[IPv4Network, list[tuple[int, int]]] = {}
        for rule in self.rules:
            span = _span(rule, need)
            for address in self._addresses(rule) if span else ():
                spans.setdefault(address, []).append(span or (0, 0))
        return frozenset(address for address, found in spans.items() if _covers(found, need))

    def _addresses(self, rule: SecurityRule) -> frozenset[IPv4Network]:
        return frozenset(ranges.network(a) for group in rule.groups for a in self._members.get(group, ()))


def denials(entries: Iterable[AclEntry], peers: IPv4Network, need: Need) -> list[AclEntry | None]:
    """The entries, of one direction, that deny a part of ``need``; ``None`` is the ACL's last word ``*``.

    Empty when all of ``need`` gets through to, or from, every address of ``peers``.
    """
    found: dict[int, AclEntry | None] = {}
    for _, _, first in denied(entries, peers, need):
        found.setdefault(first.number if first else LAST_WORD, first)
    return [found[number] for number in sorted(found)]


def denied(
    entries: Iterable[AclEntry], peers: IPv4Network, need: Need
) -> Iterator[tuple[IPv4Network, int, AclEntry | None]]:
    """The same, in order of address: the part of ``peers``, the port from which on it is, the entry."""
    spans = [
        (entry, ranges.network(entry.cidr), span)
        for entry in sorted(entries, key=lambda entry: entry.number)
        if entry.cidr and (span := _span(entry, need)) is not None
    ]
    for cell in ranges.cells(peers, [cidr for _, cidr, _ in spans]):
        here = [(entry, span) for entry, cidr, span in spans if cell.subnet_of(cidr)]
        starts = {need.low} | {edge for _, (low, high) in here for edge in (low, high + 1)}
        for port in sorted(start for start in starts if need.low <= start <= need.high):
            first = next((entry for entry, (low, high) in here if low <= port <= high), None)
            if first is None or not first.allow:
                yield cell, port, first


def rule_text(rule: SecurityRule, arrow: str) -> str:
    """``tcp 22 ← 0.0.0.0/0``."""
    ends = ", ".join((*rule.cidrs, *rule.groups, *rule.prefix_lists))
    return f"{_protocol_text(rule)} {arrow} {ends}"


def entry_text(entry: AclEntry | None, arrow: str) -> str:
    """``100 deny tcp 22 ← 10.0.2.0/24``, and ``* deny`` for what no entry matched."""
    if entry is None:
        return "* deny"
    action = "allow" if entry.allow else "deny"
    number = "*" if entry.number >= LAST_WORD else entry.number
    return f"{number} {action} {_protocol_text(entry)} {arrow} {entry.cidr}"


def _protocol_text(rule: SecurityRule | AclEntry) -> str:
    protocol = _NUMBERS.get(rule.protocol, rule.protocol)
    if protocol == _ALL:
        return "all"
    if rule.from_port == _ANY:
        return protocol
    if protocol == "icmp":
        return f"icmp {rule.from_port}" if rule.to_port == _ANY else f"icmp {rule.from_port}/{rule.to_port}"
    last = "" if rule.to_port == rule.from_port else f"-{rule.to_port}"
    return f"{protocol} {rule.from_port}{last}"


def _span(rule: SecurityRule | AclEntry, need: Need) -> tuple[int, int] | None:
    """The ports (ICMP: types of code 0) the rule speaks about, if it speaks about the protocol at all."""
    if rule.protocol == _ALL:
        return (0, _LAST_PORT)
    if _NUMBERS.get(rule.protocol, rule.protocol) != need.protocol:
        return None
    if rule.from_port == _ANY:
        return (0, _LAST_PORT)
    if need.protocol == "icmp":
        return (rule.from_port, rule.from_port) if rule.to_port in (_ANY, 0) else None
    return (rule.from_port, rule.to_port)


def _covers(spans: Iterable[tuple[int, int]], need: Need) -> bool:
    return _first_beyond(spans, need) > need.high


def _first_beyond(spans: Iterable[tuple[int, int]], need: Need) -> int:
    """The first port of ``need`` that is in none of them, or the one after its last."""
    reached = need.low
    for low, high in sorted(spans):
        if low <= reached <= high:
            reached = high + 1
    return reached


def number_before_denials(entries: list[AclEntry], spare: int) -> int:
    """A free rule number that is asked before any denial, ``spare`` of them left; 0 where there is none.

    What denies a part of it may be any of them; and where all fixes go before the same one, no two meet.
    """
    denial = min((entry.number for entry in entries if not entry.allow), default=LAST_WORD)
    before = {entry.number for entry in entries if entry.number < denial}
    after_all = max((n + _STEP for n in before), default=_FIRST) + _STEP * spare
    if after_all < denial:
        return after_all
    free = [n for n in range(denial - 1, 0, -1) if n not in before]
    return free[spare] if spare < len(free) else 0
