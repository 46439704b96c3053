"""What a fix alone mends is told where the fix is: on the terminal, on the page, in ``report.json``."""

from __future__ import annotations

import itertools
import re
from typing import Final

import msgspec
import pytest

from benchmarks.judging import summary
from kthw.findings.finding import Finding
from kthw.findings.judging import Outcome, judge
from kthw.findings.promise import Promise, Stays
from kthw.observed.evidence import Evidence
from kthw.observed.recording import as_json
from kthw.verdict.page import page
from kthw.verdict.promised import promise_document, promised
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.test_promise import BOTH, FORWARDING, ON_ONE_PAIR, ROUTE, SHARED_LIST, TAKEN

PAIRS: Final = tuple(itertools.permutations(("worker-0", "worker-1", "worker-2"), 2))


def report(evidence: Evidence) -> Report:
    return Report(judge(evidence), Summary())


def terminal(evidence: Evidence, language: str) -> str:
    return " ".join(" ".join(summary(report(evidence), catalogue(language))).split())


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_told_on_the_terminal_and_on_the_page(language: str) -> None:
    words = catalogue(language)
    mends = words.say("report-mends", count=1, pairs="worker-2 → worker-1")
    stays = words.say("report-stays", pairs="worker-0 → worker-1", causes=" · ".join(FORWARDING))
    shown = re.sub("<[^>]*>", "", page(report(BOTH), words, ["target"]))
    for told in (terminal(BOTH, language), shown):
        assert told.count(mends) == 1
        assert told.count(stays) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_to_be_done_alone_is_told_with_the_command(language: str) -> None:
    """Wherever it is printed: each place has the words of the finding."""
    words = catalogue(language)
    for evidence in (ON_ONE_PAIR, SHARED_LIST):
        for finding in judge(evidence).findings:
            if finding.lacks or finding.cuts:
                warning = words.finding(finding).fix.splitlines()[0]
                assert warning.startswith("# ")
                assert warning in terminal(evidence, language)
                fixes = [each["fix"] for each in report(evidence).document(words)["findings"]]
                assert any(fix.startswith(warning) for fix in fixes)


def test_the_document_has_all_pairs() -> None:
    each = {(f["code"], f["subject"]): f for f in report(BOTH).document(catalogue("en"))["findings"]}
    assert each[ROUTE]["mends"] == ["worker-2 → worker-1"]
    by = [{"code": FORWARDING[0], "subject": FORWARDING[1]}]
    assert each[ROUTE]["stays"] == [{"by": by, "pairs": ["worker-0 → worker-1"]}]
    assert each[ROUTE]["cuts"] == []
    taken = {(f["code"], f["subject"]): f for f in report(SHARED_LIST).document(catalogue("en"))["findings"]}
    assert taken[TAKEN]["cuts"] == ["worker-0 → worker-1"]
    symptoms = [f for (code, _), f in each.items() if code == "pod-unreachable"]
    assert symptoms
    assert all("mends" not in symptom for symptom in symptoms)


def test_nothing_is_told_of_what_was_not_tried() -> None:
    assert promised(None, catalogue("en")) == []
    assert promise_document(None) == {}


def test_of_many_pairs_the_first_are_told_and_how_many_there_are() -> None:
    stays = tuple(Stays(by=((f"code-{n}", "x"),), pairs=(pair,)) for n, pair in enumerate(PAIRS))
    words = catalogue("en")
    mends, *rest = promised(Promise(mends=PAIRS, stays=stays), words)
    assert mends.count("→") == 4
    assert mends.endswith("… (6)")
    assert [line.count("→") for line in rest] == [1, 1, 1, 0]
    assert rest[-1] == words.say("report-stays-more", count=3)
    several = Stays(by=tuple((f"code-{n}", "x") for n in range(4)), pairs=PAIRS[:1])
    (told,) = promised(Promise(stays=(several,)), words)
    assert told.endswith("code-2 · x; … (4)")
    assert "code-3" not in told


def test_what_a_fix_changes_comes_through_to_another_process() -> None:
    """As the outcomes go to pytest-xdist's workers."""
    outcomes = judge(ON_ONE_PAIR).outcomes
    again = msgspec.json.decode(as_json(outcomes), type=tuple[Outcome, ...])
    assert again == outcomes
    told = [finding for outcome in again for finding in outcome.findings]
    assert any(finding.changes and finding.lacks for finding in told)
    assert all(isinstance(finding, Finding) for finding in told)
