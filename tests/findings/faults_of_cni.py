"""Workers whose own CNI file and plugins make no pod, or pods that lack something, as evidence shows them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import CniConfig, Evidence, Leases, OldBridge, PodFailure, UnfitProgram
from tests.findings.changed_nodes import failing, masquerade_off, with_cni, with_node, with_way
from tests.findings.clusters import OK
from tests.findings.faults_of_plugins import with_plugins, without_pod
from tests.findings.judged import Faults, Healthy

FAILS, CONFLICT = ("cni-plugin-fails",), ("cni-bridge-conflict",)
EXHAUSTED, WRONG = ("cni-addresses-exhausted",), ("cni-config-wrong",)
BRIDGE = "/opt/cni/bin/bridge"
NONE_LEFT = "bridge ADD: no IP addresses available in range set: 10.200.1.1-10.200.1.254"
OLD = OldBridge(name="cnio0", addresses=("10.99.1.1/24",))
LEASES = Leases(
    folder="/var/lib/cni/networks/bridge", free=("10.200.1.2", "10.200.1.7"), held=252, at=1_700_000_000
)


def unmade(cause: Any, said: str = "", **changes: Any) -> Evidence:
    """On worker-1 no pod came up, and that is why."""
    failure = PodFailure(cause=cause, file="10-bridge.conf", plugin="bridge", said=said, **changes)
    return with_node(without_pod(OK, "worker-1"), "worker-1", pod_failure=failure)


def unfit(*programs: UnfitProgram, plugins: tuple[str, ...] = ("host-local", "loopback")) -> Evidence:
    """On worker-1 those are there, and the kernel would not run them."""
    evidence = unmade("not-run", f"{BRIDGE}: Exec format error")
    return with_node(evidence, "worker-1", cni_unfit=programs, cni_plugins=plugins)


def _of(path: str, why: Any, built_for: str = "") -> UnfitProgram:
    return UnfitProgram(path=path, why=why, built_for=built_for, machine="x86_64")


def conflict(bridge: OldBridge) -> Evidence:
    said = 'bridge ADD: "cnio0" already has an IP address different from 10.200.1.1/24'
    return unmade("bridge", said, bridge=bridge)


def with_another(subnet: str, file: str = "05-podman.conf", **changes: Any) -> Evidence:
    """worker-1 has that file, before its own or after it."""
    config = replace(OK.nodes["worker-1"].cni[0], file=file, subnet=subnet, **changes)
    return with_node(OK, "worker-1", cni=(*OK.nodes["worker-1"].cni, config))


NO_GATEWAY = with_way(
    with_cni(OK, "worker-1", gateway=False),
    "worker-1",
    "worker-1",
    device="ens5",
    via="10.0.1.1",
    route="default via 10.0.1.1 dev ens5",
)
UNDER_ITS_OWN = failing(with_cni(OK, "worker-1", ip_masq=False), ("worker-1", ""), kind="internet")

FAULTS: Faults = {
    "a plugin that nobody may run": (unfit(_of(BRIDGE, "mode")), FAILS),
    "two plugins that nobody may run": (
        unfit(_of(BRIDGE, "mode"), _of("/opt/cni/bin/host-local", "mode"), plugins=("loopback",)),
        FAILS,
    ),
    "plugins for another machine": (unfit(_of(BRIDGE, "machine", "aarch64")), FAILS),
    "a network's plugin for another machine": (
        with_cni(unfit(_of("/opt/cni/bin/podnet", "machine", "aarch64")), "worker-1", type="podnet"),
        FAILS,
    ),
    "a plugin that is no program": (unfit(_of(BRIDGE, "format")), FAILS),
    "a network's plugin that is no program": (
        with_cni(unfit(_of("/opt/cni/bin/podnet", "format")), "worker-1", type="podnet"),
        FAILS,
    ),
    "a plugin without its interpreter": (unmade("not-run", f"{BRIDGE}: No such file or directory"), FAILS),
    "a version that no plugin knows": (
        unmade(
            "version",
            "bridge ADD: incompatible CNI versions",
            version="1.1.0",
            versions=("0.3.1", "0.4.0", "1.0.0", "0.10.0"),
        ),
        FAILS,
    ),
    "a version that plugins do not tell": (
        unmade("version", "bridge ADD: incompatible CNI versions", version="9"),
        FAILS,
    ),
    "a kernel without bridges": (
        unmade("refused", 'bridge ADD: could not add "cnio0": operation not supported'),
        FAILS,
    ),
    "no iptables to masquerade with": (
        unmade("refused", 'bridge ADD: failed to locate iptables: exec: "iptables": executable file not'),
        FAILS,
    ),
    "a plugin says something else": (unmade("refused", "bridge ADD: failed to set bridge addr"), FAILS),
    "a bridge has another address that was not seen": (conflict(OldBridge(name="cnio0")), FAILS),
    "an old bridge": (conflict(OLD), CONFLICT),
    "an old bridge, and a pod on it": (
        conflict(replace(OLD, ports=("veth1a2b",), pods=("10.99.1.7",))),
        CONFLICT,
    ),
    "an old bridge, and something on it that is no pod": (conflict(replace(OLD, ports=("ens6",))), CONFLICT),
    "addresses of containers that are no more": (
        unmade("addresses", NONE_LEFT, leases=LEASES),
        EXHAUSTED,
    ),
    "all addresses in use": (
        unmade("addresses", NONE_LEFT, leases=replace(LEASES, free=(), held=253)),
        EXHAUSTED,
    ),
    "no address left, and nobody knows whose they are": (unmade("addresses", NONE_LEFT), EXHAUSTED),
    "no address for pods": (unmade("no-address"), WRONG),
    "no gateway": (NO_GATEWAY, WRONG),
    "no default route for pods": (with_cni(OK, "worker-1", routes=()), WRONG),
    "a route for the VPC only": (with_cni(OK, "worker-1", routes=("10.0.0.0/8",)), WRONG),
    "a route for the VPC only, and nobody masquerades": (
        with_cni(masquerade_off(OK), "worker-1", routes=("10.0.0.0/16",)),
        WRONG,
    ),
    "masquerade off on one worker": (UNDER_ITS_OWN, WRONG),
    "half of the pod CIDR": (with_cni(OK, "worker-1", subnet="10.200.1.0/25"), WRONG),
    "another file comes first": (with_another("10.88.0.0/16"), WRONG),
    "two files come first": (
        with_node(
            OK,
            "worker-1",
            cni=(
                CniConfig(file="03-a.conf", type="bridge", ipam="host-local", subnet="10.88.0.0/16"),
                CniConfig(file="04-b.conf", type="ptp", ipam="host-local", subnet="10.89.0.0/16"),
                *OK.nodes["worker-1"].cni,
            ),
        ),
        WRONG,
    ),
    "an old bridge of another's subnet": (
        with_cni(conflict(OLD), "worker-1", subnet="10.99.2.0/24"),
        ("cni-subnet-mismatch",),
    ),
}

HEALTHY: Healthy = {
    "a later file of another subnet": with_another("10.88.0.0/16", file="87-podman.conf"),
    "a later file of the same subnet": with_another("10.200.1.0/24", file="20-bridge.conf"),
    "routes for all others, and nobody masquerades": with_cni(
        masquerade_off(OK), "worker-1", routes=("10.200.0.0/16", "10.0.0.0/16")
    ),
    "masquerade off, and the internet is reached": with_cni(OK, "worker-1", ip_masq=False),
    "masquerade off on most": failing(
        with_cni(masquerade_off(OK), "worker-0", ip_masq=True),
        ("worker-1", ""),
        ("worker-2", ""),
        kind="internet",
    ),
    "what is no bridge gives pods no gateway": with_plugins(
        with_cni(OK, "worker-1", type="ptp", bridge="", gateway=False, routes=()), "ptp", "host-local"
    ),
    "addresses and routes by another plugin": with_plugins(
        with_cni(OK, "worker-1", ipam="dhcp", gateway=False, routes=()), "bridge", "dhcp"
    ),
    "a plugin nobody may run, and no file names it": with_node(
        OK, "worker-1", cni_unfit=(_of("/opt/cni/bin/portmap", "mode"),)
    ),
}
