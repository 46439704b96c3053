"""A recorded run, judged: what passes, fails, is skipped or could not be looked at, and where it is said."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings import needs
from kthw.observed.evidence import Evidence, PodFailure, Probe
from tests.findings.changed_aws import inventory_of, with_instance, with_inventory, without_instance
from tests.findings.changed_nodes import failing, with_forward_chain, with_node, with_trace
from tests.findings.clusters import TABLE, healthy
from tests.findings.faults import FAULTS
from tests.findings.faults_of_plugins import without_pod
from tests.plugin.conftest import NOT_ALL_SEEN, Run, asked

TESTS = asked()
KEYS = {
    "schema", "target", "findings", "errors", "surprises", "remarks", "proof", "pod_cidrs", "network",
    "summary", "evidence",
}  # fmt: skip
FINDING_KEYS = {"code", "subject", "expected", "observed", "near_miss", "fix", "test"}
SUMMARY_KEYS = {"passed", "failed", "errors", "skipped", "aws_calls", "ssh_sessions", "seconds"}


def unanswered(evidence: Evidence, *destinations: str) -> Evidence:
    """No probe to these workers' pods was answered."""

    def came_to(probe: Probe) -> Probe:
        lost = probe.kind == "pod" and probe.destination in destinations
        return replace(probe, reached=False, detail="no answer in 3.0 s") if lost else probe

    return replace(evidence, probes=tuple(came_to(probe) for probe in evidence.probes))


def without_routes(*cidrs: str) -> Evidence:
    evidence = healthy()
    tables = tuple(
        replace(table, routes=tuple(r for r in table.routes if r.destination not in cidrs))
        if table.id == TABLE
        else table
        for table in inventory_of(evidence).route_tables
    )
    return with_inventory(evidence, route_tables=tables)


def one_route_missing() -> Evidence:
    return unanswered(without_routes("10.200.1.0/24"), "worker-1")


def unseen(*workers: str) -> Evidence:
    """Nobody got into these workers."""
    evidence = healthy()
    errors = tuple(
        LookError(
            code="ssh-unreachable", subject=worker, worker=worker, detail="no answer", facts={"login": "ssh"}
        )
        for worker in workers
    )
    return replace(
        evidence,
        nodes={worker: node for worker, node in evidence.nodes.items() if worker not in workers},
        probes=tuple(p for p in evidence.probes if p.source not in workers and p.destination not in workers),
        errors=errors,
    )


def blind() -> Evidence:
    error = LookError(code="credentials-missing", subject="credentials", facts={"profile": "default"})
    return replace(healthy(), inventory=None, nodes={}, probes=(), errors=(error,))


def test_a_healthy_cluster_passes_every_test(judge: Run) -> None:
    ran = judge(healthy())
    assert ran.code == 0, ran.output
    assert f"{TESTS} passed" in ran.output
    assert ran.codes == []
    assert ran.junit == {"tests": TESTS, "failures": 0, "errors": 0, "skipped": 0}


def test_the_document_keeps_the_contract(judge: Run) -> None:
    document = judge(one_route_missing()).document
    assert set(document) == KEYS
    assert document["schema"] == 1
    assert set(document["summary"]) == SUMMARY_KEYS
    assert all(set(finding) >= FINDING_KEYS for finding in document["findings"])
    assert document["target"]["kind"] == "sandbox"
    assert document["evidence"]["intended"]["workers"] == ["worker-0", "worker-1", "worker-2"]


def test_a_missing_route_fails_its_test_and_cuts_the_pods_it_carried(judge: Run) -> None:
    ran = judge(one_route_missing())
    assert ran.code == 1
    assert ran.document["findings"][0]["code"] == "route-missing"
    assert set(ran.codes) == {"route-missing", "pod-unreachable"}
    assert (
        "test_effective_table_sends_the_pod_cidr_to_the_worker[worker-1]"
        in ran.document["findings"][0]["test"]
    )
    assert ran.junit["failures"] == ran.document["summary"]["failed"] == 6


