"""A stand-in for flannel's plugin: it has the bridge plugin make the pod, with the lease of the node's agent.

As flannel's own, of which no package brings the program: ``subnet.env`` says which addresses, the network
around them, and how large pods' packets may be; the bridge is ``cni0`` unless the CNI file's ``delegate``
says otherwise.
"""

from __future__ import annotations

from typing import Final

PLUGIN: Final = r"""#!/usr/bin/python3
import json, subprocess, sys
asked = json.load(sys.stdin)
with open("LEASE") as file:
    lease = dict(line.strip().split("=", 1) for line in file)
ipam = {
    "type": "host-local",
    "dataDir": "DATA",
    "ranges": [[{"subnet": lease["FLANNEL_SUBNET"]}]],
    "routes": [{"dst": lease["FLANNEL_NETWORK"]}],
}
bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "ipam": ipam}
if "FLANNEL_MTU" in lease:
    bridge["mtu"] = int(lease["FLANNEL_MTU"])
bridge.update(asked["delegate"], name=asked["name"], cniVersion=asked["cniVersion"])
sys.exit(subprocess.run(["/usr/lib/cni/bridge"], input=json.dumps(bridge).encode()).returncode)
"""
CONFLIST: Final = {
    "name": "cbr0",
    "cniVersion": "0.4.0",
    "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


def plugin(lease: str, data: str) -> str:
    """The program. ``lease``: the path of ``subnet.env``; ``data``: where addresses given out are kept."""
    return PLUGIN.replace("LEASE", lease).replace("DATA", data)
