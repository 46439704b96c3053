"""Of what a plugin met, and what was seen of its files, the cause is told that a person can mend."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.finding import Finding
from kthw.findings.unmade_pods import pods_can_be_made, why_unmade
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, OldBridge, PodFailure, UnfitProgram
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK
from tests.findings.faults_of_cni import LEASES, NONE_LEFT, conflict, unfit, unmade
from tests.findings.faults_of_installed_networks import FLANNEL, KUBE_ROUTER, files_of, holding, installed
from tests.findings.faults_of_installed_networks import Network as Installed
from tests.findings.faults_of_plugins import without_pod
from tests.findings.judged import asked

OLD = OldBridge(name="cnio0", addresses=("10.99.1.1/24",))
MANY = tuple(f"10.200.1.{n}" for n in range(2, 11))
NINE = ", ".join(MANY[:8]) + ", … (9)"


def why(evidence: Evidence) -> list[Finding]:
    return why_unmade(Network(evidence), "worker-1")


def only(evidence: Evidence) -> Finding:
    (found,) = why(evidence)
    return found


def of_network(network: Installed, cause: Any, **changes: Any) -> Evidence:
    """All workers' pods are made by a network that is installed whole, but for those of worker-1."""
    failure = PodFailure(cause=cause, said="no", bridge=replace(OLD, name=network.bridge))
    return with_node(without_pod(installed(network), "worker-1"), "worker-1", pod_failure=failure, **changes)


def program(path: str, why: Any) -> UnfitProgram:
    return UnfitProgram(path=path, why=why, built_for="aarch64", machine="x86_64")


def test_of_a_worker_that_was_not_seen_nothing_is_told() -> None:
    nodes = {name: node for name, node in OK.nodes.items() if name != "worker-1"}
    assert why(replace(OK, nodes=nodes)) == []
    assert asked(replace(OK, nodes=nodes), "cni-makes-pods").status == "error"


def test_whether_it_can_make_pods_is_not_known_then() -> None:
    nodes = {name: node for name, node in OK.nodes.items() if name != "worker-1"}
    with pytest.raises(CouldNotLook):
        pods_can_be_made(Network(replace(OK, nodes=nodes)), "worker-1")


def test_a_pod_that_came_up_later_is_proof() -> None:
    failed = PodFailure(cause="refused", file="10-bridge.conf", plugin="bridge", said="no")
    evidence = with_node(OK, "worker-1", pod_failure=failed)
    assert why(evidence) == []
    assert why(with_node(evidence, "worker-1", cni=())) == [], "its file is gone since"


def test_where_no_pod_was_tried_nothing_is_told() -> None:
    untried = without_pod(OK, "worker-1")
    assert why(untried) == []
    assert why(with_node(untried, "worker-1", cni=())) == []


@pytest.mark.parametrize(
    ("evidence", "codes"),
    [
        (with_node(unmade("no-network"), "worker-1", cni=()), ["cni-config-missing"]),
        (with_node(unmade("refused", "no"), "worker-1", cni_plugins=()), ["cni-plugin-missing"]),
        (with_cni(unmade("refused", "no"), "worker-1", subnet="10.99.2.0/24"), ["cni-subnet-mismatch"]),
        (with_node(unmade("refused", "no"), "worker-1", cni=()), ["cni-config-missing"]),
        (unmade("refused", "no", bridge=OLD), ["cni-plugin-fails"]),
        (unmade("bridge", "no"), ["cni-plugin-fails"]),
        (with_cni(unmade("no-network"), "worker-1", subnet="10.99.2.0/24"), ["cni-subnet-mismatch"]),
        (holding(unmade("refused", "no"), "worker-1", FLANNEL), ["cni-network-mixed"]),
        (of_network(FLANNEL, "refused"), ["cni-plugin-fails"]),
        (of_network(FLANNEL, "no-network", cni=()), ["cni-config-missing"]),
        (of_network(FLANNEL, "bridge", cni=()), ["cni-config-missing"]),
    ],
    ids=[
        "no file",
        "no plugins",
        "another subnet",
        "a file since gone",
        "not the bridge",
        "unseen bridge",
        "a file come since",
        "another network's file",
        "a plugin's network",
        "none of its files",
        "its file since gone",
    ],
)
def test_what_was_seen_tells_more_than_what_the_plugin_met(evidence: Evidence, codes: list[str]) -> None:
    assert [found.code for found in why(evidence)] == codes


