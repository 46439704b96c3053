"""What a route table lacks for a worker's pods is told beside what else is wrong with it."""

from __future__ import annotations

from kthw.findings.path import obstacles
from kthw.network.model import Network
from tests.findings.changed_aws import with_instance, with_route, with_table
from tests.findings.clusters import OK, ONE, route
from tests.findings.faults import FAULTS
from tests.findings.judged import asked, codes


def test_a_table_that_no_subnet_has_may_have_a_wrong_route_as_well() -> None:
    evidence = with_route(with_table(OK, subnets=()), route(0, ONE))
    assert codes(asked(evidence, "route-to-worker").findings) == [
        "subnet-not-associated",
        "route-wrong-target",
    ]


def test_a_worker_whose_range_lies_within_anothers_diverts_nothing_of_it() -> None:
    """That is told as an overlap, and their routes are right."""
    evidence = FAULTS["one pod CIDR within another"][0]
    for worker in evidence.intended.workers:
        assert asked(evidence, "route-undiverted", worker).status in ("passed", "skipped")


def test_a_worker_that_is_stopped_is_in_the_way_of_what_is_for_it() -> None:
    network = Network(with_instance(OK, "worker-1", state="stopped"))
    for pair in (("worker-0", "worker-1"), ("worker-1", "worker-0")):
        assert "worker-not-running" in codes(obstacles(network, *pair))
