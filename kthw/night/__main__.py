"""``python -m kthw.night summary|issue|notify``: what a run over an account came to, told to somebody.

It judges the recording that the run left again, and looks at no account. Exit codes: 0 told, or nothing to
tell; 1 somebody could not be told; 2 bad usage, or nothing to tell it from; 130 interrupted. None of them is
a verdict on the lab.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from kthw.errors import CouldNotLook
from kthw.intended.cluster import BadNames
from kthw.night import webhook
from kthw.night.address import VARIABLE, address, host
from kthw.night.came import Night, night
from kthw.night.github import API, Issues
from kthw.night.issue import deeds
from kthw.night.sending import NotSent
from kthw.start import loaded
from kthw.verdict.markdown import JOINER, markdown, plain
from kthw.verdict.where import recorded
from kthw.words.command_line import Parser, complain, language_asked, one_of, speaking
from kthw.words.messages import LANGUAGES, Catalogue, catalogue
from kthw.words.standard_output import NotWritten, bear_any_sign, write_line

_ACTIONS: Final = ("summary", "issue", "notify")
_REPORT: Final = Path(__file__).resolve().parents[2] / "reports" / "report.json"
_LABEL: Final = "kthw-night"
_REPOSITORY: Final = re.compile(r"[\w-]{1,100}/[\w.-]{1,100}", re.ASCII)
_CODE: Final = re.compile(r"-?\d{1,4}", re.ASCII)
_RUN: Final = re.compile(r"\d{1,30}", re.ASCII)
_SERVER: Final = re.compile(r"https://[\w.-]{1,200}", re.ASCII)
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_OPTIONS: Final = {"url": "notify", "repository": "issue", "label": "issue"}
"""Which action an option says something to, where it is one only."""
_MOST_LABEL: Final = 50
_MOST_SHOWN: Final = 200_000
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run the command; return its exit code."""
    loaded()
    bear_any_sign()
    words = catalogue(language_asked(arguments, environment))
    with speaking(words):
        options = _parser(words).read(arguments)
    command = _Command(options, words, environment)
    try:
        return command.run()
    except CouldNotLook as problem:
        complain(words.error(problem.error).what)
    except BadNames as problem:
        complain(words.refusal(problem))
    except NotSent as problem:
        complain(words.say(problem.key, **problem.facts))
        return 1
    except NotWritten as problem:
        complain(words.say("command-unwritten", detail=problem.detail))
    except BrokenPipeError:
        return 0  # whoever read has enough, as of ``| head``
    except KeyboardInterrupt:
        complain(words.say("night-interrupted"))
        return _INTERRUPTED
    return 2


