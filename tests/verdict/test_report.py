"""The report: each finding once, in the order of the path, pairs under what explains them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence, Probe
from kthw.verdict.drawing import drawing
from kthw.verdict.page import page
from kthw.verdict.report import Found, Report, Summary, report
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import CHECKS, healthy, with_inventory
from tests.findings.faults import FAULTS

ENGLISH = catalogue("en")
WORKERS = ("worker-0", "worker-1", "worker-2")


def found(
    code: str,
    subject: str,
    worker: str = "worker-0",
    *,
    pairs: tuple[str, ...] = (),
    explained_by: tuple[str, ...] = (),
) -> Found:
    finding = Finding(
        code=code,
        subject=subject,
        worker=worker,
        expected="a",
        observed="b",
        pairs=pairs,
        explained_by=explained_by,
    )
    return Found(finding=finding, test=f"suites/routes/test_{code}.py::test[{worker}]")


def made(*each: Found, evidence: Evidence | None = None, errors: Iterable[LookError] = ()) -> Report:
    return report(evidence or healthy(), each, errors, Summary())


def lost(*destinations: str) -> Evidence:
    """Pods of these workers do not answer."""
    evidence = healthy()

    def came_to(probe: Probe) -> Probe:
        gone = probe.kind == "pod" and probe.destination in destinations
        return replace(probe, reached=False, detail="no answer") if gone else probe

    return replace(evidence, probes=tuple(came_to(probe) for probe in evidence.probes))


def judged(evidence: Evidence) -> Report:
    each = [
        Found(finding=finding, test=f"{name}[{worker}]")
        for name, check in CHECKS.items()
        for worker in evidence.intended.workers
        for finding in check(evidence, worker)
    ]
    return made(*each, evidence=evidence)


def test_the_same_finding_of_two_tests_is_told_once_with_all_pairs() -> None:
    each = made(
        found("pod-unreachable", "s", pairs=("a", "b"), explained_by=("route-missing",)),
        found("pod-unreachable", "s", pairs=("b", "c"), explained_by=("route-missing",)),
    ).findings
    assert [one.finding.pairs for one in each] == [("a", "b", "c")]


def test_two_subjects_of_one_code_are_two_findings() -> None:
    assert len(made(found("route-missing", "a"), found("route-missing", "b")).findings) == 2


def test_findings_come_in_the_order_of_the_path_then_of_the_workers() -> None:
    each = made(
        found("pod-unreachable", "x"),
        found("route-missing", "y", "worker-2"),
        found("route-missing", "z", "worker-1"),
        found("worker-missing", "w", "worker-2"),
    )
    assert [one.finding.subject for one in each.findings] == ["w", "z", "y", "x"]


def test_findings_come_out_the_same_in_whatever_order_tests_ended() -> None:
    each = [found("route-missing", f"s{n}", worker) for n, worker in enumerate(WORKERS)]
    assert made(*each).findings == made(*reversed(each)).findings


def test_pairs_are_listed_under_the_finding_that_keeps_them_apart() -> None:
    pairs = (
        "10.200.0.2@worker-0 → 10.200.1.2@worker-1: icmp x",
        "10.200.0.2@worker-0 → 10.200.2.2@worker-2: icmp x",
    )
    roots = made(
        found("route-missing", "one", "worker-1"),
        found("route-missing", "two", "worker-2"),
        found("pod-unreachable", "s", pairs=pairs, explained_by=("route-missing",)),
    ).roots()
    assert [(root.found.finding.subject, root.pairs) for root in roots] == [
        ("one", pairs[:1]),
        ("two", pairs[1:]),
    ]


def test_pairs_that_nothing_explains_are_a_finding_of_their_own_told_from_one_end() -> None:
    roots = judged(lost("worker-1")).roots()
    assert [root.found.finding.code for root in roots] == ["pod-unreachable"]
    assert len(roots[0].pairs) == 4


def test_an_error_of_the_evidence_and_of_a_test_is_told_once() -> None:
    error = LookError(code="throttled", subject="account")
    other = LookError(code="throttled", subject="region")
    each = made(evidence=replace(healthy(), errors=(error,)), errors=[error, other]).errors
    assert each == (error, other)


def test_the_document_tells_what_the_looking_cost() -> None:
    evidence = healthy()
    counted = replace(evidence, counts=replace(evidence.counts, aws_calls=11, ssh_sessions=3))
    document = report(counted, [], [], Summary(passed=5, seconds=1.5)).document(ENGLISH)
    assert document["summary"] == {
        "passed": 5, "failed": 0, "errors": 0, "skipped": 0,
        "aws_calls": 11, "ssh_sessions": 3, "seconds": 1.5,
    }  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_makes_a_page_with_its_commands_and_a_drawing_that_is_xml(
    fault: str, language: str
) -> None:
    words = catalogue(language)
    evidence, codes = FAULTS[fault]
    told = judged(evidence)
    html = page(told, words, ["target"])
    assert all(f"<code>{code}</code>" in html for code in codes if code != "pod-unreachable")
    svg = drawing(evidence, [one.finding for one in told.findings], words)
    assert svg in html
    ET.fromstring(svg)  # noqa: S314 -- our own text


def test_a_drawing_shows_a_missing_route_and_the_lost_pairs_by_sign_and_not_only_by_colour() -> None:
    evidence, _ = FAULTS["no routes at all"]
    well, ill = drawing(healthy(), [], ENGLISH), drawing(evidence, [], ENGLISH)
    assert well.count(">✗<") == 1, "the legend's"
    assert ill.count("missing") >= 3
    assert drawing(lost("worker-1"), [], ENGLISH).count(">✗<") == 1 + 2


def test_many_workers_are_drawn_as_a_matrix_of_merged_cells() -> None:
    svg = drawing(healthy(60), [], ENGLISH)
    assert "worker-59" in svg
    assert len(svg) < 40_000
    ET.fromstring(svg)  # noqa: S314


@pytest.mark.parametrize(("no_packets", "kind"), [("", "good"), ("no namespaces here", "unknown")])
def test_what_was_not_checked_is_not_said_to_be_right(no_packets: str, kind: str) -> None:
    evidence = replace(healthy(), target=replace(healthy().target, no_packets=no_packets))
    html = page(report(evidence, [], [], Summary(passed=20, skipped=40)), ENGLISH, ["target"])
    assert "All is as intended" not in html
    assert "20 requirements hold; 40 were not checked" in html
    assert f'class="kthw-verdict kthw-{kind}"' in html


def test_a_subnet_without_a_table_is_drawn_without_one() -> None:
    assert "rtb-" not in drawing(with_inventory(healthy(), route_tables=()), [], ENGLISH)


def test_an_interrupted_run_promises_nothing() -> None:
    passed = Summary(passed=5)
    whole = page(report(healthy(), [], [], passed), ENGLISH, ["target"])
    half = page(
        report(healthy(), [], [], Summary(passed=5, skipped=2), interrupted=True), ENGLISH, ["target"]
    )
    assert "All is as intended" in whole
    assert "All is as intended" not in half
    assert "Interrupted" in half


def test_nothing_is_drawn_where_nothing_was_seen() -> None:
    assert drawing(replace(healthy(), inventory=None), [], ENGLISH) == ""
