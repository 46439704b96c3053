"""Fixtures that several areas use: accounts at an EC2 API that really answers."""

from tests.provision.account import aws_account, aws_endpoint, wire

__all__ = ["aws_account", "aws_endpoint", "wire"]
