"""What is told where packets get lost, some and not all: of whom, in whose order, and by which count."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.findings.finding import Finding
from kthw.observed.evidence import Evidence
from tests.findings.changed_nodes import losing
from tests.findings.clusters import OK, healthy
from tests.findings.judged import asked

LOST = "no-packets-lost"


def found(evidence: Evidence, worker: str = "worker-1") -> list[Finding]:
    return list(asked(evidence, LOST, worker).findings)


def test_of_two_workers_a_loss_is_told_as_well() -> None:
    assert [each.code for each in found(losing(healthy(2), 60, ("worker-1", "worker-0")))] == ["packets-lost"]


def test_a_loss_is_told_of_no_other_sender() -> None:
    evidence = losing(OK, 60, ("worker-1", "worker-2"))
    assert [asked(evidence, LOST, f"worker-{n}").status for n in range(3)] == ["passed", "failed", "passed"]


def test_a_recording_may_have_counted_to_workers_that_it_is_not_judged_about() -> None:
    evidence = losing(OK, 60, ("worker-1", "worker-2"), ("worker-2", "worker-1"))
    assert found(evidence)
    less = replace(evidence, intended=replace(evidence.intended, workers=("worker-0", "worker-1")))
    assert asked(less, LOST).status == "passed"


def test_the_worst_of_several_counts_is_the_share_that_is_told() -> None:
    evidence = losing(losing(OK, 60, ("worker-1", "worker-0")), 150, ("worker-1", "worker-2"))
    (told,) = found(evidence)
    assert told.facts["share"].startswith("75 %")
    assert told.facts["destination"] == "worker-2"
    assert told.expected == "worker-1 → worker-2 icmp: 0/200"


def test_of_two_senders_that_lose_some_the_first_named_worker_is_the_one_to_mend_first() -> None:
    evidence = losing(OK, 60, ("worker-0", "worker-2"), ("worker-1", "worker-2"))
    turned = replace(evidence.intended, workers=("worker-1", "worker-0", "worker-2"))
    for order, first in ((evidence.intended, "worker-0"), (turned, "worker-1")):
        skip = asked(replace(evidence, intended=order), "is-reached-by-others", "worker-2").skip
        assert skip is not None
        assert skip.after is not None
        assert (skip.told_by, skip.after.worker) == (LOST, first)
    skip = asked(evidence, "is-reached-by-others", "worker-1").skip
    assert skip is None
