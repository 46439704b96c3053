"""Why does the worker's own network make no pod, neither ours nor kubelet's?"""

from __future__ import annotations

import re
import shlex
from typing import Final

from kthw.findings.finding import Finding
from kthw.findings.nodes import cni_configured, cni_subnet_matches
from kthw.findings.plugins import RELEASED, missing_plugins, named_plugins
from kthw.findings.workers import one_running_instance
from kthw.intended import tutorial
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import CniConfig, Leases, OldBridge, PodFailure, UnfitProgram

_KERNEL: Final = re.compile(
    r"(?:operation|protocol|address family) (?:is )?not supported|no such device|unknown device type"
    r"|modprobe|can't initialize|table does not exist",
    re.IGNORECASE,
)
"""What plugins pass on of a kernel that lacks a module, or has it not loaded."""
_IPTABLES: Final = re.compile(r'"ip6?tables": executable file not found|failed to locate ip6?tables')
_MOST_NAMES: Final = 8


def pods_can_be_made(network: Network, worker: str) -> list[Finding]:
    """The CNI file and the plugins of the worker make a pod, as far as that was tried."""
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    network.node(worker)
    return why_unmade(network, worker)


def why_unmade(network: Network, worker: str) -> list[Finding]:
    """The same, of one that was not seen: nothing."""
    return network.remember(("unmade pod", worker), lambda: _why_unmade(network, worker))


def _why_unmade(network: Network, worker: str) -> list[Finding]:
    node = network.evidence.nodes.get(worker)
    if node is None:
        return []
    named, failure, config = named_plugins(node), node.pod_failure, pod_network(node)
    if config is None:
        return cni_configured(network, worker) if failure and not node.pod else []
    unfit = [each for each in node.cni_unfit if each.path.rpartition("/")[2] in named]
    if unfit:
        return [_unfit(network, worker, config, [each for each in unfit if each.why == unfit[0].why])]
    if failure is None or node.pod:
        return []
    seen = _seen_before(network, worker)
    if seen:
        return seen
    if failure.cause == "bridge" and failure.bridge and failure.bridge.addresses:
        return [_bridge(network, worker, config, failure.bridge)]
    if failure.cause == "addresses":
        return [_addresses(network, worker, config, failure)]
    if failure.cause == "no-address":
        return [_finding(network, worker, config, "cni-config-wrong", "no-addresses", observed=failure.file)]
    return [_refused(network, worker, config, failure)]


def _seen_before(network: Network, worker: str) -> list[Finding]:
    """What was seen of the file and the folders, which tells more of it than what the plugin met."""
    wrong = [] if by_plugin(network) else cni_subnet_matches(network, worker)
    return missing_plugins(network, worker) or wrong


def _unfit(network: Network, worker: str, config: CniConfig, unfit: list[UnfitProgram]) -> Finding:
    first, paths = unfit[0], [each.path for each in unfit]
    mode = first.why == "mode"
    ours = all(path.rpartition("/")[2] in RELEASED for path in paths)
    said = {"mode": "-x", "machine": f"{first.built_for} ≠ {first.machine}", "format": "no ELF"}[first.why]
    return _finding(
        network,
        worker,
        config,
        "cni-plugin-fails",
        first.why if ours or mode else f"{first.why}-foreign",
        expected=first.machine,
        observed=f"{', '.join(paths)}: {said}",
        facts={
            "plugins": ", ".join(paths),
            "built_for": first.built_for,
            "machine": first.machine,
            "folder": paths[0].rpartition("/")[0],
            "release": tutorial.CNI_RELEASE,
            "command": shlex.quote(shlex.join(["sudo", "chmod", "a+rx", *paths])) if mode else "",
        },
    )


def _bridge(network: Network, worker: str, config: CniConfig, bridge: OldBridge) -> Finding:
    node, gateway = network.evidence.nodes[worker], _gateway(config.subnet)
    return _finding(
        network,
        worker,
        config,
        "cni-bridge-conflict",
        "in-use" if bridge.ports else "",
        expected=f"{bridge.name} {gateway}".strip(),
        observed=f"{bridge.name} {', '.join(bridge.addresses)}",
        facts={
            "bridge": bridge.name,
            "addresses": ", ".join(bridge.addresses),
            "gateway": gateway or "—",
            "ports": _names(bridge.ports),
            "pods": _names(bridge.pods) or "—",
            "hostname": node.hostname or worker,
        },
    )


def _gateway(subnet: str) -> str:
    """The address that the bridge gets, unless the file says another: the first of its subnet."""
    try:
        around = ranges.network(subnet)
    except ValueError:
        return ""
    return f"{around[min(1, around.num_addresses - 1)]}/{around.prefixlen}"


def _addresses(network: Network, worker: str, config: CniConfig, failure: PodFailure) -> Finding:
    leases = failure.leases
    count = len(leases.free) + leases.more if leases else 0
    node = network.evidence.nodes[worker]
    return _finding(
        network,
        worker,
        config,
        "cni-addresses-exhausted",
        "unseen" if leases is None else "" if leases.free else "in-use",
        observed=failure.said,
        facts={
            "said": failure.said,
            "folder": leases.folder if leases else "",
            "count": str(count),
            "free": _names(leases.free) if leases else "",
            "held": str(leases.held) if leases else "",
            "command": _freeing(leases) if leases and leases.free else "",
            "hostname": node.hostname or worker,
        },
    )


def _freeing(leases: Leases) -> str:
    """The command line that removes just these, and none that was written since: it is another's then."""
    found = ["find", *leases.free, "-maxdepth", "0", "-not", "-newermt", f"@{leases.at}", "-delete"]
    return shlex.quote(shlex.join(["sudo", "env", "-C", leases.folder, *found]))


def _refused(network: Network, worker: str, config: CniConfig, failure: PodFailure) -> Finding:
    version = _version(failure)
    return _finding(
        network,
        worker,
        config,
        "cni-plugin-fails",
        _refusal(failure, version),
        expected=version,
        observed=failure.said,
        facts={
            "said": failure.said,
            "plugin": failure.plugin or "—",
            "version": failure.version,
            "versions": ", ".join(failure.versions),
            "known": version,
            "folder": next(iter(network.evidence.nodes[worker].cni_path), tutorial.CNI_PLUGINS),
            "release": tutorial.CNI_RELEASE,
        },
    )


def _refusal(failure: PodFailure, version: str) -> str:
    """The situation, by what the plugin said."""
    if version:
        return "version"
    if failure.cause == "not-run":
        return "not-run" if failure.plugin in RELEASED else ""
    if _IPTABLES.search(failure.said):
        return "iptables"
    return "kernel" if _KERNEL.search(failure.said) else ""


def _version(failure: PodFailure) -> str:
    """The youngest version that all plugins know; empty where they do not say, or that is not the trouble."""
    known = failure.versions if failure.cause == "version" else ()
    return max(known, key=lambda each: [int(part) for part in each.split(".")], default="")


def _finding(
    network: Network,
    worker: str,
    config: CniConfig,
    code: str,
    variant: str,
    *,
    observed: str,
    expected: str = "",
    facts: dict[str, str] | None = None,
) -> Finding:
    file = tutorial.cni_path(config.file)
    return Finding(
        code=code,
        subject=network.noun(worker),
        worker=worker,
        expected=expected or file,
        observed=observed or "—",
        variant=variant,
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "file": file,
            **(facts or {}),
        },
    )


def _names(names: tuple[str, ...]) -> str:
    more = f", … ({len(names)})" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more
