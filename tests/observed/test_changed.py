"""Routes that somebody else changes while we look are told as that, and no finding comes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.findings import reachability, routes, workers
from kthw.findings.changed import settled
from kthw.findings.check import Judge
from kthw.intended.cluster import Intended
from kthw.network.model import Network
from kthw.observed.aws.reader import Reader
from kthw.observed.changed import changes
from kthw.observed.evidence import Evidence, Inventory, ProvisionStep
from kthw.observed.gather import gather
from kthw.provision.apply import apply
from kthw.provision.journal import Journal
from kthw.provision.plan import plan
from kthw.provision.writer import Writer
from tests.findings.changed_aws import without_route
from tests.findings.changed_nodes import failing
from tests.findings.clusters import OK, TABLE, healthy
from tests.provision.account import THREE, Account

BEFORE_PODS = Intended(workers=THREE.workers, after="machines")
ROUTE = "10.200.1.0/24"


@pytest.fixture
def account(aws_account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr("kthw.observed.gather._SETTLING_SECONDS", 0.1)
    return aws_account.build()


def looked(account: Account, directory: Path, then: Callable[[], None]) -> Evidence:
    """A look that provisions first; ``then`` happens right after."""

    def provision(_reader: Reader, inventory: Inventory) -> tuple[ProvisionStep, ...]:
        writer = Writer(account.target, inventory.account)
        steps = apply(writer, plan(inventory, THREE), Journal(directory / "journal.jsonl"))
        then()
        return steps

    return gather(account.target, BEFORE_PODS, provision=provision)


def test_route_that_vanished_after_it_was_provisioned_is_told_as_taken_away_by_somebody_else(
    account: Account, tmp_path: Path
) -> None:
    def taken_away() -> None:
        account.ec2.delete_route(RouteTableId=account.table, DestinationCidrBlock=ROUTE)

    seen = looked(account, tmp_path, taken_away)
    (error,) = seen.errors
    assert (error.code, error.worker) == ("routes-changed", "worker-1")
    assert error.facts["change"] == f"{ROUTE}: {account.instance('worker-1')} → —"
    found = routes.route_to_worker(Network(seen), "worker-1")
    assert [finding.code for finding in found] == ["route-missing"]
    with pytest.raises(CouldNotLook) as caught:
        settled(Network(seen), found)
    assert caught.value.error == error


def test_route_that_another_run_had_made_and_takes_away_while_we_look_is_told_so_too(
    account: Account, tmp_path: Path
) -> None:
    account.ec2.create_route(
        RouteTableId=account.table, DestinationCidrBlock=ROUTE, InstanceId=account.instance("worker-1")
    )

    def taken_away() -> None:
        account.ec2.delete_route(RouteTableId=account.table, DestinationCidrBlock=ROUTE)

    seen = looked(account, tmp_path, taken_away)
    assert [step.outcome for step in seen.provisioned] == ["created", "exists", "created"]
    assert [(error.code, error.worker) for error in seen.errors] == [("routes-changed", "worker-1")]


def test_routes_nobody_changes_are_no_error(account: Account, tmp_path: Path) -> None:
    seen = looked(account, tmp_path, lambda: None)
    assert seen.errors == ()
    assert seen.inventory is not None


def test_change_between_two_looks_is_told_with_what_was_before_and_after() -> None:
    before, now = OK.inventory, without_route(OK, ROUTE).inventory
    assert before is not None
    assert now is not None
    assert changes(before, before, OK.intended) == ()
    (gone,) = changes(before, now, OK.intended)
    (came,) = changes(now, before, OK.intended)
    assert gone.facts["change"].startswith(f"{ROUTE}: i-")
    assert gone.facts["change"].endswith(" → —")
    assert came.facts["change"].startswith(f"{ROUTE}: — → i-")


def test_tables_that_rule_no_workers_subnet_may_change() -> None:
    before = OK.inventory
    assert before is not None
    aside = replace(before.route_tables[0], id="rtb-aside", main=False, subnets=())
    with_it = replace(before, route_tables=(*before.route_tables, aside))
    without = replace(before, route_tables=(*before.route_tables, replace(aside, routes=())))
    assert changes(with_it, without, OK.intended) == ()


LOST = failing(without_route(OK, ROUTE), ("worker-0", "worker-1"))
CASES: dict[str, tuple[Judge, str, str, bool]] = {
    "its own route": (routes.route_to_worker, "worker-1", "worker-1", True),
    "another worker's route": (routes.route_to_worker, "worker-1", "worker-2", False),
    "a route that is nobody's": (routes.route_to_worker, "worker-1", "", True),
    "packets": (reachability.reaches_others, "worker-0", "worker-2", True),
    "what has nothing to do with routes": (workers.one_running_instance, "worker-9", "worker-9", False),
}


@pytest.mark.parametrize(("judge", "worker", "changed", "doubted"), CASES.values(), ids=CASES)
def test_only_what_may_come_of_the_change_is_doubted(
    judge: Judge, worker: str, changed: str, *, doubted: bool
) -> None:
    error = LookError(code="routes-changed", subject="rtb-1", worker=changed)
    found = judge(Network(LOST), worker)
    assert found
    evidence = replace(LOST, errors=(error,))
    if doubted:
        with pytest.raises(CouldNotLook):
            settled(Network(evidence), found)
    else:
        assert settled(Network(evidence), found) == found


def test_of_many_changes_each_worker_is_told_of_one() -> None:
    """Findings are doubted by what is told: a worker that is not would be told ``route-missing``."""
    many = healthy(14)
    steps = [
        ProvisionStep(
            worker=f"worker-{n}",
            outcome="created",
            route_table=TABLE,
            pod_cidr=f"10.200.{n}.0/24",
            target="i-1",
        )
        for n in range(14)
    ]
    for n in range(14):
        many = without_route(many, f"10.200.{n}.0/24")
    assert many.inventory is not None
    told = changes(many.inventory, many.inventory, many.intended, steps)
    assert {error.worker for error in told} == set(many.intended.workers)


def test_a_main_table_that_no_workers_subnet_falls_back_to_may_change() -> None:
    before = OK.inventory
    assert before is not None
    (main,) = [table for table in before.route_tables if table.main]
    rest = tuple(table for table in before.route_tables if not table.main)
    now = replace(before, route_tables=(replace(main, routes=()), *rest))
    assert changes(before, now, OK.intended) == ()


def test_what_a_pod_sends_to_its_own_node_is_not_doubted() -> None:
    """Its packets meet no route of the VPC."""
    alone = failing(OK, ("worker-0", "worker-0"), kind="node")
    error = LookError(code="routes-changed", subject="rtb-1", worker="worker-1")
    network = Network(replace(alone, errors=(error,)))
    found = reachability.reaches_own_node(network, "worker-0")
    assert found
    assert settled(network, found) == found
