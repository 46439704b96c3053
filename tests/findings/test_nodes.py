"""A check of a node that could not stand on what it needs says so, whoever asks it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.nodes import cni_subnet_matches, forward_not_dropped
from kthw.network.model import Network
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.judged import codes


def test_the_firewall_of_a_node_that_was_not_seen_lets_nothing_through() -> None:
    with pytest.raises(CouldNotLook):
        forward_not_dropped(Network(replace(OK, nodes={})), "worker-1")


def test_a_cni_file_that_is_not_there_matches_nothing() -> None:
    network = Network(FAULTS["no CNI file"][0])
    assert codes(cni_subnet_matches(network, "worker-1")) == ["cni-config-missing"]


def test_a_firewall_with_no_pod_to_ask_about_is_judged_by_what_hides_the_pods() -> None:
    network = Network(FAULTS["policy DROP, and nobody knows where its pods are"][0])
    assert codes(forward_not_dropped(network, "worker-1")) == ["pod-cidr-missing"]
