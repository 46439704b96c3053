"""Whatever the API answers, it costs what depends on it and nothing else: no traceback, no false verdict."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.findings.check import Check
from kthw.findings.judging import outcome_of
from kthw.findings.registry import CHECKS
from kthw.intended.cluster import Intended
from kthw.network.model import Network
from kthw.observed.aws import pages
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Evidence, Inventory, TargetSeen
from kthw.target import Target
from tests.observed.api_answers import WORKERS, Api, serving
from tests.observed.hostile_api_answers import EVERYTHING, HOSTILE, NOTHING, Hostile

THREE = Intended(workers=WORKERS)
READING = [check for check in CHECKS if check.reads and check.subjects(THREE)]
Verdicts = dict[tuple[str, str], str]
"""By check and worker: ``ok``, ``error``, or the codes that were found."""


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def reader(api: Api) -> Reader:
    return Reader(
        Target(kind="sandbox", endpoint=api.endpoint, region="us-east-1", credentials=("any", "any"))
    )


def verdicts(inventory: Inventory, errors: tuple[LookError, ...]) -> Verdicts:
    evidence = Evidence(
        gathered_at="", target=TargetSeen(kind="aws"), intended=THREE, inventory=inventory, errors=errors
    )
    network = Network(evidence)
    return {(check.name, worker): _judged(network, check, worker) for check in READING for worker in WORKERS}


def _judged(network: Network, check: Check, worker: str) -> str:
    """As ``judge`` does, whatever other checks it needs."""
    outcome = outcome_of(network, replace(check, needs=()), worker)
    return ", ".join(finding.code for finding in outcome.findings) or outcome.status.replace("passed", "ok")


def test_healthy_answers_are_green_and_cost_n_and_eight_calls(api: Api, reader: Reader) -> None:
    before = reader.calls
    inventory, errors = read_inventory(reader, THREE)
    assert errors == ()
    assert set(verdicts(inventory, errors).values()) == {"ok"}
    assert reader.calls - before == len(WORKERS) + 8


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name.replace(" ", "-"))
def test_hostile_answer_costs_what_depends_on_it(
    api: Api, reader: Reader, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 20)
    healthy, _ = read_inventory(reader, THREE)
    monkeypatch.setitem(api.hostile, hostile.action, hostile.answer)
    begun = time.monotonic()
    if hostile.cost == EVERYTHING:
        with pytest.raises(CouldNotLook) as caught:
            read_inventory(reader, THREE)
        _told([caught.value.error], hostile)
        return
    inventory, errors = read_inventory(reader, THREE)
    assert time.monotonic() - begun < 20
    judged = {key: verdict for key, verdict in verdicts(inventory, errors).items() if verdict != "ok"}
    what, _, found = hostile.cost.partition(":")
    if what == "finding":
        assert set(judged.values()) == {found}
    else:
        assert set(judged) == _dear(hostile.cost)
        assert set(judged.values()) <= {"error"}
    assert bool(errors) == (what not in ("finding", NOTHING))
    _told(errors, hostile)
    others = {i.id: i for i in healthy.instances if i.name in WORKERS[1:]}
    assert {i.id: i for i in inventory.instances if i.name in WORKERS[1:]} == others


def _told(errors: tuple[LookError, ...] | list[LookError], hostile: Hostile) -> None:
    for error in errors:
        assert error.code == "aws-unreadable"
        assert hostile.detail in error.detail
        assert error.detail.isprintable()
        assert 0 < len(error.detail) < 2100


def _dear(cost: str) -> set[tuple[str, str]]:
    """The checks and workers that ``cost`` leaves without a verdict."""
    what, _, worker = cost.partition(":")
    every = {check.name for check in READING}
    # The route to an instance that nobody knows is no leftover to be told, and no pass either.
    lost = {(name, worker) for name in every} | {("no-leftovers", "worker-1")}
    if cost == NOTHING:
        return set()
    if cost in WORKERS:
        return {(name, cost) for name in every}
    if what == "lost":
        return lost
    if what == "nameless":
        names = {("one-running-instance", each) for each in WORKERS}
        # Leftovers are told at the first worker there is: not at the one that nobody knows.
        return names | lost - {("no-leftovers", worker)} if worker else names
    if what == "user-data":
        by_pod_cidr = ("pod-cidr-of-its-own", "route-to-worker", "route-active", "route-undiverted")
        return {(name, worker) for name in by_pod_cidr}
    return {(check.name, each) for check in READING if cost in check.reads for each in WORKERS}


def test_the_table_is_as_long_as_what_was_tried() -> None:
    assert len(HOSTILE) >= 71
