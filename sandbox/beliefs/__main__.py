"""``python -m sandbox.beliefs [--target sandbox|aws] [--yes] [--take-back]``: what do we believe in vain?

Exit codes: 0 every belief holds; 1 one does not; 10 none is refuted, and some could not be looked at; 2 bad
usage, nothing was begun, or something of it is left; 130 interrupted, with all taken back.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from kthw.errors import CouldNotLook
from kthw.start import loaded
from kthw.words.command_line import Parser, language_asked, one_of, speaking
from kthw.words.messages import LANGUAGES, Catalogue, catalogue
from sandbox.beliefs import belief, document, place
from sandbox.beliefs.belief import Found, verdict
from sandbox.beliefs.belongings import Belongings, take_back
from sandbox.beliefs.ends import ENDS
from sandbox.beliefs.lab import TYPE, Lab, NotSeenError
from sandbox.beliefs.packets import PACKETS
from sandbox.beliefs.place import Place
from sandbox.beliefs.routes import ROUTES
from sandbox.box import why_no_packets
from sandbox.command import handling

ALL: Final = (*ROUTES, *PACKETS, *ENDS)
"""In the order in which they are looked at: the last end the machines."""
_TARGETS: Final = ("sandbox", "aws")
_YES: Final = ("y", "yes", "s", "sim")
_MISUSED: Final = 2
_INTERRUPTED: Final = 130
_MINUTES: Final = 15
_DOLLARS: Final = "0.02"
"""Two t3.nano (0.0052 an hour each), two public addresses (0.005 an hour each) and two disks of 8 GB, for a
quarter of an hour, is less than that in the dearest region."""


def main(arguments: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    loaded()
    words = catalogue(language_asked(arguments, os.environ))
    options = _options(arguments, words)
    say = words.say
    try:
        with handling(_interrupt, signal.SIGTERM, signal.SIGHUP):
            if options.target == "sandbox":
                return _on_a_sandbox(options, say)
            return _on_an_account(options, say)
    except NotSeenError as problem:
        return _complain(say("beliefs-cannot-begin", detail=problem))
    except CouldNotLook as problem:
        said = words.error(problem.error)
        return _complain(f"{said.what}\n{said.fix}")
    except KeyboardInterrupt:
        return _INTERRUPTED


def _options(arguments: Sequence[str], words: Catalogue) -> argparse.Namespace:
    with speaking(words):
        parser = Parser(words, prog="python -m sandbox.beliefs", description=words.say("beliefs-help"))
        for name, known in (("target", _TARGETS), ("language", LANGUAGES)):
            parser.add_argument(
                f"--{name}",
                type=one_of(known, words),
                metavar="|".join(known),
                help=words.say(f"beliefs-help-{name}"),
            )
        parser.set_defaults(target="sandbox")
        for name in ("yes", "take-back"):
            parser.add_argument(f"--{name}", action="store_true", help=words.say(f"beliefs-help-{name}"))
        out = place.REPORTS / "beliefs.json"
        parser.add_argument(
            "--out", type=Path, default=out, metavar="FILE", help=words.say("beliefs-help-out")
        )
        return parser.read(arguments)


def _on_a_sandbox(options: argparse.Namespace, say: Callable[..., str]) -> int:
    if options.take_back:
        return _complain(say("beliefs-take-back-where"))
    no_packets = why_no_packets(say)
    if no_packets:
        return _complain(no_packets)
    with place.sandbox() as there:
        _print(say("beliefs-on-a-sandbox", count=len(ALL)))
        return _look(there, options.out, say)


def _on_an_account(options: argparse.Namespace, say: Callable[..., str]) -> int:
    there = place.account()
    _print(say("beliefs-where" if there.is_account else "beliefs-where-local", **there.where))
    if options.take_back:
        return _take_back_others(there, say)
    told = say(
        "beliefs-cost", count=len(ALL), minutes=_MINUTES, dollars=_DOLLARS, type=TYPE, runs=there.runs
    ) if there.is_account else say("beliefs-costs-nothing", count=len(ALL))  # fmt: skip
    _print(told)
    if not options.yes:
        if not (sys.stdin and sys.stdin.isatty()):
            return _complain(say("beliefs-nobody-to-ask"))
        with contextlib.suppress(EOFError):
            if input(f"{say('beliefs-question')} ").strip().lower() in _YES:
                return _look(there, options.out, say)
        return _complain(say("beliefs-not-begun"))
    return _look(there, options.out, say)


def _look(there: Place, out: Path, say: Callable[..., str]) -> int:
    began, found, left = time.monotonic(), list[Found](), list[Any]()
    mine = Belongings(there.runs / f"kthw-beliefs-{secrets.token_hex(4)}")
    why = say("beliefs-interrupted")
    try:
        mine.begin(there.where)
        lab = Lab(there.ec2, mine, there.config, there.patience, there.pause)
        _print(say("beliefs-building"))
        try:
            lab.build()
        except NotSeenError as problem:
            why = str(problem)
        else:
            for each in ALL:
                found.append(belief.look(each, lab))
                _print(document.line(found[-1], say))
    finally:
        try:
            left = _take_back(there, mine, say)
        finally:
            rest = [Found(each, None, why, ()) for each in ALL[len(found) :]]
            _write(out, there, [*found, *rest], left, time.monotonic() - began, say)
    found += rest
    counts = {word: sum(each.holds is it for each in found) for word, it in _HOLDS.items()}
    if rest:
        _complain(say("beliefs-not-built", detail=why))
    _print(say("beliefs-summary", **counts))
    return _MISUSED if left else verdict(found)


_HOLDS: Final = {"hold": True, "otherwise": False, "unseen": None}


def _write(out: Path, there: Place, found: list[Found], left: list[Any], seconds: float, say: Any) -> None:
    try:
        document.write(out, there.where, found, left, seconds)
    except OSError as problem:
        _complain(say("beliefs-cannot-write", file=out, detail=problem.strerror))
    else:
        _print(say("beliefs-written", file=out))


def _take_back(there: Place, mine: Belongings, say: Callable[..., str]) -> list[Any]:
    """What is left. A second Ctrl-C ends it, and tells how to go on."""
    _print(say("beliefs-taking-back"))
    try:
        left = take_back(there.ec2, mine, there.pause)
    except BaseException:
        _complain(say("beliefs-not-taken-back"))
        raise
    for kind, identifier, why in left:
        _complain(say("beliefs-left", kind=kind, id=identifier, why=why))
    if left:
        _complain(say("beliefs-not-taken-back"))
        mine.close()
    else:
        mine.forget()
    return left


def _take_back_others(there: Place, say: Callable[..., str]) -> int:
    """What killed runs left here."""
    left, nothing = list[Any](), True
    for folder in sorted(there.runs.glob("kthw-beliefs-*")):
        try:
            mine = Belongings(folder)
        except BlockingIOError:
            _print(say("beliefs-still-runs", run=folder.name))
            continue
        if mine.where and mine.where != there.where:
            _print(say("beliefs-elsewhere", run=folder.name, **mine.where))
            mine.close()
            continue
        nothing = False
        left += _take_back(there, mine, say)
    if nothing:
        _print(say("beliefs-nothing-to-take-back", runs=there.runs))
    elif not left:
        _print(say("beliefs-taken-back"))
    return _MISUSED if left else 0


def _print(sentence: str) -> None:
    with contextlib.suppress(
        OSError
    ):  # whoever read it has gone, and what was made is still to be taken back
        print(sentence, flush=True)  # noqa: T201 -- a command speaks to who ran it


def _complain(sentence: str) -> int:
    with contextlib.suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201 -- a command speaks to who ran it
    return _MISUSED


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
