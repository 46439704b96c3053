"""Which tables a worker's routes are asked of, and what is wrong where a subnet fell back to the main one."""

from __future__ import annotations

import pytest

from kthw.findings.routes import internet_route, local_routes_intact, route_to_worker
from kthw.network.model import Network
from tests.findings.changed_aws import TWO, with_route, with_table, without_route
from tests.findings.clusters import INTERNET, MAIN, OK, ONE, TABLE, TABLE_2
from tests.findings.faults_of_prefix_lists import TO_1
from tests.findings.judged import codes

FALLEN_BACK = with_table(OK, subnets=())


def test_in_a_main_table_that_is_right_nothing_is_missing() -> None:
    network = Network(with_route(FALLEN_BACK, INTERNET, table=MAIN))
    assert internet_route(network, "worker-1") == []
    assert local_routes_intact(network, "worker-1") == []


def test_in_a_main_table_that_is_wrong_the_table_that_was_meant_is_missing() -> None:
    assert codes(internet_route(Network(FALLEN_BACK), "worker-1")) == ["subnet-not-associated"]


@pytest.mark.parametrize(("worker", "pods"), [("worker-0", "10.200.0.0/24"), ("worker-1", ONE)])
def test_the_table_of_a_workers_own_subnet_is_asked_where_another_worker_is_in_it(
    worker: str, pods: str
) -> None:
    (found,) = route_to_worker(Network(without_route(TWO, pods)), worker)
    assert found.table == TABLE


def test_what_one_table_lacks_is_told_though_it_is_for_a_list_to_say_what_the_other_has() -> None:
    without = without_route(without_route(TWO, ONE), ONE, table=TABLE_2)
    (found,) = route_to_worker(Network(with_route(without, TO_1, table=TABLE_2)), "worker-1")
    assert (found.code, found.table) == ("route-missing", TABLE)


def test_the_table_of_a_worker_that_is_alone_in_its_subnet_needs_no_route_to_it() -> None:
    evidence = without_route(TWO, "10.200.2.0/24", table=TABLE_2)
    assert route_to_worker(Network(evidence), "worker-2") == []
