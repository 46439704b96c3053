"""A kernel route through a third node: packets arrive where that node hands them on, and are said to."""

from __future__ import annotations

import pytest

from kthw.findings.path import obstacles
from kthw.network.model import Network
from sandbox.faults import stages
from tests.faults.lab import Lab
from tests.faults.prediction import disagreements


@pytest.mark.slow
def test_a_detour_through_a_node_that_forwards_is_told_and_is_no_obstacle(clean_lab: Lab) -> None:
    """On AWS a frame goes to the ENI it is sent to, which without its source/dest check forwards it."""
    clean_lab.set("three by kernel routes")
    workers = stages.STAGES["three by kernel routes"].names()
    clean_lab.types("ssh worker-0 sudo ip route replace 10.200.1.0/24 via ${WORKER_2_IP}")
    seen = clean_lab.look()
    assert disagreements(seen) == []
    assert all(probe.reached for probe in seen.probes if probe.kind == "pod")
    assert obstacles(Network(seen), workers[0], workers[1]) == []
    clean_lab.types(
        "aws ec2 modify-network-interface-attribute --network-interface-id ${WORKER_2_ENI} "
        "--source-dest-check"
    )
    seen = clean_lab.look()
    assert disagreements(seen) == []
    assert "node-route-wrong-next-hop" in {
        finding.code for finding in obstacles(Network(seen), workers[0], workers[1])
    }
