"""Whole reports that somebody else may have written, as hand-ins: a row each, never a fault of ours."""

from __future__ import annotations

import json
import os
import random
import re
from pathlib import Path
from typing import Final

import pytest

from kthw.grade import exports, pages
from kthw.grade.asked import Asked, moment
from kthw.grade.feedback import feedback
from kthw.grade.hand_in import HandIn
from kthw.grade.judged import Class, judged
from kthw.grade.naming import Submitter
from kthw.grade.points import Scheme
from kthw.grade.register import settled
from kthw.grade.roster import Roster, Student
from kthw.intended.cluster import worker_names
from kthw.intended.tutorial import WORKERS
from kthw.words.messages import catalogue
from tests.findings.faults import FAULTS
from tests.fuzz.documents import mutant
from tests.grade.made_class import of_student, report

MUTANTS: Final = int(os.environ.get("KTHW_FUZZ", "240"))
SHARDS: Final = 3
_STEERS: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("seed", range(SHARDS))
def test_whatever_is_handed_in_is_a_row_that_can_be_told_everywhere(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 -- to be the same every time, and no secret
    group = Class(
        asked=Asked(workers=worker_names(WORKERS), due=moment("--due", "2026-01-01"), account=True),
        scheme=Scheme(per_day=0.1),
        roster=Roster([Student(name="Ana", account="100000000001")]),
        pages=str(tmp_path),
    )
    words = catalogue("pt-BR")
    cases = [report(of_student(case, 1)) for case, _ in chance.sample(sorted(FAULTS.values(), key=str), 20)]
    handed_in = HandIn(file=str(tmp_path / "ana.json"), name="ana.json")
    counted = 0
    for number in range(MUTANTS // SHARDS):
        document = mutant(chance.choice(cases), chance)
        (tmp_path / "ana.json").write_text(json.dumps(document), encoding="utf-8")
        row = judged(number, handed_in, Submitter("ana", "ana"), group)
        (row,) = settled([row], group)
        assert "fault" not in {note.kind for note in row.notes}, document
        counted += row.is_judged
        told = (
            feedback(row),
            pages.the_class([row], group.asked, group.scheme, words, "now"),
            (tmp_path / row.page).read_text(encoding="utf-8") if row.page else "",
            *(note.said(words) for note in row.notes),
        )
        assert [text for text in told if _STEERS.search(text)] == []
        exports.table([row], words)
        exports.junit([row])
        assert json.dumps([exports.ctrf([row], 0), exports.gradescope(row, group.scheme)])
        for page in tmp_path.glob("0*.html"):
            page.unlink()
    assert counted > MUTANTS // SHARDS // 10, "most were refused, and nothing was tried"
