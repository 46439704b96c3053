"""Kernel routes are added by a session that may write, and only what bears the mark is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kthw.errors import CouldNotLook
from kthw.observed import ways_in
from kthw.observed.answers import RouteTold
from kthw.observed.evidence import Instance, ProvisionStep
from kthw.observed.ssh.program import program
from kthw.provision.entry import Place
from kthw.provision.journal import Journal
from kthw.provision.node_apply import apply
from kthw.provision.node_rollback import claims_here, machines, rollback
from kthw.provision.nodes import Nodes
from kthw.provision.rollback import of_the_vpc
from kthw.target import Target
from tests.observed.two_nodes import NO_NODES, TwoNodes

PLACE = Place(account="123456789012", region="us-east-1", endpoint="https://ec2.us-east-1.amazonaws.com")
NODE = Instance(id="i-0", state="running", name="worker-0", vpc="vpc-1", address="10.0.1.20")
ROUTE = {"node": "10.0.1.20", "destination": "10.200.5.0/24", "via": "10.0.1.21"}
STEP = ProvisionStep(
    worker="worker-0", outcome="create", address="10.0.1.20", pod_cidr="10.200.5.0/24",
    instance="i-0", target="10.0.1.21",
)  # fmt: skip
THERE = "10.200.5.0/24 via 10.0.1.21 dev ens5 proto 85"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TwoNodes]:
    made = TwoNodes(tmp_path)
    yield made
    made.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.jsonl")


@pytest.fixture
def opened(lab: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nodes]:
    """worker-0 alone, on the first node."""
    monkeypatch.setattr(ways_in, "open_session", lambda *_, writes, **__: lab.session(0, writes=writes))
    with Nodes(Target(kind="aws"), [NODE], {"worker-0": NODE}, writes=True) as nodes:
        yield nodes


def there(lab: TwoNodes) -> str:
    return lab.on(0, "ip", "route", "show", "10.200.5.0/24").strip()


def taken_back(nodes: Nodes, journal: Journal) -> list[str]:
    claims = claims_here(PLACE, journal)
    assert list(machines(claims, [NODE])) == (["worker-0"] if claims else [])
    return [step.outcome for step in rollback(nodes, claims, {"i-0": NODE}, journal, lambda _step: None)]


def test_the_program_of_a_session_that_looks_has_no_code_that_writes() -> None:
    assert b"kernel_routes" not in program()
    assert b"kernel_routes" in program(writes=True)


@NO_NODES
def test_a_session_that_looks_refuses_to_write(lab: TwoNodes) -> None:
    session = lab.session(0)
    for do in ("add-route", "delete-route"):
        with pytest.raises(CouldNotLook) as refused:
            session.ask(do, RouteTold, deadline=10.0, **ROUTE)
        assert refused.value.error.variant == "refused"
    assert there(lab) == ""


BAD: dict[str, dict[str, Any]] = {
    "another machine": {"node": "10.0.1.21"},
    "everything": {"destination": "0.0.0.0/0"},
    "half of everything": {"destination": "0.0.0.0/1"},
    "host bits": {"destination": "10.200.5.1/24"},
    "nothing": {"destination": ""},
    "loopback": {"destination": "127.0.0.0/8"},
    "around its next hop": {"destination": "10.0.0.0/16"},
    "an option": {"via": "-batch"},
    "more words": {"via": "10.0.1.21 table 7"},
    "another field": {"table": "7"},
}


@NO_NODES
def test_what_is_no_route_to_pods_on_this_machine_is_refused(lab: TwoNodes) -> None:
    session, before = lab.session(0, writes=True), lab.on(0, "ip", "route")
    for name, change in BAD.items():
        with pytest.raises(CouldNotLook):
            session.ask("add-route", RouteTold, deadline=10.0, **{**ROUTE, **change})
        assert lab.on(0, "ip", "route") == before, name


@NO_NODES
def test_what_is_added_bears_the_mark_and_is_taken_back(
    lab: TwoNodes, opened: Nodes, journal: Journal
) -> None:
    said: list[ProvisionStep] = []
    assert [step.outcome for step in apply(opened, PLACE, [STEP], journal, said.append)] == ["created"]
    assert there(lab) == THERE
    another = Journal(journal.path)
    assert [step.outcome for step in apply(opened, PLACE, [STEP], another, said.append)] == ["exists"]
    assert [step.outcome for step in said] == ["created", "exists"]
    assert of_the_vpc(journal) == []
    assert taken_back(opened, journal) == ["deleted"]
    assert there(lab) == ""
    assert taken_back(opened, journal) == []


@NO_NODES
def test_what_is_there_is_never_replaced(lab: TwoNodes, opened: Nodes, journal: Journal) -> None:
    lab.on(0, "ip", "route", "add", "10.200.5.0/24", "via", "10.0.1.9")
    (step,) = apply(opened, PLACE, [STEP], journal, lambda _step: None)
    assert (step.outcome, step.detail) == ("wrong-hop", "10.200.5.0/24 via 10.0.1.9 dev ens5")
    assert taken_back(opened, journal) == []
    assert there(lab) == "10.200.5.0/24 via 10.0.1.9 dev ens5"


@NO_NODES
@pytest.mark.parametrize(
    "theirs",
    [("via", "10.0.1.21"), ("via", "10.0.1.9", "proto", "85"), ("dev", "ens5")],
    ids=["no mark", "another next hop", "no next hop"],
)
def test_what_somebody_changed_is_left(
    lab: TwoNodes, opened: Nodes, journal: Journal, theirs: tuple[str, ...]
) -> None:
    apply(opened, PLACE, [STEP], journal, lambda _step: None)
    lab.on(0, "ip", "route", "replace", "10.200.5.0/24", *theirs)
    left = there(lab)
    assert taken_back(opened, journal) == ["left"]
    assert there(lab) == left != ""


@NO_NODES
def test_a_run_that_was_killed_is_rolled_back(lab: TwoNodes, opened: Nodes, journal: Journal) -> None:
    """Before its request nothing is there, and nothing is taken; after it, the mark says that it is ours."""
    journal.record("create-intended", STEP, PLACE)
    assert taken_back(opened, journal) == ["gone"]
    journal.record("create-intended", STEP, PLACE)
    opened.add("worker-0", *ROUTE.values())
    assert taken_back(opened, journal) == ["deleted"]
    assert there(lab) == ""


@NO_NODES
def test_who_does_not_answer_is_unsure_and_of_one_that_is_off_everything_is_gone(
    lab: TwoNodes, opened: Nodes, journal: Journal
) -> None:
    lab.cut()
    assert [step.outcome for step in apply(opened, PLACE, [STEP], journal, lambda _step: None)] == ["unsure"]
    off = {"i-0": Instance(id="i-0", state="stopped", name="worker-0")}
    claims = claims_here(PLACE, journal)
    assert [claim.entry.event for claim in claims] == ["create-unknown"]
    assert [s.outcome for s in rollback(opened, claims, off, journal, lambda _step: None)] == ["gone"]
    assert claims_here(PLACE, journal) == []
