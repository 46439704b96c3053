"""The report: each finding once, in the order of the path, pairs under what explains them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.finding import Finding, Lost
from kthw.findings.judging import Outcome, Verdict, judge
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Probe
from kthw.verdict.causes import causes, missed
from kthw.verdict.drawing import drawing
from kthw.verdict.marks import marks
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import with_inventory
from tests.findings.clusters import healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_node_routes import NODES
from tests.findings.faults_of_workers import BY_OPTION, TAGGED
from tests.findings.test_node_routes import MODELS

ENGLISH = catalogue("en")
WORKERS = ("worker-0", "worker-1", "worker-2")


def found(code: str, subject: str, worker: str = "worker-0", *, pairs: Iterable[Lost] = ()) -> Finding:
    return Finding(code=code, subject=subject, worker=worker, expected="a", observed="b", lost=tuple(pairs))


def pair(source: int, destination: int, *causes: tuple[str, str]) -> Lost:
    probe = Probe(
        source=f"worker-{source}",
        source_address=f"10.200.{source}.2",
        destination=f"worker-{destination}",
        destination_address=f"10.200.{destination}.2",
        kind="pod",
        protocol="icmp",
        reached=False,
        detail="no answer in 3.0 s",
    )
    return Lost(probe=probe, causes=causes)


def made(
    *each: Finding,
    evidence: Evidence | None = None,
    errors: Iterable[LookError] = (),
    summary: Summary = Summary(),  # noqa: B008 -- immutable
    interrupted: bool = False,
) -> Report:
    """A report of a verdict that came to just this."""
    evidence = evidence or healthy()
    failed = Outcome(check="any", subject="worker-0", status="failed", findings=each)
    missed = [Outcome(check="any", subject=e.worker, status="error", error=e) for e in errors]
    verdict = Verdict(evidence, Network(evidence) if evidence.inventory else None, [failed, *missed])
    return Report(verdict, summary, interrupted=interrupted)


def lost(*destinations: str) -> Evidence:
    """Pods of these workers do not answer."""
    evidence = healthy()

    def came_to(probe: Probe) -> Probe:
        gone = probe.kind == "pod" and probe.destination in destinations
        return replace(probe, reached=False, detail="no answer") if gone else probe

    return replace(evidence, probes=tuple(came_to(probe) for probe in evidence.probes))


def judged(evidence: Evidence) -> Report:
    return Report(judge(evidence), Summary())


def drawn(evidence: Evidence) -> str:
    """The network alone, nothing being told about it."""
    return drawing(made(evidence=evidence).verdict, ENGLISH)


def test_the_same_finding_of_two_tests_is_told_once_with_all_pairs() -> None:
    one, two, three = pair(0, 1), pair(0, 2), pair(1, 2)
    each = made(
        found("pod-unreachable", "s", pairs=(one, two)), found("pod-unreachable", "s", pairs=(two, three))
    ).findings
    assert [finding.lost for finding in each] == [(one, two, three)]


def test_two_subjects_of_one_code_are_two_findings() -> None:
    assert len(made(found("route-missing", "a"), found("route-missing", "b")).findings) == 2


def test_findings_come_in_the_order_of_the_path_then_of_the_workers() -> None:
    each = made(
        found("pod-unreachable", "x"),
        found("route-missing", "y", "worker-2"),
        found("route-missing", "z", "worker-1"),
        found("worker-missing", "w", "worker-2"),
    )
    assert [one.subject for one in each.findings] == ["w", "z", "y", "x"]


def test_findings_come_out_the_same_in_whatever_order_tests_ended() -> None:
    each = [found("route-missing", f"s{n}", worker) for n, worker in enumerate(WORKERS)]
    assert made(*each).findings == made(*reversed(each)).findings


def test_pairs_are_listed_under_the_finding_that_keeps_them_apart() -> None:
    pairs = (pair(0, 1, ("route-missing", "one")), pair(0, 2, ("route-missing", "two")))
    roots = made(
        found("route-missing", "one", "worker-1"),
        found("route-missing", "two", "worker-2"),
        found("pod-unreachable", "s", pairs=pairs),
    ).roots
    assert [(root.finding.subject, root.pairs) for root in roots] == [
        ("one", (pairs[0].probe,)),
        ("two", (pairs[1].probe,)),
    ]


def test_a_pair_whose_own_cause_is_not_told_is_listed_under_one_of_its_kind_at_its_end() -> None:
    pairs = (pair(0, 2, ("route-missing", "elsewhere")),)
    roots = made(
        found("route-missing", "one", "worker-1"),
        found("route-missing", "two", "worker-2"),
        found("pod-unreachable", "s", pairs=pairs),
    ).roots
    assert [len(root.pairs) for root in roots] == [0, 1]


def test_pairs_that_nothing_explains_are_a_finding_of_their_own_told_from_one_end() -> None:
    roots = judged(lost("worker-1")).roots
    assert [root.finding.code for root in roots] == ["pod-unreachable"]
    assert len(roots[0].pairs) == 6
    assert {pair.protocol for pair in roots[0].pairs} == {"icmp", "tcp", "udp"}


def test_an_error_of_the_evidence_and_of_a_test_is_told_once() -> None:
    error = LookError(code="throttled", subject="account")
    other = LookError(code="throttled", subject="region")
    each = made(evidence=replace(healthy(), errors=(error,)), errors=[error, other]).errors
    assert each == (error, other)


def test_the_document_tells_what_the_looking_cost() -> None:
    evidence = healthy()
    counted = replace(evidence, counts=replace(evidence.counts, aws_calls=11, ssh_sessions=3))
    document = made(evidence=counted, summary=Summary(passed=5, seconds=1.5)).document(ENGLISH)
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
    marked = marks(causes(told, words), missed(told, words))
    svg = drawing(told.verdict, words, marked)
    assert svg in html
    there = told.verdict.network is not None and bool(told.verdict.network.located)
    assert bool(svg) == there, "of workers that are nowhere there is nothing to draw"
    if there:
        ET.fromstring(svg)  # noqa: S314 -- our own text


def test_a_drawing_shows_a_missing_route_and_the_lost_pairs_by_sign_and_not_only_by_colour() -> None:
    evidence, _ = FAULTS["no routes at all"]
    well, ill = drawn(healthy()), drawn(evidence)
    assert well.count(">✗<") == 1, "the legend's"
    assert ill.count("missing") >= 3
    assert drawn(lost("worker-1")).count(">✗<") == 1 + 2


def test_many_workers_are_drawn_as_a_matrix_of_merged_cells() -> None:
    svg = drawn(healthy(60))
    assert "worker-59" in svg
    assert len(svg) < 40_000
    ET.fromstring(svg)  # noqa: S314


@pytest.mark.parametrize(("no_packets", "kind"), [("", "good"), ("no namespaces here", "unknown")])
def test_what_was_not_checked_is_not_said_to_be_right(no_packets: str, kind: str) -> None:
    evidence = replace(healthy(), target=replace(healthy().target, no_packets=no_packets))
    html = page(made(evidence=evidence, summary=Summary(passed=20, skipped=40)), ENGLISH, ["target"])
    assert "All is as intended" not in html
    assert "20 requirements hold; 40 were not checked" in html
    assert f'class="kthw-verdict kthw-{kind}"' in html


def test_a_subnet_without_a_table_is_drawn_without_one() -> None:
    assert "rtb-" not in drawn(with_inventory(healthy(), route_tables=()))


def test_an_interrupted_run_promises_nothing() -> None:
    passed = Summary(passed=5)
    whole = page(made(summary=passed), ENGLISH, ["target"])
    half = page(made(summary=Summary(passed=5, skipped=2), interrupted=True), ENGLISH, ["target"])
    assert "All is as intended" in whole
    assert "All is as intended" not in half
    assert "Interrupted" in half


def test_nothing_is_drawn_where_nothing_was_seen() -> None:
    assert drawn(replace(healthy(), inventory=None)) == ""


def test_a_lab_like_the_chapters_says_nothing_of_its_network_model() -> None:
    report = judged(healthy())
    assert report.network(ENGLISH) == []
    document = report.document(ENGLISH)["network"]
    assert (document["model"], document["why"], document["vpc_routes"]) == ("vpc-routes", "vpc", 3)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("evidence", "model", "why"), MODELS.values(), ids=MODELS)
def test_where_the_network_model_needs_saying_it_is_said_with_the_other(
    evidence: Evidence, model: str, why: str, language: str
) -> None:
    report = judged(evidence)
    document = report.document(catalogue(language))["network"]
    assert (document["model"], document["why"]) == (model, why)
    said = " ".join(report.network(catalogue(language)))
    assert said == document["what"]
    assert (model in said) is (why != "vpc")
    assert "report-network" not in said
    assert ("--network" in said) is (why not in ("vpc", "asked"))


def test_where_pod_cidrs_are_said_is_told_unless_it_is_user_data() -> None:
    assert judged(BY_OPTION).network(ENGLISH) == ["Pod CIDRs are taken from --pod-cidrs: worker-1"]
    assert judged(TAGGED).network(ENGLISH) == ["Pod CIDRs are taken from tag PodCidr: worker-1"]
    assert judged(TAGGED).document(ENGLISH)["pod_cidrs"]["worker-1"] == {
        "cidr": "10.200.1.0/24", "source": "tag", "where": "tag PodCidr",
    }  # fmt: skip


def test_what_is_assumed_and_what_is_said_otherwise_is_remarked_on_in_both_languages() -> None:
    evidence, _ = FAULTS["only kubelet says it, and there is no subnet"]
    for language in LANGUAGES:
        (remark,) = judged(evidence).document(catalogue(language))["remarks"]
        assert remark["code"] == "pod-cidr-assumed"
        assert "kubelet podCIDR" in remark["what"]
        why = catalogue(language).remark(judged(evidence).verdict.remarks[0]).why
        assert "--pod-cidrs worker-1=10.200.1.0/24" in why
        assert '<ul class="kthw-remarks">' in page(judged(evidence), catalogue(language), ["target"])


def test_a_kernel_route_that_is_not_kept_is_told_with_the_command_that_keeps_it() -> None:
    node = NODES.nodes["worker-1"]
    lost_at_start = tuple(replace(each, kept=()) for each in node.routes or ())
    evidence = replace(NODES, nodes={**NODES.nodes, "worker-1": replace(node, routes=lost_at_start)})
    report = judged(evidence)
    (remark,) = report.document(ENGLISH)["remarks"]
    assert (remark["code"], remark["subject"]) == ("node-route-not-kept", "worker-1 (i-01, 10.0.1.21)")
    assert "10.200.0.0/24 via 10.0.1.20" in remark["what"]
    assert remark["fix"].startswith("ssh ")
    assert "loses kernel routes when it restarts" in page(report, ENGLISH, ["target"])
