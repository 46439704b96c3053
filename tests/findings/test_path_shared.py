"""Pairs that share what was judged once are told the same as if each had been judged alone."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from kthw.findings.finding import Finding
from kthw.findings.next_hops import lacking
from kthw.findings.path import obstacles
from kthw.findings.plugins import missing_plugins
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_group, with_interface, without_route
from tests.findings.changed_nodes import masquerade_off, with_node
from tests.findings.clusters import OK, ONE
from tests.findings.faults_of_installed_networks import BARE, by_tunnel
from tests.findings.faults_of_installed_networks import FAULTS as OF_NETWORKS
from tests.findings.faults_of_node_routes import FIRST, NODES, bare, meaning, without_vpc_routes
from tests.findings.faults_of_reverse_path import by_second
from tests.findings.judged import codes

CHECKED = with_interface(OK, "worker-1", source_dest_check=True)
TWO_CARDS = ("10.0.7.21/24", "10.0.1.23/31")
"""Of a strict one: by which of its two worker-1 answers worker-2, nobody knows; worker-0, by the other."""

LABS: dict[str, Evidence] = {
    "a route missing": without_route(OK, ONE),
    "a kernel route missing": bare(NODES, FIRST),
    "kernel routes, and a check on": with_interface(NODES, "worker-1", source_dest_check=True),
    "Calico without tunnels, and a check on": OF_NETWORKS["Calico without tunnels, and a check on"][0],
    "flannel, and a node that hands nothing on": OF_NETWORKS["flannel, and a node that hands nothing on"][0],
    "flannel, a tunnel between two nodes, and all that the chapter has": replace(
        by_tunnel(BARE, 0, 1), inventory=CHECKED.inventory
    ),
    "no kernel routes, and they are meant": meaning(without_vpc_routes(OK)),
    "a strict kernel, and one of two senders": by_second(OK, addresses=TWO_CARDS),
}


@pytest.mark.parametrize("evidence", LABS.values(), ids=LABS)
def test_a_pair_meets_the_same_whoever_was_asked_about_before(evidence: Evidence) -> None:
    network = Network(evidence)
    for pair in itertools.product(network.workers, repeat=2):
        alone = [finding.cause for finding in obstacles(Network(evidence), *pair)]
        assert [finding.cause for finding in obstacles(network, *pair)] == alone


def test_a_lab_by_kernel_routes_or_a_plugin_or_with_a_strict_kernel_differs_by_source() -> None:
    """Else those above would show nothing."""
    for name in (
        "flannel, a tunnel between two nodes, and all that the chapter has",
        "no kernel routes, and they are meant",
        "a strict kernel, and one of two senders",
    ):
        network = Network(LABS[name])
        one, other = (
            [finding.cause for finding in obstacles(network, source, "worker-1")]
            for source in ("worker-0", "worker-2")
        )
        assert one != other


@pytest.mark.parametrize(
    ("evidence", "code"),
    [
        (OK, []),
        (with_group(OK, ingress=()), ["security-group-blocks"]),
        (without_route(masquerade_off(OK), "10.200.0.0/24"), ["route-missing"]),
    ],
    ids=["nothing", "as it enters", "as its answer crosses"],
)
def test_pairs_that_meet_the_same_get_the_same_object(evidence: Evidence, code: list[str]) -> None:
    network = Network(evidence)
    met = obstacles(network, "worker-0", "worker-1")
    assert met is obstacles(network, "worker-0", "worker-2")
    assert codes(met) == code


def test_what_the_vpc_treats_alike_is_judged_once_for_each_destination(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def counted(network: Network, worker: str, other: str) -> list[Finding]:
        asked.append(other)
        return lacking(network, worker, other)

    monkeypatch.setattr("kthw.findings.path.lacking", counted)
    network = Network(OK)
    for pair in itertools.permutations(network.workers, 2):
        obstacles(network, *pair)
    assert sorted(asked) == list(network.workers)


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
