"""The tutorial's literals, and nothing else: the one home of every value a chapter prints.

Source: *Kubernetes the Hard Way* on AWS, chapters *Provisioning Compute Resources*,
*Bootstrapping the Kubernetes Worker Nodes* and *Provisioning Pod Network Routes*, and their
Portuguese translations.
"""

from __future__ import annotations

from typing import Final

CLEANUP: Final = "cleanup"
"""The last chapter: what it leaves costs money, or stands in the next attempt's way."""
CHAPTERS: Final = (
    "machines",
    "certificates",
    "kubeconfigs",
    "encryption",
    "etcd",
    "controllers",
    "workers",
    "kubectl",
    "routes",
    "dns",
    "smoke-test",
    CLEANUP,
)
"""The chapters in the order they are done; ``--after`` takes one of these."""

NETWORK_NAME: Final = "kubernetes-the-hard-way"
RESOURCE_NAME: Final = "kubernetes"
"""Name of the subnet, the internet gateway, the route table and the security group."""
PUBLIC_PORTS: Final = (22, 6443, 443)
API_PORT: Final = 6443
"""Where the controllers listen; the load balancer does on ``BALANCED_PORT``."""
BALANCED_PORT: Final = 443
DISK_GIGABYTES: Final = 50
VPC_CIDR: Final = "10.0.0.0/16"
SUBNET_CIDR: Final = "10.0.1.0/24"
POD_RANGE: Final = "10.200.0.0/16"
EVERYWHERE: Final = "0.0.0.0/0"

CONTROLLERS: Final = ("controller-0", "controller-1", "controller-2")
WORKERS: Final = "worker-0,worker-1,worker-2"
CONTROLLER_FIRST_HOST: Final = 10
"""controller-0 is host 10 of the subnet (10.0.1.10), and so on."""
WORKER_FIRST_HOST: Final = 20

KEY_NAME: Final = "kubernetes"
KEY_FILE: Final = "kubernetes.id_rsa"
SSH_USER: Final = "ubuntu"

CNI_DIRECTORY: Final = "/etc/cni/net.d"
CNI_BRIDGE_FILE: Final = "10-bridge.conf"
CNI_LOOPBACK_FILE: Final = "99-loopback.conf"
CNI_PLUGINS: Final = "/opt/cni/bin"
CNI_RELEASE: Final = "1.6.2"
"""Of containernetworking/plugins, as the original's list of downloads has it."""
CONTAINERD_CONFIG: Final = "/etc/containerd/config.toml"
CNI_BRIDGE: Final = "cnio0"

INTERNET_HOST: Final = "1.1.1.1"
"""A host on the internet that answers ICMP and TCP; the sandbox's internet has one of this address."""
INTERNET_PORT: Final = 443

NAME_KEY: Final = "name"
POD_CIDR_KEY: Final = "pod-cidr"


def cni_path(file: str) -> str:
    """Where a CNI file of that name stands on a worker."""
    return f"{CNI_DIRECTORY}/{file}"


def user_data(worker: str, pod_cidr: str) -> str:
    """The user data the tutorial launches a worker with: ``name=worker-0|pod-cidr=10.200.0.0/24``."""
    return f"{NAME_KEY}={worker}|{POD_CIDR_KEY}={pod_cidr}"


def cni_bridge(pod_cidr: str) -> dict[str, object]:
    """``10-bridge.conf`` as the tutorial's worker chapter writes it, for one worker's pod CIDR."""
    return {
        "cniVersion": "0.3.1",
        "name": "bridge",
        "type": "bridge",
        "bridge": CNI_BRIDGE,
        "isGateway": True,
        "ipMasq": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": pod_cidr}]],
            "routes": [{"dst": EVERYWHERE}],
        },
    }


CNI_LOOPBACK: Final = {"cniVersion": "0.3.1", "name": "lo", "type": "loopback"}
"""``99-loopback.conf`` as the tutorial's worker chapter writes it."""
