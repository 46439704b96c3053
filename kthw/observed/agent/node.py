"""What the node is, before anything of ours is on it, and what its pods' packets meet."""

from __future__ import annotations

import contextlib
import re
import socket
from pathlib import Path
from typing import Any

from kthw.observed.agent.asked import is_address
from kthw.observed.agent.cni import FOLDERS, cni_files, plugin_folders, plugins_in
from kthw.observed.agent.firewall import chains
from kthw.observed.agent.keeper import keeper
from kthw.observed.agent.kept import kept_routes, text_of
from kthw.observed.agent.metadata import metadata
from kthw.observed.agent.programs import unfit_programs
from kthw.observed.agent.rules import policy
from kthw.observed.agent.system import MOST_NAME, Looking, UnseenError, forwarding
from kthw.observed.agent.ways import (
    bridge_netfilter,
    by_next_hop,
    links,
    mistaken,
    routing_entries,
    rp_filter,
    ways,
)

FACTS_SECONDS = 11.0
SURROUNDINGS_SECONDS = 16.0
"""For all programs together; whoever asks waits a little longer."""
KUBELET_CONFIGS = ("/var/lib/kubelet/kubelet-config.yaml", "/var/lib/kubelet/config.yaml")
"""The chapter's file, and the one of other ways to install."""
MOST_CONFIG = 100_000
"""Characters of it that are read."""
AGENTS = (
    "antrea-agent",
    "aws-k8s-agent",
    "calico-node",
    "cilium-agent",
    "flanneld",
    "kube-router",
    "weaver",
)
"""The processes of networks that bring a CNI plugin; the kernel keeps 15 characters of a name."""
MOST_LISTED = 500
"""Plugin entries of CNI files, plugins, and addresses that are told."""


def facts(request: dict[str, Any]) -> dict[str, Any]:
    """The node as we found it; asked before a pod is made, because making one changes it."""
    looking = Looking(FACTS_SECONDS)
    configs = [each for each, _ in cni_files(request["configs"])][:MOST_LISTED]
    try:
        addresses = _addresses(looking.ip("-d", "-4", "address"), {each.get("bridge") for each in configs})
    except UnseenError:
        addresses = []
    return {
        "hostname": socket.gethostname(),
        "addresses": addresses[:MOST_LISTED],
        "ip_forward": forwarding(),
        "cni": configs,
        **_plugins(plugin_folders(request["plugins"], request.get("runtime", "")), configs),
        "cni_agents": running_agents(),
        "kubelet_pod_cidr": _kubelet_pod_cidr(),
        "imds": metadata(),
        "failed": looking.failed,
    }


def running_agents() -> list[str]:
    """Those of ``AGENTS`` that run here; a process in a container has its name outside, too."""
    found = set()
    # Not by glob, which asks whether each is there and raises where its process ends meanwhile.
    for each in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
        with contextlib.suppress(OSError, ValueError):
            found.add((each / "comm").read_text(encoding="utf-8", errors="replace").strip())
    return sorted(found.intersection(AGENTS))


def _kubelet_pod_cidr() -> str:
    """What kubelet's configuration says (``podCIDR: "10.200.0.0/24"``); empty where there is none."""
    for path in KUBELET_CONFIGS:
        said = text_of(path)[:MOST_CONFIG]
        found = re.search(r"^podCIDR:[ \t]*[\"']?([^\s\"'#]+)", said, re.MULTILINE)
        if found:
            return found.group(1)[:MOST_NAME]
    return ""


def _plugins(folders: list[str], configs: list[dict[str, Any]]) -> dict[str, Any]:
    """The folders where plugins are looked for, what is there, and which of those named are elsewhere.

    ``cni_plugins`` is ``None`` where that cannot be told whole.
    """
    named = {each[kind] for each in configs for kind in ("type", "ipam") if each.get(kind)}
    unfit = unfit_programs(folders, sorted(named))[:MOST_LISTED]
    seen: dict[str, Any] = {"cni_path": folders, "cni_plugins": None, "cni_elsewhere": [], "cni_unfit": unfit}
    with contextlib.suppress(OSError):
        there = sorted({name for folder in folders for name in plugins_in(folder)})
        seen["cni_plugins"] = there if len(there) <= MOST_LISTED else None
    with contextlib.suppress(OSError):
        others = [folder for folder in FOLDERS if folder not in folders]
        found = [f"{folder}/{name}" for folder in others for name in sorted(named & {*plugins_in(folder)})]
        seen["cni_elsewhere"] = [each for each in found if len(each) <= MOST_NAME][:MOST_LISTED]
    return seen


def _addresses(links: list[dict[str, Any]], bridges: set[Any]) -> list[str]:
    """The node's own: without those of bridges."""
    return [
        each["local"]
        for link in links
        if link.get("linkinfo", {}).get("info_kind") != "bridge" and link["ifname"] not in bridges
        for each in link.get("addr_info", ())
        if each.get("scope") == "global" and is_address(each.get("local"))
    ]


def surroundings(request: dict[str, Any], pod: tuple[str, str, str] = ("", "", "")) -> dict[str, Any]:
    """What packets of the pods meet on the node; asked while there is a pod, or there may be no bridge.

    ``pod``: its address, its bridge and its hardware address; what it sends may go by other tables than the
    node's own.
    ``lacking``: the programs that would have told, and are not there; ``failed``: those that could not tell.
    """
    looking = Looking(SURROUNDINGS_SECONDS)
    seen: dict[str, Any] = {
        "links": [],
        "rp_filter": rp_filter("all"),
        "bridge_netfilter": bridge_netfilter(pod[1]),
        "ways": [],
        "rules": None,
        "lookups": None,
        "beyond": [],
        "neighbours": mistaken(*pod),
        "routes": None,
        "keeper": None,
    }
    sender = pod[:2]
    with contextlib.suppress(UnseenError):
        seen["links"] = links(looking)
        entries = routing_entries(looking)
        seen["rules"], seen["lookups"] = policy(looking)
        apart = any(rule["source"] or rule["entering"] for rule in seen["lookups"])
        seen["ways"] = ways(request["towards"], entries, looking, sender if apart else ("", ""))
        if apart and all(sender):
            beyond = {name: [address, ""] for name, address in request.get("beyond", ())}
            seen["beyond"] = ways(beyond, entries, looking, sender)
        seen["routes"] = kept_routes(by_next_hop(entries))
        seen["keeper"] = keeper(next((each.words.get("dev", "") for each in entries if each.is_default), ""))
    seen["firewall"] = chains(looking)
    lacking = [program for program in ("ip",) if program in looking.lacking]
    if seen["firewall"] is None and not any(each["facts"]["tool"] != "ip" for each in looking.failed):
        lacking += ["nft", "iptables-save"]
    return dict(seen, lacking=lacking, failed=looking.failed)
