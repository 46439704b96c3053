"""What other programs read: CSV, Gradescope's results.json, CTRF, JUnit."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema  # type: ignore[import-untyped]  # its stubs are no dependency of ours
import pytest
from msgspec.structs import replace

from kthw.grade import exports
from kthw.grade.asked import Asked
from kthw.grade.feedback import feedback
from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, judged
from kthw.grade.naming import Submitter
from kthw.grade.points import Scheme
from kthw.grade.register import settled
from kthw.grade.roster import Roster, Student
from kthw.grade.row import Row
from kthw.intended.cluster import worker_names
from kthw.intended.tutorial import WORKERS
from kthw.words.messages import catalogue
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS
from tests.grade.made_class import of_student, report

EVIL = "=cmd|'/c calc'!A1"
STATUSES = ("passed", "failed", "skipped", "pending", "other")
CTRF_TEST = {
    "type": "object",
    "required": ["name", "status", "duration"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "status": {"enum": list(STATUSES)},
        "duration": {"type": "integer"},
        "suite": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "rawStatus": {"type": "string"},
        "message": {"type": "string"},
        "extra": {"type": "object"},
    },
}
CTRF = {
    "type": "object",
    "required": ["results", "reportFormat", "specVersion"],
    "properties": {
        "reportFormat": {"const": "CTRF"},
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "generatedBy": {"type": "string"},
        "results": {
            "type": "object",
            "required": ["tool", "summary", "tests"],
            "additionalProperties": False,
            "properties": {
                "tool": {"type": "object", "required": ["name"]},
                "summary": {
                    "type": "object",
                    "required": ["tests", *STATUSES, "start", "stop"],
                    "additionalProperties": {"type": "integer"},
                },
                "tests": {"type": "array", "items": CTRF_TEST},
            },
        },
    },
}
"""What of CTRF's schema (ctrf.io) is about what we write; ``CTRF_SCHEMA`` names its own file."""


@pytest.fixture(scope="module")
def group() -> Class:
    students = [Student(name=name) for name in ("Ana", EVIL, "João Silva", "Nobody")]
    return Class(asked=Asked(workers=worker_names(WORKERS)), scheme=Scheme(), roster=Roster(students))


@pytest.fixture(scope="module")
def rows(group: Class, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """Somebody who is done, somebody who is not and is called a formula, one in Portuguese, nobody."""
    folder = tmp_path_factory.mktemp("in")
    broken = FAULTS["worker stopped"][0]
    unseen = replace(OK, nodes={}, probes=())
    handed = {
        "ana.json": of_student(OK, 1),
        "cmd-c-calc-a1.json": of_student(broken, 2),
        "joao-silva.json": of_student(unseen, 3, language="pt-BR"),
    }
    found = []
    for number, (name, evidence) in enumerate(handed.items()):
        (folder / name).write_bytes(report(evidence))
        found.append(judged(number, HandIn(file=str(folder / name), name=name), Submitter(name, name), group))
    return settled(found, group)


def test_a_csv_has_a_line_a_student_and_no_formula(rows: list[Row]) -> None:
    lines = list(csv.DictReader(io.StringIO(exports.table(rows, catalogue("en")), newline="")))
    assert [line["student"] for line in lines] == ["Ana", f"'{EVIL}", "João Silva", "Nobody"]
    assert [line["counts"] for line in lines] == ["yes", "yes", "yes", "no"]
    assert float(lines[0]["points"]) == 100
    assert 0 < float(lines[2]["points"]) < 100
    assert float(lines[3]["points"]) == 0
    assert lines[1]["area-workers"] == "10 of 12"
    assert lines[1]["causes"].split() == ["worker-not-running", "route-blackhole"]
    assert not any(value.startswith(("=", "+", "-", "@")) for line in lines for value in line.values())


def test_gradescope_is_told_a_score_and_each_check_of_it(rows: list[Row], group: Class) -> None:
    for row in rows[:3]:
        document = exports.gradescope(row, group.scheme)
        assert json.loads(json.dumps(document)) == document
        assert row.points
        assert document["score"] == row.points.earned
        assert sum(test["score"] for test in document["tests"]) == pytest.approx(row.points.earned, abs=0.02)
        assert sum(test["max_score"] for test in document["tests"]) == pytest.approx(100, abs=0.02)
        assert {test["status"] for test in document["tests"]} <= {"passed", "failed"}
        assert {test["visibility"] for test in document["tests"]} == {"visible"}
        assert all(bool(test["output"]) == (test["status"] == "failed") for test in document["tests"])
    stopped = exports.gradescope(rows[1], group.scheme)["tests"]
    (one,) = [test for test in stopped if test["name"].endswith("one-running-instance")]
    assert "aws ec2 start-instances" in one["output"]


def test_gradescope_is_told_of_who_handed_in_nothing_too(rows: list[Row], group: Class) -> None:
    document = exports.gradescope(rows[3], group.scheme)
    assert (document["score"], document["tests"]) == (0.0, [])
    assert catalogue("en").say("grade-note-missing") in document["output"]


def test_what_does_not_count_earns_nothing_anywhere(rows: list[Row], group: Class) -> None:
    row = replace(rows[0], counts=False)
    document = exports.gradescope(row, group.scheme)
    assert document["score"] == sum(test["score"] for test in document["tests"]) == 0
    (line,) = csv.DictReader(io.StringIO(exports.table([row], catalogue("en")), newline=""))
    assert (line["points"], line["counts"]) == ("0", "no")
    assert catalogue("en").say("grade-uncounted") in feedback(row)


def ctrf_schemas() -> list[dict[str, Any]]:
    own = os.environ.get("CTRF_SCHEMA")
    return [CTRF, *([json.loads(Path(own).read_text())] if own else [])]


@pytest.mark.parametrize("schema", ctrf_schemas())
def test_ctrf_fits_its_schema_and_its_own_counts(schema: dict[str, Any], rows: list[Row]) -> None:
    document = exports.ctrf(rows, 1_700_000_000_000)
    jsonschema.validate(json.loads(json.dumps(document)), schema)
    tests, summary = document["results"]["tests"], document["results"]["summary"]
    assert summary["tests"] == len(tests)
    for status in STATUSES:
        assert summary[status] == sum(test["status"] == status for test in tests)
    assert summary["failed"]
    assert summary["skipped"]
    assert summary["other"]


def test_junit_counts_what_it_holds(rows: list[Row]) -> None:
    suites = ElementTree.fromstring(exports.junit(rows))  # noqa: S314 -- our own
    assert [suite.get("name") for suite in suites] == [row.student for row in rows]
    for suite in suites:
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name, "")) == len(suite.findall(f"testcase/{tag}"))
    assert suites[1].get("failures") != "0"
    assert suites[2].get("errors") != "0"


def test_what_xml_cannot_say_is_replaced(rows: list[Row]) -> None:
    text = exports.junit([replace(rows[0], student="\x1b]0;\ud800\x00<b>")])
    (suite,) = ElementTree.fromstring(text)  # noqa: S314 -- our own
    assert suite.get("name") == "\ufffd]0;\ufffd\ufffd<b>"


def test_the_feedback_is_in_the_student_s_language_with_what_mends_it(rows: list[Row]) -> None:
    done, stopped, unseen, nobody = (feedback(row) for row in rows)
    assert done == f"Ana\n100 of 100 points\n{catalogue('en').say('grade-all-holds')}\n"
    assert "    aws ec2 start-instances" in stopped
    assert "pontos" in unseen
    assert catalogue("pt-BR").say("report-could-not-look") in unseen
    assert nobody == f"Nobody\n{catalogue('en').say('grade-note-missing')}\n"
