"""A plugin: how often pytest sets a test up; and with OWN_PROTOCOL every test goes pytest's own way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    with Path(os.environ["OWN_SETUPS"]).open("a", encoding="utf-8") as file:
        file.write(f"{item.nodeid}\n")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if "OWN_PROTOCOL" not in os.environ:
        return None
    runner: Any = item.config.pluginmanager.get_plugin("runner")
    return bool(runner.pytest_runtest_protocol(item, nextitem))
