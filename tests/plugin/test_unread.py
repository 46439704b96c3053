"""What AWS garbled makes errors of the tests that need it; all others are judged, nothing is a finding."""

from __future__ import annotations

from xml.etree import ElementTree

from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.registry import CHECKS
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import inventory_of, with_inventory
from tests.findings.clusters import healthy
from tests.plugin.conftest import NOT_ALL_SEEN, Ran, Run, asked

_TESTS = asked(1)


def garbled(evidence: Evidence, kind: str, subject: str, worker: str = "") -> Evidence:
    error = LookError(
        code="aws-unreadable",
        subject=subject,
        detail="PublicIpAddress: $(x)",
        worker=worker,
        kind=kind,
        resource=subject,
    )
    return replace(evidence, errors=(*evidence.errors, error))


def errors_of(ran: Ran) -> set[str]:
    """The tests that could not look: ``test[worker]``."""
    cases = ElementTree.parse(ran.reports / "junit.xml").iter("testcase")  # noqa: S314 -- our own file
    return {case.attrib["name"] for case in cases if case.find("error") is not None}


def test_garbled_worker_costs_that_worker(judge: Run) -> None:
    ran = judge(garbled(healthy(), "instance", "worker-1 (i-01)", "worker-1"))
    assert ran.code == NOT_ALL_SEEN
    assert ran.codes == []
    assert {each.partition("[")[2] for each in errors_of(ran)} == {"worker-1]"}
    assert [error["code"] for error in ran.document["errors"]] == ["aws-unreadable"]
    assert "PublicIpAddress: $(x)" in ran.output
    summary = ran.document["summary"]
    assert (summary["failed"], summary["passed"]) == (0, 3 * _TESTS - summary["errors"])
    assert summary["errors"] == sum(
        bool(check.reads) for check in CHECKS if check.subjects(healthy().intended)
    )


def test_garbled_gateway_costs_one_question(judge: Run) -> None:
    seen = with_inventory(healthy(), internet_gateways=())
    ran = judge(garbled(seen, "internet-gateway", "igw-0a"))
    name = "test_default_route_leads_to_the_internet_gateway"
    assert errors_of(ran) == {f"{name}[worker-{n}]" for n in range(3)}
    assert (ran.codes, ran.document["summary"]["passed"]) == ([], 3 * (_TESTS - 1))


def test_worker_whose_id_is_garbled_is_not_told_as_missing(judge: Run) -> None:
    """Nobody could ask it: what the others sent to it is not measured, and nothing was skipped for that."""
    seen = inventory_of(healthy())
    left = with_inventory(healthy(), instances=tuple(i for i in seen.instances if i.name != "worker-0"))
    left = replace(
        left,
        nodes={name: node for name, node in left.nodes.items() if name != "worker-0"},
        probes=tuple(p for p in left.probes if "worker-0" not in (p.source, p.destination)),
    )
    ran = judge(garbled(left, "instance", "worker-0", "worker-0"))
    assert ran.codes == []
    assert "worker-missing" not in ran.output
    assert ran.document["summary"]["skipped"] == 0
    others = {each for each in errors_of(ran) if not each.endswith("[worker-0]")}
    assert others == {
        "test_no_leftover_route_in_the_pod_range[worker-1]",
        *(
            f"test_{which}[worker-{n}]"
            for which in (
                "pod_reaches_pods_on_all_other_workers",
                "pod_is_reached_by_pods_on_all_other_workers",
                "pod_reaches_pods_on_all_other_workers_by_udp",
                "full_size_packets_reach_pods_on_all_other_workers",
                "no_packets_are_lost_on_the_way_to_other_workers",
            )
            for n in (1, 2)
        ),
    }


def test_instance_without_a_readable_name_leaves_the_rest_judged(judge: Run) -> None:
    ran = judge(garbled(healthy(), "nameless", "i-0f"))
    name = "test_exactly_one_running_instance_bears_the_name"
    assert errors_of(ran) == {f"{name}[worker-{n}]" for n in range(3)}
    assert ran.codes == []
