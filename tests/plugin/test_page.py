"""The page, as far as it can be told without a browser: what is written fits where it is written."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from kthw.observed.evidence import Evidence
from kthw.verdict.routes_drawing import TABLE_WIDTH
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import inventory_of, with_inventory
from tests.findings.clusters import TABLE, healthy
from tests.plugin.conftest import Run

_ADVANCE = {"strong": 9.2, "mono": 7.3}
"""Pixels per letter, at most on average, of the two styles a table is written in."""


def named(name: str) -> Evidence:
    tables = (
        replace(table, name=name, main=table.id == TABLE) for table in inventory_of(healthy()).route_tables
    )
    return with_inventory(healthy(), route_tables=tuple(tables))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["", "kubernetes-the-hard-way", "a name " * 30], ids=["none", "usual", "long"]
)
def test_the_title_of_a_route_table_stays_in_its_box(name: str, language: str, judge: Run) -> None:
    page = judge(named(name.strip()), "--language", language).page
    found = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert found is not None
    say = catalogue(language).say
    texts = [
        (element.attrib.get("class", "").split()[0], element.text or "")
        for element in ElementTree.fromstring(found[0]).iter("{http://www.w3.org/2000/svg}text")  # noqa: S314 -- our own
        if element.attrib.get("class")
    ]
    title = next(said for said in texts if said[1].startswith(say("report-route-table")))
    names = next(said for said in texts if said[1].endswith(TABLE))
    assert TABLE not in title[1]
    assert say("report-main-table") in title[1]
    for style, said in (title, names):
        assert 14 + _ADVANCE[style] * len(said) <= TABLE_WIDTH


def test_the_script_takes_the_commas_pytest_html_writes_after_each_outcome(judge: Run) -> None:
    page = judge(healthy()).page
    assert re.search(r'<span class="passed">\d+ passed,</span>', page), "else there is nothing to take"
    assert "querySelectorAll('.filters span'))said.textContent=said.textContent.replace(/,$/,'')" in page
