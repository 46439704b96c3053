"""The VPC's routes: to every worker's pods, among the nodes, and to the internet."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_effective_table_sends_the_pod_cidr_to_the_worker(confirm: Confirm) -> None:
    """The route table in effect sends the worker's pod CIDR to the worker's instance."""
    confirm("route-to-worker")


def test_route_to_the_worker_is_active(confirm: Confirm) -> None:
    """No route to the worker's pod CIDR is a blackhole."""
    confirm("route-active")


def test_nothing_more_specific_diverts_the_pod_cidr(confirm: Confirm) -> None:
    """No more specific route takes a part of the worker's pod CIDR elsewhere."""
    confirm("route-undiverted")


def test_no_leftover_route_in_the_pod_range(confirm: Confirm) -> None:
    """No leftover route in the pod range leads to an instance that is no intended worker."""
    confirm("no-leftovers")


def test_local_routes_are_intact(confirm: Confirm) -> None:
    """Every CIDR of the VPC is still local in the worker's route table."""
    confirm("local-routes-intact")


def test_default_route_leads_to_the_internet_gateway(confirm: Confirm) -> None:
    """The worker's default route leads to the internet gateway attached to its VPC, and is active."""
    confirm("internet-route")
