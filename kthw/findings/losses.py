"""Do packets between pods get lost, some and not all of them; and does a node's firewall say why?"""

from __future__ import annotations

from collections.abc import Sequence

from kthw.findings.finding import Finding, Lost
from kthw.findings.node_firewall import at_random, mending, told
from kthw.findings.reachability import between, names
from kthw.network.loss import Count
from kthw.network.model import Network
from kthw.network.netfilter import Drop
from kthw.observed.evidence import Probe

_MOST_TOLD = 3


def no_packets_lost(network: Network, worker: str) -> list[Finding]:
    """Of what the worker's probe pod sends to any other worker's, no more is lost than in a good network.

    When that is so ``kthw.network.loss`` says. One finding for each rule of a firewall that drops by chance,
    and one for the pairs of which nothing that was observed loses any.
    """
    return network.remember(("lost", worker), lambda: _lost(network, worker))


def _lost(network: Network, worker: str) -> list[Finding]:
    others = dict.fromkeys(p.destination for p in network.probes.sent_by(worker) if between(network, p))
    by_cause: dict[tuple[str, Drop] | None, list[Probe]] = {}
    for other in others:
        probe = network.probes.lossy(worker, other)
        if probe:
            cause = next(iter(at_random(network, worker, other)), None)
            by_cause.setdefault(cause, []).append(probe)
    return [_finding(network, worker, cause, probes) for cause, probes in by_cause.items()]


def no_packets_lost_towards(network: Network, worker: str) -> list[Finding]:
    """The same of what any other worker's sends to the worker's, as it is told of the first such sender."""
    senders = dict.fromkeys(p.source for p in network.probes.sent_to(worker) if between(network, p))
    lossy = next((sender for sender in senders if network.probes.lossy(sender, worker)), None)
    return no_packets_lost(network, lossy) if lossy else []


def _finding(
    network: Network, worker: str, cause: tuple[str, Drop] | None, probes: Sequence[Probe]
) -> Finding:
    worst = max(probes, key=lambda probe: probe.lost / probe.sent)
    at, command, rule = worker, "", ""
    if cause:
        at, drop = cause
        command, rule = mending(drop), told(drop)
    return Finding(
        code="packets-lost",
        subject=f"{network.noun(worker)} → {names(probe.destination for probe in probes)}",
        worker=worker,
        expected=f"{worker} → {worst.destination} {worst.protocol}: 0/{worst.sent}",
        observed="; ".join(_counted(probe) for probe in probes[:_MOST_TOLD]),
        near_miss=rule,
        lost=tuple(Lost(probe=probe) for probe in probes),
        variant="rule" if cause else "",
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "destination": worst.destination,
            "destination_address": worst.destination_address,
            "share": _share(worst),
            "at_noun": network.noun(at),
            "at_login": network.login(at),
            "rule": rule,
            "command": command,
        },
    )


def _counted(probe: Probe) -> str:
    return f"{probe.source} → {probe.destination} {probe.protocol}: {Count(probe.sent, probe.lost)}"


def _share(probe: Probe) -> str:
    return str(Count(probe.sent, probe.lost)).partition(" = ")[2]
