"""Where pods are on Calico's network, or its like, the chapter's routes are not asked for; nothing hides."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.findings.judging import Verdict, judge
from kthw.intended.cluster import CNI_PLUGIN, NODE_ROUTES, VPC_ROUTES
from kthw.network.cni import handed_bare, ruling, runs
from kthw.network.model import Network
from kthw.network.node_routes import network_model
from kthw.observed.agent.node import AGENTS
from kthw.observed.cni_networks import BROUGHT
from kthw.observed.evidence import Evidence
from kthw.verdict.drawing import drawing
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import with_second_interface, without_instance
from tests.findings.changed_nodes import failing, with_node
from tests.findings.clusters import OK, healthy
from tests.findings.faults import FAULTS, HEALTHY
from tests.findings.faults_of_installed_networks import (
    CALICO,
    CALICOS,
    CILIUM,
    FLANNEL,
    KUBE_ROUTER,
    NETWORKS,
    VPC_CNI,
    handing,
    holding,
    installed,
    left_everywhere,
    with_check_off,
)
from tests.findings.faults_of_installed_networks import (
    Network as Kind,
)
from tests.findings.faults_of_node_routes import NODES, meaning, without_vpc_routes
from tests.findings.judged import NETWORK, everything

ASKED = {
    "one-running-instance",
    "can-be-logged-in-to",
    "local-routes-intact",
    "internet-route",
    "forwarding-on",
}
ASKED |= {"forwarding-on", "cni-configured", "cni-plugins-installed"}
"""What is as it should be whoever's network it is."""
BETWEEN = {
    "reaches-others",
    "is-reached-by-others",
    "udp-between-pods",
    "full-size-between-pods",
    "no-packets-lost",
}
PACKETS = {"reaches-own-node", "cni-makes-pods", *BETWEEN}


def statuses(verdict: Verdict, worker: str) -> dict[str, str]:
    return {each.check: each.status for each in verdict.outcomes if each.subject == worker}


def reasons(verdict: Verdict, *checks: str) -> set[str]:
    return {each.skip.reason for each in verdict.outcomes if each.skip and each.check in checks}


@pytest.mark.parametrize("kind", NETWORKS, ids=lambda kind: kind.name)
def test_what_makes_sense_is_asked_and_the_rest_is_skipped_with_the_reason(kind: Kind) -> None:
    verdict = judge(installed(kind))
    told = statuses(verdict, "worker-1")
    passed = {check for check, status in told.items() if status == "passed"}
    served = kind in (FLANNEL, KUBE_ROUTER)
    assert passed == (ASKED | PACKETS if served else ASKED)
    assert set(told.values()) == {"passed", "skipped"}
    assert verdict.errors == ()
    assert reasons(verdict, *PACKETS) == (set() if served else {"run-skip-plugin-pods"})
    others = {check.name for check in NETWORK} - ASKED - PACKETS - {"source-dest-check-off"}
    assert reasons(verdict, *others) == {"run-skip-plugin"}
    assert reasons(verdict, "source-dest-check-off") == {"run-skip-tunnel"}


@pytest.mark.parametrize("kind", NETWORKS, ids=lambda kind: kind.name)
def test_one_sentence_says_whose_business_it_is(kind: Kind) -> None:
    report = Report(judge(installed(kind)), Summary())
    for language in LANGUAGES:
        words = catalogue(language)
        (line,) = report.network(words)
        assert kind.name in line
        document = report.document(words)["network"]
        assert (document["model"], document["plugin"], document["what"]) == (CNI_PLUGIN, kind.name, line)
        assert "pods 10.200." not in drawing(report.verdict, words)
    assert report.pod_cidrs == {}
    assert report.verdict.remarks == ()


def having(evidence: Evidence, *numbers: int, **changes: Any) -> Evidence:
    """Cilium's file alone on these workers, where it runs."""
    for number in numbers:
        evidence = holding(evidence, f"worker-{number}", CILIUM, **changes)
    return evidence


