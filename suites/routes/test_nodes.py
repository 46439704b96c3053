"""The workers from inside: they forward packets, and make pods with addresses of their pod CIDR."""

from __future__ import annotations

import pytest

from kthw.findings import nodes
from kthw.findings.check import Confirm

pytestmark = [pytest.mark.chapter("workers"), pytest.mark.usefixtures("node")]


def test_kernel_forwards_packets(confirm: Confirm) -> None:
    """The worker's kernel forwards IPv4 packets."""
    confirm(nodes.forwarding_on)


@pytest.mark.usefixtures("firewall")
def test_firewall_lets_pod_packets_through(confirm: Confirm) -> None:
    """The node's firewall lets the packets of its pods through."""
    confirm(nodes.forward_not_dropped)


@pytest.mark.usefixtures("kernel_routes", "cni")
def test_kernel_routes_lead_the_right_way(confirm: Confirm) -> None:
    """The node's kernel sends packets for pods into the VPC, and those for its own pods to their bridge."""
    confirm(nodes.no_route_conflict)


def test_cni_configuration_is_there(confirm: Confirm) -> None:
    """The worker has a CNI configuration that can make pods."""
    confirm(nodes.cni_configured)


@pytest.mark.usefixtures("one_pod_cidr", "cni")
def test_cni_subnet_is_the_pod_cidr(confirm: Confirm) -> None:
    """The CNI configuration gives pods addresses of the worker's own pod CIDR."""
    confirm(nodes.cni_subnet_matches)