class _Command:
    def __init__(self, options: argparse.Namespace, words: Catalogue, environment: Mapping[str, str]) -> None:
        self._options = options
        self._environment = environment
        self._asked = words

    def run(self) -> int:
        """Raises ``CouldNotLook``, ``BadNames``, ``NotSent``."""
        options = self._options
        for option, action in _OPTIONS.items():
            typed = getattr(options, option)
            if typed is not None and options.action != action:
                raise BadNames("night-not-its-option", value=f"--{option}", action=options.action, of=action)
        if options.since is not None and options.code is None:
            raise BadNames("night-since-alone", value=options.since)
        return {"summary": self._summary, "issue": self._issue, "notify": self._notify}[
            self._options.action
        ]()

    @cached_property
    def _night(self) -> Night:
        typed = self._options.code
        if typed and not _CODE.fullmatch(typed):
            raise BadNames("night-bad-code", value=typed)
        return night(
            self._options.report, code=int(typed) if typed else None, ended=typed != "", since=self._since
        )

    @property
    def _since(self) -> datetime | None:
        typed = self._options.since
        if typed is None:
            return None
        try:
            since = datetime.fromisoformat(typed)
        except ValueError:
            since = None
        if since is None or since.tzinfo is None:
            raise BadNames("night-bad-since", value=typed)
        return since

    @cached_property
    def _words(self) -> Catalogue:
        """The language asked for, else that of the run, else that of here."""
        report = self._night.report
        of_run = report.evidence.language if report and not self._options.language else ""
        return catalogue(of_run) if of_run in LANGUAGES else self._asked

    @property
    def _target(self) -> list[str]:
        report = self._night.report
        return recorded(report, self._words) if report else []

    def _summary(self) -> int:
        report, words = self._night.report, self._words
        if report is None:
            told = f"## ! {plain(self._night.said(words))}\n\n{plain(words.say('night-no-report'))}\n"
        else:
            told = f"{plain(self._night.said(words))}\n\n{markdown(report, words, self._target)}"
        file = self._environment.get("GITHUB_STEP_SUMMARY")
        if not file or self._options.dry_run:
            self._print(told.replace(JOINER, ""))
            return 0
        try:
            with Path(file).open("a", encoding="utf-8") as summary:
                summary.write(f"{told}\n")
        except OSError as problem:
            complain(words.say("night-unwritten", value=file, detail=problem.strerror))
            return 1
        return 0

    def _notify(self) -> int:
        typed, variable = self._options.url, self._environment.get(VARIABLE, "")
        if typed is None and not variable:
            raise BadNames("night-no-url")
        url = address(VARIABLE, variable) if typed is None else address("--url", typed)
        if self._options.dry_run:
            self._print(webhook.printed(self._night, self._words))
            return 0
        complaint = webhook.told(self._night, url, self._words)
        if complaint:
            complain(complaint)
            return 1
        self._print(self._words.say("night-told", host=host(url)))
        return 0

    def _issue(self) -> int:
        options, environment = self._options, self._environment
        repository = options.repository or environment.get("GITHUB_REPOSITORY", "")
        if not _REPOSITORY.fullmatch(repository):
            raise BadNames("night-bad-repository", value=repository or "—")
        label = _LABEL if options.label is None else options.label
        if not 0 < len(label) <= _MOST_LABEL or "," in label or not label.isprintable():
            raise BadNames("night-bad-label")
        token = environment.get("GITHUB_TOKEN", "")
        if not token and not options.dry_run:
            raise BadNames("night-no-token")
        if token and not _TOKEN.fullmatch(token):
            raise BadNames("night-bad-token")
        issues = Issues(
            address("GITHUB_API_URL", environment.get("GITHUB_API_URL") or API),
            repository,
            label,
            token,
        )
        todo = deeds(
            self._night,
            issues.there(),
            label,
            self._words,
            target=self._target,
            run=self._run_address(repository),
        )
        if not todo:
            self._print(self._words.say("night-nothing-to-tell"))
        for deed in todo:
            if options.dry_run:
                method, path = issues.request(deed)
                self._print(f"{method} {path}\n{json.dumps(deed.fields, ensure_ascii=False, indent=1)}")
            else:
                number = issues.done(deed)
                self._print(self._words.say(f"night-did-{deed.told}", number=number))
        return 0

    def _run_address(self, repository: str) -> str:
        """Where GitHub shows this run; empty outside a workflow."""
        server, run = (self._environment.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_RUN_ID"))
        here = self._environment.get("GITHUB_REPOSITORY") == repository
        fits = here and _SERVER.fullmatch(server) and _RUN.fullmatch(run)
        return f"{server}/{repository}/actions/runs/{run}" if fits else ""

    def _print(self, text: str) -> None:
        write_line(text, _MOST_SHOWN, lines=True)


def _parser(words: Catalogue) -> Parser:
    say = words.say
    parser = Parser(words, prog="python -m kthw.night", description=say("night-help"))
    parser.add_argument(
        "action", type=one_of(_ACTIONS, words), metavar="|".join(_ACTIONS), help=say("night-help-action")
    )
    parser.add_argument("--url", metavar="URL", empty=True, help=say("night-help-url"))
    parser.add_argument("--report", metavar="FILE", type=Path, default=_REPORT, help=say("night-help-report"))
    parser.add_argument("--code", metavar="N", empty=True, help=say("night-help-code"))
    parser.add_argument("--since", metavar="MOMENT", help=say("night-help-since"))
    parser.add_argument("--repository", metavar="OWNER/NAME", help=say("night-help-repository"))
    parser.add_argument("--label", metavar="NAME", empty=True, help=say("night-help-label"))
    parser.add_argument("--dry-run", action="store_true", help=say("night-help-dry-run"))
    parser.add_language()
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
