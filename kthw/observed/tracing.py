"""Which pairs of pods to trace, and what was seen of their packets where: the plan, and the nouns. No I/O."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from kthw.observed.answers import Sighting
from kthw.observed.evidence import SENT_AGAIN, Node, Probe, Trace

MOST_FROM_ONE: Final = 20
"""Pairs traced per source: enough to tell where packets stay, and cheap however many fail."""
MOST: Final = 2000
"""Pairs traced in all; no agent watches for more."""
TIMES: Final = SENT_AGAIN
PAUSE: Final = 0.15
"""Seconds between two sendings."""
SECONDS: Final = 0.5
"""How long to watch for the last of them."""

_PLACES: Final = ("pod", "bridge", "eni")


class Plan(Struct, frozen=True, kw_only=True):
    """``pairs``: the failed probes to repeat, by their number. ``addresses``: the nodes', by worker."""

    mark: str
    pairs: tuple[Probe, ...]
    addresses: dict[str, str]

    def watched(self) -> list[list[Any]]:
        """For every node: number, protocol, source pod, source node, destination."""
        return [
            [n, each.protocol, each.source_address, self.addresses[each.source], each.destination_address]
            for n, each in enumerate(self.pairs)
        ]

    def sent_by(self, worker: str) -> list[list[Any]]:
        """For one source: number, protocol, destination."""
        return [
            [n, each.protocol, each.destination_address]
            for n, each in enumerate(self.pairs)
            if each.source == worker
        ]


def plan(probes: Iterable[Probe], addresses: Mapping[str, str]) -> Plan:
    """The failed pairs of pods, each once: by ICMP, or by TCP where only that failed.

    Where small packets pass, those of full size are no case for a trace, nor is what only UDP meets.
    """
    failed: dict[str, dict[str, Probe]] = {}
    for probe in probes:
        traceable = probe.kind == "pod" and not probe.size and probe.protocol in ("icmp", "tcp")
        if traceable and not probe.reached and probe.source != probe.destination:
            mine = failed.setdefault(probe.source, {})
            if probe.destination not in mine or probe.protocol == "icmp":
                mine[probe.destination] = probe
    each = max(1, min(MOST_FROM_ONE, MOST // len(failed))) if failed else 0
    chosen = [probe for mine in failed.values() for probe in list(mine.values())[:each]]
    return Plan(mark=secrets.token_hex(8), pairs=tuple(chosen[:MOST]), addresses=dict(addresses))


def traces(
    plan: Plan, seen: Mapping[str, Sequence[Sighting]], nodes: Mapping[str, Node], bridges: Mapping[str, str]
) -> tuple[Trace, ...]:
    """One per pair. ``seen`` by the worker that saw; ``bridges``: the pod bridge's name by worker."""
    places: dict[tuple[int, str], list[tuple[str, str]]] = {}
    for worker, sightings in seen.items():
        cards = {link.name for link in nodes[worker].links if not link.kind}
        ports = {link.name for link in nodes[worker].links}
        for number, direction, interface, inside in sightings:
            if inside:
                place = "pod"
            elif interface == bridges.get(worker):
                place = "bridge"
            elif interface in cards:
                place = "eni"
            elif interface in ports:
                place = interface
            else:
                continue  # the bridge's port, which the bridge stands for
            places.setdefault((number, direction), []).append((worker, place))
    return tuple(
        Trace(
            source=probe.source,
            destination=probe.destination,
            source_address=probe.source_address,
            destination_address=probe.destination_address,
            protocol=probe.protocol,
            request=_in_order(places.get((n, "request"), []), probe.source, probe.destination),
            reply=_in_order(places.get((n, "reply"), []), probe.destination, probe.source),
        )
        for n, probe in enumerate(plan.pairs)
    )


def _in_order(places: Iterable[tuple[str, str]], first: str, last: str) -> tuple[str, ...]:
    """Out of ``first``'s pod, maybe past others, and into ``last``'s: in the order of the way."""

    def position(place: tuple[str, str]) -> tuple[int, int, str]:
        worker, where = place
        depth = _PLACES.index(where) if where in _PLACES else len(_PLACES)
        if worker == first:
            return 0, depth, worker
        return (2, -depth, worker) if worker == last else (1, depth, worker)

    return tuple(f"{where} {worker}" for worker, where in sorted(set(places), key=position))
