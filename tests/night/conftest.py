"""The command, as a night's last steps call it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.night.__main__ import main
from kthw.observed.evidence import Evidence
from kthw.observed.recording import write
from tests.plugin.conftest import judge, run_pytest

__all__ = ["judge", "run_pytest", "tell"]

Tell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tell:
    """``tell(evidence, *arguments, **environment)``: exit code, stdout, stderr. ``None``: no recording."""

    def told(evidence: Evidence | None, *arguments: str, **environment: str) -> tuple[int, str, str]:
        file = tmp_path / "report.json"
        file.unlink(missing_ok=True)
        if evidence:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            write(replace(evidence, gathered_at=now), file)
        try:
            code = main([*arguments, "--report", str(file)], environment)
        except SystemExit as end:
            code = int(str(end.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return told
