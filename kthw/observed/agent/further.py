"""Further probe pods, each with an address that was asked for: where nobody has it, and the node gives it."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import time
from pathlib import Path
from typing import Any

from kthw.observed.agent.asked import MOST_FURTHER
from kthw.observed.agent.cni import Network
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.spaces import addresses_everywhere
from kthw.observed.agent.sweep import IPAM
from kthw.observed.agent.system import MOST_NAME, AgentError, alone
from kthw.observed.agent.turns import Turns

SECONDS = 10.0
"""After which no more are begun."""
MOST_RANGES = 16


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
            before = _last_given(network)
            one = Pod(Network(network.network, network.plugins, wanted=address), about)
            further.append(one)
            try:
                one.open(f"-further{len(further)}", turns)
            except (AgentError, OSError):
                one.address = ""
            with contextlib.suppress(OSError):
                _as_if_not_given(network, before, address)
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
    return Path(_folder(network), address).exists()


def _folder(network: Network) -> Path:
    place = network.network["plugins"][0]["ipam"].get("dataDir") or IPAM
    return Path(str(place), str(network.network["name"]))


def _last_given(network: Network) -> dict[Path, str]:
    """Where ``host-local`` remembers, for each set of ranges, after which address it looks for a free one."""
    found = {}
    for file in sorted(_folder(network).glob("last_reserved_ip.*"))[:MOST_RANGES]:
        with contextlib.suppress(OSError, ValueError):
            found[file] = file.read_text(encoding="ascii")[:MOST_NAME]
    return found


def _as_if_not_given(network: Network, before: dict[Path, str], address: str) -> None:
    """Let it look on from where it did: else the next pods would have the addresses after ours.

    Those may be the ones that packets are lost at. Not where another pod was made meanwhile, or is being
    made. Raises ``OSError``.
    """
    with Path(_folder(network), "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # as its own programs do
        for file, said in before.items():
            if said != address and file.read_text(encoding="ascii") == address:
                file.write_text(said, encoding="ascii")