def test_the_summary_tells_a_cause_once_with_its_command_and_the_pairs_it_explains(judge: Run) -> None:
    ran = judge(one_route_missing())
    assert ran.output.count("✗ route-missing") == 1
    assert "✗ pod-unreachable" not in ran.output
    assert "aws ec2 create-route --route-table-id rtb-0a --destination-cidr-block 10.200.1.0/24" in ran.output
    assert "    10.200.0.2@worker-0 → 10.200.1.2@worker-1: icmp no answer in 3.0 s" in ran.output


def test_pairs_that_nothing_explains_are_told_once(judge: Run) -> None:
    ran = judge(unanswered(healthy(), "worker-1"))
    assert ran.code == 1
    assert ran.output.count("✗ pod-unreachable") == 1
    assert ran.output.count("10.200.0.2@worker-0 → 10.200.1.2@worker-1: tcp no answer") == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["To mend it:", "@worker-1: icmp no answer in 3.0 s"]),
        ("pt-BR", ["Para consertar:", "@worker-1: icmp sem resposta em 3.0 s"]),
    ],
    ids=["en", "pt-BR"],
)
def test_findings_are_told_in_the_chosen_language(language: str, said: list[str], judge: Run) -> None:
    ran = judge(one_route_missing(), "--language", language)
    for words in said:
        assert words in ran.output
        assert words in ran.page


def test_the_run_names_its_target_first_and_last_and_what_a_sandbox_does_not_tell(judge: Run) -> None:
    ran = judge(healthy())
    for lines in (ran.lines[:2], ran.lines[-2:]):
        assert "sandbox, account 123456789012, region us-east-1" in lines[0]
        assert "tells nothing about your AWS account" in lines[1]
        assert lines[1].endswith("./run routes --target aws")


def test_a_missing_worker_is_a_failing_test_and_its_other_tests_name_it(judge: Run) -> None:
    seen = replace(unseen("worker-1"), inventory=without_routes("10.200.1.0/24").inventory)
    ran = judge(replace(without_instance(seen, "worker-1"), errors=()))
    assert ran.code == 1
    assert ran.codes == ["worker-missing"]
    summary = ran.document["summary"]
    # Skipped: all others of worker-1, and of its peers those that need every worker's pod.
    skipped = asked(1) - 1 + asked(2, needing=needs.other_workers)
    assert (summary["failed"], summary["errors"], summary["skipped"]) == (1, 0, skipped)
    assert summary["passed"] == TESTS - 1 - skipped
    assert (
        "(worker-missing); see test_workers.py::test_exactly_one_running_instance_bears_the_name"
        in ran.output
    )


def test_a_pair_that_failed_is_told_though_another_worker_is_missing(judge: Run) -> None:
    evidence = unanswered(without_instance(unseen("worker-1"), "worker-1"), "worker-2")
    ran = judge(replace(evidence, errors=()))
    assert "10.200.0.2@worker-0 → 10.200.2.2@worker-2: tcp no answer in 3.0 s" in ran.output


def test_a_stopped_worker_is_judged_by_aws_and_skipped_on_packets(judge: Run) -> None:
    evidence = with_instance(replace(unseen("worker-1"), errors=()), "worker-1", state="stopped")
    ran = judge(evidence)
    assert ran.codes == ["worker-not-running"]
    assert ran.document["summary"]["errors"] == 0
    assert "(worker-not-running)" in ran.output


