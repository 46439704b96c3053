"""A check of a node that could not stand on what it needs says so, whoever asks it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.node_changes import PodsMoved
from kthw.findings.nodes import cni_subnet_matches, forward_not_dropped
from kthw.network.model import Network
from tests.findings.changed_aws import with_user_data
from tests.findings.changed_nodes import with_cni
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.faults_of_installed_networks import LEFT
from tests.findings.judged import codes


def test_the_firewall_of_a_node_that_was_not_seen_lets_nothing_through() -> None:
    with pytest.raises(CouldNotLook):
        forward_not_dropped(Network(replace(OK, nodes={})), "worker-1")


def test_a_cni_file_that_is_not_there_matches_nothing() -> None:
    network = Network(FAULTS["no CNI file"][0])
    assert codes(cni_subnet_matches(network, "worker-1")) == ["cni-config-missing"]


def test_the_file_of_another_network_matches_nothing() -> None:
    assert codes(cni_subnet_matches(Network(LEFT), "worker-1")) == ["cni-network-mixed"]


@pytest.mark.parametrize(("said", "moved"), [("10.200.1.0/30", True), ("10.200.1.1/31", False)])
def test_pods_are_moved_to_what_user_data_says_where_there_is_room_for_one(said: str, *, moved: bool) -> None:
    """In less a bridge and a pod have no address each."""
    evidence = with_cni(with_user_data(OK, "worker-1", pod_cidr=said), "worker-1", subnet="10.201.1.0/24")
    (found,) = cni_subnet_matches(Network(evidence), "worker-1")
    made = PodsMoved(worker="worker-1", file="10-bridge.conf", bridge="cnio0", subnet=said)
    assert (found.code, found.changes) == ("cni-subnet-mismatch", (made,) if moved else ())


def test_a_firewall_with_no_pod_to_ask_about_is_judged_by_what_hides_the_pods() -> None:
    network = Network(FAULTS["policy DROP, and nobody knows where its pods are"][0])
    assert codes(forward_not_dropped(network, "worker-1")) == ["pod-cidr-missing"]
