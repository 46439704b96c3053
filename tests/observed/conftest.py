"""What the tests of the way in share."""

from __future__ import annotations

from pathlib import Path

import pytest

from kthw.observed.ssh import config


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, so that the configuration of whoever runs this counts for nothing."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(config, "SYSTEM", tmp_path / "none")
    (tmp_path / ".ssh").mkdir()
    return tmp_path
