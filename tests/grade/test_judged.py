"""One hand-in judged again, and what is told of it: nothing of what it says of itself is believed."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.errors import LookError
from kthw.grade import judged as judging
from kthw.grade import side_by_side
from kthw.grade.asked import Asked, moment
from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, judged
from kthw.grade.naming import Submitter
from kthw.grade.points import Scheme
from kthw.grade.register import settled, tasks
from kthw.grade.roster import Roster, Student
from kthw.grade.row import Row
from kthw.intended.cluster import BadNames, worker_names
from kthw.intended.tutorial import WORKERS
from kthw.observed.evidence import Evidence, TargetSeen
from kthw.observed.recording import encode
from tests.findings.changed_aws import without_route
from tests.findings.clusters import OK, ONE
from tests.findings.faults import FAULTS
from tests.grade.made_class import altered, of_student, report

ASKED = Asked(workers=worker_names(WORKERS))
BROKEN = FAULTS["worker stopped"][0]
ANA = Submitter("ana", "/ana")


def group(*students: Student, scheme: Scheme | None = None, **asked: Any) -> Class:
    return Class(asked=replace(ASKED, **asked), scheme=scheme or Scheme(), roster=Roster(students))


@pytest.fixture
def judge(tmp_path: Path) -> Callable[..., Row]:
    """The settled row of one hand-in: evidence as its own run reports it, or any bytes."""

    def row(handed: Evidence | bytes, of: Class | None = None, file: str = "ana.json") -> Row:
        (tmp_path / file).write_bytes(handed if isinstance(handed, bytes) else report(handed))
        of = of or group()
        found = judged(0, HandIn(file=str(tmp_path / file), name=file), ANA, of)
        return settled([found], of)[0]

    return row


def kinds(row: Row) -> list[tuple[str, str]]:
    return [(note.kind, note.variant) for note in row.notes]


def test_a_whole_lab_is_whole_and_nothing_is_told(judge: Callable[..., Row]) -> None:
    row = judge(of_student(OK, 1))
    assert (row.is_whole, row.notes, row.points and row.points.earned) == (True, (), 100)


ALTERED: dict[str, tuple[Evidence, Callable[[dict[str, Any]], object], str]] = {
    "no findings": (BROKEN, lambda d: d["findings"].clear(), "hidden"),
    "one finding less": (BROKEN, lambda d: d["findings"].pop(), "hidden"),
    "one more": (OK, lambda d: d["findings"].append({"code": "route-missing", "subject": "x"}), "invented"),
    "a better summary": (BROKEN, lambda d: d["summary"].update(passed=81, failed=0, skipped=0), "summary"),
    "no summary": (BROKEN, lambda d: d.pop("summary"), "shape"),
    "no list of findings": (BROKEN, lambda d: d.update(findings={}), "shape"),
    "another account": (OK, lambda d: d["evidence"]["target"].update(account="111111111111"), "account"),
    "another account above": (OK, lambda d: d["target"].update(account="111111111111"), "account"),
    "an endpoint taken out": (OK, lambda d: d["target"].update(endpoint="http://127.0.0.1:5000"), "target"),
    "a route added": (
        without_route(OK, ONE),
        lambda d: d["evidence"]["inventory"].update(
            route_tables=json.loads(encode(of_student(OK, 1)))["inventory"]["route_tables"]
        ),
        "invented",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "change", "variant"), ALTERED.values(), ids=ALTERED)
def test_what_does_not_follow_from_its_own_evidence_is_told_and_not_counted(
    evidence: Evidence, change: Callable[[dict[str, Any]], object], variant: str, judge: Callable[..., Row]
) -> None:
    row = judge(altered(report(of_student(evidence, 1)), change))
    assert kinds(row) == [("altered", variant)]
    assert not row.counts


def test_its_points_follow_from_its_evidence_whatever_it_says(judge: Callable[..., Row]) -> None:
    true, false = (report(of_student(BROKEN, 1)) for _ in range(2))
    false = altered(false, lambda d: (d["findings"].clear(), d["summary"].update(passed=81, failed=0)))
    assert judge(true).points == judge(false).points


def test_a_run_of_a_part_of_the_suite_is_told_and_graded_as_a_whole(judge: Callable[..., Row]) -> None:
    part = altered(
        report(of_student(BROKEN, 1)),
        lambda d: (d["findings"].clear(), d["summary"].update(passed=3, failed=0, skipped=0, errors=0)),
    )
    row = judge(part)
    assert kinds(row) == [("partial", "")]
    assert row.counts
    assert {told.code for told in row.roots} == {"worker-not-running", "route-blackhole"}


def test_evidence_without_its_report_is_graded_and_told(judge: Callable[..., Row]) -> None:
    row = judge(encode(of_student(OK, 1)))
    assert (kinds(row), row.counts) == ([("bare", "")], True)


SANDBOX = replace(of_student(OK, 1), target=TargetSeen(kind="sandbox", endpoint="http://127.0.0.1:5000"))
LOCAL = replace(of_student(OK, 1), target=TargetSeen(kind="aws", endpoint="http://localhost:4566"))


@pytest.mark.parametrize(("evidence", "variant"), [(SANDBOX, "sandbox"), (LOCAL, "local")])
def test_where_an_account_was_asked_for_a_machine_of_one_s_own_does_not_count(
    evidence: Evidence, variant: str, judge: Callable[..., Row]
) -> None:
    row = judge(evidence, group(account=True))
    assert (kinds(row), row.counts, row.account) == ([("no-account", variant)], False, "")
    assert judge(evidence).counts
    assert judge(of_student(OK, 1), group(account=True)).counts


DUE = datetime.fromisoformat("2026-03-01T09:30:00+00:00")


def test_late_is_told_with_the_hours_and_costs_what_the_scheme_says(judge: Callable[..., Row]) -> None:
    row = judge(of_student(OK, 1), group(scheme=Scheme(per_day=0.1), due=DUE))
    assert [(note.kind, note.facts["hours"]) for note in row.notes] == [("late", "1")]
    assert (row.counts, row.points and row.points.earned) == (True, 90)
    assert judge(of_student(OK, 1), group(due=moment("--due", "2026-03-02"))).notes == ()


@pytest.mark.parametrize(
    "at", ["", "yesterday", "2026-03-01T10:00:00", "2999-01-01T00:00:00+00:00", "\x1b[2J"]
)
def test_a_time_that_cannot_be_is_told_where_time_matters(at: str, judge: Callable[..., Row]) -> None:
    evidence = replace(of_student(OK, 1), gathered_at=at)
    assert (kinds(judge(evidence, group(due=DUE))), judge(evidence).notes) == ([("undated", "")], ())
    assert not judge(evidence, group(due=DUE)).counts


def test_what_was_recorded_before_it_was_asked_for_does_not_count(judge: Callable[..., Row]) -> None:
    row = judge(of_student(OK, 1), group(since=moment("--since", "2026-03-02")))
    assert (kinds(row), row.counts) == ([("old", "")], False)


@pytest.mark.parametrize("typed", ["", "tomorrow", "2026-13-01", "2026-02-30", "99999-01-01", "12"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(BadNames, match="grade-bad-date"):
        moment("--due", typed)


def test_another_lab_is_told_and_more_of_the_same_is_none(judge: Callable[..., Row]) -> None:
    short = replace(OK, intended=OK.intended.only(("worker-0",)))
    assert kinds(judge(of_student(short, 1))) == [("other-lab", "workers")]
    assert kinds(judge(of_student(short, 1), group(workers=(), count=3))) == [("other-lab", "count")]
    assert kinds(judge(of_student(OK, 1), group(workers=("worker-0",)))) == []
    early = replace(OK, intended=replace(OK.intended, after="machines"))
    assert kinds(judge(of_student(early, 1))) == [("other-lab", "after")]
    assert kinds(judge(of_student(OK, 1), group(after="cleanup"))) == [("other-lab", "after")]


def test_the_class_is_judged_by_what_was_asked_and_not_by_what_a_student_typed(
    judge: Callable[..., Row],
) -> None:
    typed = replace(OK.intended, network="cni-plugin", after="smoke-test")
    row = judge(of_student(replace(BROKEN, intended=typed), 1))
    assert row.shares == judge(of_student(BROKEN, 1)).shares


def test_nothing_that_was_not_looked_at_earns_anything(judge: Callable[..., Row]) -> None:
    blind = replace(
        of_student(OK, 1), inventory=None, errors=(LookError(code="throttled", subject="account"),)
    )
    row = judge(blind)
    assert (row.points and row.points.earned, row.is_unseen, row.is_whole) == (0, True, False)
    dry = replace(of_student(OK, 1), target=TargetSeen(kind="aws", no_packets="a Mac"), nodes={}, probes=())
    row = judge(dry)
    assert row.areas["pods"].held == 0
    assert row.areas["pods"].unseen == row.areas["pods"].asked > 0


def test_who_it_is_of_is_told_where_the_file_and_the_run_disagree(judge: Callable[..., Row]) -> None:
    ana = Student(name="Ana", account="100000000001")
    bo = Student(name="Bo", student="bobby")
    assert judge(of_student(OK, 1), group(ana, bo)).notes == ()
    assert kinds(judge(of_student(OK, 2), group(ana, bo))) == [("other-account", "")]
    assert kinds(judge(of_student(OK, 1, student="Bobby"), group(ana, bo))) == [("other-name", "")]
    assert judge(of_student(OK, 1, student="whoever"), group(ana, bo)).notes == ()


def test_who_is_not_known_by_the_file_is_by_the_account_or_by_the_name_at_the_run(
    judge: Callable[..., Row], tmp_path: Path
) -> None:
    ana = Student(name="Ana B", account="100000000001")
    for evidence in (of_student(OK, 1), of_student(OK, 2, student="ana b")):
        row = judge(evidence, group(replace(ana, account=evidence.target.account)), file="x.json")
        assert (row.student, row.listed, row.notes) == ("Ana B", True, ())
    judge(of_student(OK, 3), group(ana), file="x.json")
    row = judged(0, HandIn(file=str(tmp_path / "x.json"), name="x.json"), ANA, group(ana))
    assert (row.student, row.listed, kinds(row)) == ("ana", False, [("unlisted", "")])


def test_a_fault_of_ours_costs_one_row(judge: Callable[..., Row], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_evidence: Evidence) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(judging, "judge", broken)
    row = judge(of_student(OK, 1))
    assert (kinds(row), row.counts) == ([("fault", "")], False)


def handed(folder: Path, **files: Evidence | bytes) -> list[HandIn]:
    found = []
    for name, content in files.items():
        path = folder / f"{name}.json"
        path.write_bytes(content if isinstance(content, bytes) else report(content))
        found.append(HandIn(file=str(path), name=path.name))
    return found


def the_class(files: list[HandIn], of: Class) -> dict[str, Row]:
    todo, empty = tasks(files, of)
    rows = side_by_side.rows(todo, of, lambda _done, _of: None)
    return {row.student: row for row in settled([*rows, *empty], of)}


def test_two_of_one_account_and_two_of_one_lab_are_told_and_counted_when_the_teacher_says_so(
    tmp_path: Path,
) -> None:
    here = handed(
        tmp_path,
        ana=of_student(OK, 1),
        bo=of_student(BROKEN, 1),
        cy=SANDBOX,
        di=SANDBOX,
        eve=of_student(OK, 2),
    )
    sandboxed = the_class(here, group())
    assert {name: kinds(row) for name, row in sandboxed.items()} == {
        "ana": [("same-account", "")], "bo": [("same-account", "")],
        "cy": [("same-lab", "")], "di": [("same-lab", "")], "eve": [],
    }  # fmt: skip
    assert [name for name, row in sandboxed.items() if row.counts] == ["eve"]
    accepted = the_class(here, group(scheme=Scheme(count=("same-account", "same-lab"))))
    assert all(row.counts for row in accepted.values())


def test_of_several_hand_ins_the_last_one_in_time_counts(tmp_path: Path) -> None:
    days = {
        day: of_student(OK if day == 1 else BROKEN, 1, at=f"2026-03-0{day}T10:00:00+00:00")
        for day in (1, 2, 3)
    }
    files = handed(tmp_path, ana=days[1], ana_report_2=days[2], ana_report_3=days[3])
    (row,) = the_class(files, group(Student(name="Ana"), due=moment("--due", "2026-03-02"))).values()
    assert (row.at[:10], kinds(row)) == ("2026-03-02", [("several", "")])


def _dies(_number: int, handed_in: HandIn, *_rest: object) -> Row:
    if "deadly" in handed_in.name:
        os._exit(9)
    while "endless" in handed_in.name:
        with contextlib.suppress(Exception):  # as a check that is in doubt does
            list(range(1000))
    return judged(0, handed_in, Submitter(handed_in.name, handed_in.name), group())


def test_whatever_one_does_to_its_process_the_others_have_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(side_by_side, "judged", _dies)
    monkeypatch.setattr(side_by_side, "SECONDS", 1.0)
    files = handed(
        tmp_path,
        ana=of_student(OK, 1),
        deadly=b"{}",
        bo=of_student(OK, 2),
        endless=b"{}",
        cy=of_student(OK, 3),
    )
    rows = the_class(files, group())
    told = {name.removesuffix(".json"): kinds(row) for name, row in rows.items()}
    assert told == {
        "ana": [], "bo": [], "cy": [],
        "deadly": [("too-long", "died")], "endless": [("too-long", "")],
    }  # fmt: skip
