"""What the node is, before anything of ours is on it, and what its pods' packets meet."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from kthw.observed.agent.cni import cni_files
from kthw.observed.agent.firewall import chains
from kthw.observed.agent.metadata import metadata
from kthw.observed.agent.system import forwarding, ip
from kthw.observed.agent.ways import links, rp_filter, ways


def facts(request: dict[str, Any]) -> dict[str, Any]:
    """The node as we found it; asked before a pod is made, because making one changes it."""
    configs = [each for each, _ in cni_files(request["configs"])]
    bridges = {each.get("bridge") for each in configs}
    addresses = [
        each["local"]
        for link in ip("-d", "-4", "address")
        if link.get("linkinfo", {}).get("info_kind") != "bridge" and link.get("ifname") not in bridges
        for each in link.get("addr_info", ())
        if each.get("scope") == "global" and "local" in each
    ]
    try:
        plugins = sorted(each.name for each in Path(request["plugins"]).iterdir())
    except OSError:
        plugins = []
    return {
        "hostname": socket.gethostname(),
        "addresses": addresses,
        "ip_forward": forwarding(),
        "cni": configs,
        "cni_plugins": plugins,
        "imds": metadata(),
    }


def surroundings(request: dict[str, Any]) -> dict[str, Any]:
    """What packets of the pods meet on the node; asked while there is a pod, or there may be no bridge."""
    return {
        "links": links(),
        "rp_filter": rp_filter("all"),
        "ways": ways(request["towards"]),
        "firewall": chains(),
    }
