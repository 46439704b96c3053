"""What earlier versions recorded is read, and judged to the findings that they told.

The files are the ``report.json`` of runs on the sandbox with this project's version 66eb9cb (before checks
were data), but for the folder of that sandbox in the ``ssh`` commands: a healthy cluster of three workers;
the same with a route deleted, a source/dest check on and forwarding off; twelve healthy workers.

What may differ: the words (``what``, ``why``, ``fix``), the name of the test, and the order. And a check that
was added since, and needs what that version did not look at, is an error that says so, never a pass.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.findings.judging import Verdict, judge
from kthw.findings.registry import CHECKS
from kthw.observed.recording import encode, read
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue
from tests.findings.clusters import healthy

RECORDINGS = ("healthy", "three-faults", "twelve-workers")
SAME = ("code", "subject", "worker", "expected", "observed", "near_miss", "pairs", "explained_by")
UNMEASURED = {"udp-between-pods", "full-size-between-pods", "no-packets-lost"}
ADDED = {"cni-plugins-installed": "untold", "cni-file-complete": "untold-file"}
ADDED |= dict.fromkeys(UNMEASURED, "untold")
"""The checks that ask what 66eb9cb did not look at, and how the error says so."""
PROVED = {"cni-makes-pods", "can-be-logged-in-to"}
"""Those that were added and ask what it did look at: there is a pod on each worker, made by who logged in."""


@pytest.fixture(params=RECORDINGS)
def recorded(request: pytest.FixtureRequest) -> bytes:
    return gzip.decompress(Path(__file__).with_name(f"{request.param}.json.gz").read_bytes())


@pytest.fixture
def verdict(recorded: bytes, tmp_path: Path) -> Verdict:
    (tmp_path / "report.json").write_bytes(recorded)
    return judge(read(tmp_path / "report.json"))


def told(findings: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = [{name: each[name] for name in SAME} for each in findings]
    return sorted(kept, key=lambda each: (each["code"], each["subject"]))


def test_a_recording_is_judged_to_the_findings_that_were_told_then(recorded: bytes, verdict: Verdict) -> None:
    now = Report(verdict, Summary()).document(catalogue("en"))
    assert told(now["findings"]) == told(json.loads(recorded)["findings"])


def test_as_many_requirements_hold_as_then_and_what_nobody_looked_at_is_an_error(
    recorded: bytes, verdict: Verdict
) -> None:
    then = json.loads(recorded)["summary"]
    old = [each for each in verdict.outcomes if each.check not in {*ADDED, *PROVED}]
    assert {status: sum(each.status == status for each in old) for status in ("passed", "failed")} == {
        "passed": then["passed"],
        "failed": then["failed"],
    }
    assert len(old) == then["passed"] + then["failed"]
    new = [each for each in verdict.outcomes if each.check in ADDED]
    assert {(each.check, each.status, each.error and each.error.variant) for each in new} == {
        (check, "error", variant) for check, variant in ADDED.items()
    }
    assert {each.status for each in verdict.outcomes if each.check in PROVED} == {"passed"}


def test_what_was_not_measured_then_is_told_as_not_measured(verdict: Verdict) -> None:
    seen = verdict.evidence
    assert {(p.size, p.limit, p.sent, p.lost) for p in seen.probes} == {(0, 0, 0, 0)}
    assert {node.pod_mtu for node in seen.nodes.values()} == {0}


@pytest.mark.parametrize("impossible", [{"sent": 20, "lost": 21}, {"size": 1500, "limit": 1501}])
def test_a_measurement_that_cannot_be_is_refused(impossible: dict[str, int], tmp_path: Path) -> None:
    document = json.loads(encode(healthy()))
    document["probes"][0].update(impossible)
    (tmp_path / "evidence.json").write_text(json.dumps(document))
    with pytest.raises(CouldNotLook) as refused:
        read(tmp_path / "evidence.json")
    assert refused.value.error.code == "evidence-unreadable"


WITHOUT_FIELDS: dict[str, tuple[LookError, dict[str, str]]] = {
    "what AWS garbled": (
        LookError(code="aws-unreadable", subject="rtb-0a", kind="route-table", resource="rtb-0a"),
        {"kind": "route-table", "id": "rtb-0a"},
    ),
    "all of a kind": (
        LookError(code="throttled", subject="subnets", kind="subnet", facts={"seconds": "150"}),
        {"kind": "subnet", "seconds": "150"},
    ),
    "user data": (
        LookError(code="access-denied", subject="worker-1", worker="worker-1", kind="user-data"),
        {"kind": "user-data"},
    ),
    "a change": (
        LookError(code="routes-changed", subject="rtb-0a", destination="10.200.1.0/24"),
        {"destination": "10.200.1.0/24"},
    ),
    "a jump host": (
        LookError(
            code="ssh-unreachable", subject="jump", variant="jump", facts={"kind": "timeout", "id": "i-0a"}
        ),
        {"variant": "jump", "kind": "timeout", "id": "i-0a"},
    ),
    "a situation and more": (
        LookError(code="throttled", subject="subnets", kind="subnet", variant="slow", facts={"seconds": "9"}),
        {"variant": "slow", "kind": "subnet", "seconds": "9"},
    ),
    "something without": (LookError(code="region-missing", subject="region"), {}),
}
"""Errors as they are read, and the facts that earlier versions recorded of them: they had no such fields."""


@pytest.mark.parametrize(("error", "facts"), WITHOUT_FIELDS.values(), ids=WITHOUT_FIELDS)
def test_what_was_a_fact_and_decides_is_read_as_the_field_it_is_now(
    error: LookError, facts: dict[str, str], tmp_path: Path
) -> None:
    document = json.loads(encode(healthy()))
    then = {name: getattr(error, name) for name in ("code", "subject", "detail", "worker")}
    document["errors"] = [{**then, "facts": facts}]
    (tmp_path / "evidence.json").write_text(json.dumps(document))
    seen = read(tmp_path / "evidence.json")
    assert seen.errors == (error,)
    (tmp_path / "evidence.json").write_bytes(encode(seen))
    assert read(tmp_path / "evidence.json") == seen


def test_what_was_added_is_still_a_check() -> None:
    assert {check.name for check in CHECKS} >= {*ADDED, *PROVED}


def test_the_recordings_hold_what_they_are_kept_for() -> None:
    """Or two empty lists would agree."""
    seen = {}
    for name in RECORDINGS:
        document = json.loads(gzip.decompress(Path(__file__).with_name(f"{name}.json.gz").read_bytes()))
        causes = {finding["code"] for finding in document["findings"]} - {"pod-unreachable"}
        seen[name] = (len(document["evidence"]["nodes"]), sorted(causes))
    assert seen == {
        "healthy": (3, []),
        "three-faults": (3, ["forwarding-off", "route-missing", "source-dest-check-on"]),
        "twelve-workers": (12, []),
    }
