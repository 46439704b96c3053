"""``pytest suites/routes``: boot, provision, verify with packets, throw away."""

from __future__ import annotations

import pytest

from kthw.findings import needs
from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from tests.plugin.conftest import Run, asked

pytestmark = pytest.mark.skipif(
    bool(why_no_packets(catalogue("en").say)), reason=why_no_packets(catalogue("en").say) or "packets flow"
)


def test_the_chapter_done_on_a_sandbox_is_all_green_and_no_packet_test_is_skipped(run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "-n", "2")
    assert ran.code == 0, ran.output
    summary = ran.document["summary"]
    assert (summary["passed"], summary["skipped"], summary["ssh_sessions"]) == (asked(), 0, 3)
    assert "tells nothing about your AWS account" in ran.lines[0]
    assert "tells nothing about your AWS account" in ran.lines[-1]
    assert not (ran.reports / "journal.jsonl").exists(), "it goes with its sandbox"


def test_the_chapter_not_done_names_every_missing_route_and_cuts_every_pair(run_pytest: Run) -> None:
    ran = run_pytest("suites/routes", "--no-provision")
    assert ran.code == 1
    assert ran.codes.count("route-missing") == 3
    assert set(ran.codes) == {"route-missing", "pod-unreachable"}
    between_pods = (needs.probed_all_others, needs.probed_by_all_others, needs.probed_all_others_by_udp)
    assert ran.document["summary"]["failed"] == 3 + sum(asked(needing=each) for each in between_pods)
    assert "✗ pod-unreachable" not in ran.output, "each pair is told under the route it lacks"
