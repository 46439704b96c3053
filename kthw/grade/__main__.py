"""``python -m kthw.grade FOLDER|FILES|ZIP …``: what students handed in, judged again, as a class.

Each recording (``report.json``) is judged from its evidence; nothing that it says of itself is believed, and
nobody's account is looked at. With ``--accounts`` those of the students are instead, and only read.
Exit codes: 0 all of all students' labs holds; 1 something is wrong with somebody's, or their hand-in does not
count; 2 bad usage; 10 nothing is wrong, but not all could be looked at.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from kthw.errors import CouldNotLook
from kthw.foreign import printable
from kthw.grade import accounts, points, roster
from kthw.grade.asked import Asked, moment
from kthw.grade.collecting import collected
from kthw.grade.exports import FORMATS
from kthw.grade.judged import Class
from kthw.grade.output import Output
from kthw.grade.pages import counts, words_number
from kthw.grade.points import Scheme
from kthw.grade.register import settled, tasks
from kthw.grade.roster import Roster
from kthw.grade.row import Row
from kthw.grade.side_by_side import Task
from kthw.grade.side_by_side import rows as judged_rows
from kthw.intended import tutorial
from kthw.intended.cluster import AUTO, BadNames
from kthw.intended.selectors import asked_workers
from kthw.lab.file import NOTHING
from kthw.lab.given import Given, lab_named
from kthw.start import loaded
from kthw.words.command_line import Parser, complain, language_asked, speaking
from kthw.words.messages import Catalogue, catalogue
from kthw.words.standard_output import NotWritten, bear_any_sign, write_line

_OUT: Final = "grades"
_OF_A_LAB: Final = ("workers", "expect-workers", "network", "after", "language")
_MOST_SHOWN: Final = 2000
_MOST_ROWS: Final = 60
_INTERRUPTED: Final = 130
_UNSEEN: Final = 10


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    loaded()
    bear_any_sign()
    words = catalogue(language_asked(arguments, os.environ))
    with speaking(words):
        options = _parser(words).read(arguments)
    try:
        return _Command(options, words).run()
    except BadNames as problem:
        complain(words.refusal(problem))
        return 2
    except CouldNotLook as problem:
        said = words.error(problem.error)
        complain("\n".join(filter(None, (said.what, said.fix))))
        return 2
    except NotWritten as problem:
        complain(words.say("command-unwritten", detail=problem.detail))
        return 2
    except OSError as problem:
        detail = problem.strerror or str(problem)
        complain(words.say("grade-unwritten", value=problem.filename or options.out, detail=detail))
        return 2
    except KeyboardInterrupt:
        complain(words.say("grade-interrupted"))
        return _INTERRUPTED


class _Command:
    def __init__(self, options: argparse.Namespace, words: Catalogue) -> None:
        self._options = options
        named = options.lab if options.lab is not None else os.environ.get("KTHW_LAB")
        lab = lab_named(named, os.environ, Path.cwd()) if named else NOTHING
        self._given = Given(
            lambda name: getattr(options, name.replace("-", "_"), None),
            lab.only(_OF_A_LAB),
            os.environ,
            Path.cwd(),
        )
        self._words = catalogue(self._given.checked("language") or words.language)

    def run(self) -> int:
        options = self._options
        if not options.files and not options.accounts:
            raise BadNames("grade-nothing-named")
        formats = self._formats()
        named = (options.roster, options.points, options.accounts, options.lab, *options.files)
        output = Output(Path(options.out), map(Path, filter(None, named)))
        group = Class(
            asked=self._asked(),
            scheme=points.read(options.points) if options.points else Scheme(),
            roster=self._roster(),
            pages=str(output.pages),
        )
        with tempfile.TemporaryDirectory(prefix="kthw-grade-") as seen:
            todo, empty = self._looked(group, Path(seen)) if options.accounts else self._handed_in(group)
            try:
                output.begin()
                rows = settled([*judged_rows(todo, group, self._progress), *empty], group)
                files = output.write(rows, group, formats, self._words)
            finally:
                output.discard()
        with contextlib.suppress(BrokenPipeError):  # whoever read has enough, as of ``| head``
            self._tell(rows, files)
        return _code(rows)

    def _handed_in(self, group: Class) -> tuple[list[Task], list[Row]]:
        files = self._options.files
        todo, empty = tasks(collected(files), group, self._given.checked("student"))
        if not todo and not empty:
            raise BadNames("grade-nothing", value=", ".join(files))
        return todo, empty

    def _looked(self, group: Class, folder: Path) -> tuple[list[Task], list[Row]]:
        reason = self._words.say("grade-accounts-no-packets")
        return accounts.looked(group.roster.students, group.asked, folder, reason, self._looking), []

    def _roster(self) -> Roster:
        options = self._options
        if options.accounts and (options.files or options.roster or options.student):
            raise BadNames("grade-accounts-alone")
        named = options.accounts or options.roster
        return roster.read(named) if named else Roster()

    def _asked(self) -> Asked:
        given, options = self._given, self._options
        typed, count = given.checked("workers"), int(given.checked("expect-workers") or 0)
        if not typed and not count:
            typed = tutorial.WORKERS
        asked = asked_workers(typed) if typed else ()
        names = tuple(each for each in asked if isinstance(each, str))
        return Asked(
            workers=names if len(names) == len(asked) else (),
            count=max(count, len(asked)),
            after=given.checked("after") or "routes",
            network=given.checked("network") or AUTO,
            due=moment("--due", options.due) if options.due else None,
            since=moment("--since", options.since) if options.since else None,
            account=bool(options.require_account),
            language=self._words.language,
            looked=bool(options.accounts),
        )

    def _formats(self) -> list[str]:
        formats = [each.strip() for typed in self._options.export or () for each in typed.split(",")]
        for each in formats:
            if each not in FORMATS:
                raise BadNames("grade-bad-format", value=each, known=", ".join(FORMATS))
        return formats

    def _looking(self, name: str, done: int, of: int) -> None:
        if sys.stderr.isatty():
            said = printable(self._words.say("grade-accounts-looking", name=name, done=done, of=of), 200)
            sys.stderr.write(f"\r\x1b[K{said}")
            sys.stderr.flush()

    def _progress(self, done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\r\x1b[K" if done == of else ""
            sys.stderr.write(f"\r{self._words.say('grade-progress', done=done, of=of)}{end}")
            sys.stderr.flush()

    def _tell(self, rows: Sequence[Row], files: Sequence[Path]) -> None:
        say, number = self._words.say, words_number(self._words)
        shown = [row for row in rows if row.notes or not row.is_whole]
        for row in shown[:_MOST_ROWS]:
            earned = number(row.points.earned) if row.points and row.counts else "–"
            causes = " ".join(dict.fromkeys(told.code for told in (*row.roots, *row.errors)))
            self._print(f"{row.student}: {earned}  {causes}".rstrip())
            for note in row.notes:
                self._print(f"  {note.said(self._words)}")
        if len(shown) > _MOST_ROWS:
            self._print(say("grade-more-rows", count=len(shown) - _MOST_ROWS))
        count = counts(rows)
        told = [
            f"{count[kind]} {say(f'grade-tile-{kind}', count=count[kind])}"
            for kind in count
            if count[kind] or kind in ("all", "whole")
        ]
        self._print(", ".join(told))
        if self._options.accounts:
            self._print(say("grade-accounts-no-packets"))
        self._print(say("report-files", files="  ".join(map(str, files))))

    def _print(self, line: str) -> None:
        write_line(line, _MOST_SHOWN)


def _code(rows: Sequence[Row]) -> int:
    if all(row.is_whole for row in rows):
        return 0
    return _UNSEEN if all(row.is_whole or row.is_unseen for row in rows) else 1


def _parser(words: Catalogue) -> Parser:
    say = words.say
    parser = Parser(words, prog="python -m kthw.grade", description=say("grade-help"))
    parser.add_argument("files", nargs="*", metavar="FOLDER|FILE|ZIP", help=say("grade-help-files"))
    for name, metavar in (
        ("roster", "CSV"), ("student", "NAME"), ("points", "TOML"), ("due", "DATE"), ("since", "DATE"),
        ("out", "DIR"), ("accounts", "CSV"),
    ):  # fmt: skip
        default = _OUT if name == "out" else None
        parser.add_argument(f"--{name}", metavar=metavar, default=default, help=say(f"grade-help-{name}"))
    parser.add_argument("--export", metavar="|".join(FORMATS), action="append", help=say("grade-help-export"))
    parser.add_argument("--require-account", action="store_true", help=say("grade-help-require-account"))
    for name, metavar in (
        ("workers", "NAMES"), ("expect-workers", "N"), ("after", "CHAPTER"), ("network", "MODEL"),
        ("lab", "FILE"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", metavar=metavar, help=say(f"grade-help-{name}"))
    parser.add_language()
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
