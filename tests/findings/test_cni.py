"""Beside an installed network's file: which others are somebody's own, that would count without it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.network.cni import ruling
from kthw.network.model import Network
from tests.findings.clusters import OK
from tests.findings.faults_of_installed_networks import BRIDGE, CILIUM, holding


@pytest.mark.parametrize(
    ("kind", "own"),
    [("bridge", True), ("ptp", True), ("macvlan", True), ("ipvlan", True), ("calico", False)],
)
def test_a_file_that_somebody_wrote_stands_beside_the_installed_networks(kind: str, own: bool) -> None:
    evidence = OK
    for worker in OK.intended.workers:
        evidence = holding(evidence, worker, CILIUM, replace(BRIDGE, type=kind))
    found = ruling(Network(evidence))
    assert found is not None
    assert (found.network.name, found.beside) == ("Cilium", own)
