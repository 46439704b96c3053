"""Does a node hand on what is not for itself: its pods' packets, where they come in?

``net.ipv4.ip_forward`` sets all interfaces at once, and each can be set anew after it: the kernel asks the
one that a packet came in by (its *ip-sysctl*).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kthw.errors import CouldNotLook, LookError
from kthw.findings.finding import Finding
from kthw.findings.node_changes import ForwardingOn
from kthw.findings.node_firewall import interfaces
from kthw.findings.workers import one_running_instance
from kthw.network import arrival
from kthw.network.model import Network
from kthw.observed.evidence import Link

_EVERYWHERE: Final = "net.ipv4.ip_forward"
_THERE: Final = "net.ipv4.conf.{}.forwarding"


def forwarding_on(network: Network, worker: str) -> list[Finding]:
    """The node hands on packets that are not for itself, wherever those of pods come in.

    An interface whose own setting was not read counts as all do. Raises ``CouldNotLook``.
    """
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    node = network.node(worker)
    if node.ip_forward is None:
        raise CouldNotLook(
            LookError(code="probe-timeout", subject=network.noun(worker), worker=worker, detail=_EVERYWHERE)
        )
    if not node.ip_forward:
        return [_finding(network, worker, _EVERYWHERE)]
    return [
        # A dot in a name is a slash where sysctl has dots between names.
        _finding(network, worker, _THERE.format(link.name.replace(".", "/")), link)
        for link in _entered(network, worker)
        if link.forwarding is False
    ]


def _entered(network: Network, worker: str) -> Iterable[Link]:
    """The interfaces by which pods' packets come in: their bridge, and the ENIs that routes lead to."""
    tables = [ruling.effective.id for ruling in network.rulings]
    cards = [eni for table in tables for eni in arrival.interfaces(network, worker, table)]
    addresses = {address for eni in cards for address in eni.addresses}
    named = interfaces(network, worker)
    for link in network.evidence.nodes[worker].links:
        if link.name in named or any(each.split("/")[0] in addresses for each in link.addresses):
            yield link


def _finding(network: Network, worker: str, sysctl: str, link: Link | None = None) -> Finding:
    noun = network.noun(worker)
    return Finding(
        code="forwarding-off",
        subject=f"{noun} · {link.name}" if link else noun,
        worker=worker,
        expected=f"{sysctl} = 1",
        observed=f"{sysctl} = 0",
        near_miss=f"{_EVERYWHERE} = 1" if link else "",
        variant="interface" if link else "",
        changes=(ForwardingOn(worker=worker, interface=link.name if link else ""),),
        facts={"worker_noun": noun, "login": network.login(worker), **({"sysctl": sysctl} if link else {})},
    )
