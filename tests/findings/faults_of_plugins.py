"""CNI plugins that are missing, and workers that have all they need, as evidence shows them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import CniConfig, Evidence, Node
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy

MISSING = ("cni-plugin-missing",)


def without_pod(evidence: Evidence, worker: str) -> Evidence:
    """No probe pod came up there: nothing was measured from it, or to it."""
    probes = tuple(probe for probe in evidence.probes if worker not in (probe.source, probe.destination))
    return replace(with_node(evidence, worker, pod=""), probes=probes)


def with_plugins(evidence: Evidence, *plugins: str, **changes: Any) -> Evidence:
    """worker-1 with only those installed."""
    return with_node(evidence, "worker-1", cni_plugins=plugins, **changes)


def with_list(evidence: Evidence, file: str, *types: str) -> Evidence:
    """worker-1 with another file that lists these plugins, the first of which hands out addresses."""
    node: Node = evidence.nodes["worker-1"]
    bridge = node.cni[0]
    listed = (
        replace(bridge, file=file, type=types[0]),
        *(CniConfig(file=file, type=each, ipam="") for each in types[1:]),
    )
    return with_node(evidence, "worker-1", cni=(*listed, *node.cni))


RELEASED = (
    "bridge", "bandwidth", "dhcp", "dummy", "firewall", "host-device", "host-local", "ipvlan", "loopback",
    "macvlan", "portmap", "ptp", "sbr", "static", "tap", "tuning", "vlan", "vrf",
)  # fmt: skip
BROKEN = without_pod(OK, "worker-1")
FAULTS: Faults = {
    "no plugin at all": (with_plugins(BROKEN), MISSING),
    "no plugin for addresses": (with_plugins(BROKEN, "bridge", "loopback"), MISSING),
    "no bridge plugin": (with_plugins(BROKEN, "host-local", "loopback"), MISSING),
    "plugins where the runtime does not look": (
        with_plugins(BROKEN, cni_elsewhere=("/usr/lib/cni/bridge", "/usr/lib/cni/host-local")),
        MISSING,
    ),
    "only one of two plugins elsewhere": (
        with_plugins(BROKEN, cni_elsewhere=("/usr/lib/cni/host-local",)),
        MISSING,
    ),
    "all plugins of the release, and none is there": (
        with_plugins(with_list(BROKEN, "05-podnet.conflist", *RELEASED)),
        MISSING,
    ),
    "both plugins misspelt": (with_cni(BROKEN, "worker-1", type="brigde", ipam="host-locale"), MISSING),
    "a released plugin misspelt, and it is not there either": (
        with_plugins(with_cni(BROKEN, "worker-1", ipam="host-locale"), "bridge"),
        MISSING,
    ),
    "a plugin of another network misspelt, and two are there that are like it": (
        with_plugins(
            with_cni(BROKEN, "worker-1", ipam="calico-ipa"),
            "bridge",
            "calico-ipam",
            "calico-ipa2",
        ),
        MISSING,
    ),
    "a plugin misspelt": (with_cni(BROKEN, "worker-1", type="brigde"), MISSING),
    "an address plugin misspelt": (with_cni(BROKEN, "worker-1", ipam="host-locale"), MISSING),
    "the file of another network comes first": (
        with_list(BROKEN, "05-cilium.conflist", "cilium-cni", "portmap"),
        MISSING,
    ),
    "another network's file without a subnet": (
        with_cni(with_list(BROKEN, "05-cilium.conflist", "cilium-cni"), "worker-1", subnet=""),
        MISSING,
    ),
    "a chained plugin missing": (with_list(BROKEN, "05-podnet.conflist", "bridge", "bandwidth"), MISSING),
    "several folders, and none has it": (
        with_plugins(BROKEN, "host-local", cni_path=("/opt/cni/bin", "/usr/lib/cni")),
        MISSING,
    ),
    "a plugin missing, and the file has another's subnet": (
        with_plugins(with_cni(BROKEN, "worker-1", subnet="10.200.0.0/24"), "bridge"),
        (*MISSING, "cni-subnet-mismatch"),
    ),
}

HEALTHY: Healthy = {
    "no loopback plugin, which makes no pod network": with_plugins(OK, "bridge", "host-local"),
    "chained plugins, all there": with_list(OK, "05-podnet.conflist", "bridge", "portmap"),
    "a later file of a network that is not there": with_list(OK, "90-weave.conflist", "weave-net"),
    "an unreadable file before the one that counts": with_node(
        OK,
        "worker-1",
        cni=(CniConfig(file="05-x.conf", problem="no JSON"), *OK.nodes["worker-1"].cni),
    ),
    "no address plugin named": with_plugins(with_cni(OK, "worker-1", ipam=""), "bridge"),
    "plugins of Debian's package, where its runtime looks": with_node(
        OK, "worker-1", cni_path=("/usr/lib/cni",)
    ),
    "a plugin elsewhere too": with_node(OK, "worker-1", cni_elsewhere=("/usr/lib/cni/bridge",)),
}
