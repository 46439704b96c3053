"""Taking back what agents that are dead left behind: reserved addresses and masquerade rules."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
from pathlib import Path

from kthw.observed.agent.cni import Network, cni_files
from kthw.observed.agent.pod import drop_bridge
from kthw.observed.agent.system import AgentError, started, tool

IPAM = "/var/lib/cni/networks"
"""Where ``host-local`` keeps its reservations, unless the configuration says ``dataDir``."""
OURS = re.compile(r"kthw-probe-(\d+)-(\d+)(-bridge)?")
"""Our container ids: pid and start time of the agent, and whether the pod brought the bridge with it."""


def sweep(configs: str, plugins: str) -> None:
    """Take back what agents that are dead left behind: reserved addresses and masquerade rules."""
    networks: dict[str, Network] = {}
    places = {IPAM}
    for _, network in cni_files(configs):
        if network:
            networks.setdefault(str(network["name"]), Network(network, plugins))
            ipam = network["plugins"][0].get("ipam")
            if isinstance(ipam, dict) and ipam.get("dataDir"):
                places.add(str(ipam["dataDir"]))
    for place in places:
        for directory, _, files in os.walk(place):
            for file in files:
                path = Path(directory, file)
                container = dead_owner(path)
                if container:
                    remove_masquerade(container)
                    network_of = networks.get(path.parent.name)
                    if network_of:
                        with contextlib.suppress(AgentError):
                            network_of.delete(container, "")
                        drop_bridge(network_of.bridge, container)
                    if dead_owner(path):  # its configuration is gone, or the plugin would not
                        path.unlink()


def dead_owner(path: Path) -> str:
    """The container id in a reservation of ``host-local``'s, if it is ours and its agent is dead."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            container = file.readline(200).strip()
    except OSError:
        return ""
    ours = OURS.fullmatch(container)
    if not ours or started(int(ours.group(1))) == ours.group(2):
        return ""
    return container


def remove_masquerade(container: str) -> None:
    """Remove the rules ``ipMasq`` made for ``container``; DEL cannot, once the namespace is gone."""
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
