"""What several areas use: accounts at an EC2 API that really answers; how tests run, and how many at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.provision.account import aws_account, aws_endpoint, wire

os.environ["KTHW_LAB"] = "none"  # that of whoever runs these tests is about another lab
# The Python there, and no version manager's stand-in for it: a script that starts a dozen programs each time.
os.environ["PATH"] = os.pathsep.join(
    filter(None, (str(Path(sys.base_prefix, "bin")), os.environ.get("PATH")))
)

__all__ = ["aws_account", "aws_endpoint", "wire"]


def pytest_configure() -> None:
    """Ctrl-C and a hang-up do to the tests' programs what they do elsewhere, whoever runs the tests.

    A shell's ``&`` and ``nohup`` have them ignored, and whatever we start inherits that, but not a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """``-n auto`` is two processes a core here: what takes long waits for packets that are lost."""
    cores = yield
    return 2 * cores
