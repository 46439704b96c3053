"""Further probe pods, each with an address that was asked for: where nobody has it, and the node gives it."""

from __future__ import annotations

import contextlib
import ipaddress
import time
from pathlib import Path
from typing import Any

from kthw.observed.agent.asked import MOST_FURTHER
from kthw.observed.agent.cni import Network
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.spaces import addresses_everywhere
from kthw.observed.agent.sweep import IPAM
from kthw.observed.agent.system import AgentError, alone
from kthw.observed.agent.turns import Turns

SECONDS = 10.0
"""After which no more are begun."""


def make(pod: Pod, addresses: list[str], further: list[Pod], turns: Turns) -> dict[str, list[str]]:
    """One for each address, added to ``further`` before it is begun: whoever closes those closes all.

    ``made``, and ``taken``: those that ``host-local`` holds for somebody, or that are in any network
    namespace, without a reservation too. What is in neither, the node's network does not give.
    """
    network, until = pod.network, time.monotonic() + SECONDS
    taken = []
    with alone(pod.configs):
        try:
            everywhere = addresses_everywhere()
        except OSError:  # then nobody knows which are not in use
            return {"made": [], "taken": []}
        for address in dict.fromkeys(addresses):
            if address in [each.address for each in further] or not gives(network, address):
                continue
            if len(further) >= MOST_FURTHER or time.monotonic() > until:
                break
            if address in everywhere or _reserved(network, address):
                taken.append(address)
                continue
            about = {"worker": pod.worker, "run": pod.run, "port": pod.port, "configs": pod.configs}
            one = Pod(Network(network.network, network.plugins, wanted=address), about)
            further.append(one)
            try:
                one.open(f"-further{len(further)}", turns)
            except (AgentError, OSError):
                one.address = ""
            if one.address != address:  # a network that does not do as it is asked
                with contextlib.suppress(AgentError, OSError):
                    one.close()
                further.remove(one)
    return {"made": [each.address for each in further], "taken": taken}


def gives(network: Network, address: str) -> bool:
    """Whether it is of the node's own pod network, whose address plugin gives what it is asked for."""
    ipam = network.network["plugins"][0].get("ipam")
    if not isinstance(ipam, dict) or ipam.get("type") != "host-local":
        return False
    said = ipam.get("ranges")
    sets = [each for each in said if isinstance(each, list)] if isinstance(said, list) else []
    places = [ipam, *(each for one in sets for each in one if isinstance(each, dict))]
    return any(_inside(address, each.get("subnet")) for each in places)


def _inside(address: str, subnet: Any) -> bool:
    try:
        return ipaddress.IPv4Address(address) in ipaddress.IPv4Network(str(subnet), strict=False)
    except ValueError:
        return False


def _reserved(network: Network, address: str) -> bool:
    place = network.network["plugins"][0]["ipam"].get("dataDir") or IPAM
    return Path(str(place), str(network.network["name"]), address).exists()
