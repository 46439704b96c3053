"""The class as other programs read it: CSV, Gradescope's ``results.json``, CTRF and JUnit's XML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from kthw.foreign import printable
from kthw.grade.feedback import feedback
from kthw.grade.pages import FOLDER, areas, cell, own
from kthw.grade.points import Scheme
from kthw.grade.row import Row, Share
from kthw.words.messages import Catalogue, catalogue

FORMATS: Final = ("csv", "gradescope", "ctrf", "junit")
_CTRF: Final = "0.0.0"
"""The version of CTRF that its schema and its examples say; the schema that is meant has no other."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_LONGEST: Final = 20_000
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def table(rows: Sequence[Row], words: Catalogue) -> str:
    """A line a student. What a spreadsheet would take for a formula has an apostrophe before it."""
    shown = areas(rows)
    text = io.StringIO()
    writer = csv.writer(text)
    head = ("student", "points", "most", "counts", *(f"area-{area}" for area in shown), "days-late")
    writer.writerow(
        (*head, "causes", "could-not-look", "told", "file", "recorded-at", "account", "page", "feedback")
    )
    for row in rows:
        points = row.points
        earned = points.earned if points and row.counts else 0
        writer.writerow(
            [
                _cell(row.student),
                earned,
                points.most if points else "",
                "yes" if row.counts else "no",
                *(_area(row, area) for area in shown),
                points.days if points else 0,
                _cell(" ".join(dict.fromkeys(told.code for told in row.roots))),
                _cell(" ".join(dict.fromkeys(told.code for told in row.errors))),
                _cell(" ".join(note.said(words) for note in row.notes)),
                _cell(row.file),
                _cell(row.at),
                f"'{row.account}" if row.account else "",  # or a spreadsheet takes it for a number
                f"{FOLDER}/{row.page}" if row.page else "",
                _cell(feedback(row)),
            ]
        )
    return text.getvalue()


def _area(row: Row, area: str) -> str:
    share = row.areas.get(area)
    return f"{share.held} of {share.asked}" if share else ""


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def gradescope(row: Row, scheme: Scheme) -> dict[str, Any]:
    """``results.json`` of one student, as Gradescope's autograder specification has it.

    Its source: gradescope-autograders.readthedocs.io, *Autograder Specifications*, *Output format*.
    """
    words = catalogue(row.language)
    by_check = scheme.by_check(row.shares)
    tests = []
    for share in row.shares:
        earned, most = by_check.get(share.check, (0.0, 0.0))
        tests.append(
            {
                "name": f"{words.say(f'report-area-{share.area}')}: {share.check}",
                "status": "passed" if share.held == share.asked else "failed",
                "score": round(earned if row.counts else 0.0, 4),
                "max_score": round(most, 4),
                "output": _message(row, share),
                "output_format": "text",
                "visibility": "visible",
            }
        )
    return {
        "score": row.points.earned if row.points and row.counts else 0.0,
        "output": printable(feedback(row), _LONGEST, lines=True),
        "output_format": "text",
        "visibility": "visible",
        "extra_data": {"counts": row.counts, "told": [note.kind for note in row.notes]},
        "tests": tests,
    }


def _message(row: Row, share: Share) -> str:
    """What is wrong by this check, and what of it was not looked at, in the student's language."""
    said = [f"{told.what}\n{told.fix}".strip() for told in row.roots if told.check == share.check]
    if share.held < share.asked:
        said.append(cell(_only(row, share), share.area, catalogue(row.language)).title)
    return "\n\n".join(said)


def _only(row: Row, share: Share) -> Row:
    return Row(student=row.student, key=row.key, language=row.language, shares=(share,))


def ctrf(rows: Sequence[Row], at: int) -> dict[str, Any]:
    """A document of the Common Test Report Format (ctrf.io): a test is one check of one student.

    ``at``: when it was judged, in milliseconds since 1970. Nothing took any time of its own.
    """
    tests = [test for row in rows for test in _ctrf_tests(row)]
    statuses = ("passed", "failed", "skipped", "pending", "other")
    counts = {status: sum(test["status"] == status for test in tests) for status in statuses}
    return {
        "reportFormat": "CTRF",
        "specVersion": _CTRF,
        "generatedBy": "kthw-routes",
        "results": {
            "tool": {"name": "kthw-routes"},
            "summary": {"tests": len(tests), **counts, "suites": len(rows), "start": at, "stop": at},
            "tests": tests,
        },
    }


def _ctrf_tests(row: Row) -> Iterator[dict[str, Any]]:
    if not row.is_judged:
        yield {
            "name": row.student or "-",
            "status": "other",
            "duration": 0,
            "suite": [row.student],
            "message": " ".join(note.said(catalogue(row.language)) for note in own(row)),
        }
    for share in row.shares:
        status = _status(share)
        message = _message(row, share)
        yield {
            "name": f"{row.student}: {share.check}",
            "status": status,
            "duration": 0,
            "suite": [row.student, share.area],
            "rawStatus": f"{share.held}/{share.asked}",
            **({"message": message} if message else {}),
            "extra": {"student": row.student, "check": share.check, "counts": row.counts},
        }


def _status(share: Share) -> str:
    if share.held == share.asked:
        return "passed"
    wrong = share.asked - share.held - share.unseen - share.blocked
    return "failed" if wrong else "skipped" if share.blocked else "other"


def junit(rows: Sequence[Row]) -> bytes:
    """JUnit's XML as CI services read it: a suite a student, a case a check."""
    root = ElementTree.Element("testsuites", name="kthw-routes")
    for row in rows:
        cases = [(share, _status(share)) for share in row.shares]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml(row.student),
            tests=str(max(1, len(cases))),
            failures=str(sum(status == "failed" for _, status in cases)),
            errors=str(sum(status == "other" for _, status in cases) + (not cases)),
            skipped=str(sum(status == "skipped" for _, status in cases)),
            time="0",
        )
        if not cases:
            case = ElementTree.SubElement(suite, "testcase", classname=_xml(row.student), name="-", time="0")
            said = " ".join(note.said(catalogue(row.language)) for note in own(row))
            ElementTree.SubElement(case, "error", message=_xml(said))
        for share, status in cases:
            case = ElementTree.SubElement(
                suite, "testcase", classname=f"{_xml(row.student)}.{share.area}", name=share.check, time="0"
            )
            if status != "passed":
                tag = {"failed": "failure", "other": "error"}.get(status, "skipped")
                message = _xml(_message(row, share))
                ElementTree.SubElement(case, tag, message=message.partition("\n")[0]).text = message
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
