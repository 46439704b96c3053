"""A route table is drawn as it is judged: what leads a worker's pods to it is good, whatever its width."""

from __future__ import annotations

import pytest

from kthw.findings.judging import judge
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from kthw.verdict.drawing import drawing
from kthw.verdict.routes_drawing import Row, rows_of
from kthw.words.messages import catalogue
from tests.findings.changed_aws import table_of, with_route, without_route
from tests.findings.clusters import healthy, route
from tests.findings.faults import FAULTS, HEALTHY
from tests.findings.judged import everything

ONE = "10.200.1.0/24"
HALVES = ("10.200.1.0/25", "10.200.1.128/25")
BARE = without_route(healthy(), ONE)


def rows(evidence: Evidence) -> list[Row]:
    return rows_of(Network(evidence), table_of(evidence), everything(evidence))


@pytest.mark.parametrize("destinations", [(ONE,), HALVES, ("10.200.0.0/20",)], ids=["own", "halves", "wider"])
def test_whatever_leads_the_pods_to_their_worker_is_drawn_as_good(destinations: tuple[str, ...]) -> None:
    evidence = with_route(BARE, *(route(1, destination) for destination in destinations))
    drawn = rows(evidence)
    assert [row.destination for row in drawn if row.leads_to == "worker-1"] == list(destinations)
    assert all(row.good for row in drawn)
    assert len({row.destination for row in drawn}) == len(drawn)
    drawn_whole = drawing(judge(evidence), catalogue("en"))
    assert "route bad" not in drawn_whole
    assert "line bad" not in drawn_whole


def test_half_a_route_is_drawn_as_a_missing_one() -> None:
    drawn = {row.destination: row for row in rows(with_route(BARE, route(1, HALVES[0])))}
    assert not drawn[ONE].good
    assert drawn[ONE].target == "—"


def test_a_route_in_very_many_pieces_does_not_fill_the_page() -> None:
    pieces = [route(1, f"10.200.1.{n}/32") for n in range(256)]
    drawn = rows(with_route(BARE, *pieces))
    assert all(row.good for row in drawn)
    assert len(drawn) < 16


@pytest.mark.parametrize("evidence", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_table_has_no_bad_row(evidence: Evidence) -> None:
    network = Network(evidence)
    for ruling in network.rulings:
        assert all(row.good for row in rows_of(network, ruling.effective, ()))


@pytest.mark.parametrize("fault", ["one route missing", "swapped", "node replaced", "half a route"])
def test_a_route_that_is_wrong_is_drawn_as_bad(fault: str) -> None:
    assert not all(row.good for row in rows(FAULTS[fault][0]))
