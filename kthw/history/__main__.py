"""``python -m kthw.history [show|page|compare A B|join FILE]``: the runs before, and what changed between.

Reads ``reports/history.jsonl``, and looks at no account. Exit codes: ``show``, ``page``, ``join``: 0.
``compare``: 0 nothing is wrong that was not before; 1 something is; 10 nothing is, but not all could be
looked at. 2 misuse.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from kthw import whole_file
from kthw.errors import CouldNotLook
from kthw.history.changes import changes
from kthw.history.chosen import chosen
from kthw.history.comparison import compared
from kthw.history.kept import recording_of
from kthw.history.lines import FILE, MOST_BYTES, MOST_READ, Read, join, read
from kthw.history.nights import NIGHTS
from kthw.history.noted import Change
from kthw.history.pages import comparison_page, nights_page
from kthw.history.run import Run
from kthw.history.shown import Shown
from kthw.intended.cluster import BadNames
from kthw.observed.recording import read as recorded
from kthw.start import loaded
from kthw.words.command_line import Parser, complain, language_asked, one_of, speaking
from kthw.words.messages import Catalogue, catalogue
from kthw.words.standard_output import NotWritten, bear_any_sign, write_line

_REPORTS: Final = Path(__file__).resolve().parents[2] / "reports"
_COMMANDS: Final = ("show", "page", "compare", "join")
_LAST: Final = 20
_MOST: Final = {"--nights": 400, "--last": 100_000}
_OPTIONS: Final = {"out": ("page", "compare"), "nights": ("page",), "last": ("show",)}
"""Which commands an option says something to."""
_MOST_BAD: Final = 5
_MOST_SHOWN: Final = 4000
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    loaded()
    bear_any_sign()
    words = catalogue(language_asked(arguments, os.environ))
    with speaking(words):
        options = _parser(words).read(arguments, intermixed=True)
    try:
        return _Command(options, words).run()
    except BadNames as problem:
        complain(words.refusal(problem))
    except CouldNotLook as problem:
        complain(words.error(problem.error).what)
    except NotWritten as problem:
        complain(words.say("command-unwritten", detail=problem.detail))
    except BrokenPipeError:
        return 0  # whoever read has enough, as of ``| head``
    except OSError as problem:
        # A folder that may not be searched, a name that is too long.
        detail = problem.strerror or str(problem)
        complain(words.say("history-unread", value=str(problem.filename or "—"), detail=detail))
    except KeyboardInterrupt:
        complain(words.say("history-interrupted"))
        return _INTERRUPTED
    return 2


def _path(named: str) -> Path:
    """A home of nobody's is a name as any other."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)


