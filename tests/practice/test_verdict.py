"""``check`` tells how much holds and where, and nothing of what is wrong or what mends it."""

from __future__ import annotations

import msgspec
import pytest

from kthw.findings.judging import judge
from kthw.observed.recording import as_json
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from sandbox.practice import look
from sandbox.practice.__main__ import verdict
from sandbox.practice.session import Session
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS

JUNIT = b"""<testsuites><testsuite>
<testcase classname="suites.routes.test_routes" name="a"/>
<testcase classname="suites.routes.test_routes" name="b"><properties/><failure/></testcase>
<testcase classname="suites.routes.test_pods" name="c"><skipped/></testcase>
<testcase classname="suites.routes.test_nodes" name="d"><error/></testcase>
<testcase classname="suites.routes.test_security" name="e"/>
</testsuite></testsuites>"""

ONE_OF_EACH = list({codes: name for name, (_, codes) in reversed(FAULTS.items()) if len(codes) == 1}.values())
"""Of each code that is found alone, one fault."""


def seen(name: str, language: str = "en") -> tuple[look.Seen, Report]:
    evidence = FAULTS[name][0] if name else OK
    report = Report(judge(evidence), Summary())
    document = msgspec.json.decode(as_json(report.document(catalogue(language))))
    return look.seen(document, JUNIT, right=False), report


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_no_code_no_reason_and_no_fix_is_told(name: str, language: str) -> None:
    words = catalogue(language)
    found, report = seen(name, language)
    said = "\n".join(verdict(Session.new(1, "hard", 3, language), found, words.say))
    for finding in report.findings:
        told = words.finding(finding)
        answers = [finding.code, told.what, told.why, *told.fix.splitlines()]
        assert [each for each in answers if each and each in said] == []
    assert [command for command in ("aws ec2", "sudo ", "iptables", "rtb-") if command in said] == []


def test_it_tells_the_areas_in_which_not_all_holds_with_the_numbers() -> None:
    found, _ = seen("one route missing")
    said = list(verdict(Session.new(1, "easy", 1, "en"), found, catalogue("en").say))
    assert said[0].startswith("✗ 2 of 5 requirements hold.")
    assert said[1:4] == ["    nodes: 0 of 1 hold", "    pods: 0 of 1 hold", "    routes: 1 of 2 hold"]
    assert not [line for line in said if "security" in line]


def test_pairs_are_told_by_what_does_not_come_through() -> None:
    document = {
        "findings": [], "errors": [],
        "evidence": {"probes": [
            {"kind": "pod", "reached": False, "source": "a", "destination": "b", "protocol": "udp"},
            {"kind": "pod", "reached": False, "source": "a", "destination": "b", "protocol": "udp"},
            {"kind": "pod", "reached": True, "source": "a", "destination": "b", "protocol": "icmp"},
            {"kind": "node", "reached": False, "source": "a", "destination": "b", "protocol": "icmp"},
        ]},
    }  # fmt: skip
    assert look.seen(document, JUNIT, right=False).lost == ["a → b (udp)"]


def test_what_could_not_be_looked_at_is_told() -> None:
    document = {
        "findings": [], "errors": [{"subject": "worker-1 (i-1, 10.0.1.21)"}], "evidence": {"probes": []}
    }  # fmt: skip
    found = look.seen(document, JUNIT, right=False)
    said = "\n".join(verdict(Session.new(1, "easy", 1, "en"), found, catalogue("en").say))
    assert "Could not be looked at: worker-1 (i-1, 10.0.1.21)" in said


def test_mere_consequences_are_not_counted_among_what_is_wrong() -> None:
    """A fault is mended when its own code is gone, whether or not pods are still lost to another one."""
    found, report = seen("one route missing")
    assert found.codes == {f.code for f in report.findings} - {"pod-unreachable"}
