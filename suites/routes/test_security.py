"""The filters of the VPC: security groups and network ACLs let the workers' pods talk."""

from __future__ import annotations

from kthw.findings.check import Confirm


def test_security_groups_let_the_workers_talk(confirm: Confirm) -> None:
    """The worker's security groups let pod traffic with the other workers in and out."""
    confirm("security-groups-allow")


def test_network_acls_let_the_workers_talk(confirm: Confirm) -> None:
    """The network ACL of the worker's subnet lets pod traffic with the other workers pass, both ways."""
    confirm("network-acls-allow")
