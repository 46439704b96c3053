"""Fixtures that several areas use: accounts at an EC2 API that really answers."""

import os

from tests.provision.account import aws_account, aws_endpoint, wire

os.environ["KTHW_LAB"] = "none"  # that of whoever runs these tests is about another lab

__all__ = ["aws_account", "aws_endpoint", "wire"]
