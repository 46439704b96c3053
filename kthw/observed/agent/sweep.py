"""Taking back what agents that are dead left behind: reserved addresses and masquerade rules."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from pathlib import Path

from kthw.observed.agent.cni import Network, cni_files
from kthw.observed.agent.pod import drop_bridge
from kthw.observed.agent.system import AgentError, started, tool

IPAM = "/var/lib/cni/networks"
"""Where ``host-local`` keeps its reservations, unless the configuration says ``dataDir``."""
OURS = re.compile(r"kthw-probe-(\d+)-(\d+)(-bridge|-further\d)?")
"""Our container ids: pid and start time of the agent, and whether the pod brought the bridge with it.

Those of further pods with addresses that were asked for have a number besides.
"""


def sweep(configs: str, plugins: list[str]) -> None:
    """Take back what agents that are dead left behind: reserved addresses and masquerade rules."""
    networks = networks_of(configs, plugins)
    for file, container in reservations(networks):
        if not alive(container):
            remove_masquerade(container)
            network = networks.get(file.parent.name)
            if network:
                with contextlib.suppress(AgentError):
                    network.delete(container, "")
                drop_bridge(network.bridge, container)
            with contextlib.suppress(FileNotFoundError):
                file.unlink()  # its configuration is gone, or the plugin would not


def somebody_brought_bridge(configs: str, plugins: list[str], network: Network) -> bool:
    """Whether the bridge of ``network`` came with a pod of ours that still lives."""
    return any(
        file.parent.name == network.network["name"] and container.endswith("-bridge")
        for file, container in reservations(networks_of(configs, plugins))
    )


def networks_of(configs: str, plugins: list[str]) -> dict[str, Network]:
    """The node's networks by name; of several with one name, the first."""
    networks: dict[str, Network] = {}
    for _, network in cni_files(configs):
        if network:
            networks.setdefault(str(network["name"]), Network(network, plugins))
    return networks


def reservations(networks: dict[str, Network]) -> list[tuple[Path, str]]:
    """The files of ``host-local``'s that hold an address for a container of ours, with its id."""
    places = {IPAM}
    for network in networks.values():
        ipam = network.network["plugins"][0].get("ipam")
        if isinstance(ipam, dict) and ipam.get("dataDir"):
            places.add(str(ipam["dataDir"]))
    found = []
    for place in sorted(places):
        for directory, _, files in os.walk(place):
            for file in (Path(directory, name) for name in files):
                with contextlib.suppress(OSError), file.open(encoding="utf-8", errors="replace") as opened:
                    container = opened.readline(200).strip()
                    if OURS.fullmatch(container):
                        found.append((file, container))
    return found


def alive(container: str) -> bool:
    """Whether the agent that a container id of ours names still runs."""
    ours = OURS.fullmatch(container)
    return ours is not None and started(int(ours.group(1))) == ours.group(2)


def remove_masquerade(container: str) -> None:
    """Remove the rules ``ipMasq`` made for ``container``; DEL cannot, once the namespace is gone."""
    import shlex  # seldom needed: only what a dead agent left has such rules

    table = ("iptables", "-w", "5", "-t", "nat")
    with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
        rules = [shlex.split(line) for line in tool(*table, "-S").stdout.splitlines() if container in line]
        chains = set()
        for rule in rules:
            if rule[:2] == ["-A", "POSTROUTING"] and f'id: "{container}"' in rule[-3]:
                chains.add(rule[-1])
                tool(*table, "-D", *rule[1:])
        for chain in sorted(chains):
            tool(*table, "-F", chain)
            tool(*table, "-X", chain)
