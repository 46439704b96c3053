"""Machines that are no workers and are to reach pods all the same (``--also``): controllers, jump hosts."""

from __future__ import annotations

from typing import Final

from kthw.findings.finding import Finding
from kthw.findings.next_hops import lead_to_peers
from kthw.findings.node_routes import conflicts_elsewhere
from kthw.network.model import RUNNING, Network
from kthw.network.nouns import instance_noun, some

_MOST_SHOWN: Final = 4


def lead_to_pods(network: Network, name: str) -> list[Finding]:
    """The machine is there and runs, and its kernel hands packets for each worker's pods to that worker.

    Raises ``CouldNotLook`` where it is for a table to say that was not seen.
    """
    machine = network.instance(name)
    if machine and machine.state == RUNNING:
        return [*lead_to_peers(network, name), *conflicts_elsewhere(network, name)]
    found = Finding(
        code="machine-missing",
        subject=network.noun(name),
        worker=name,
        expected=f"{name} {RUNNING}",
        observed=machine.state if machine else "—",
        near_miss=some([instance_noun(each) for each in network.strangers], _MOST_SHOWN),
        variant="stopped" if machine else "",
        facts={"instance": machine.id if machine else ""},
    )
    return [found]
