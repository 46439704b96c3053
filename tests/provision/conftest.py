"""The command on a test's own account."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kthw.provision.__main__ import main
from tests.provision.account import Account, Run


@pytest.fixture
def run(
    aws_account: Account,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """The command on the test's account: exit code, stdout, stderr."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "LC_", "LANG")):
            monkeypatch.delenv(name)
    for name, value in aws_account.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def command(*arguments: str, **environment: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                code = main([*arguments, "--journal", str(tmp_path / "journal.jsonl")])
            except SystemExit as end:
                code = int(str(end.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return command
