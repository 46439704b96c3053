"""A command of ours in this process, as a shell would start it: with nothing of whoever runs the tests."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

Run = Callable[..., tuple[int, str, str]]


def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment says which account, which language, or what else was set here."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "KTHW_", "LC_", "LANG")):
            monkeypatch.delenv(name)


def running(main: Callable[[tuple[str, ...]], int], capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(*arguments)``: its exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(str(end.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
