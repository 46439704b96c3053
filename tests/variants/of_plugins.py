"""The shapes of those whose pod network a CNI plugin brings: flannel's with its packets, the others' silent.

A plugin that makes pods for kubelet only, with its own agent and the cluster's API, makes none here: its CNI
file, and programs of its plugin's and its agent's names that do nothing, are what the nodes have of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox import cni
from sandbox.faults.installed_networks import IN_TUNNELS
from sandbox.lab import Lab
from tests.variants.shape import Shape

_LAB: Final = Lab(others=(), user_data="", routes="", checked=True)


def _pattern(script: str) -> str:
    """As ``Lab.commands`` has it, for the node whose number is at the end of its name."""
    written = script.replace("{", "{{").replace("}", "}}")
    return f"name={{name}}; bash -es ${{{{name##*-}}}} <<'END'\n{written}\nEND"


def _nothing_but_names(*programs: str, agent: str) -> str:
    copies = "\n".join(f"cp /usr/bin/false /root/network/{name}" for name in programs)
    return f"""mkdir -p /root/network /etc/containerd
{copies}
cp /usr/bin/sleep /root/network/{agent}
printf 'bin_dirs = ["/root/network", "/opt/cni/bin"]\\n' >/etc/containerd/config.toml
setsid /root/network/{agent} 36000 </dev/null >/dev/null 2>&1 &"""


def _file(name: str, plugin: str, ipam: str = "") -> Callable[[str], cni.Files]:
    maker: dict[str, object] = {"type": plugin, **({"ipam": {"type": ipam}} if ipam else {})}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return lambda _: {name: {"cniVersion": "0.4.0", "name": "pods", "plugins": [maker, portmap]}}


def _silent(plugin: str, file: Callable[[str], cni.Files], *programs: str, agent: str) -> Shape:
    return Shape(
        name=plugin,
        en=f"a cluster whose pod network is {plugin}'s",
        pt=f"um cluster cuja rede de pods é do {plugin}",
        lab=_LAB.but(cni=file, commands=(_pattern(_nothing_but_names(*programs, agent=agent)),)),
        packets=True,
        plugin=plugin,
        silent=True,
    )


OF_PLUGINS: Final = (
    Shape(
        name="flannel",
        en="a cluster whose pod network is flannel's, in tunnels",
        pt="um cluster cuja rede de pods é do flannel, em túneis",
        lab=_LAB.but(commands=(_pattern(IN_TUNNELS),)),
        packets=True,
        plugin="flannel",
    ),
    _silent(
        "Calico",
        _file("10-calico.conflist", "calico", "calico-ipam"),
        "calico",
        "calico-ipam",
        agent="calico-node",
    ),
    _silent("Cilium", _file("05-cilium.conflist", "cilium-cni"), "cilium-cni", agent="cilium-agent"),
    _silent("Weave Net", _file("10-weave.conflist", "weave-net"), "weave-net", agent="weaver"),
    _silent("amazon-vpc-cni", _file("10-aws.conflist", "aws-cni"), "aws-cni", agent="aws-k8s-agent"),
)
