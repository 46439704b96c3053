"""Pairs that share what was judged once are told the same as if each had been judged alone."""

from __future__ import annotations

import itertools

import pytest

from kthw.findings.path import obstacles
from kthw.findings.plugins import missing_plugins
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_interface, without_route
from tests.findings.changed_nodes import masquerade_off, with_node
from tests.findings.clusters import OK, ONE
from tests.findings.faults_of_installed_networks import FAULTS as OF_NETWORKS
from tests.findings.faults_of_node_routes import FIRST, NODES, bare
from tests.findings.faults_of_reverse_path import by_second
from tests.findings.judged import codes

LABS: dict[str, Evidence] = {
    "a route missing": without_route(OK, ONE),
    "a kernel route missing": bare(NODES, FIRST),
    "kernel routes, and a check on": with_interface(NODES, "worker-1", source_dest_check=True),
    "Calico without tunnels, and a check on": OF_NETWORKS["Calico without tunnels, and a check on"][0],
    "flannel, and a node that hands nothing on": OF_NETWORKS["flannel, and a node that hands nothing on"][0],
}


@pytest.mark.parametrize("evidence", LABS.values(), ids=LABS)
def test_a_pair_meets_the_same_whoever_was_asked_about_before(evidence: Evidence) -> None:
    network = Network(evidence)
    for pair in itertools.product(network.workers, repeat=2):
        alone = [finding.cause for finding in obstacles(Network(evidence), *pair)]
        assert [finding.cause for finding in obstacles(network, *pair)] == alone


def test_answers_to_bare_pods_come_in_where_a_strict_kernel_drops_them() -> None:
    """Behind a masquerade they are for the node, and come in by its own card."""
    met = {
        masked: codes(obstacles(Network(by_second(evidence)), "worker-1", "worker-0"))
        for masked, evidence in ((True, OK), (False, masquerade_off(OK)))
    }
    assert met == {True: [], False: ["node-route-conflict"]}


def test_where_nobody_knows_in_which_folders_plugins_are_none_is_missing() -> None:
    evidence = with_node(OK, "worker-1", cni_path=(), cni_plugins=())
    assert missing_plugins(Network(evidence), "worker-1") == []
