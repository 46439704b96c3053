"""That the worker's own network makes no pod is a finding with a cause, and what needs one is no error."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.findings.judging import Verdict, judge
from kthw.observed.evidence import Evidence, Leases
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS, HEALTHY
from tests.findings.faults_of_cni import FAULTS as OF_CNI
from tests.findings.faults_of_cni import LEASES, NONE_LEFT, unmade
from tests.findings.faults_of_plugins import BROKEN
from tests.findings.judged import asked, everything

NO_POD = {name for name, (evidence, _) in OF_CNI.items() if not evidence.nodes["worker-1"].pod}
BETWEEN_PODS = {
    "reaches-others",
    "is-reached-by-others",
    "udp-between-pods",
    "full-size-between-pods",
    "no-packets-lost",
}
NEED_A_POD = {"reaches-own-node", "reaches-internet", *BETWEEN_PODS}


def statuses(verdict: Verdict, worker: str) -> dict[str, str]:
    return {each.check: each.status for each in verdict.outcomes if each.subject == worker}


@pytest.mark.parametrize("fault", sorted(NO_POD))
def test_what_needs_the_pod_is_skipped_after_the_finding(fault: str) -> None:
    """On the worker, and on its peers, which sent nothing there: nothing of it is an error."""
    verdict = judge(OF_CNI[fault][0])
    assert verdict.errors == ()
    told = statuses(verdict, "worker-1")
    assert {told[check] for check in NEED_A_POD} == {"skipped"}
    assert "failed" in told.values()
    peer = {each.check: each.skip for each in verdict.outcomes if each.subject == "worker-0" and each.skip}
    assert set(peer) == BETWEEN_PODS
    assert {skip.reason for skip in peer.values()} == {"run-skip-peer"}
    (found,) = verdict.findings
    assert {skip.after and skip.after.cause for skip in peer.values()} == {found.cause}


def test_of_two_workers_one_of_which_makes_no_pod_the_other_s_checks_are_skipped() -> None:
    """Nothing was sent between pods then; that is no recording of an earlier version."""
    evidence = OF_CNI["an old bridge"][0]
    left = {worker: node for worker, node in evidence.nodes.items() if worker != "worker-2"}
    two = replace(
        evidence,
        intended=replace(evidence.intended, workers=("worker-0", "worker-1")),
        nodes=left,
        probes=tuple(p for p in evidence.probes if "worker-2" not in (p.source, p.destination)),
    )
    verdict = judge(two)
    assert verdict.errors == ()
    told = {each.check: each.skip for each in verdict.outcomes if each.subject == "worker-0" and each.skip}
    assert told.keys() >= BETWEEN_PODS


def test_an_older_recording_s_error_stays_one() -> None:
    error = LookError(code="cni-failed", subject="worker-1", worker="worker-1", detail="bridge ADD: no")
    verdict = judge(replace(BROKEN, errors=(error,)))
    assert verdict.errors == (error,)
    assert verdict.findings == ()
    assert statuses(verdict, "worker-1")["cni-makes-pods"] == "error"


def test_a_pod_that_came_up_is_proof() -> None:
    assert asked(OK, "cni-makes-pods").status == "passed"
    assert asked(with_node(OK, "worker-1", pod=""), "cni-makes-pods").status == "error"


@pytest.mark.parametrize("changes", [{"gateway": None}, {"routes": None}, {"gateway": None, "ipam": None}])
def test_what_a_recording_does_not_tell_of_the_file_was_not_looked_at(changes: dict[str, None]) -> None:
    outcome = asked(with_cni(OK, "worker-1", **changes), "cni-file-complete")
    assert outcome.error
    assert (outcome.status, outcome.error.variant) == ("error", "untold-file")
    for language in LANGUAGES:
        assert "/etc/cni/net.d/10-bridge.conf" in catalogue(language).error(outcome.error).what


SITUATIONS = {
    "a plugin that nobody may run": "mode",
    "plugins for another machine": "machine",
    "a network's plugin for another machine": "machine-foreign",
    "a plugin that is no program": "format",
    "a plugin without its interpreter": "not-run",
    "a version that no plugin knows": "version",
    "a version that plugins do not tell": "",
    "a kernel without bridges": "kernel",
    "no iptables to masquerade with": "iptables",
    "a plugin says something else": "",
    "an old bridge": "",
    "an old bridge, and a pod on it": "in-use",
    "an old bridge, and something on it that is no pod": "in-use",
    "addresses of containers that are no more": "",
    "all addresses in use": "in-use",
    "no address left, and nobody knows whose they are": "unseen",
    "no address for pods": "no-addresses",
    "no gateway": "no-gateway",
    "no default route for pods": "no-route",
    "a route for the VPC only": "no-route",
    "masquerade off on one worker": "no-masquerade",
    "half of the pod CIDR": "part",
    "another file comes first": "another",
}


@pytest.mark.parametrize(("fault", "variant"), SITUATIONS.items(), ids=SITUATIONS)
def test_the_cause_is_told(fault: str, variant: str) -> None:
    (found,) = everything(OF_CNI[fault][0])
    assert found.variant == variant


SAID = {
    "bridge ADD: protocol not supported": "kernel",
    "bridge ADD: modprobe: FATAL: Module ip_tables not found": "kernel",
    "bridge ADD: this combination of options is not supported": "",
    'bridge ADD: exec: "iptables": executable file not found in $PATH': "iptables",
    'bridge ADD: exec: "nft": executable file not found in $PATH': "",
}


@pytest.mark.parametrize(("said", "variant"), SAID.items(), ids=SAID)
def test_what_a_plugin_lacks_is_told_by_its_words(said: str, variant: str) -> None:
    assert only(unmade("refused", said)).variant == variant


def only(evidence: Evidence) -> Finding:
    (found,) = everything(evidence)
    return found


def test_the_plugin_s_own_words_are_told_and_never_run() -> None:
    hostile = "bridge ADD: no'; touch /tmp/kthw-was-here; '\x1b[2J$(id)\n# x"
    found = only(unmade("refused", hostile))
    for language in LANGUAGES:
        said = catalogue(language).finding(found)
        assert "touch /tmp/kthw-was-here" in said.what
        assert "\x1b" not in said.what
        assert "touch" not in said.fix


def test_the_youngest_version_that_all_know_is_by_number() -> None:
    assert only(OF_CNI["a version that no plugin knows"][0]).expected == "1.0.0"
    some = unmade("version", "no", version="1.1.0", versions=("0.9.0", "0.10.0"))
    assert only(some).expected == "0.10.0"


def test_a_bridge_that_something_hangs_on_is_never_removed_by_a_command() -> None:
    for fault in ("an old bridge, and a pod on it", "an old bridge, and something on it that is no pod"):
        fix = catalogue("en").finding(only(OF_CNI[fault][0])).fix
        assert not [line for line in fix.splitlines() if "delete" in line and not line.startswith("#")]
    assert "delete cnio0" in catalogue("en").finding(only(OF_CNI["an old bridge"][0])).fix


def test_the_command_deletes_just_the_leases_named_and_none_written_since(tmp_path: Path) -> None:
    """The ones of living containers stay, and so does a dead one's that was given to another meanwhile."""
    folder = tmp_path / "my net'work"
    folder.mkdir()
    for name in ("10.200.1.2", "10.200.1.3", "10.200.1.7", "last_reserved_ip.0"):
        (folder / name).touch()
    at = int((folder / "10.200.1.2").stat().st_mtime)
    leases = Leases(folder=str(folder), free=("10.200.1.2", "10.200.1.7"), held=1, at=at + 1)
    (folder / "10.200.1.7").touch()
    os.utime(folder / "10.200.1.7", (at + 60, at + 60))
    found = only(unmade("addresses", NONE_LEFT, leases=leases))
    (command,) = shlex.split(found.facts["command"])
    subprocess.run(["sh", "-c", command.replace("sudo ", "", 1)], check=True)
    assert sorted(each.name for each in folder.iterdir()) == [
        "10.200.1.3",
        "10.200.1.7",
        "last_reserved_ip.0",
    ]


def test_how_many_addresses_are_held_by_the_dead_is_told() -> None:
    found = only(unmade("addresses", NONE_LEFT, leases=replace(LEASES, more=40)))
    assert found.facts["count"] == "42"
    assert "42 of those taken are" in catalogue("en").finding(found).what


def test_all_files_before_the_one_that_is_meant_are_set_aside() -> None:
    fix = catalogue("en").finding(only(OF_CNI["two files come first"][0])).fix
    assert fix.count(".unused") == 2
    assert "10-bridge.conf" not in fix


def test_the_cases_are_in_the_catalogue_of_all() -> None:
    assert set(OF_CNI) <= set(FAULTS)
    assert "masquerade off on most" in HEALTHY
