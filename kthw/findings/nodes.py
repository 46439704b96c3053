"""Is each node able to hand packets on, and do its pods get the addresses the VPC routes to it?

Every check raises ``CouldNotLook`` for a node that was not seen: that is no pass.
"""

from __future__ import annotations

import shlex

from kthw.errors import CouldNotLook
from kthw.findings.cni_config import another_meant, in_part
from kthw.findings.cni_network import bridge_config, of_another_network
from kthw.findings.configured import as_configured
from kthw.findings.finding import Finding
from kthw.findings.next_hops import lead_to_peers
from kthw.findings.node_changes import PodsMoved
from kthw.findings.node_firewall import dropped, nowhere
from kthw.findings.node_routes import conflicts
from kthw.findings.plugins import FOREIGN, missing_plugins
from kthw.findings.reverse_path import all_filtered
from kthw.findings.workers import ground, one_running_instance, suggested_pod_cidr
from kthw.intended import tutorial
from kthw.intended.pod_cidrs import SMALLEST
from kthw.network import ranges
from kthw.network.model import Network
from kthw.network.node_routes import network_model
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import CniConfig, UserData


def forward_not_dropped(network: Network, worker: str) -> list[Finding]:
    """The node's firewall drops no packet that its pods exchange with other nodes' or the internet.

    Nothing where no tool on the node could say what the firewall is.
    """
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    network.node(worker)
    return nowhere(network, worker) or dropped(as_configured(network), worker)


def no_route_conflict(network: Network, worker: str) -> list[Finding]:
    """The node's kernel sends packets for other workers' pods into the VPC, and for its own to their bridge.

    Where the lab is judged by kernel routes: to the other workers themselves. And it takes those that come in
    by another interface. Nothing where no tool on the node could say.
    """
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    found = [*conflicts(network, worker), *all_filtered(network, worker)]
    try:
        return [*lead_to_peers(network, worker), *found]
    except CouldNotLook:
        if not found:
            raise
        return found


def cni_configured(network: Network, worker: str) -> list[Finding]:
    """A file in ``/etc/cni/net.d`` makes a pod network, the one that is meant; the loopback's does not."""
    if network.instance(worker) is None:
        return one_running_instance(network, worker)
    node = network.node(worker)
    config = pod_network(node)
    if config:
        return of_another_network(network, worker, config)
    unreadable = [config for config in node.cni if config.problem]
    cidr, agent = network.pod_cidrs.get(worker), _its_agent(network, worker)
    return [
        Finding(
            code="cni-config-missing",
            subject=network.noun(worker),
            worker=worker,
            expected=f"{tutorial.cni_path(tutorial.CNI_BRIDGE_FILE)}: {cidr or tutorial.POD_CIDR_KEY}",
            observed=", ".join(tutorial.cni_path(config.file) for config in node.cni) or "—",
            near_miss="; ".join(
                f"{tutorial.cni_path(config.file)}: {config.problem}" for config in unreadable
            ),
            variant="unreadable" if unreadable else "plugin" if agent else "",
            facts={
                **_login(network, worker),
                "file": tutorial.cni_path(tutorial.CNI_BRIDGE_FILE),
                "command": _moving_away([tutorial.cni_path(config.file) for config in unreadable]),
                "pod_cidr": str(cidr or ""),
                "config": bridge_config(str(cidr or suggested_pod_cidr(network, worker))),
                **agent,
            },
        )
    ]


def _its_agent(network: Network, worker: str) -> dict[str, str]:
    """What writes the file, where that is not a person."""
    ruling, hostname = network_model(network).ruling, network.node(worker).hostname
    if not ruling:
        return {}
    return {"plugin": ruling.network.name, "agent": ruling.network.agent, "hostname": hostname or worker}


def cni_subnet_matches(network: Network, worker: str) -> list[Finding]:
    """The subnet in the CNI file is the pod CIDR of the user data, so that routes and pods agree.

    That it is only a part of it is another check's.
    """
    instance, broken = network.instance(worker), ground(network, worker)
    if instance is None or broken:
        return broken
    config = pod_network(network.node(worker))
    if config is None:
        return cni_configured(network, worker)
    mixed = of_another_network(network, worker, config)
    if mixed:
        return mixed
    of_others = [found for found in missing_plugins(network, worker) if found.variant == FOREIGN]
    if of_others:  # Where it keeps its addresses is its own affair.
        return of_others
    cidr = network.pod_cidrs[worker]
    if _is_same(config.subnet, cidr_text=str(cidr), data=instance.user_data) or in_part(network, worker):
        return []
    another = another_meant(network, worker)
    if another:
        return another
    owner = next((w for w, c in network.pod_cidrs.items() if str(c) == config.subnet), "")
    bridge = config.bridge or tutorial.CNI_BRIDGE
    moved = PodsMoved(worker=worker, file=config.file, bridge=bridge, subnet=str(cidr))
    return [
        Finding(
            code="cni-subnet-mismatch",
            subject=network.noun(worker),
            worker=worker,
            expected=f"{tutorial.cni_path(config.file)}: {cidr}",
            observed=f"{tutorial.cni_path(config.file)}: {config.subnet or '—'}",
            near_miss=f"{network.noun(owner)} {config.subnet}" if owner else "",
            variant=_mismatch(config, owner, network.node(worker).imds),
            changes=(moved,) if cidr.prefixlen <= SMALLEST else (),
            facts={
                **_login(network, worker),
                "file": tutorial.cni_path(config.file),
                "bridge": bridge,
                "pod_cidr": str(cidr),
                "cni_subnet": config.subnet or "—",
                "owner": network.noun(owner),
                "instance": instance.id,
            },
        )
    ]


def _moving_away(files: list[str]) -> str:
    """The command line that leaves each file beside itself, under a name that no runtime reads; quoted."""
    moves = [shlex.join(["sudo", "mv", file, f"{file}.broken"]) for file in dict.fromkeys(files)]
    return shlex.quote(" && ".join(moves)) if moves else ""


def _is_same(subnet: str, *, cidr_text: str, data: UserData | None) -> bool:
    """Host bits in both places are one fault, told by the user data's own check."""
    launched_with = data.pairs.get(tutorial.POD_CIDR_KEY) if data else None
    return subnet == cidr_text or (subnet == launched_with and _is_within(subnet, cidr_text))


def _is_within(subnet: str, cidr_text: str) -> bool:
    try:
        return ranges.network(subnet) == ranges.network(cidr_text)
    except ValueError:
        return False


def _mismatch(config: CniConfig, owner: str, imds: str) -> str:
    if not config.subnet:
        return "empty-imdsv2" if imds == "v2" else "empty"
    return "of-another" if owner else ""


def _login(network: Network, worker: str) -> dict[str, str]:
    return {"worker_noun": network.noun(worker), "login": network.login(worker)}
