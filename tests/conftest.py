"""What several areas use: accounts at an EC2 API that really answers; how many tests run at once."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.provision.account import aws_account, aws_endpoint, wire

__all__ = ["aws_account", "aws_endpoint", "wire"]


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """``-n auto`` is two processes a core here: what takes long waits for packets that are lost."""
    cores = yield
    return 2 * cores
