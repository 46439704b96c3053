"""What must be known first: of pods nobody made, of other machines, of an earlier version's recording."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.findings.needs import not_assumed_from
from kthw.network.model import Network
from kthw.observed.evidence import UnfitProgram
from tests.findings.changed_aws import with_instance, with_user_data
from tests.findings.changed_nodes import with_node
from tests.findings.clusters import OK
from tests.findings.faults_of_cni import BRIDGE, FAULTS, unmade
from tests.findings.faults_of_installed_networks import FLANNEL, installed
from tests.findings.faults_of_node_routes import NODES
from tests.findings.faults_of_other_machines import NAME, beside
from tests.findings.faults_of_plugins import without_pod
from tests.findings.judged import asked

FAILURE = unmade("refused", "said").nodes["worker-1"].pod_failure


def test_where_no_pod_was_made_its_range_is_to_be_its_own_first() -> None:
    evidence = with_user_data(unmade("refused", "said"), "worker-1", pod_cidr="10.200.0.0/24")
    skip = asked(evidence, "cni-makes-pods").skip
    assert skip is not None
    assert (skip.reason, skip.told_by) == ("run-skip-after", "pod-cidr-of-its-own")
    other = asked(FAULTS["an old bridge of another's subnet"][0], "cni-makes-pods").skip
    assert other is not None
    assert other.told_by == "cni-subnet-matches"


def test_where_an_installed_network_hands_out_addresses_no_range_is_asked_for() -> None:
    evidence = with_node(without_pod(installed(FLANNEL), "worker-1"), "worker-1", pod_failure=FAILURE)
    outcome = asked(evidence, "cni-makes-pods")
    assert [each.code for each in outcome.findings] == ["cni-plugin-fails"]


def test_a_pod_that_came_up_is_asked_whatever_its_plugin_looks_like_since() -> None:
    program = UnfitProgram(path=BRIDGE, why="mode", built_for="", machine="x86_64")
    evidence = with_node(OK, "worker-1", cni_unfit=(program,))
    assert asked(evidence, "reaches-own-node").status == "passed"


def test_that_a_machine_has_no_program_is_told_before_that_its_interface_is_not_known() -> None:
    evidence = with_node(beside(NODES), NAME, ways=(), links=(), lacking=("ip",))
    outcome = asked(evidence, "other-machines-lead-to-pods", NAME)
    assert outcome.skip is not None
    assert outcome.skip.reason == "run-skip-no-tool"
    known = beside(NODES).nodes[NAME].links
    outcome = asked(with_node(evidence, NAME, links=known), "other-machines-lead-to-pods", NAME)
    assert outcome.skip is not None
    assert outcome.skip.reason == "run-skip-no-tool"


def test_a_pod_cidr_that_nobody_says_or_whose_place_was_not_read_is_assumed_from_nothing() -> None:
    unread = with_instance(OK, "worker-1", user_data=None)
    for evidence in (with_user_data(OK, "worker-1", pod_cidr=""), unread):
        assert not_assumed_from("cni")(Network(evidence), "worker-1") is None


def test_an_earlier_version_s_recording_is_told_with_the_way_in() -> None:
    small = tuple(each for each in OK.probes if not each.size and each.protocol != "udp")
    error = asked(replace(OK, probes=small), "udp-between-pods").error
    assert error is not None
    assert error.variant == "untold"
    assert error.facts == {"login": "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21"}
