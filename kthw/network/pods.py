"""Whose pods live in which range, and which ranges are nobody's."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network

from kthw.network import ranges


class Pods:
    """``cidrs``: the pod CIDR by worker; ``places``: each one's place; ``blocks``: the VPCs' own ranges;
    ``routed``: what leads to machines that nobody asked about. ``--workers`` may name some of a cluster.
    """

    def __init__(
        self,
        cidrs: Mapping[str, IPv4Network],
        places: Mapping[str, int],
        blocks: Iterable[IPv4Network],
        routed: Iterable[IPv4Network] = (),
    ) -> None:
        self.owners = ranges.Owners(cidrs)
        self._places = places
        # A route as wide as all pods of the tutorial is a NAT instance's or a VPN's.
        narrow = (each for each in routed if each.prefixlen > ranges.TUTORIAL.prefixlen)
        self._taken = ranges.Owners({str(each): each for each in (*blocks, *narrow)})

    def is_free_for(self, worker: str, wanted: IPv4Network) -> bool:
        """Whether no other worker has, no VPC is in, and no stranger is sent, any of ``wanted``."""
        others = any(owner != worker for owner in self.owners.overlapping(wanted))
        return not others and not any(True for _ in self._taken.overlapping(wanted))

    def free_for(self, worker: str) -> IPv4Network | None:
        """A pod CIDR nobody else has, another one for each worker.

        The tutorial's own for the worker's place, else one past those of all workers; where a VPC has the
        tutorial's range, one of another private range that nobody is in.
        """
        place = self._places.get(worker, 0)
        own = [each for each in ranges.CANDIDATES[place : place + 1] if self.is_free_for(worker, each)]
        beyond, free = self._free
        return next(itertools.chain(own, beyond[place:], beyond, free, self._elsewhere(place)), None)

    def _elsewhere(self, place: int) -> Iterator[IPv4Network]:
        """The pod CIDR of that place in the ranges beside the tutorial's of which nobody has any."""
        skipped, number = divmod(place, len(ranges.CANDIDATES))
        empty = (each for each in ranges.BESIDE if self.is_free_for("", each))
        for whole in itertools.islice(empty, skipped, skipped + 1):
            yield from itertools.islice(whole.subnets(new_prefix=24), number, number + 1)

    @functools.cached_property
    def _free(self) -> tuple[list[IPv4Network], list[IPv4Network]]:
        """The tutorial's pod CIDRs that nobody has: beyond those of these workers, and all."""
        free = [candidate for candidate in ranges.CANDIDATES if self.is_free_for("", candidate)]
        among = set(ranges.CANDIDATES[: len(self._places)])
        return [each for each in free if each not in among], free
