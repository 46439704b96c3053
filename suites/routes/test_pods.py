"""Packets: pods on different workers really reach each other, through the VPC's routes."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_pod_reaches_its_own_node(confirm: Confirm) -> None:
    """A pod on the worker reaches its own node."""
    confirm("reaches-own-node")


def test_pod_reaches_the_internet(confirm: Confirm) -> None:
    """A pod on the worker reaches a host on the internet."""
    confirm("reaches-internet")


def test_pod_reaches_pods_on_all_other_workers(confirm: Confirm) -> None:
    """A pod on the worker reaches a pod on every other worker (ICMP and TCP)."""
    confirm("reaches-others")


def test_pod_is_reached_by_pods_on_all_other_workers(confirm: Confirm) -> None:
    """A pod on the worker is reached by a pod on every other worker (ICMP and TCP)."""
    confirm("is-reached-by-others")


def test_pod_reaches_pods_on_all_other_workers_by_udp(confirm: Confirm) -> None:
    """A pod on the worker reaches a pod on every other worker by UDP, as DNS does."""
    confirm("udp-between-pods")


def test_full_size_packets_reach_pods_on_all_other_workers(confirm: Confirm) -> None:
    """Packets as large as a pod on the worker sends reach a pod on every other worker."""
    confirm("full-size-between-pods")


def test_no_packets_are_lost_on_the_way_to_other_workers(confirm: Confirm) -> None:
    """Packets of a pod on the worker to a pod on every other worker, and their answers, do not get lost."""
    confirm("no-packets-lost")
