"""Kernel routes are arrows between nodes, of a lab that is judged by them; a look tells its phases."""

from __future__ import annotations

import re

from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from kthw.verdict.causes import causes, missed
from kthw.verdict.drawing import drawing
from kthw.verdict.marks import marks
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue
from tests.findings.clusters import OK, healthy
from tests.findings.faults_of_node_routes import NODES, bare, by_nodes
from tests.verdict.shown import by_kernel

WORDS = catalogue("en")


def arrows(evidence: Evidence) -> tuple[list[str], list[str], list[str]]:
    """What the whole ones say, the broken ones, and the causes that the badges beside them lead to."""
    report = Report(judge(evidence), Summary())
    drawn = drawing(report.verdict, WORDS, marks(causes(report, WORDS), missed(report, WORDS)))
    titles = re.findall(r"<title>(worker-\d+ → worker-\d+: (?:no )?kernel route.*?)</title>", drawn)
    whole = [title for title in titles if ": kernel route" in title]
    return whole, [each for each in titles if each not in whole], re.findall(r'href="(#cause-\d+)"', drawn)


def test_each_of_few_nodes_has_an_arrow_to_each_other() -> None:
    whole, broken, _ = arrows(NODES)
    assert (len(whole), broken) == (6, [])


def test_a_route_that_is_missing_is_a_broken_arrow_with_the_number_of_its_cause() -> None:
    whole, broken, badges = arrows(by_kernel())
    assert len(whole) == 5
    assert [each.split(": ")[0] for each in broken] == ["worker-0 → worker-1"]
    assert set(badges) == {"#cause-1"}


def test_of_many_nodes_only_what_is_wrong_is_drawn() -> None:
    whole, broken, _ = arrows(bare(by_nodes(healthy(6)), ("worker-2", "worker-5")))
    assert whole == []
    assert [each.split(": ")[0] for each in broken] == ["worker-2 → worker-5"]


def test_a_lab_of_vpc_routes_has_none() -> None:
    assert arrows(OK)[:2] == ([], [])


def test_the_page_tells_how_long_each_phase_took() -> None:
    told = page(Report(judge(OK), Summary(), phases=[("aws", 1.25), ("close", 0.01)]), WORDS, ["target"])
    assert "How long it took: asking AWS 1.2 s</p>" in told
    assert WORDS.say("report-phases", phases="") not in page(Report(judge(OK), Summary()), WORDS, ["target"])
