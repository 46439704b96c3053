"""A CNI plugin that is missing is a finding with what mends it, and what it stops is not told as an error."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.judging import Verdict, judge
from kthw.observed.evidence import Evidence
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.findings.judged import everything

NO_POD = LookError(
    code="cni-failed",
    subject="worker-1",
    worker="worker-1",
    detail="no plugin",
    variant="no-plugin",
)


def outcomes(verdict: Verdict, worker: str) -> dict[str, str]:
    return {each.check: each.status for each in verdict.outcomes if each.subject == worker}


def test_what_needs_a_pod_is_skipped_after_it_and_is_no_error() -> None:
    evidence, _ = FAULTS["no plugin at all"]
    verdict = judge(replace(evidence, errors=(NO_POD,)))
    told = outcomes(verdict, "worker-1")
    assert {check for check, status in told.items() if status == "failed"} == {"cni-plugins-installed"}
    assert "error" not in told.values()
    skipped = {each.check: each.skip for each in verdict.outcomes if each.status == "skipped" and each.skip}
    assert {"reaches-own-node", "reaches-internet", "reaches-others", "is-reached-by-others"} <= set(skipped)
    assert {skip.told_by for skip in skipped.values() if skip.after} == {"cni-plugins-installed"}


@pytest.mark.parametrize(
    "evidence",
    [
        with_node(OK, "worker-1", cni_plugins=None),
        with_node(OK, "worker-1", cni_path=()),
        with_cni(OK, "worker-1", ipam=None),
    ],
    ids=["which plugins are there", "where they are looked for", "what hands out the addresses"],
)
def test_what_a_recording_does_not_tell_was_not_looked_at(evidence: Evidence) -> None:
    """Neither a pass nor a finding; and whatever was measured all the same counts."""
    verdict = judge(evidence)
    assert outcomes(verdict, "worker-1") == {
        each: "error" if each == "cni-plugins-installed" else "passed"
        for each in outcomes(verdict, "worker-1")
    }
    (error,) = verdict.errors
    assert (error.code, error.worker, error.variant) == ("node-unreadable", "worker-1", "untold")
    for language in LANGUAGES:
        assert "/opt/cni/bin" in catalogue(language).error(error).what


def test_where_nobody_looked_it_is_told_in_which_folders() -> None:
    (error,) = judge(with_node(OK, "worker-1", cni_plugins=None, cni_path=("/a/bin", "/b/bin"))).errors
    assert error.detail == "/a/bin, /b/bin"
    assert error.facts == {
        "login": "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21",
        "folder": "/a/bin",
    }


SITUATIONS = {
    "no plugin at all": ("", "bridge, host-local"),
    "no plugin for addresses": ("", "host-local"),
    "plugins where the runtime does not look": ("elsewhere", "bridge, host-local"),
    "only one of two plugins elsewhere": ("", "bridge"),
    "a plugin misspelt": ("misspelt", "brigde"),
    "an address plugin misspelt": ("misspelt", "host-locale"),
    "the file of another network comes first": ("foreign", "cilium-cni"),
    "a chained plugin missing": ("", "bandwidth"),
}


@pytest.mark.parametrize(("fault", "told"), SITUATIONS.items(), ids=SITUATIONS)
def test_it_is_told_which_are_missing_and_how_that_came(fault: str, told: tuple[str, str]) -> None:
    (found,) = everything(FAULTS[fault][0])
    assert (found.variant, found.facts["plugins"]) == told
    file = found.facts["file"]
    assert found.expected.startswith(f"{file}: /opt/cni/bin/{told[1].partition(',')[0]}")
    for language in LANGUAGES:
        said = catalogue(language).finding(found)
        assert told[1] in said.what
        assert file in said.what


def test_what_mends_it_goes_where_the_runtime_looks_first() -> None:
    (found,) = everything(FAULTS["several folders, and none has it"][0])
    assert found.facts["folders"] == "/opt/cni/bin, /usr/lib/cni"
    assert catalogue("en").finding(found).fix.endswith("| sudo tar -xz -C /opt/cni/bin'")


def test_a_misspelt_name_is_corrected_in_its_file() -> None:
    (found,) = everything(FAULTS["an address plugin misspelt"][0])
    assert '\\"host-locale\\"#' in catalogue("en").finding(found).fix
    assert '\\"host-local\\"#' in catalogue("en").finding(found).fix
