"""Arithmetic on IPv4 ranges: pieces of a network, and the ranges the pods of a cluster live in."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Network
from typing import Final

from kthw.intended import tutorial

_WIDEST_RANGE: Final = 8
"""Pod CIDRs that have no more in common than this many bits are not one range."""
_TUTORIAL: Final = IPv4Network(tutorial.POD_RANGE)


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


def range_of(wanted: IPv4Network, ranges: Collection[IPv4Network]) -> IPv4Network:
    """The first of ``ranges`` that holds ``wanted``, or ``wanted`` itself."""
    return next((found for found in ranges if wanted.subnet_of(found)), wanted)


def pod_ranges(pod_cidrs: Iterable[IPv4Network]) -> tuple[IPv4Network, ...]:
    """The ranges the cluster carves its pod CIDRs from.

    The tutorial's own when any pod CIDR lies in it, and the smallest network around the others.
    """
    given = set(pod_cidrs)
    others = sorted(cidr for cidr in given if not cidr.subnet_of(_TUTORIAL))
    ranges = [_TUTORIAL] if len(others) < len(given) else []
    if others:
        around = others[0]
        while not all(cidr.subnet_of(around) for cidr in others):
            around = around.supernet()
        ranges += [around] if around.prefixlen >= _WIDEST_RANGE else others
    return tuple(ranges)


def free_pod_cidr(position: int, workers: int, taken: Collection[IPv4Network]) -> IPv4Network | None:
    """A pod CIDR nobody has, another one for each ``position`` among ``workers``.

    The tutorial's own for that position, else one past those of all workers.
    """
    candidates = list(_TUTORIAL.subnets(new_prefix=24))
    free = [c for c in candidates if not any(c.overlaps(other) for other in taken)]
    if candidates[position : position + 1] and candidates[position] in free:
        return candidates[position]
    later = [c for c in free if c not in candidates[:workers]]
    return next(iter([*later[position:], *later, *free]), None)
