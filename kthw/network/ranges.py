"""Arithmetic on IPv4 ranges: pieces of a network, and the ranges the pods of a cluster live in."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Final

from kthw.intended import tutorial

_WIDEST_RANGE: Final = 8
"""Pod CIDRs that have no more in common than this many bits are not one range."""
TUTORIAL: Final = IPv4Network(tutorial.POD_RANGE)
CANDIDATES: Final = tuple(TUTORIAL.subnets(new_prefix=24))
"""The pod CIDRs the tutorial would give, in order."""
BESIDE: Final = tuple(
    each
    for block in ("10.128.0.0/9", "172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/9")
    for each in IPv4Network(block).subnets(new_prefix=16)
)
"""The private ranges (RFC 1918) as wide as the tutorial's, those least often a VPC's first.

The tutorial's is among them: where these are asked for, none of it is free.
"""


@functools.lru_cache(maxsize=65536)
def network(text: str) -> IPv4Network:
    """``text``, a CIDR or an address as AWS prints them, as a network."""
    return IPv4Network(text, strict=False)


def cells(whole: IPv4Network, cuts: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    """``whole`` in pieces such that every cut either holds a piece entirely or not at all."""
    inside = [cut for cut in cuts if cut != whole and cut.subnet_of(whole)]
    if not inside:
        yield whole
        return
    for half in whole.subnets():
        yield from cells(half, inside)


class Owners:
    """Networks and who has them, to look up who has a network, or anything that it holds or is held by.

    Two networks overlap only where one holds the other, so a look-up costs no more for many than for few.
    """

    def __init__(self, owned: Mapping[str, IPv4Network]) -> None:
        self._exact: dict[tuple[int, int], list[str]] = {}
        for owner, cidr in owned.items():
            self._exact.setdefault((cidr.prefixlen, int(cidr.network_address)), []).append(owner)
        self._prefixes = {prefix for prefix, _ in self._exact}
        self._starts = sorted((start, prefix) for prefix, start in self._exact)

    def of(self, wanted: IPv4Network) -> list[str]:
        """Those that have just this network."""
        return self._exact.get((wanted.prefixlen, int(wanted.network_address)), [])

    def holding(self, wanted: IPv4Network) -> Iterator[str]:
        """Those whose network holds it, or is it."""
        start = int(wanted.network_address)
        for prefix in self._prefixes:
            if prefix <= wanted.prefixlen:
                yield from self._exact.get((prefix, start >> (32 - prefix) << (32 - prefix)), ())

    def overlapping(self, wanted: IPv4Network) -> Iterator[str]:
        """Those whose network overlaps it."""
        yield from self.holding(wanted)
        first = bisect.bisect_left(self._starts, (int(wanted.network_address),))
        last = bisect.bisect_left(self._starts, (int(wanted.broadcast_address) + 1,))
        for start, prefix in self._starts[first:last]:
            if prefix > wanted.prefixlen:
                yield from self._exact[prefix, start]


def range_of(wanted: IPv4Network, ranges: Collection[IPv4Network]) -> IPv4Network:
    """The first of ``ranges`` that holds ``wanted``, or ``wanted`` itself."""
    return next((found for found in ranges if wanted.subnet_of(found)), wanted)


def pod_ranges(pod_cidrs: Iterable[IPv4Network]) -> tuple[IPv4Network, ...]:
    """The ranges the cluster carves its pod CIDRs from.

    The tutorial's own when any pod CIDR lies in it, and the smallest network around the others.
    """
    given = set(pod_cidrs)
    others = sorted(cidr for cidr in given if not cidr.subnet_of(TUTORIAL))
    ranges = [TUTORIAL] if len(others) < len(given) else []
    if others:
        around = others[0]
        while not all(cidr.subnet_of(around) for cidr in others):
            around = around.supernet()
        ranges += [around] if around.prefixlen >= _WIDEST_RANGE else others
    return tuple(ranges)
