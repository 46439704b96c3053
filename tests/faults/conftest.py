"""The sandbox in which the catalogue's faults are done and undone: one per test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from tests.faults.lab import Lab, Labs


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
