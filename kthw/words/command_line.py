"""A command's own line, in the reader's language: ``argparse`` speaks English only, and suggests nothing."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from kthw.foreign import printable
from kthw.words.messages import LANGUAGES, Catalogue, language_of

_SAID: Final[Mapping[str, str]] = MappingProxyType(
    {
        "usage: ": "command-usage",
        "positional arguments": "command-arguments",
        "options": "command-options",
        "show this help message and exit": "command-help",
        "%(prog)s: error: %(message)s\n": "command-error",
        "argument %(argument_name)s: %(message)s": "command-argument",
        "the following arguments are required: %s": "command-required",
        "expected one argument": "command-one-value",
        "expected at most one argument": "command-one-value",
        "expected at least one argument": "command-one-value",
        "ignored explicit argument %r": "command-no-value",
    }
)
"""What argparse says where our commands are typed wrongly, as its source has it, and our phrase for it."""

_MOST_SAID: Final = 5000


class Parser(argparse.ArgumentParser):
    """argparse's, without abbreviations; what is misspelt is told with what it is nearest to.

    ``known`` are the options of the whole command, which its parts share. Use it within ``speaking``.
    """

    def __init__(self, words: Catalogue, known: list[str] | None = None, **how: Any) -> None:
        self.words = words
        self.known: list[str] = [] if known is None else known
        super().__init__(allow_abbrev=False, **how)

    def add_argument(self, *names: Any, empty: bool = False, **how: Any) -> argparse.Action:
        """As argparse does; the options among ``names`` may be suggested. ``empty``: its value may be so.

        An empty value is a shell's variable that is not set, and means the default to nobody who typed it.
        """
        options = [name for name in names if name.startswith("-")]
        self.known += options
        if options and "action" not in how and not empty:
            how["type"] = _filled(how.get("type", str), self.words)
        return super().add_argument(*names, **how)

    def _print_message(self, message: str, file: Any = None) -> None:
        # Nobody is there to be told: the argparse of Debian 12 (3.11.2) ends in a traceback then.
        with contextlib.suppress(OSError):
            super()._print_message(message, file)

    def add_language(self) -> None:
        """The option that every command has."""
        self.add_argument(
            "--language",
            type=one_of(LANGUAGES, self.words),
            metavar="|".join(LANGUAGES),
            help=self.words.say("run-help-language"),
        )

    def read(
        self, arguments: Sequence[str], *, with_a_command: bool = False, intermixed: bool = False
    ) -> argparse.Namespace:
        """What was typed. Ends the process with exit code 2, and one sentence, where that is none of ours.

        ``with_a_command``: somebody else's, whose options may be anything, may be part of it. ``intermixed``:
        names may stand behind options.
        """
        ours = itertools.takewhile(lambda typed: typed != "--", arguments)
        for typed in () if with_a_command else ours:
            # Before argparse takes the value of what it does not know for a word of its own.
            if typed.startswith("--") and typed.partition("=")[0] not in self.known:
                self.refuse_unknown(typed, self.known)
        if intermixed and self.usage is None:
            # argparse cuts off as many letters as "usage: " has, in whatever language.
            shown = self.format_usage().removeprefix(f"{self.words.say('command-usage')} ")
            self.usage = shown.strip().replace("%", "%%")
        parse = self.parse_known_intermixed_args if intermixed else self.parse_known_args
        options, unknown = parse(arguments)
        if unknown:
            if not unknown[0].startswith("-"):
                self.error(self.words.say("command-too-many", typed=unknown[0]))
            self.refuse_unknown(unknown[0], self.known)
        return options

    def refuse_unknown(self, typed: str, known: Sequence[str]) -> None:
        """End the process, saying that ``typed`` is nothing, and which of the ``known`` was meant, if any."""
        name = typed.partition("=")[0]
        if name.startswith("-") and name in known:
            self.error(self.words.say("command-elsewhere", typed=name))
        self.error(unknown(self.words, typed, known))


def complain(said: str) -> None:
    """Say it on standard error, if anybody is there to be told."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{printable(said, _MOST_SAID, lines=True)}\n")


def one_of(known: Sequence[str], words: Catalogue) -> Callable[[str], str]:
    """What argparse's ``type`` may be, where one of few words is to be typed."""

    def read(typed: str) -> str:
        if typed not in known:
            raise argparse.ArgumentTypeError(unknown(words, typed, known))
        return typed

    return read


def _filled(read: Callable[[str], Any], words: Catalogue) -> Callable[[str], Any]:
    def reading(typed: str) -> Any:
        if not typed:
            raise argparse.ArgumentTypeError(words.say("command-empty"))
        return read(typed)

    return reading


def unknown(words: Catalogue, typed: str, known: Sequence[str]) -> str:
    """The sentence about a word that nobody knows: the one that is near to it, or else all there are."""
    known = list(dict.fromkeys(known))
    near = nearest(typed, known)
    if near:
        return words.say("command-near", typed=typed, near=near)
    return words.say("command-unknown", typed=typed, known=", ".join(known))


def nearest(typed: str, known: Iterable[str]) -> str:
    """The word that was meant, where one is near; of an option with its value it is the option."""
    return next(iter(difflib.get_close_matches(typed.partition("=")[0], list(known), n=1)), "")


def language_asked(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language asked for, before anything can be said in it; the parser judges it afterwards."""
    early = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    early.add_argument("--language", nargs="?")
    asked = early.parse_known_args(arguments)[0].language
    return asked if asked in LANGUAGES else language_of(environment)


@contextlib.contextmanager
def speaking(words: Catalogue) -> Iterator[None]:
    """Within it, argparse says what it says in the language of ``words``.

    It looks its sentences up by gettext's names in its own module, at the moment it says them; a catalogue of
    gettext's own, compiled and found by the locale, would be a second home for words.
    """

    def said(english: str) -> str:
        key = _SAID.get(english)
        if key is None:
            return english
        end = english[len(english.rstrip()) :]
        return words.say(key) + end

    def counted(one: str, many: str, number: int) -> str:
        return said(one if number == 1 else many)

    module: Any = argparse
    before = module._, module.ngettext
    module._, module.ngettext = said, counted
    try:
        yield
    finally:
        module._, module.ngettext = before
