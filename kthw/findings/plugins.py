"""Are the CNI plugins there that the worker's pod network is made with?"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from typing import Final

from kthw.errors import CouldNotLook, LookError
from kthw.findings.finding import Finding
from kthw.findings.workers import one_running_instance
from kthw.intended import tutorial
from kthw.network.model import Network
from kthw.observed.cni_networks import WRAPPERS, pod_network
from kthw.observed.evidence import CniConfig, Node

RELEASED: Final = frozenset({
    "bandwidth", "bridge", "dhcp", "dummy", "firewall", "host-device", "host-local", "ipvlan", "loopback",
    "macvlan", "portmap", "ptp", "sbr", "static", "tap", "tuning", "vlan", "vrf",
})  # fmt: skip
"""What a release of containernetworking/plugins brings."""

FOREIGN: Final = "foreign"
"""The variant of a finding whose file belongs to a network that brings a plugin of its own."""


def plugins_installed(network: Network, worker: str) -> list[Finding]:
    """Each plugin that the CNI file which counts names, address plugins included, is where it is looked for.

    Where there is no such file, that is another check's. Raises ``CouldNotLook`` where nobody looked.
    """
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    node = network.node(worker)
    if _installed(node) is None:
        folders = node.cni_path or (tutorial.CNI_PLUGINS,)
        facts = {"login": network.login(worker), "folder": folders[0]}
        detail = ", ".join(folders)
        raise CouldNotLook(
            LookError(
                code="node-unreadable",
                subject=network.noun(worker),
                worker=worker,
                detail=detail,
                variant="untold",
                facts=facts,
            )
        )
    return missing_plugins(network, worker)


def missing_plugins(network: Network, worker: str) -> list[Finding]:
    """The same, as far as that was seen."""
    return network.remember(("missing plugins", worker), lambda: _missing_plugins(network, worker))


def _missing_plugins(network: Network, worker: str) -> list[Finding]:
    node = network.evidence.nodes[worker]
    installed, counting = _installed(node), counting_plugins(node)
    if installed is None:
        return []
    missing = [name for name in named_plugins(node) if name not in installed]
    if not missing:
        return []
    file = tutorial.cni_path(max(each.file for each in counting))
    # One way to mend at a time: the others are told when it is done.
    variants = {name: _variant(node, installed, name) for name in missing}
    variant = variants[missing[0]]
    alike = missing[:1] if variant == "misspelt" else [m for m in missing if variants[m] == variant]
    paths = ", ".join(f"{node.cni_path[0]}/{name}" for name in alike)
    found = [path for path in node.cni_elsewhere if path.rpartition("/")[2] in alike]
    near = found or _nearest(installed, missing[0])
    return [
        Finding(
            code="cni-plugin-missing",
            subject=network.noun(worker),
            worker=worker,
            expected=f"{file}: {paths}",
            observed="—",
            near_miss=", ".join(near),
            variant=variant,
            facts={
                "worker_noun": network.noun(worker),
                "login": network.login(worker),
                "file": file,
                "plugins": ", ".join(alike),
                "plugin": alike[0],
                "near": near[0] if near else "",
                "folder": node.cni_path[0],
                "folders": ", ".join(node.cni_path),
                "elsewhere": ", ".join(found),
                "command": _copying(found, node.cni_path[0]),
                "release": tutorial.CNI_RELEASE,
            },
        )
    ]


def named_plugins(node: Node) -> list[str]:
    """The plugins that the file names which makes the pods, address plugins included, each once."""
    named = [name for each in counting_plugins(node) for name in (each.through, each.type, each.ipam) if name]
    return list(dict.fromkeys(named))


def counting_plugins(node: Node) -> list[CniConfig]:
    """The plugins that the file names which makes the pods, and one that only hands them on to it."""
    config = pod_network(node)
    return [
        each
        for each in node.cni
        if config and (each.file <= config.file if each.type in WRAPPERS else each.file == config.file)
    ]


def _installed(node: Node) -> tuple[str, ...] | None:
    """The plugins that are there; ``None`` where not all was seen that is to be known of them.

    An older recording does not tell which plugin gives the addresses. One that the kernel would not run is
    there all the same: why it would not is told as that.
    """
    told = all(each.ipam is not None for each in counting_plugins(node))
    if not told or not node.cni_path or node.cni_plugins is None:
        return None
    return (*node.cni_plugins, *(each.path.rpartition("/")[2] for each in node.cni_unfit))


def _variant(node: Node, installed: Sequence[str], plugin: str) -> str:
    """How it comes to be missing, and so what mends it; empty where the release is to be installed."""
    if any(path.rpartition("/")[2] == plugin for path in node.cni_elsewhere):
        return "elsewhere"
    if plugin in RELEASED:
        return ""
    return "misspelt" if _nearest(installed, plugin) else FOREIGN


def _nearest(installed: Sequence[str], plugin: str) -> list[str]:
    if plugin in RELEASED:
        return []
    return difflib.get_close_matches(plugin, [*RELEASED, *installed], n=1, cutoff=0.8)


def _copying(found: list[str], folder: str) -> str:
    """The command line that copies them there; quoted."""
    making = shlex.join(["sudo", "mkdir", "-p", folder])
    return shlex.quote(f"{making} && {shlex.join(['sudo', 'cp', *found, folder])}") if found else ""
