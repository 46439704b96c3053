"""The sandbox in which the catalogue's faults are done and undone: one per test process, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from sandbox.faults.fault import Fault, Healthy
from sandbox.faults.stages import STAGES
from tests.faults.lab import Lab, Labs


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The catalogue's cases in the order of their stages: a cluster is built once, not every few cases."""
    stages = list(STAGES)
    cases = {item: stages.index(_stage(item)) for item in items if _stage(item)}
    in_order = iter(sorted(cases, key=cases.__getitem__))
    items[:] = [next(in_order) if item in cases else item for item in items]


def _stage(item: pytest.Item) -> str:
    """Where the test's case of the catalogue happens; empty where it is about none."""
    callspec = getattr(item, "callspec", None)
    cases = callspec.params.values() if callspec else ()
    return next((case.stage for case in cases if isinstance(case, Fault | Healthy)), "")


@pytest.fixture(scope="session")
def labs() -> Iterator[Labs]:
    reason = why_no_packets(catalogue("en").say)
    if reason:
        pytest.skip(reason)
    with Labs() as labs:
        yield labs


@pytest.fixture
def clean_lab(labs: Labs, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab whose cluster, if it has one already, is as it was built."""
    failed = request.session.testsfailed
    yield labs.one
    labs.tidy(fresh=request.session.testsfailed > failed)
