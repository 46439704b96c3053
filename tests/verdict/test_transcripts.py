"""What a student reads last: where to start, and each cause once."""

from __future__ import annotations

import re

import pytest

from kthw.verdict.causes import blocks, causes, missed, start, together
from kthw.verdict.outcome import outcome
from kthw.words.messages import LANGUAGES, Words, catalogue
from tests.verdict.shown import RUNS
from tests.verdict.transcripts import WIDTHS, file_of, reported, transcript

ILL = [name for name in RUNS if name != "healthy"]
LONGEST = {"healthy": 8, "two-faults": 70, "worst": 260, "nobody": 45, "fifty": 75, "cleanup": 75}
"""Lines, at 60 columns."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RUNS)
def test_the_end_of_a_run_reads_like_this(name: str, language: str, width: int) -> None:
    """Meant to be different? ``python -m tests.verdict.transcripts``, and read what changed."""
    assert transcript(name, language, width) == file_of(name, language, width).read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ILL)
def test_it_ends_on_the_verdict_and_where_to_start(name: str, language: str) -> None:
    words, report = catalogue(language), reported(name)
    last = transcript(name, language, 60).splitlines()[-20:]
    told = " ".join(" ".join(last).split())
    ended = outcome(report, words)
    begin = start(causes(report, words), missed(report, words))
    assert begin is not None
    for said in (ended.said, *ended.because, words.say("report-start", what=begin.first.words.what)):
        assert " ".join(said.split()) in told
    for line in begin.first.words.fix.splitlines():
        assert f"    {line}" in last
    assert last[-1].startswith(words.say("report-files", files="reports/report.html"))


@pytest.mark.parametrize("name", RUNS)
def test_the_counts_add_up_to_all_that_was_asked(name: str) -> None:
    report = reported(name)
    assert sum(each.count for each in outcome(report, catalogue("en")).counts) == len(report.verdict.outcomes)


@pytest.mark.parametrize("name", RUNS)
def test_it_is_no_longer_than_a_person_reads(name: str) -> None:
    lines = [line for line in transcript(name, "pt-BR", 60).splitlines() if line]
    assert len(lines) <= LONGEST[name]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RUNS)
def test_what_is_no_command_fits_in_sixty_columns(name: str, language: str) -> None:
    """But for a word that is longer, and what came of a probe, which is looked up as it is."""
    for line in transcript(name, language, 60).splitlines():
        whole = line.startswith("    ") or len(line.split()) == 1
        assert whole or len(line) <= 60 or re.match(r"(✗|!|-|✓|\S+:) ", line), line


def test_each_cause_has_one_number_and_one_place() -> None:
    report, words = reported("worst"), catalogue("en")
    told = [each for block in causes(report, words) for each in block.causes]
    assert [each.number for each in told] == list(range(1, len(report.roots) + 1))
    assert {each.cause.finding.cause for each in told} == {root.finding.cause for root in report.roots}
    codes = [block.code for block in causes(report, words)]
    assert len(codes) == len(set(codes))


def test_a_block_is_of_one_situation_of_a_code() -> None:
    """Of two situations the explanation is another, and so is what mends it."""

    def told(cause: str) -> tuple[str, str, Words]:
        return "c", cause[0], Words(what=cause, why="", fix=cause)

    assert [[each.cause for each in block.causes] for block in blocks(["a1", "b1", "a2"], told)] == [
        ["a1", "a2"],
        ["b1"],
    ]


def test_a_paste_of_many_says_to_its_reader_once_what_is_the_same_for_all() -> None:
    assert together(["# careful\none", "# careful\ntwo", "", "# careful\none"]) == "# careful\none\ntwo"
    assert together(["one\nsame", "two\nsame"]) == "one\nsame\ntwo\nsame", (
        "commands are never left out of a fix"
    )


def test_what_was_not_seen_comes_before_pairs_that_nothing_explains() -> None:
    words = catalogue("en")
    wrong, unseen = causes(reported("two-faults"), words), missed(reported("nobody"), words)
    alone = [block for block in causes(reported("worst"), words) if block.code == "pod-unreachable"]
    assert start(wrong, unseen) is wrong[0]
    assert start(alone, unseen) is unseen[0]
    assert start(alone, ()) is alone[0]
    assert start((), ()) is None