MODELS: dict[str, tuple[Evidence, str, str]] = {
    "the files of most": (holding(CALICOS, "worker-1", CILIUM), CNI_PLUGIN, "files"),
    "of two of three, the third the chapter's": (
        FAULTS["one node kept only the bridge"][0],
        CNI_PLUGIN,
        "files",
    ),
    "of one of three": (FAULTS["Cilium runs on one node of the chapter's"][0], VPC_ROUTES, "vpc"),
    "nothing runs, the chapter is begun": (
        FAULTS["Cilium is left on every node, before the bridge"][0],
        VPC_ROUTES,
        "vpc",
    ),
    "nothing runs, and nothing of the chapter": (
        FAULTS["Calico's agent on no node, and nothing of the chapter"][0],
        CNI_PLUGIN,
        "files",
    ),
    "nobody looked what runs": (installed(CALICO, cni_agents=None), CNI_PLUGIN, "files"),
    "of one of two": (holding(healthy(2), "worker-1", CILIUM), VPC_ROUTES, "vpc"),
    "of three of five": (having(healthy(5), 0, 1, 2), CNI_PLUGIN, "files"),
    "of one, and the others have no file yet": (
        with_node(with_node(CALICOS, "worker-1", cni=()), "worker-2", cni=()),
        CNI_PLUGIN,
        "files",
    ),
    "it runs on one of them": (having(left_everywhere(OK), 1), CNI_PLUGIN, "files"),
    "it runs where its file does not count, the chapter is begun": (
        with_node(having(OK, 0, 1, cni_agents=()), "worker-2", cni_agents=(CILIUM.agent,)),
        VPC_ROUTES,
        "vpc",
    ),
    "nothing runs, and there are only the VPC's routes": (
        having(OK, 0, 1, 2, cni_agents=()),
        VPC_ROUTES,
        "vpc",
    ),
    "nothing runs, and there are only kernel routes": (
        having(NODES, 0, 1, 2, cni_agents=()),
        NODE_ROUTES,
        "nodes",
    ),
    "nothing runs, and there are only the bridge's files": (
        left_everywhere(without_vpc_routes(OK)),
        VPC_ROUTES,
        "neither",
    ),
    "asked for, and there": (meaning(CALICOS, CNI_PLUGIN), CNI_PLUGIN, "asked"),
    "asked for, and not there": (meaning(OK, CNI_PLUGIN), CNI_PLUGIN, "asked"),
    "there, and the chapter's asked for": (meaning(CALICOS, VPC_ROUTES), VPC_ROUTES, "asked"),
}


@pytest.mark.parametrize(("evidence", "model", "why"), MODELS.values(), ids=MODELS)
def test_the_model_is_what_most_files_that_count_say(evidence: Evidence, model: str, why: str) -> None:
    found = network_model(Network(evidence))
    assert (found.name, found.why) == (model, why)
    there = ruling(Network(evidence))
    assert found.plugin == (there.network.name if there and model == CNI_PLUGIN else "")


def without_ssh(evidence: Evidence) -> Evidence:
    return replace(evidence, nodes={}, probes=())


def test_without_ssh_the_network_interfaces_tell_of_amazon_vpc_cni() -> None:
    evidence = installed(VPC_CNI)
    seen = network_model(Network(without_ssh(evidence)))
    assert (seen.name, seen.why) == (VPC_ROUTES, "unseen")
    for number in range(3):
        evidence = with_second_interface(evidence, number, for_pods=True)
    report = Report(judge(without_ssh(evidence)), Summary())
    for language in LANGUAGES:
        (line,) = report.network(catalogue(language))
        assert "amazon-vpc-cni" in line
    assert {f.code for f in report.findings} == set()
    assert report.verdict.network
    assert network_model(report.verdict.network).why == "enis"
    chapter = OK
    for number in range(3):
        chapter = with_second_interface(chapter, number, for_pods=True)
    assert network_model(Network(without_ssh(chapter))).why == "enis"
    # What the nodes say themselves counts more.
    assert network_model(Network(chapter)).why == "vpc"


SITUATIONS = {
    "one node kept the bridge before Calico's file": "other",
    "one node kept only the bridge": "other-alone",
    "one node has another network": "other-alone",
    "Cilium is left on one node, plugin and all": "left",
    "Cilium's file took the place of the bridge's": "left-alone",
}