def test_an_unreachable_worker_is_an_error_never_a_finding_and_never_a_pass(judge: Run) -> None:
    ran = judge(unseen("worker-1"))
    assert ran.code == NOT_ALL_SEEN
    assert ran.codes == []
    summary = ran.document["summary"]
    # What is asked of the login, and of worker-1's node and pod; of the others, what needs all their peers.
    unseeable = asked(1, needing=needs.login_tried) + asked(1, needing=needs.logged_in)
    unseeable += asked(2, needing=needs.other_workers)
    assert (summary["failed"], summary["errors"], summary["passed"]) == (0, unseeable, TESTS - unseeable)
    assert ran.junit["errors"] == unseeable
    assert [error["code"] for error in ran.document["errors"]] == ["ssh-unreachable"]
    assert ran.output.count("! ssh-unreachable") == 1


def test_one_worker_nobody_gets_into_does_not_hide_what_the_others_show(judge: Run) -> None:
    ran = judge(unanswered(unseen("worker-1"), "worker-2"))
    assert "10.200.0.2@worker-0 → 10.200.2.2@worker-2: tcp no answer in 3.0 s" in ran.output
    assert ran.document["summary"]["failed"] == 3


def test_a_pod_that_did_not_come_up_is_an_error(judge: Run) -> None:
    error = LookError(code="cni-failed", subject="worker-0", worker="worker-0", detail="no end in 20 s")
    ran = judge(replace(without_pod(healthy(), "worker-0"), errors=(error,)))
    unmeasured = asked(1, needing=needs.probe_pod) + asked(2, needing=needs.other_workers)
    unmeasured += asked(1, needing=needs.pod_tried)
    assert (ran.document["summary"]["failed"], ran.document["summary"]["errors"]) == (0, unmeasured)


def test_a_pod_that_its_own_network_does_not_make_is_a_finding_and_no_error(judge: Run) -> None:
    failure = PodFailure(cause="refused", file="10-bridge.conf", plugin="bridge", said="bridge ADD: no luck")
    ran = judge(with_node(without_pod(healthy(), "worker-0"), "worker-0", pod_failure=failure))
    assert ran.code == 1
    assert ran.codes == ["cni-plugin-fails"]
    unmeasured = asked(1, needing=needs.probe_pod) + asked(2, needing=needs.other_workers)
    summary = ran.document["summary"]
    assert (summary["failed"], summary["errors"], summary["skipped"]) == (1, 0, unmeasured)
    assert "bridge ADD: no luck" in ran.output


def test_an_account_that_cannot_be_looked_at_is_one_error_told_once(judge: Run) -> None:
    ran = judge(blind())
    assert ran.code == NOT_ALL_SEEN
    assert ran.document["summary"]["errors"] == TESTS
    assert ran.output.count("credentials-missing") == 1
    assert "Traceback" not in ran.output


def test_user_data_that_could_not_be_read_is_an_error(judge: Run) -> None:
    error = LookError(code="access-denied", subject="worker-1", worker="worker-1", facts={"action": "x"})
    evidence = with_instance(healthy(), "worker-1", user_data=None)
    ran = judge(replace(evidence, errors=(error,)))
    assert ran.document["summary"]["failed"] == 0
    assert ran.document["summary"]["errors"] > 0
    assert [error["code"] for error in ran.document["errors"]] == ["access-denied"]


def test_an_error_beside_passing_tests_is_no_success(judge: Run) -> None:
    error = LookError(code="journal-unusable", subject="journal", facts={"file": "journal.jsonl"})
    ran = judge(replace(healthy(), errors=(error,)))
    assert f"{TESTS} passed" in ran.output
    assert ran.code == NOT_ALL_SEEN
    assert "! journal-unusable" in ran.output


def test_the_exit_code_tells_what_is_wrong_from_what_was_not_seen(judge: Run) -> None:
    """A finding counts more than an error beside it."""
    assert judge(replace(one_route_missing(), errors=unseen("worker-2").errors)).code == 1


def test_what_a_later_chapter_brings_is_skipped_with_that_reason(judge: Run) -> None:
    ran = judge(without_routes("10.200.0.0/24", "10.200.1.0/24", "10.200.2.0/24"), "--after", "workers")
    assert ran.code == 0, ran.output
    later = asked(chapter="routes")
    assert ran.document["summary"]["skipped"] == later
    assert f"{later} × the chapter routes brings this, and you finished workers" in ran.output


