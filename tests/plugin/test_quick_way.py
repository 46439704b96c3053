"""A sentence that passes or is skipped goes a shorter way than pytest's, to the same reports."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.findings.registry import CHECKS
from kthw.observed.evidence import Evidence
from tests.findings.clusters import healthy
from tests.plugin.conftest import Ran, Run

WATCHED = ("-p", "tests.plugin.own_protocol")


def one_unseen() -> Evidence:
    error = LookError(
        code="ssh-unreachable",
        subject="worker-1",
        worker="worker-1",
        detail="no answer",
        facts={"login": "ssh"},
    )
    evidence = healthy()
    nodes = {worker: node for worker, node in evidence.nodes.items() if worker != "worker-1"}
    probes = tuple(p for p in evidence.probes if "worker-1" not in (p.source, p.destination))
    return replace(evidence, nodes=nodes, probes=probes, errors=(error,))


def cases(ran: Ran) -> list[tuple[object, ...]]:
    """What JUnit's file says of each test; but not how long it took."""
    root = ElementTree.parse(ran.reports / "junit.xml").getroot()  # noqa: S314 -- our own file
    return [
        (
            case.attrib["classname"],
            case.attrib["name"],
            [(prop.attrib["name"], prop.attrib["value"]) for prop in case.iter("property")],
            [(each.tag, each.attrib.get("message"), each.text) for each in case if each.tag != "properties"],
        )
        for case in root.iter("testcase")
    ]


def rows(ran: Ran) -> str:
    return re.sub(r"\d+(?:\.\d+)? ?m?s\b|\d\d:\d\d:\d\d", "", ran.page.split('id="data-container"')[1])


@pytest.mark.parametrize("evidence", [healthy(), one_unseen()], ids=["well", "unseen"])
def test_both_ways_tell_the_same(judge: Run, tmp_path: Path, evidence: Evidence) -> None:
    setups = str(tmp_path / "setups")
    ours = judge(evidence, *WATCHED, OWN_SETUPS=setups)
    told, shown = cases(ours), rows(ours)
    theirs = judge(evidence, *WATCHED, OWN_SETUPS=setups, OWN_PROTOCOL="yes")
    assert told == cases(theirs)
    assert shown == rows(theirs)
    assert ours.code == theirs.code
    assert [line.split(" in ")[0] for line in ours.lines] == [line.split(" in ")[0] for line in theirs.lines]


def test_what_passes_is_not_set_up(judge: Run, tmp_path: Path) -> None:
    setups = tmp_path / "setups"
    ran = judge(healthy(), *WATCHED, OWN_SETUPS=str(setups))
    last_of_a_file = len({check.area for check in CHECKS if check.subjects(healthy().intended)})
    assert ran.code == 0
    assert len(setups.read_text(encoding="utf-8").splitlines()) == last_of_a_file
