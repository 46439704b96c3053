"""Why the node's network made no pod: what its plugin said, and what stood in its way."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any

from kthw.observed.agent.asked import is_address
from kthw.observed.agent.cni import Network, UnmadeError, program
from kthw.observed.agent.spaces import addresses_everywhere, named_by_processes
from kthw.observed.agent.sweep import IPAM
from kthw.observed.agent.system import MOST_DETAIL, MOST_NAME, Looking, UnseenError, tool

SECONDS = 8.0
MOST_LEASES = 256
MOST_TOLD = 32
"""Addresses and ports of a bridge, and versions, that are told."""
YOUNG = 120.0
"""Seconds in which a pod that is being made may have its address nowhere yet but in its reservation."""
INCOMPATIBLE = 1
"""CNI's number of the error that a plugin does not know the version of the configuration."""
VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")


def unmade(problem: UnmadeError, network: Network | None) -> dict[str, Any]:
    """The problem as our answer has it; what stood in the way is looked for once the pod is away again."""
    told = {
        "cause": problem.cause,
        "file": problem.told.get("file", "")[:MOST_NAME],
        "plugin": problem.told.get("plugin", "")[:MOST_NAME],
        "said": problem.said[:MOST_DETAIL],
    }
    if problem.cause != "refused" or network is None:
        return told
    first = network.network["plugins"][0]
    if "already has an IP address different from" in problem.said:
        return dict(told, cause="bridge", bridge=_bridge(network.bridge))
    if "no IP addresses available" in problem.said:
        return dict(told, cause="addresses", leases=_leases(network, first))
    if problem.number == INCOMPATIBLE:
        asked = str(network.network["cniVersion"])[:MOST_NAME]
        return dict(told, cause="version", version=asked, versions=_versions(network))
    return told


def _bridge(name: str) -> dict[str, Any] | None:
    """Its addresses, what hangs on it, and which addresses those pods have; nothing where none could tell."""
    looking = Looking(SECONDS)
    try:
        (link,) = looking.ip("-4", "address", "show", "dev", name)
        hanging = looking.text("ip", "-o", "link", "show", "master", name)
        everywhere = addresses_everywhere()
    except (OSError, UnseenError, ValueError):
        return None
    told = [each for each in link.get("addr_info", ()) if is_address(each.get("local"))]
    around = [f"{each['local']}/{each.get('prefixlen', 32)}" for each in told][:MOST_TOLD]
    ports = [line.split(": ")[1].split("@")[0] for line in hanging.splitlines() if line.count(": ") > 1]
    own = {each["local"] for each in told}
    pods = [each for each in everywhere - own if any(_inside(each, bridge) for bridge in around)]
    return {
        "name": name[:15],
        "addresses": around,
        "ports": [port[:15] for port in ports][:MOST_TOLD],
        "pods": sorted(pods, key=_in_order)[:MOST_TOLD] if ports else [],
    }


def _inside(address: str, bridge: str) -> bool:
    around, _, length = bridge.partition("/")
    bits = 32 - int(length)
    return _in_order(address) >> bits == _in_order(around) >> bits


def _in_order(address: str) -> int:
    return int.from_bytes(bytes(int(part) for part in address.split(".")), "big")


def _versions(network: Network) -> list[str]:
    """The versions of CNI that all its plugins know, address plugins included."""
    kinds = []
    for plugin in network.network["plugins"]:
        ipam = plugin.get("ipam")
        kinds += [plugin["type"], ipam.get("type") if isinstance(ipam, dict) else ""]
    common: list[str] | None = None
    for kind in dict.fromkeys(str(each) for each in kinds if each):
        known: list[str] = []
        with contextlib.suppress(Exception):  # whatever a plugin prints: then nobody knows
            done = tool(
                str(program(kind, network.plugins)),
                environment={"CNI_COMMAND": "VERSION"},
                timeout=SECONDS / 4,
            )
            known = [str(each) for each in json.loads(done.stdout)["supportedVersions"]]
        common = known if common is None else [each for each in common if each in known]
    return [each for each in common or [] if VERSION.fullmatch(each)][:MOST_TOLD]


def _leases(network: Network, plugin: dict[str, Any]) -> dict[str, Any] | None:
    """``host-local``'s reservations: of containers that are no more, and of the others how many.

    One is somebody's where its address is in any network namespace, where a process's control group has
    the container's id, or where it is so young that both may be still to come. Nothing where we could not
    look into every namespace, or it is another plugin that hands out the addresses.
    """
    ipam = plugin.get("ipam")
    if not isinstance(ipam, dict) or ipam.get("type") != "host-local":
        return None
    folder = Path(str(ipam.get("dataDir") or IPAM), str(network.network["name"]))
    free: list[str] = []
    held, now = 0, time.time()
    try:
        everywhere, processes = addresses_everywhere(), named_by_processes()
        for file in [each for each in folder.iterdir() if is_address(each.name)]:
            container, age = _lease(file, now)
            running = bool(container) and container in processes
            if file.name in everywhere or running or age < YOUNG:
                held += 1
            else:
                free.append(file.name)
    except (OSError, ValueError):
        return None
    free.sort(key=_in_order)
    return {
        "folder": str(folder)[:MOST_NAME],
        "free": free[:MOST_LEASES],
        "more": max(0, len(free) - MOST_LEASES),
        "held": held,
        "at": int(now),
    }


def _lease(file: Path, now: float) -> tuple[str, float]:
    """The container that it is for, and how many seconds ago it was written. Raises ``OSError``."""
    with file.open(encoding="utf-8", errors="replace") as opened:
        container = opened.readline(MOST_NAME).strip()
    return container, now - file.stat().st_mtime