@pytest.mark.parametrize(("fault", "variant"), SITUATIONS.items(), ids=SITUATIONS)
def test_the_file_that_counts_is_named_and_set_aside(fault: str, variant: str) -> None:
    evidence = FAULTS[fault][0]
    (found,) = everything(evidence)
    counts = min(each.file for each in evidence.nodes["worker-1"].cni if each.type != "loopback")
    assert found.variant == variant
    for language in LANGUAGES:
        said = catalogue(language).finding(found)
        assert f"/etc/cni/net.d/{counts}" in said.what
        assert f"sudo mv /etc/cni/net.d/{counts} /etc/cni/net.d/{counts}.unused" in said.fix
        assert ("sudo tee /etc/cni/net.d/10-bridge.conf" in said.fix) is (variant == "left-alone")


def test_what_another_network_keeps_from_having_a_probe_pod_is_no_error_anywhere() -> None:
    verdict = judge(FAULTS["Cilium is left on one node, plugin and all"][0])
    assert verdict.errors == ()
    told = statuses(verdict, "worker-1")
    assert {check for check, status in told.items() if status == "failed"} == {"cni-configured"}
    others = {o.skip.reason: o.skip for o in verdict.outcomes if o.skip and o.subject == "worker-0"}
    assert set(others) == {"run-skip-peer"}
    assert others["run-skip-peer"].told_by == "cni-configured"


def test_a_plugin_s_network_is_not_explained_by_what_it_was_never_asked_for() -> None:
    """Packets of flannel's that are lost: nothing of the chapter is named as the cause."""
    verdict = judge(failing(installed(FLANNEL), ("*", "worker-1")))
    assert {f.code for f in verdict.findings} == {"pod-unreachable"}
    assert all(not finding.explained_by for finding in verdict.findings)
    fault = FAULTS["flannel, and a node that hands nothing on"][0]
    explained = Counter(code for f in judge(fault).findings for code in f.explained_by)
    assert set(explained) == {"forwarding-off"}


def test_a_check_that_a_bare_packet_meets_explains_it() -> None:
    fault = FAULTS["Calico without tunnels, and a check on"][0]
    (found,) = judge(fault).findings
    assert (found.code, found.worker) == ("source-dest-check-on", "worker-1")
    assert statuses(judge(with_check_off(fault, 1)), "worker-1")["source-dest-check-off"] == "passed"


def test_a_file_that_does_not_count_is_worth_a_word() -> None:
    for name in ("Calico's file after the bridge's", "Calico, the bridge's file after it"):
        (remark,) = judge(HEALTHY[name]).remarks
        assert (remark.code, remark.worker) == ("cni-file-not-counting", "worker-1")
        for language in LANGUAGES:
            said = catalogue(language).remark(remark)
            assert "10-calico.conflist" in said.what
            assert said.why
    assert not any(r.code == "cni-file-not-counting" for r in judge(OK).remarks)


def test_of_multus_the_network_inside_is_judged() -> None:
    for name in ("Multus before the bridge", "Multus with the bridge inside"):
        verdict = judge(HEALTHY[name])
        assert {o.status for o in verdict.outcomes} == {"passed"}
    alone = with_node(OK, "worker-1", cni=(HEALTHY["Multus before the bridge"].nodes["worker-1"].cni[0],))
    assert {f.code for f in judge(alone).findings} >= {"cni-plugin-missing"}


def test_a_network_without_an_agent_runs_where_nothing_does() -> None:
    idle = with_node(OK, "worker-1", cni_agents=()).nodes["worker-1"]
    assert {each.name for each in BROUGHT if runs(idle, each)} == {"Multus"}
    assert all(runs(OK.nodes["worker-1"], each) for each in BROUGHT), "nobody looked"


def test_nothing_is_handed_to_a_worker_that_is_not_there() -> None:
    assert handed_bare(Network(without_instance(handing(CALICOS), "worker-1")), "worker-1") == ()


def test_the_agents_that_are_looked_for_are_those_of_the_networks() -> None:
    assert set(AGENTS) == {each.agent for each in BROUGHT if each.agent}
    assert all(len(agent) <= 15 for agent in AGENTS), "the kernel keeps no more of a name"
