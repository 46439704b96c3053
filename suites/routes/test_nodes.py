"""The workers from inside: they forward packets, and make pods with addresses of their pod CIDR."""

from __future__ import annotations

import pytest

from kthw.findings import nodes
from kthw.findings.check import Confirm

pytestmark = [pytest.mark.chapter("workers"), pytest.mark.usefixtures("node")]


def test_kernel_forwards_packets(confirm: Confirm) -> None:
    """The worker's kernel forwards IPv4 packets."""
    confirm(nodes.forwarding_on)


def test_cni_configuration_is_there(confirm: Confirm) -> None:
    """The worker has a CNI configuration that can make pods."""
    confirm(nodes.cni_configured)


@pytest.mark.usefixtures("one_pod_cidr", "cni")
def test_cni_subnet_is_the_pod_cidr(confirm: Confirm) -> None:
    """The CNI configuration gives pods addresses of the worker's own pod CIDR."""
    confirm(nodes.cni_subnet_matches)
