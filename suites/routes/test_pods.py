"""Packets: pods on different workers really reach each other, through the VPC's routes."""

from __future__ import annotations

import pytest

from kthw.findings import reachability
from kthw.findings.check import Confirm


@pytest.mark.chapter("workers")
@pytest.mark.usefixtures("pod", "node_probed")
def test_pod_reaches_its_own_node(confirm: Confirm) -> None:
    """A pod on the worker reaches its own node."""
    confirm(reachability.reaches_own_node)


@pytest.mark.chapter("workers")
@pytest.mark.usefixtures("pod", "internet_probed")
def test_pod_reaches_the_internet(confirm: Confirm) -> None:
    """A pod on the worker reaches a host on the internet."""
    confirm(reachability.reaches_internet)


@pytest.mark.chapter("routes")
@pytest.mark.usefixtures("pod", "probed_all_others")
def test_pod_reaches_pods_on_all_other_workers(confirm: Confirm) -> None:
    """A pod on the worker reaches a pod on every other worker (ICMP and TCP)."""
    confirm(reachability.reaches_others)


@pytest.mark.chapter("routes")
@pytest.mark.usefixtures("pod", "probed_by_all_others")
def test_pod_is_reached_by_pods_on_all_other_workers(confirm: Confirm) -> None:
    """A pod on the worker is reached by a pod on every other worker (ICMP and TCP)."""
    confirm(reachability.is_reached_by_others)
