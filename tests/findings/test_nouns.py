"""Nouns: the same wherever a thing is told of."""

from __future__ import annotations

import pytest

from kthw.network.nouns import instance_noun, some
from kthw.observed.evidence import Instance


@pytest.mark.parametrize(
    ("bears", "address", "name", "noun"),
    [
        ("worker-1", "10.0.1.21", "", "worker-1 (i-01, 10.0.1.21)"),
        ("node-b", "10.0.1.21", "worker-1", "worker-1 (i-01, 10.0.1.21)"),
        ("worker-1", "", "", "worker-1 (i-01)"),
        ("", "10.0.1.21", "", "i-01 (10.0.1.21)"),
        ("", "", "", "i-01"),
    ],
)
def test_an_instance_is_told_by_name_id_and_address(bears: str, address: str, name: str, noun: str) -> None:
    assert instance_noun(Instance(id="i-01", state="running", name=bears, address=address), name) == noun


def test_of_many_the_first_are_told_and_how_many_there_are() -> None:
    assert some(["a", "b"], 2) == "a, b"
    assert some(["a", "b", "c"], 2) == "a, b, … (3)"