def test_where_no_packets_can_be_sent_packet_tests_are_skipped_with_the_reason(judge: Run) -> None:
    evidence = replace(healthy(), nodes={}, probes=())
    ran = judge(replace(evidence, target=replace(evidence.target, no_packets="no namespaces here.")))
    assert ran.code == 0, ran.output
    unsent = asked(needing=needs.packets)
    assert ran.document["summary"]["skipped"] == unsent
    assert f"{unsent} × no packets can be sent here: no namespaces here." in ran.output


def test_a_recorded_run_can_be_judged_for_fewer_workers(judge: Run) -> None:
    ran = judge(one_route_missing(), "--workers", "worker-0,worker-2")
    assert ran.code == 0, ran.output
    assert f"{asked(workers=2)} passed" in ran.output


def test_a_node_without_the_tools_is_skipped_with_that_reason_and_fails_nothing(judge: Run) -> None:
    lacking = ("ip", "nft", "iptables-save")
    ran = judge(with_node(healthy(), "worker-1", firewall=None, ways=(), links=(), lacking=lacking))
    assert ran.code == 0, ran.output
    assert (ran.document["summary"]["passed"], ran.document["summary"]["skipped"]) == (TESTS - 2, 2)
    assert "(nft, iptables-save)" in ran.output


def test_a_node_whose_tools_failed_is_an_error_and_no_skip(judge: Run) -> None:
    """That they are not there is claimed only where the node said so."""
    facts = {"tool": "ip", "login": "ssh ubuntu@10.0.1.21"}
    error = LookError(code="node-unreadable", subject="worker-1", worker="worker-1", detail="ip", facts=facts)
    evidence = with_node(healthy(), "worker-1", firewall=None, ways=(), links=())
    ran = judge(replace(evidence, errors=(error,)))
    assert ran.code == NOT_ALL_SEEN, ran.output
    summary = ran.document["summary"]
    assert (summary["passed"], summary["skipped"], summary["errors"]) == (TESTS - 2, 0, 2)
    assert [error["code"] for error in ran.document["errors"]] == ["node-unreadable"]


def test_a_worker_lost_after_its_pod_was_made_is_the_only_one_with_an_error(judge: Run) -> None:
    """What would have been measured with it waits for it; the others are judged, and nobody is blamed."""
    seen = unseen("worker-1")
    node = replace(healthy().nodes["worker-1"], pod="", ways=(), firewall=None)
    ran = judge(replace(seen, nodes={**seen.nodes, "worker-1": node}))
    assert ran.code == NOT_ALL_SEEN, ran.output
    assert ran.document["summary"]["failed"] == ran.document["summary"]["skipped"] == 0
    assert [(e["code"], e["subject"]) for e in ran.document["errors"]] == [("ssh-unreachable", "worker-1")]
    assert "probe-timeout" not in ran.output
    assert "(ip)" not in ran.output


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "last seen at the network interface of worker-0, never at the network interface of worker-1"),
        ("pt-BR", "último ponto: interface de rede de worker-0; não chegou a: interface de rede de worker-1"),
    ],
)
def test_with_a_pair_that_nothing_explains_it_is_told_how_far_its_packets_came(
    language: str, said: str, judge: Run
) -> None:
    pair = ("worker-0", "worker-1")
    evidence = with_trace(failing(healthy(), pair), *pair, 3)
    ran = judge(evidence, "--language", language)
    assert said in ran.output
    assert said in ran.page
    assert "pod worker-0 → bridge worker-0 → eni worker-0 ✗" in " ".join(ran.output.split())


