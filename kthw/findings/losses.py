"""Do packets between pods get lost, some and not all of them; and does a node's firewall say why?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from kthw.findings import reachability, sizes
from kthw.findings.finding import Finding, Lost
from kthw.findings.firewall_commands import mending, told
from kthw.findings.node_firewall import at_random
from kthw.findings.reachability import names, pairs
from kthw.network.loss import Count
from kthw.network.model import Network
from kthw.network.netfilter import Drop
from kthw.observed.evidence import Probe

_MOST_TOLD = 3


def no_packets_lost(network: Network, worker: str) -> list[Finding]:
    """Of what the worker's probe pod sends to any other worker's, no more is lost than in a good network.

    When that is so ``kthw.network.loss`` says; a count that says less is enough where something else, that
    nothing stops, did not arrive. One finding for each rule of a firewall that drops by chance, the same to
    all whose packets it drops; and one for the sender's pairs of which nothing that was observed loses any.
    """
    return [finding for finding, senders in _told(network) if worker in senders]


def _told(network: Network) -> list[tuple[Finding, frozenset[str]]]:
    """All that is found, and of whose packets."""
    return network.remember(("lost",), lambda: [*_each(network)])


def _each(network: Network) -> Iterator[tuple[Finding, frozenset[str]]]:
    by_rule: dict[tuple[str, Drop], list[Probe]] = {}
    unexplained: dict[str, list[Probe]] = {}
    for probe in _lossy(network):
        cause = next(iter(at_random(network, probe.source, probe.destination)), None)
        if cause:
            by_rule.setdefault(cause, []).append(probe)
        else:
            unexplained.setdefault(probe.source, []).append(probe)
    for (at, drop), probes in by_rule.items():
        yield _by_rule(network, at, drop, probes), frozenset(probe.source for probe in probes)
    for worker, probes in unexplained.items():
        yield _unexplained(network, worker, probes), frozenset([worker])


def _lossy(network: Network) -> Iterator[Probe]:
    """Of each pair that loses some, the count, in the order of the workers."""
    position = network.position
    pairs = [pair for pair in network.probes.doubted if set(pair) <= position.keys()]
    for source, other in sorted(pairs, key=lambda pair: position[pair[0]]):
        misses_some = reachability.lost_by_chance, sizes.lost_by_chance
        if network.probes.lossy(source, other) or any(each(network, source, other) for each in misses_some):
            yield network.probes.doubted[source, other]


def no_packets_lost_towards(network: Network, worker: str) -> list[Finding]:
    """The same of what any other worker's sends to the worker's, as it is told of the first such sender."""
    sender = network.remember(("lost towards",), lambda: _first_senders(network)).get(worker)
    return [finding for finding, senders in _told(network) if sender in senders]


def _first_senders(network: Network) -> dict[str, str]:
    return {probe.destination: probe.source for probe in reversed([*_lossy(network)])}


def _by_rule(network: Network, at: str, drop: Drop, probes: Sequence[Probe]) -> Finding:
    rule = told(drop)
    return msgspec.structs.replace(
        _untold(network, probes),
        subject=f"{network.noun(at)} · {rule}",
        worker=at,
        near_miss=rule,
        variant="rule",
        facts={
            "pairs": pairs(probes),
            "share": _share(_worst(probes)),
            "at_noun": network.noun(at),
            "at_login": network.login(at),
            "rule": rule,
            "command": mending(drop),
        },
    )


def _unexplained(network: Network, worker: str, probes: Sequence[Probe]) -> Finding:
    worst = _worst(probes)
    return msgspec.structs.replace(
        _untold(network, probes),
        subject=f"{network.noun(worker)} → {names(probe.destination for probe in probes)}",
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "destination": worst.destination,
            "destination_address": worst.destination_address,
            "share": _share(worst),
        },
    )


def _untold(network: Network, probes: Sequence[Probe]) -> Finding:
    worst = _worst(probes)
    return Finding(
        code="packets-lost",
        subject=network.noun(worst.source),
        worker=worst.source,
        expected=f"{worst.source} → {worst.destination} {worst.protocol}: 0/{worst.sent}",
        observed="; ".join(_counted(probe) for probe in probes[:_MOST_TOLD]),
        lost=tuple(Lost(probe=probe) for probe in probes),
    )


def _worst(probes: Sequence[Probe]) -> Probe:
    return max(probes, key=lambda probe: probe.lost / probe.sent)


def _counted(probe: Probe) -> str:
    return f"{probe.source} → {probe.destination} {probe.protocol}: {Count(probe.sent, probe.lost)}"


def _share(probe: Probe) -> str:
    return str(Count(probe.sent, probe.lost)).partition(" = ")[2]
