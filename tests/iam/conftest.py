"""What the tests of policies share: a lab in an account reached by a wire, and pytest as a program."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import run_pytest
from tests.provision.account import Account
from tests.provision.conftest import run
from tests.provision.wire import Wire

__all__ = ["run", "run_pytest"]


@pytest.fixture
def lab(aws_account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The tutorial's network without pod routes; the environment points at it by way of ``wire``."""
    aws_account.build()
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL_EC2"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (aws_account.environment | {"AWS_ENDPOINT_URL": wire.endpoint}).items():
        monkeypatch.setenv(name, value)
    return aws_account
