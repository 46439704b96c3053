"""The filters of the VPC: security groups and network ACLs let the workers' pods talk."""

from __future__ import annotations

import pytest

from kthw.findings import security
from kthw.findings.check import Confirm

pytestmark = [pytest.mark.chapter("machines"), pytest.mark.usefixtures("one_pod_cidr")]


def test_security_groups_let_the_workers_talk(confirm: Confirm) -> None:
    """The worker's security groups let pod traffic with the other workers in and out."""
    confirm(security.security_groups_allow)


def test_network_acls_let_the_workers_talk(confirm: Confirm) -> None:
    """The network ACL of the worker's subnet lets pod traffic with the other workers pass, both ways."""
    confirm(security.network_acls_allow)
