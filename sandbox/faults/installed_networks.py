"""flannel on the catalogue's cluster: its two backends, and what it leaves on a node.

Of no package comes its program, so a stand-in of a few lines plays the plugin (``sandbox.faults.flannel``),
and a sleeping process of its agent's name the agent; the tunnels, routes and packets are the kernel's.
"""

from __future__ import annotations

import json
from typing import Final

from sandbox.faults import flannel

_LEASE: Final = "/run/flannel/subnet.env"
_INSTALL: Final = f"""
mkdir -p /root/flannel /run/flannel /etc/containerd
cat >/root/flannel/flannel <<'PROGRAM'
{flannel.plugin(_LEASE, "/var/lib/cni/networks")}
PROGRAM
cp /usr/bin/sleep /root/flannel/flanneld
chmod 755 /root/flannel/flannel /root/flannel/flanneld
printf 'bin_dirs = ["/root/flannel", "/opt/cni/bin"]\\n' >/etc/containerd/config.toml
printf 'FLANNEL_NETWORK=10.200.0.0/16\\nFLANNEL_SUBNET=10.200.10%s.0/24\\n' $1 >{_LEASE}
setsid /root/flannel/flanneld 36000 </dev/null >/dev/null 2>&1 & echo $! >/root/flannel/pid
cat >/etc/cni/net.d/10-flannel.conflist <<'CNI'
{json.dumps(flannel.CONFLIST)}
CNI
"""
_SET_ASIDE: Final = "mv /etc/cni/net.d/10-bridge.conf /root/flannel"
_PEERS: Final = "for m in 0 1 2; do if [ $m != $1 ]; then"
_VXLAN: Final = f"""
echo FLANNEL_MTU=1450 >>{_LEASE}
card=$(ip -o -4 address | sed -n "s#^[0-9]*: *\\([^ ]*\\) .*10[.]0[.]1[.]2$1/.*#\\1#p")
ip link add flannel.1 address 0a:00:00:00:00:0$1 mtu 1450 type vxlan \\
  id 1 local 10.0.1.2$1 dev $card dstport 8472 nolearning
ip address add 10.200.10$1.0/32 dev flannel.1
ip link set flannel.1 up
{_PEERS}
  ip route add 10.200.10$m.0/24 via 10.200.10$m.0 dev flannel.1 onlink
  ip neighbor add 10.200.10$m.0 lladdr 0a:00:00:00:00:0$m dev flannel.1 nud permanent
  bridge fdb append 0a:00:00:00:00:0$m dev flannel.1 dst 10.0.1.2$m
fi; done
"""
_HOST_GATEWAY: Final = f"""
echo FLANNEL_MTU=9001 >>{_LEASE}
{_PEERS} ip route add 10.200.10$m.0/24 via 10.0.1.2$m; fi; done
"""
_REMOVE: Final = r"""
kill $(cat /root/flannel/pid)
ip link del flannel.1 2>/dev/null || true
ip route show | sed -n 's#^\(10[.]200[.]10[0-9][.]0/24 via [0-9.]*\).*#ip route del \1#p' | sh -e
rm /etc/cni/net.d/10-flannel.conflist
mv /root/flannel/10-bridge.conf /etc/cni/net.d
rm -r /root/flannel /run/flannel /etc/containerd
"""


def _everywhere(script: str) -> str:
    return f"for n in 0 1 2; do ssh worker-$n \"sudo bash -es $n\" <<'END'\n{script}\nEND\ndone"


IN_TUNNELS: Final = _INSTALL + _VXLAN
"""What bash is told on the node whose number is its argument, where no other CNI file is."""
VXLAN: Final = _everywhere(IN_TUNNELS + _SET_ASIDE)
HOST_GATEWAY: Final = _everywhere(_INSTALL + _HOST_GATEWAY + f"\n{_SET_ASIDE}")
REMOVED: Final = _everywhere(_REMOVE)
CHECKS_ON: Final = """
for id in ${WORKER_0} ${WORKER_1} ${WORKER_2}; do
  aws ec2 modify-instance-attribute --instance-id $id --source-dest-check
done
"""
CHECKS_OFF: Final = CHECKS_ON.replace("--source", "--no-source")
NO_ROUTES: Final = "for n in 0 1 2; do route delete-route 10.200.$n.0/24 ''; done"
ROUTES: Final = """
route create-route 10.200.0.0/24 "--instance-id ${WORKER_0}"
route create-route 10.200.1.0/24 "--instance-id ${WORKER_1}"
route create-route 10.200.2.0/24 "--instance-id ${WORKER_2}"
"""


def installed_plugin(worker: str, plugin: str) -> str:
    """A plugin that is still there, where the runtime looks, of a network of which nothing runs."""
    return f"""ssh {worker} sudo bash -e <<'END'
mkdir -p /root/left /etc/containerd
cp /usr/bin/false /root/left/{plugin}
printf 'bin_dirs = ["/root/left", "/opt/cni/bin"]\\n' >/etc/containerd/config.toml
END"""


def removed_plugin(worker: str) -> str:
    return f"ssh {worker} 'sudo rm -r /root/left /etc/containerd'"