class _Command:
    def __init__(self, options: argparse.Namespace, words: Catalogue) -> None:
        self._options = options
        self._words = words
        self._reports = _path(options.reports) if options.reports else _REPORTS

    def run(self) -> int:
        options = self._options
        for option, commands in _OPTIONS.items():
            typed = getattr(options, option)
            if typed is not None and options.command not in commands:
                instead = f"{commands[0]} --{option} {shlex.quote(typed)}"
                facts = {"value": f"--{option}", "command": options.command, "instead": instead}
                raise BadNames("history-not-its-option", **facts)
        if options.command == "compare":
            return self._compare()
        if options.command == "join":
            return self._join()
        if options.which:
            raise BadNames("history-nothing-to-name", value=options.which[0])
        history = self._history()
        runs = history.runs
        if not runs:
            raise BadNames("history-all-bad" if history.bad else "history-none")
        if options.command == "page":
            nights = self._number("--nights", options.nights, NIGHTS)
            now = datetime.now().astimezone()
            page = nights_page(runs, nights, self._words, now, self._between)
            self._write("history.html", page)
        else:
            self._print(self._shown.history(runs, self._number("--last", options.last, _LAST)))
        return 0

    def _compare(self) -> int:
        runs = self._history().runs if (self._reports / FILE).exists() else ()
        found = compared(*chosen(self._options.which, runs, self._reports))
        self._print(self._shown.comparison(found))
        self._write("compare.html", comparison_page(found, self._words))
        return found.code

    def _join(self) -> int:
        """The runs of another file become lines of this history, those that are not there yet."""
        which = self._options.which
        if len(which) != 1:
            raise BadNames("history-one-to-join")
        other, file = _path(which[0]), self._reports / FILE
        runs = self._read(other, MOST_BYTES, absent="history-no-file-to-join").runs
        if not runs:
            raise BadNames("history-none-to-join", value=str(other))
        try:
            joined = join(file, runs)
        except OSError as problem:
            detail = problem.strerror or str(problem)
            raise BadNames("history-not-joined", value=str(file), detail=detail) from problem
        there = len(runs) - joined
        self._print([self._words.say("history-joined", file=file, count=joined, there=there)])
        return 0

    @property
    def _shown(self) -> Shown:
        return Shown(self._words, shutil.get_terminal_size().columns)

    def _history(self) -> Read:
        return self._read(self._reports / FILE, MOST_READ, absent="history-none")

    def _read(self, file: Path, most: int, absent: str) -> Read:
        """What is in a file; what of it is no run is told, a line each. ``absent``: what is said of none."""
        try:
            found = read(file, most)
        except FileNotFoundError as problem:
            raise BadNames(absent, value=str(file)) from problem
        except OSError as problem:
            detail = problem.strerror or str(problem)
            raise BadNames("history-unread", value=str(file), detail=detail) from problem
        for bad in found.bad[:_MOST_BAD]:
            facts = {"file": file, "number": bad.number, "detail": bad.detail}
            complain(self._words.say("history-bad-line", **facts))
        if len(found.bad) > _MOST_BAD:
            more = len(found.bad) - _MOST_BAD
            complain(self._words.say("history-more-bad-lines", file=file, count=more))
        return found

    def _between(self, before: Run, now: Run) -> Sequence[Change]:
        files = [recording_of(self._reports, run.recording) for run in (before, now)]
        if None in files:
            return ()
        try:
            was, there = (recorded(file) for file in files if file)
        except CouldNotLook:
            return ()  # the causes are told all the same
        return changes(was, there)

    def _number(self, option: str, typed: str | None, usual: int) -> int:
        if typed is None:
            return usual
        most = _MOST[option]
        if not (
            typed.isascii() and typed.isdecimal() and len(typed) <= len(str(most)) and 1 <= int(typed) <= most
        ):
            raise BadNames("history-bad-number", option=option, value=typed, most=str(most))
        return int(typed)

    def _write(self, name: str, text: str) -> None:
        path = _path(self._options.out) if self._options.out else self._reports / name
        try:
            read_from = (self._reports / FILE, *map(_path, self._options.which))
            there = whole_file.identity(path)
            if there and there in map(whole_file.identity, read_from):
                raise BadNames("history-over-itself", value=str(path))
            whole_file.write(path, text.encode("utf-8", "backslashreplace"))
        except OSError as problem:
            detail = problem.strerror or str(problem)
            raise BadNames("history-unwritten", value=str(path), detail=detail) from problem
        self._print([self._words.say("history-written", file=path)])

    def _print(self, lines: Iterable[str]) -> None:
        for line in lines:
            write_line(line, _MOST_SHOWN)


def _parser(words: Catalogue) -> Parser:
    say = words.say
    parser = Parser(words, prog="python -m kthw.history", description=say("history-help"))
    parser.add_argument(
        "command", nargs="?", default="show", type=one_of(_COMMANDS, words), metavar="|".join(_COMMANDS),
        help=say("history-help-command"),
    )  # fmt: skip
    parser.add_argument("which", nargs="*", metavar="A B|FILE", help=say("history-help-which"))
    parser.add_argument("--reports", metavar="DIR", help=say("history-help-reports"))
    parser.add_argument("--out", metavar="FILE", help=say("history-help-out"))
    parser.add_argument("--nights", metavar="N", help=say("history-help-nights", count=NIGHTS))
    parser.add_argument("--last", metavar="N", help=say("history-help-last", count=_LAST))
    parser.add_language()
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
