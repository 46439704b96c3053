"""The workers from inside: they forward packets, and make pods with addresses of their pod CIDR."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_kernel_forwards_packets(confirm: Confirm) -> None:
    """The worker's kernel forwards IPv4 packets."""
    confirm("forwarding-on")


def test_firewall_lets_pod_packets_through(confirm: Confirm) -> None:
    """The node's firewall lets the packets of its pods through."""
    confirm("firewall-lets-through")


def test_kernel_routes_lead_the_right_way(confirm: Confirm) -> None:
    """The node's kernel sends packets for pods the right way, and those for its own pods to their bridge."""
    confirm("kernel-routes-right")


def test_other_machines_lead_to_pods(confirm: Confirm) -> None:
    """The kernel of a machine that is no worker (--also) sends packets for pods to the nodes they run on."""
    confirm("other-machines-lead-to-pods")


def test_cni_configuration_is_there(confirm: Confirm) -> None:
    """The worker has a CNI configuration that can make pods."""
    confirm("cni-configured")


def test_cni_plugins_are_installed(confirm: Confirm) -> None:
    """The plugins that the worker makes pods with are installed."""
    confirm("cni-plugins-installed")


def test_cni_subnet_is_the_pod_cidr(confirm: Confirm) -> None:
    """The CNI configuration gives pods addresses of the worker's own pod CIDR."""
    confirm("cni-subnet-matches")


def test_cni_file_gives_pods_all_they_need(confirm: Confirm) -> None:
    """The CNI configuration gives pods a gateway, a way out, and all addresses of their range."""
    confirm("cni-file-complete")


def test_cni_makes_pods(confirm: Confirm) -> None:
    """The worker's CNI configuration and plugins make a pod."""
    confirm("cni-makes-pods")
