"""A plugin for pytest runs by the tests: it counts what such a run does, and writes it to OWN_STEPS.

The lines of the project's own Python that are run; and the comparisons of the names that tests have of their
workers: ``worker in workers`` goes through all of them in C, which runs no line. (What else C goes through in
one call is not seen, nor what others' code does: pytest and its plugins cost for each test what they cost.)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest
from msgspec.structs import replace as with_fields

from fixtures.settings import SETTINGS

_PROJECT: Final = Path(__file__).resolve().parents[2]
_OURS: Final = tuple(f"{_PROJECT / folder}{os.sep}" for folder in ("fixtures", "kthw", "suites"))
_counts = {"lines": 0, "comparisons": 0}


class _Name(str):
    """A worker's name: the same to all but that it counts."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        _counts["comparisons"] += 1
        return str.__eq__(self, other) is True


def _called(frame: FrameType, _event: str, _argument: Any) -> Any:
    return _line if frame.f_code.co_filename.startswith(_OURS) else None


def _line(_frame: FrameType, event: str, _argument: Any) -> Any:
    _counts["lines"] += event == "line"
    return _line


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    sys.settrace(_called)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    settings = session.config.stash[SETTINGS]
    names = tuple(map(_Name, settings.intended.workers))
    session.config.stash[SETTINGS] = replace(settings, intended=with_fields(settings.intended, workers=names))
    try:
        return (yield)
    finally:
        session.config.stash[SETTINGS] = settings


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    sys.settrace(None)
    Path(os.environ["OWN_STEPS"]).write_text("{lines} {comparisons}".format_map(_counts))
