"""Where it was looked at is told in the same words by whoever tells it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.grade.asked import Asked
from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, judged
from kthw.grade.naming import Submitter
from kthw.grade.points import Scheme
from kthw.grade.roster import Roster
from kthw.observed.evidence import Evidence
from kthw.verdict.report import Report, Summary
from kthw.verdict.where import recorded, target_told
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.clusters import OK
from tests.grade.made_class import report

LOCAL = "http://127.0.0.1:5000"
LOOKS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "an account": ({"kind": "aws"}, ["aws"], ["recorded"]),
    "an account of which nothing is known": ({"kind": "aws", "account": ""}, ["aws"], ["recorded"]),
    "a local endpoint": (
        {"kind": "aws", "endpoint": LOCAL},
        ["local", "run-local-tells-nothing"],
        ["recorded-local", "run-local-tells-nothing"],
    ),
    "a sandbox": (
        {"kind": "sandbox", "endpoint": LOCAL},
        ["sandbox", "run-sandbox-tells-nothing"],
        ["recorded", "run-sandbox-tells-nothing"],
    ),
    "without packets": (
        {"kind": "aws", "no_packets": "no reason"},
        ["aws"],
        ["recorded", "run-no-packets"],
    ),
}


def made(change: dict[str, Any]) -> Evidence:
    target = replace(OK.target, endpoint="", no_packets="", account="123456789012")
    inventory = OK.inventory if change.get("account", "x") else None
    return replace(OK, target=replace(target, **change), inventory=inventory)


@pytest.mark.parametrize(("change", "live", "over"), LOOKS.values(), ids=LOOKS)
def test_a_run_and_a_recording_name_what_was_looked_at_and_what_that_does_not_tell(
    change: dict[str, Any], live: list[str], over: list[str]
) -> None:
    seen = made(change).target
    for language in LANGUAGES:
        words = catalogue(language)
        facts = {
            "kind": seen.kind,
            "account": seen.account or words.say("run-target-unknown"),
            "region": seen.region or words.say("run-target-unknown"),
            "endpoint": seen.endpoint or "AWS",
            "at": {"en": "01 Jan 2026, 00:00 UTC", "pt-BR": "01 jan 2026 00:00 UTC"}[language],
        }
        for at, (first, *more) in ((None, live), (OK.gathered_at, over)):
            told = [words.say(key, reason=seen.no_packets) for key in more]
            told.insert(0, words.say(f"run-target-{first}", **facts))
            assert target_told(seen, words, recorded=at) == told


@pytest.mark.parametrize("change", [change for change, _, _ in LOOKS.values()], ids=LOOKS)
def test_a_students_page_tells_it_as_the_recording_judged_alone_does(
    change: dict[str, Any], tmp_path: Path
) -> None:
    evidence = made(change)
    file = tmp_path / "ana.json"
    file.write_bytes(report(evidence))
    group = Class(
        asked=Asked(workers=evidence.intended.workers),
        scheme=Scheme(),
        roster=Roster(()),
        pages=str(tmp_path),
    )
    row = judged(0, HandIn(file=str(file), name=file.name), Submitter("ana", "/ana"), group)
    page = html.unescape((tmp_path / row.page).read_text(encoding="utf-8"))
    told = recorded(Report(judge(evidence), Summary()), catalogue(row.language))
    assert [line for line in told if line not in re.sub(r"\s+", " ", page)] == []