@pytest.mark.parametrize(
    ("language", "said"), [("en", "And yet packets got through"), ("pt-BR", "E mesmo assim passaram pacotes")]
)
def test_packets_that_get_through_in_spite_of_a_finding_are_told_with_it(
    language: str, said: str, judge: Run
) -> None:
    """The finding stands, and so does that our idea of the network may be wrong: in all three places."""
    ran = judge(without_routes("10.200.1.0/24"), "--language", language)
    assert ran.codes == ["route-missing"]
    assert said in ran.output
    assert said in ran.page
    (surprise,) = ran.document["surprises"]
    assert surprise["code"] == "route-missing"
    assert len(surprise["pairs"]) == 6


def test_what_failed_as_predicted_is_no_surprise(judge: Run) -> None:
    ran = judge(one_route_missing())
    assert ran.document["surprises"] == []
    assert "And yet" not in ran.output


def test_every_layer_tells_its_own_whatever_is_wrong_in_the_others(judge: Run) -> None:
    """A worker nobody gets into, one without a route, one with a firewall: all told, in order."""
    routeless = without_routes("10.200.0.0/24")
    evidence = with_forward_chain(unseen("worker-2"), "worker-1", policy="DROP")
    ran = judge(replace(evidence, inventory=routeless.inventory))
    assert ran.codes == ["route-missing", "forward-dropped"]
    assert [(error["code"], error["worker"]) for error in ran.document["errors"]] == [
        ("ssh-unreachable", "worker-2")
    ]
    order = [ran.output.index(said) for said in ("✗ route-missing", "✗ forward-dropped", "! ssh-unreachable")]
    assert order == sorted(order)


def test_the_questions_come_in_the_order_of_the_path(run_pytest: Run) -> None:
    """Workers, routes, filters, nodes, packets: what a failure may be caused by comes before it."""
    ran = run_pytest("suites/routes", "--collect-only", "-q", reports=False)
    files = [line.split("::")[0].rpartition("/")[2] for line in ran.lines if "::" in line]
    assert list(dict.fromkeys(files)) == [
        "test_workers.py", "test_routes.py", "test_security.py", "test_nodes.py", "test_pods.py",
    ]  # fmt: skip


def test_a_report_can_be_judged_again(judge: Run, run_pytest: Run) -> None:
    first = judge(one_route_missing())
    again = run_pytest("suites/routes", "--evidence", str(first.reports / "report.json"))
    assert again.codes == first.codes


@pytest.mark.parametrize("fault", ["swapped", "worker stopped", "CNI subnet of another worker"])
def test_xdist_judges_the_same(fault: str, judge: Run) -> None:
    evidence, _ = FAULTS[fault]
    alone, spread = judge(evidence).document, judge(evidence, "-n", "2").document
    assert spread["findings"] == alone["findings"]
    assert spread["summary"] | {"seconds": 0} == alone["summary"] | {"seconds": 0}


def test_the_page_is_one_file_with_sentences_commands_and_a_drawing(judge: Run) -> None:
    page = judge(one_route_missing()).page
    assert "No more specific route takes a part of" in page
    assert "create-route" in page
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert 'rel="stylesheet"' not in page


def test_what_was_observed_is_escaped_in_the_page(judge: Run) -> None:
    wicked = "<script>alert(1)</script>"
    evidence = with_inventory(
        one_route_missing(),
        vpcs=tuple(replace(vpc, name=wicked) for vpc in inventory_of(healthy()).vpcs),
    )
    page = judge(
        replace(evidence, errors=(LookError(code="aws-refused", subject=wicked, detail=wicked),))
    ).page
    assert wicked not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_file_the_person_asked_for_is_written_where_they_said(judge: Run, run_pytest: Run) -> None:
    ran = judge(healthy())
    other = ran.reports.parent / "mine.html"
    judge(healthy(), f"--html={other}", f"--junit-xml={other.with_suffix('.xml')}")
    assert "<svg" in other.read_text(encoding="utf-8")
    assert other.with_suffix(".xml").is_file()
