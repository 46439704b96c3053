"""The workers themselves: there, alone, with pod addresses of their own, and willing to forward."""

from __future__ import annotations

import pytest

from kthw.findings import workers
from kthw.findings.check import Confirm

pytestmark = pytest.mark.chapter("machines")


def test_exactly_one_running_instance_bears_the_name(confirm: Confirm) -> None:
    """Exactly one running instance bears the worker's name."""
    confirm(workers.one_running_instance)


@pytest.mark.usefixtures("one_instance")
def test_user_data_names_a_pod_cidr_of_its_own(confirm: Confirm) -> None:
    """The worker's user data names a pod CIDR that overlaps no other worker's and no CIDR of the VPC."""
    confirm(workers.valid_pod_cidr)


@pytest.mark.usefixtures("one_instance")
def test_source_dest_check_is_off(confirm: Confirm) -> None:
    """The worker's network interface lets packets for its pods pass (source/dest check off)."""
    confirm(workers.source_dest_check_off)
