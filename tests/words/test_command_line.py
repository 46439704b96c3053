"""What argparse says of a command that is mistyped is said in the reader's language."""

from __future__ import annotations

import argparse
import functools
import re
from typing import Any

import pytest

from kthw.words.command_line import Parser, one_of, speaking
from kthw.words.messages import LANGUAGES, catalogue

ENGLISH = re.compile(
    r"\b(usage|error|argument|arguments|options|expected|required|unrecognized|invalid|choose|show|ignored|help)\b"
)
MISTYPED = {
    "unknown option": ("--wokers", "a"),
    "unknown option with a value": ("--wokers=3", "a"),
    "abbreviation": ("--worker", "3", "a"),
    "no value": ("a", "--workers"),
    "a value where none goes": ("--empty=yes", "a"),
    "nothing": (),
    "another word": ("deploy",),
    "a word too many": ("a", "b"),
    "an empty value": ("a", "--workers="),
    "an empty value behind": ("a", "--workers", ""),
}


def parse(language: str, *typed: str) -> argparse.Namespace:
    words = catalogue(language)
    with speaking(words):
        parser = Parser(words, prog="prog", description="")
        parser.add_argument("action", type=one_of(("a", "apply"), words), metavar="a|apply")
        parser.add_argument("--workers")
        parser.add_argument("--empty", action="store_true")
        return parser.read(typed)


@pytest.mark.parametrize("typed", MISTYPED.values(), ids=MISTYPED)
def test_a_portuguese_reader_is_told_no_english(
    typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse("pt-BR", *typed)
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert said.err.startswith("uso: prog ")
    assert "\nprog: erro: " in said.err
    assert not ENGLISH.findall(said.err.replace("--help", ""))


def test_help_has_no_english_either(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse("pt-BR", "--help")
    said = capsys.readouterr()
    assert (ended.value.code, said.err) == (0, "")
    assert "\nargumentos:\n" in said.out
    assert "\nopções:\n" in said.out
    assert not ENGLISH.findall(said.out.replace("--help", ""))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("--wokers", "3", "a"), "--workers"),
        (("--wokers=3", "a"), "--workers"),
        (("--emty", "a"), "--empty"),
        (("aply",), "apply"),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_misspelt_is_told_with_what_was_meant(
    language: str, typed: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(language, *typed)
    wrong = next(word for word in typed if word not in ("a", "3"))
    assert catalogue(language).say("command-near", typed=wrong, near=meant) in capsys.readouterr().err


def test_what_is_near_to_nothing_is_told_with_all_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("en", "deploy")
    assert "deploy: there is no such; there are: a, apply\n" in capsys.readouterr().err


def test_foreign_text_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("en", "a", "--\x1b[2J\u202e%s{x}")
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\\x1b[2J\\u202e%s{x}" in said


def test_afterwards_argparse_speaks_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    parse("pt-BR", "a")
    with pytest.raises(SystemExit):
        argparse.ArgumentParser(prog="other").parse_args(["x"])
    assert "usage: other" in capsys.readouterr().err


@pytest.mark.parametrize("typed", [("--workers=",), ("--workers", "")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_value_is_told_as_that_and_never_taken_for_the_default(
    language: str, typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(language, "a", *typed)
    assert ended.value.code == 2
    assert f"--workers: {catalogue(language).say('command-empty')}\n" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_word_too_many_is_told_as_that_and_not_with_the_options(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(language, "a", "b")
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert catalogue(language).say("command-too-many", typed="b") in said
    assert "--empty" not in said.splitlines()[-1]


@pytest.mark.parametrize("typed", [("up", "--seed", "3"), ("up", "--seed=3")])
@pytest.mark.parametrize("language", LANGUAGES)
def test_another_command_s_option_is_not_suggested_for_itself(
    language: str, typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    words = catalogue(language)
    parser = Parser(words, prog="prog")
    part: Any = functools.partial(Parser, words, parser.known)
    commands = parser.add_subparsers(parser_class=part)
    commands.add_parser("up")
    commands.add_parser("practice").add_argument("--seed")
    with pytest.raises(SystemExit) as ended:
        parser.read(typed, with_a_command=True)
    assert ended.value.code == 2
    assert words.say("command-elsewhere", typed="--seed") in capsys.readouterr().err


def test_what_stands_behind_two_hyphens_is_no_option() -> None:
    words = catalogue("en")
    parser = Parser(words, prog="prog")
    parser.add_argument("files", nargs="*")
    assert parser.read(["--", "-handed-in.zip", "--so"]).files == ["-handed-in.zip", "--so"]
