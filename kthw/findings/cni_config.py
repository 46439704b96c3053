"""Does the CNI file that makes the worker's pods give them all that they need?

What is left out of it, pods lack: a gateway on their bridge, a way out, the node's address in front of
theirs, some of their addresses. That another file was meant is told as that, and mended first.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from ipaddress import IPv4Network

from kthw.errors import CouldNotLook, LookError
from kthw.findings.finding import Finding
from kthw.findings.workers import ground, one_running_instance
from kthw.intended import tutorial
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import by_plugin
from kthw.observed.cni_networks import brought_by, makers, pod_network
from kthw.observed.evidence import CniConfig


def gives_pods_all(network: Network, worker: str) -> list[Finding]:
    """The file's bridge is the pods' gateway, they have a way out, masquerade and their whole range.

    Raises ``CouldNotLook`` where a recording is older than that anybody looked.
    """
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    config = pod_network(network.node(worker))
    if config is None:
        return []
    another = another_meant(network, worker)
    if another:
        return another
    by_hand = config.type == "bridge" and config.ipam in (None, "host-local")
    if by_hand and (config.gateway is None or config.routes is None):
        raise CouldNotLook(
            LookError(
                code="node-unreadable",
                subject=network.noun(worker),
                worker=worker,
                detail=tutorial.cni_path(config.file),
                variant="untold-file",
                facts={"login": network.login(worker), "file": tutorial.cni_path(config.file)},
            )
        )
    return shut_in(network, worker) or _without_masquerade(network, worker) or in_part(network, worker)


def shut_in(network: Network, worker: str) -> list[Finding]:
    """What the file leaves out without which pods reach nobody on other nodes, as far as that was seen."""
    return network.remember(("shut in", worker), lambda: _shut_in(network, worker))


def another_meant(network: Network, worker: str) -> list[Finding]:
    """A file counts whose pods have other addresses, and a later one has those that are meant."""
    return network.remember(("another meant", worker), lambda: _another(network, worker))


def in_part(network: Network, worker: str) -> list[Finding]:
    """The file's subnet is only a part of the pod CIDR: pods are reached there, and soon no more fit."""
    config, cidr = _config(network, worker), network.pod_cidrs.get(worker)
    if config is None or cidr is None or ground(network, worker):
        return []
    subnet = _network(config.subnet)
    if subnet is None or subnet == cidr or not subnet.subnet_of(cidr):
        return []
    return [
        _finding(
            network,
            worker,
            config,
            "part",
            expected=str(cidr),
            observed=config.subnet,
            facts={
                "pod_cidr": str(cidr),
                "cni_subnet": config.subnet,
                "count": str(subnet.num_addresses - 3),
            },
        )
    ]


def _another(network: Network, worker: str) -> list[Finding]:
    config, cidr = _config(network, worker), network.pod_cidrs.get(worker)
    if config is None or cidr is None or ground(network, worker) or _is(config.subnet, cidr):
        return []
    node = network.evidence.nodes[worker]
    later = [each for each in makers(node) if each.file > config.file]
    meant = next((each for each in later if not brought_by(each) and _is(each.subnet, cidr)), None)
    if meant is None:
        return []
    files = dict.fromkeys(each.file for each in makers(node) if config.file <= each.file < meant.file)
    moves = [["sudo", "mv", tutorial.cni_path(file), f"{tutorial.cni_path(file)}.unused"] for file in files]
    return [
        _finding(
            network,
            worker,
            config,
            "another",
            expected=f"{tutorial.cni_path(meant.file)}: {cidr}",
            observed=f"{tutorial.cni_path(config.file)}: {config.subnet or '—'}",
            facts={
                "right": tutorial.cni_path(meant.file),
                "pod_cidr": str(cidr),
                "cni_subnet": config.subnet or "—",
                "command": shlex.quote(" && ".join(map(shlex.join, moves))),
            },
        )
    ]


def _shut_in(network: Network, worker: str) -> list[Finding]:
    config = _config(network, worker)
    if config is None or not _is_bridge(config):
        return []
    if config.gateway is False:
        return [_finding(network, worker, config, "no-gateway", expected="isGateway", observed="—")]
    if config.routes is None or _lead_out(network, worker, config.routes):
        return []
    told = ", ".join(config.routes) or "—"
    return [
        _finding(
            network, worker, config, "no-route", expected=tutorial.EVERYWHERE, observed=told,
            facts={"routes": told},
        )
    ]  # fmt: skip


def _lead_out(network: Network, worker: str, routes: Iterable[str]) -> bool:
    """To everybody, where the internet is expected; else to the VPC, and to the other workers' pods."""
    led = [around for around in map(_network, routes) if around]
    if any(around.prefixlen == 0 for around in led):
        return True
    if network.masquerades(worker):
        return False
    others = [cidr for other, cidr in network.pod_cidrs.items() if other != worker]
    meant = [*others, *network.vpc_cidrs(network.home)]
    return all(any(each.subnet_of(around) for around in led) for each in meant)


def _without_masquerade(network: Network, worker: str) -> list[Finding]:
    """Most of the others' pods reach the internet behind their nodes' addresses, and this one's do not.

    Where none do, that is how the lab is meant; and somebody else may do it where a packet got there.
    """
    config = _config(network, worker)
    if config is None or not _is_bridge(config) or network.masquerades(worker):
        return []
    seen = [other for other in network.workers if other in network.evidence.nodes]
    behind = [other for other in seen if network.masquerades(other)]
    sent = [each for each in network.probes.sent_by(worker) if each.kind == "internet"]
    if len(behind) * 2 <= len(seen) or any(each.reached for each in sent):
        return []
    return [
        _finding(
            network, worker, config, "no-masquerade", expected="ipMasq", observed="—",
            facts={"others": ", ".join(behind[:3]) + (", …" if len(behind) > 3 else "")},
        )
    ]  # fmt: skip


def _config(network: Network, worker: str) -> CniConfig | None:
    """The file that counts, where it is for somebody to write."""
    node = network.evidence.nodes.get(worker)
    config = pod_network(node) if node and not by_plugin(network) else None
    return None if brought_by(config) else config


def _is_bridge(config: CniConfig) -> bool:
    """Of one that is made by hand; what else hands out addresses may hand out routes."""
    return config.type == "bridge" and config.ipam == "host-local" and not config.through


def _network(text: str) -> IPv4Network | None:
    try:
        return ranges.network(text)
    except ValueError:
        return None


def _is(subnet: str, cidr: IPv4Network) -> bool:
    return _network(subnet) == cidr


def _finding(
    network: Network,
    worker: str,
    config: CniConfig,
    variant: str,
    *,
    expected: str,
    observed: str,
    facts: dict[str, str] | None = None,
) -> Finding:
    return Finding(
        code="cni-config-wrong",
        subject=network.noun(worker),
        worker=worker,
        expected=expected,
        observed=observed,
        variant=variant,
        facts={
            "worker_noun": network.noun(worker),
            "login": network.login(worker),
            "file": tutorial.cni_path(config.file),
            "bridge": config.bridge or tutorial.CNI_BRIDGE,
            **(facts or {}),
        },
    )