def test_plugins_with_the_same_trouble_are_told_together_and_others_later() -> None:
    """A release mends those that it brings only."""
    bridge, other = "/opt/cni/bin/bridge", "/opt/cni/bin/podnet"
    found = only(unfit(program(bridge, "machine"), program("/opt/cni/bin/host-local", "format")))
    assert found.facts["plugins"] == bridge
    assert found.variant == "machine"
    mixed = unfit(program(other, "format"), program("/opt/cni/bin/host-local", "format"))
    assert only(with_cni(mixed, "worker-1", type="podnet")).variant == "format-foreign"
    mode = with_cni(unfit(program(other, "mode")), "worker-1", type="podnet")
    assert only(mode).variant == "mode", "whoever brought it, it can be made to run"


def test_all_that_is_on_the_bridge_is_told_up_to_eight() -> None:
    two = ("10.99.1.1/24", "10.98.1.1/24")
    on_it = replace(OLD, addresses=two, ports=("veth0", "veth1"), pods=MANY)
    found = only(with_node(conflict(on_it), "worker-1", hostname="ip-10-0-1-21"))
    assert found.observed == "cnio0 10.99.1.1/24, 10.98.1.1/24"
    assert found.facts["addresses"] == "10.99.1.1/24, 10.98.1.1/24"
    assert (found.facts["ports"], found.facts["pods"]) == ("veth0, veth1", NINE)
    assert found.facts["hostname"] == "ip-10-0-1-21"
    eight = only(conflict(replace(on_it, pods=MANY[:8])))
    assert (eight.facts["pods"], eight.facts["hostname"]) == (", ".join(MANY[:8]), "worker-1")


def test_who_holds_addresses_is_asked_by_the_node_s_own_name() -> None:
    evidence = with_node(unmade("addresses", NONE_LEFT, leases=LEASES), "worker-1", hostname="ip-10-0-1-21")
    assert only(evidence).facts["hostname"] == "ip-10-0-1-21"


def refused(cause: Any, plugin: str, said: str = "", **changes: Any) -> Finding:
    evidence = unmade(cause, said, **changes)
    failure = evidence.nodes["worker-1"].pod_failure
    assert failure
    return only(with_node(evidence, "worker-1", pod_failure=replace(failure, plugin=plugin)))


def test_a_plugin_that_does_not_run_is_mended_by_a_release_that_brings_it() -> None:
    assert refused("not-run", "bridge").variant == "not-run"
    assert refused("not-run", "podnet").variant == ""


def test_what_nobody_said_is_told_as_nothing() -> None:
    found = refused("refused", "")
    assert (found.facts["plugin"], found.observed) == ("—", "—")


def test_versions_are_the_trouble_only_where_the_plugin_says_so() -> None:
    found = refused("refused", "bridge", "no", versions=("0.4.0", "1.0.0"))
    assert (found.variant, found.facts["known"]) == ("", "")


def test_another_file_than_the_chapter_s_is_told() -> None:
    evidence = with_cni(unmade("refused", "no"), "worker-1", file="20-mine.conf")
    assert only(evidence).facts["file"] == "/etc/cni/net.d/20-mine.conf"


@pytest.mark.parametrize(
    ("subnet", "gateway"),
    [
        ("", "—"),
        ("10.9.9.0/24", "10.9.9.1/24"),
        ("10.9.9.8/31", "10.9.9.9/31"),
        ("10.9.9.9/32", "10.9.9.9/32"),
    ],
)
def test_the_address_that_a_bridge_would_get_is_told_where_the_file_says_it(
    subnet: str, gateway: str
) -> None:
    """Of a network that writes its files itself, some have a subnet."""
    bridge, *others = files_of(KUBE_ROUTER)
    evidence = of_network(KUBE_ROUTER, "bridge", cni=(replace(bridge, subnet=subnet), *others))
    found = only(evidence)
    assert (found.code, found.facts["gateway"]) == ("cni-bridge-conflict", gateway)
    assert found.expected == ("kube-bridge" if gateway == "—" else f"kube-bridge {gateway}")
