"""A run in Markdown says what the page says, and nothing in it is taken for markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.verdict.causes import causes, missed
from kthw.verdict.markdown import fenced, markdown, masked_account, plain
from kthw.verdict.outcome import outcome, reported
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import without_route
from tests.findings.clusters import OK
from tests.night.conftest import Tell
from tests.plugin.conftest import Run
from tests.verdict.shown import two_faults, worst

RED = without_route(OK, "10.200.1.0/24")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("evidence", [OK, RED, two_faults(), worst()], ids=["ok", "red", "two", "worst"])
def test_verdict_counts_causes_and_their_commands_are_in_it(evidence: object, language: str) -> None:
    report, words = reported(judge(evidence)), catalogue(language)  # type: ignore[arg-type]
    told = markdown(report, words)
    ended = outcome(report, words)
    assert told.startswith(f"## {ended.sign} {plain(ended.said)}\n")
    assert all(plain(count.said) in told for count in ended.counts)
    wrong, unseen = causes(report, words), missed(report, words)
    for code, paste in [(b.code, b.paste(12)) for b in wrong] + [(b.code, b.paste(12)) for b in unseen]:
        assert f" `{code}` · " in told
        assert all(masked_account(line) in told for line in paste.splitlines())


def test_its_counts_are_those_of_the_run(judge: Run, tell: Tell) -> None:
    for evidence in (RED, worst()):
        ran = judge(evidence)
        counts = ran.document["summary"]
        _, said, _ = tell(evidence, "summary")
        counted = next(line for line in said.splitlines() if " · ✓ " in line)
        shown = {sign: int(count) for sign, count in re.findall(r"([✗!–✓]) (\d+)", counted)}
        names = {"✗": "failed", "!": "errors", "–": "skipped", "✓": "passed"}
        assert {names[sign]: count for sign, count in shown.items()} == {
            name: counts[name] for name in names.values() if counts[name]
        }


def test_where_a_job_has_a_summary_it_is_added_to_that(tell: Tell, tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    file.write_text("of a step before\n")
    assert tell(RED, "summary", "--code", "1", GITHUB_STEP_SUMMARY=str(file))[:2] == (0, "")
    assert file.read_text().startswith(
        "of a step before\nSomething is wrong in the lab.\n\n## ✗ To mend: 1\n"
    )
    code, _, complaints = tell(RED, "summary", GITHUB_STEP_SUMMARY=str(tmp_path))
    assert (code, len(complaints.splitlines())) == (1, 1)


def test_on_a_terminal_nothing_stands_in_an_address(tell: Tell) -> None:
    local = replace(OK, target=replace(OK.target, kind="aws", endpoint="http://127.0.0.1:5000"))
    _, said, _ = tell(local, "summary")
    assert "http://127.0.0.1:5000" in said


def test_a_run_that_left_nothing_is_told_and_who_asks_by_name_hears_what_is_missing(tell: Tell) -> None:
    code, said, _ = tell(None, "summary", "--code", "2")
    assert (code, said.startswith("## ! The run did not come to its end")) == (0, True)
    code, _, complaints = tell(None, "summary")
    assert (code, "report.json" in complaints) == (2, True)


def test_it_is_in_the_language_of_the_run_unless_another_is_asked_for(tell: Tell) -> None:
    portuguese = replace(RED, language="pt-BR")
    assert "Há algo errado no lab." in tell(portuguese, "summary", LANG="en_US.UTF-8")[1]
    assert "Something is wrong" in tell(portuguese, "summary", "--language", "en")[1]


HOSTILE = {
    "markup": ("<img src=x onerror=y> &amp;", "<img"),
    "a link": ("[here](https://evil.example)", "[here]"),
    "an address": ("https://evil.example www.evil.example", "https://"),
    "a mention": ("@everyone", "@everyone"),
    "another issue": ("closes #12 GH-12", "#12"),
    "a picture": ("![x](y)", "!["),
    "code": ("`x`", "`x"),
    "a line of its own": ("x\n# title\n\n---", "\n"),
    "an escape": ("\x1b[31m\u202e", "\x1b"),
    "mathematics": ("$x$", "$x$"),
}


@pytest.mark.parametrize(("text", "never"), HOSTILE.values(), ids=HOSTILE)
def test_nothing_in_a_sentence_is_markup(text: str, never: str) -> None:
    said = plain(text)
    assert re.sub(r"\\[\\`*_\[\]|~!$]", "", said).find(never) == -1
    assert never == "`x" or never not in said.replace("\\[", "").replace("\\]", "").replace("\\$", "")


@pytest.mark.parametrize("begins", ["- x", "+ x", "1. x", "12) x", "=== x", "> x", "# x", "* x"])
def test_no_sentence_begins_a_list_a_title_or_a_quotation(begins: str) -> None:
    assert not re.match(r"(?:[-+*>=]|\d+[.)]|# )", plain(begins))


def test_no_command_ends_its_fence() -> None:
    assert fenced("x\n```\n<b>\n````").startswith("`````sh\n")
    assert fenced("x\n```\n<b>\n````").endswith("\n`````")


def test_of_an_account_only_the_end_is_shown() -> None:
    assert masked_account("arn:aws:iam::123456789012:role/x, 123456789012.") == (
        "arn:aws:iam::…9012:role/x, …9012."
    )
    assert masked_account("i-0123456789012345a 1234567890123") == "i-0123456789012345a 1234567890123"


def test_it_stays_short_enough_for_an_issue_and_says_how_much_is_missing() -> None:
    report = reported(judge(worst()))
    whole, short = (markdown(report, catalogue("en"), most=most) for most in (60_000, 4_000))
    assert len(short) <= 4_000 < len(whole) <= 60_000
    assert re.search(r"… and \d+ more: report\.html has all of them", short)
