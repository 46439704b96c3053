"""Do the kernel routes between the nodes come back when a node restarts, and what keeps them?

A remark and no finding: all packets arrive, until then.
"""

from __future__ import annotations

import shlex
from typing import Final

from kthw.findings.keep_files import keep_file
from kthw.findings.remark import Remark
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import by_node_routes, on_link, through_peers

CODE: Final = "node-route-not-kept"


def not_kept(network: Network) -> list[Remark]:
    """By worker, in order. Nothing of those whose files were not looked at, nor in the other model."""
    if not by_node_routes(network):
        return []
    found = []
    for worker in (*network.workers, *network.also):
        routes = [
            f"{route.destination} via {route.via}"
            for route in through_peers(network, worker)
            if not route.kept and _leads_to_a_neighbour(network, worker, route.destination)
        ]
        if routes:
            facts = {
                "login": network.login(worker),
                "routes": ", ".join(routes),
                **keeping(network, worker),
            }
            found.append(Remark(code=CODE, worker=worker, subject=network.noun(worker), facts=facts))
    return found


def _leads_to_a_neighbour(network: Network, worker: str, destination: str) -> bool:
    """Whether it is for another's pods, and that other in the worker's subnet: the rest is not to be kept."""
    owners = network.pods.owners.overlapping(ranges.network(destination))
    return any(owner != worker and on_link(network, worker, owner) for owner in owners)


def keeping(network: Network, worker: str) -> dict[str, str]:
    """The facts of the file with all of the worker's kernel routes to its peers' pods, for what is on the
    node: ``file``, its path, and ``keep``, the command that writes it, quoted. Empty where it needs none.
    """

    def made() -> dict[str, str]:
        routes = [
            (str(cidr), hop)
            for other, cidr in network.pod_cidrs.items()
            if other != worker and (hop := on_link(network, worker, other))
        ]
        if not routes:
            return {}
        file = keep_file(network.evidence.nodes[worker].keeper, routes)
        return {"file": file.path, "keep": shlex.quote(file.command)}

    return network.remember(("keeping", worker), made)
