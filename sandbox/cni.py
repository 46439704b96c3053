"""CNI files as people write them, for one worker's pod CIDR: by their names, what is in them."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any, Final

from kthw.intended import tutorial

Files = dict[str, object]
_LOOPBACK: Final = {"type": "loopback"}


def chapters(pod_cidr: str, **changes: Any) -> Files:
    """The tutorial's own two; ``changes``: of the bridge's."""
    bridge = {**tutorial.cni_bridge(pod_cidr), **changes}
    return {tutorial.CNI_BRIDGE_FILE: bridge, tutorial.CNI_LOOPBACK_FILE: tutorial.CNI_LOOPBACK}


def bare(pod_cidr: str) -> Files:
    """The tutorial's without masquerade: pods' packets cross the VPC under the pods' own addresses."""
    return chapters(pod_cidr, ipMasq=False)


def present(pod_cidr: str) -> Files:
    """Those of the original as it is now: the bridge is ``cni0``, the versions are younger."""
    bridge = {**tutorial.cni_bridge(pod_cidr), "cniVersion": "1.0.0", "bridge": "cni0"}
    loopback = {"cniVersion": "1.1.0", "name": "lo", **_LOOPBACK}
    return {tutorial.CNI_BRIDGE_FILE: bridge, tutorial.CNI_LOOPBACK_FILE: loopback}


def conflist(pod_cidr: str) -> Files:
    """A list of plugins, in which ``portmap`` follows the bridge."""
    bridge = {key: value for key, value in tutorial.cni_bridge(pod_cidr).items() if key in _OF_A_PLUGIN}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    listed = {"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge, portmap]}
    loopback = {"cniVersion": "1.0.0", "name": "lo", "plugins": [_LOOPBACK]}
    return {"10-bridge.conflist": listed, "99-loopback.conflist": loopback}


_OF_A_PLUGIN: Final = ("type", "bridge", "isGateway", "ipMasq", "ipam")


def kubenet(pod_cidr: str) -> Files:
    """As kubelet's ``kubenet`` had it: ``cbr0`` with the pod CIDR's first address, no masquerade by it."""
    gateway = str(IPv4Network(pod_cidr)[1])
    ipam = {
        "type": "host-local",
        "subnet": pod_cidr,
        "gateway": gateway,
        "routes": [{"dst": tutorial.EVERYWHERE}],
    }
    bridge = {
        "cniVersion": "0.1.0",
        "name": "kubenet",
        "type": "bridge",
        "bridge": "cbr0",
        "mtu": 1460,
        "addIf": "eth0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": False,
        "ipam": ipam,
    }
    return {"10-kubenet.conf": bridge}
