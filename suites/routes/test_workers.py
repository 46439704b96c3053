"""The workers themselves: there, alone, with pod addresses of their own, and willing to forward."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_there_are_as_many_workers_as_expected(confirm: Confirm) -> None:
    """There are as many workers as expected (--expect-workers)."""
    confirm("workers-as-expected")


def test_exactly_one_running_instance_bears_the_name(confirm: Confirm) -> None:
    """Exactly one running instance bears the worker's name."""
    confirm("one-running-instance")


def test_worker_can_be_logged_in_to(confirm: Confirm) -> None:
    """The worker has what logging in takes of AWS: a public address, and a rule for port 22."""
    confirm("can-be-logged-in-to")


def test_user_data_names_a_pod_cidr_of_its_own(confirm: Confirm) -> None:
    """A pod CIDR is said for the worker that overlaps no other worker's and no CIDR of the VPC."""
    confirm("pod-cidr-of-its-own")


def test_source_dest_check_is_off(confirm: Confirm) -> None:
    """The worker's network interface lets packets for its pods pass (source/dest check off)."""
    confirm("source-dest-check-off")
