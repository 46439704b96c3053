"""What the tests of ``./run`` share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine to try it on, with nothing missing."""
    return Machine(tmp_path)
